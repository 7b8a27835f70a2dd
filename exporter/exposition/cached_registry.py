"""A registry of metrics that is rendered only after a change, as rendering takes milliseconds."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

END_MARK: Final = b"# EOF\n"


class CachedRegistry:
    """The metrics of a `registry`; call `touch` after a change of any."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._version = object()  # a new object after each change, as a counter would need a lock
        self._rendered: dict[bool, tuple[object, bytes]] = {}

    def touch(self) -> None:
        """Note that a metric has changed."""
        self._version = object()

    def render(self, *, openmetrics: bool) -> bytes:
        """Return the metrics' text, without OpenMetrics' end mark."""
        version, text = self._rendered.get(openmetrics, (None, b""))
        if version is not self._version:
            version = self._version  # read before rendering: the next call renders later changes
            render: Callable[[CollectorRegistry], bytes] = (
                generate_openmetrics if openmetrics else generate_latest
            )
            text = render(self.registry).removesuffix(END_MARK)
            self._rendered[openmetrics] = version, text
        return text

"""A part of the exporter's own metrics, rendered again only after a change: that takes milliseconds."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

END_MARK: Final = b"# EOF\n"


class CachedRegistry:
    """Metrics of one `registry`; whoever has changed one of them says so by `touch`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._version = object()  # another one after each change: counting would need a lock
        self._rendered: dict[bool, tuple[object, bytes]] = {}

    def touch(self) -> None:
        """A metric has another value now."""
        self._version = object()

    def render(self, *, openmetrics: bool) -> bytes:
        """The metrics' text, without OpenMetrics' end mark."""
        version, text = self._rendered.get(openmetrics, (None, b""))
        if version is not self._version:
            version = self._version  # before: what changes meanwhile is rendered with the next call
            render: Callable[[CollectorRegistry], bytes] = (
                generate_openmetrics if openmetrics else generate_latest
            )
            text = render(self.registry).removesuffix(END_MARK)
            self._rendered[openmetrics] = version, text
        return text

"""What the apps are asked with."""

from collections.abc import Mapping
from dataclasses import dataclass

from exporter.refresh.plan import Policy
from exporter.wechat.access import Access


@dataclass(frozen=True, slots=True)
class Fleet:
    """A way to ask for each app, and how; swapped whole by a reload.

    `patience`: after so many seconds a call hangs in something that no deadline reaches.
    """

    accesses: Mapping[str, Access]
    policy: Policy
    concurrency: int
    patience: float = 300.0

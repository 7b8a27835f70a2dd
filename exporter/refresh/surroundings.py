"""What the searches for platforms' accounts have in common, and how exporters share them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from exporter.wechat.vault import Vault


class Observer(Protocol):
    """Is told what was found."""

    def discovered(self, platform: str, apps: int, without_token: int, at: float) -> None:
        """The platform's accounts were listed: so many became apps, so many have no refresh token."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all searches of an exporter have in common.

    `changed`: is called when accounts were found. `turn`: whether this exporter may do some work now, and
    for the next minute, or another one of its fleet does; None where it shares its vault with none.
    `names`: whose names to ask for.
    """

    vault: Vault
    changed: Callable[[], None]
    observer: Observer
    log: FilteringBoundLogger
    clock: Callable[[], float]
    stopping: threading.Event
    turn: Callable[[str], bool] | None
    names: Callable[[str], bool]

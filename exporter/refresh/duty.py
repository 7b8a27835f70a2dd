"""Who asks WeChat: of several exporters with the same apps, one at a time."""

import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import Final, Protocol

from exporter.store.interface import StoreError

LEASE_SECONDS: Final = 8.0
"""After so long without a sign of life an exporter's duty passes to another."""


class Leases(Protocol):
    """Where a duty is taken; raises StoreError."""

    def take(self, duty: str, holder: str, seconds: float) -> bool:
        """Take a duty for that long, or go on having it; False where another holder has it."""

    def leave(self, duty: str, holder: str) -> None:
        """Give a duty back at once."""


class Duty(Protocol):
    """Whether this exporter is the one."""

    @property
    def mine(self) -> bool:
        """Whether it is to ask WeChat now."""


class OwnDuty:
    """Of an exporter that shares with nobody."""

    mine = True


class SharedDuty:
    """A lease in a shared storage. `renew` is called once a second by one thread; `mine` by any.

    Without the storage the one that had the duty goes on. The others do nothing for one interval, as their
    rows are still good; then they ask too, for they cannot know whether the first one lives.
    """

    def __init__(
        self, leases: Leases, duty: str, interval: float = 3600.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`interval`: seconds between two rounds; `clock` never jumps."""
        self._leases = leases
        self._duty = duty
        self._clock = clock
        self.holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self.interval = interval
        self.able: Callable[[], bool] = lambda: True
        self._leased = False
        self._away_since: float | None = None
        self._polite_until = 0.0

    @property
    def mine(self) -> bool:
        """Whether it is to ask WeChat now."""
        away = self._away_since
        patience = max(self.interval, 2 * LEASE_SECONDS)  # a storage that is back is seen by then
        return self._leased or (away is not None and self._clock() >= away + patience)

    def renew(self) -> None:
        """Take the duty, or go on having it; raises StoreError where the storage does not answer.

        One that did not have it lets the one that had it come first when the storage is back; one that is
        not `able` to ask gives it up.
        """
        if not self.able():
            self._away_since = None
            self.leave()
            return
        now = self._clock()
        if not self._leased and now < self._polite_until:
            return
        try:
            self._leased = self._leases.take(self._duty, self.holder, LEASE_SECONDS)
        except StoreError:
            if self._away_since is None:
                self._away_since = now
            self._polite_until = now + LEASE_SECONDS
            raise
        self._away_since = None

    def leave(self) -> None:
        """Give it back, so that another need not wait for the lease to end; raises StoreError."""
        if self._leased:
            self._leased = False
            self._leases.leave(self._duty, self.holder)

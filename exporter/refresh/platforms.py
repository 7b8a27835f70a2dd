"""Watches over all third-party platforms: whose accounts to search for, and how new their tickets are."""

import math
import threading
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

from exporter.config.settings import App, Discovery, TicketCallback
from exporter.refresh.search import Search
from exporter.refresh.surroundings import Observer, Surroundings
from exporter.wechat.errors import CallError
from exporter.wechat.third_party import OpenPlatform
from exporter.wechat.vault import Vault

_TICKET_SECONDS: Final = 300.0  # between two looks at a ticket's age
_PUSHED_SECONDS: Final = 30.0  # the same where WeChat may have pushed it to another exporter


class Gauges(Observer, Protocol):
    """Is told how the platforms are."""

    def ticket(self, platform: str, received_at: float) -> None:
        """The platform's newest verify ticket came then (Unix time)."""


Turn = Callable[[str], bool]
"""Whether this exporter may look a platform's accounts up now, or another one of its fleet does."""


class PlatformWatch:
    """Keeps the accounts of all platforms that discover. `run` is the body of a thread."""

    def __init__(
        self,
        vault: Vault,
        changed: Callable[[], None],
        gauges: Gauges,
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], float],
        stopping: threading.Event,
        turn: Turn | None = None,
        names: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Accounts found are told by calling `changed`; then `apps` has them.

        `turn`: set where the vault is shared with exporters that look the same accounts up. `names`: whose
        names to ask for.
        """
        self._around = Surroundings(vault, changed, gauges, log, clock, stopping, turn, names)
        self._gauges = gauges
        self._log = log
        self._clock = clock
        self._stopping = stopping
        self.renewed: Callable[[str], None] = lambda _: None
        """Is told of a platform to which a verify ticket has come."""
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._searches: dict[str, Search] = {}
        self._platforms: Mapping[str, OpenPlatform] = {}
        self._tickets: dict[str, float] = {}  # when each platform's newest one came
        self._tickets_at = 0.0  # when to look at all of them
        self._pushed_at = 0.0  # at those that WeChat pushes to any exporter of the fleet

    def configure(self, platforms: Mapping[str, OpenPlatform]) -> None:
        """Watch over these from now on; accounts known from before a restart are there at once."""
        with self._lock:
            before = self._searches
            self._platforms = platforms
            self._pushed_at = 0.0
            self._searches = {
                name: self._search(platform, settings, before.get(name))
                for name, platform in platforms.items()
                if (settings := platform.settings.discovery) is not None
            }
        self._wake.set()

    def apps(self) -> list[App]:
        """The apps that the accounts found so far become."""
        with self._lock:
            searches = list(self._searches.values())
        return [app for each in searches for app in each.apps()]

    def list_accounts(self) -> list[Search]:
        """List every platform's accounts now, outside of `run`; returns what is known of each then."""
        with self._lock:
            searches = list(self._searches.values())
        for each in searches:
            each.go_on()
        return searches

    @property
    def unlisted(self) -> list[str]:
        """The platforms whose accounts are not known, as there was no try to list them yet."""
        return [name for name, each in list(self._searches.items()) if not each.tried]

    @property
    def settled(self) -> bool:
        """Whether it was tried for every platform to know its accounts."""
        return not self.unlisted

    def accounts_changed(self, name: str) -> None:
        """WeChat has told that an account came or went: list them soon."""
        if (found := self._searches.get(name)) is not None:
            found.accounts_changed()
            self._wake.set()

    def ticket_came(self, name: str, received_at: float) -> None:
        """WeChat has pushed a ticket, to this exporter or another one: go on where there was none."""
        self._tickets[name] = max(self._tickets.get(name, 0.0), received_at)
        self._gauges.ticket(name, received_at)
        if (found := self._searches.get(name)) is not None:
            found.ticket_came()
            self._wake.set()
        self.renewed(name)

    def run(self) -> None:
        """Search and look, each in its time, until the exporter stops."""
        while not self._stopping.is_set():
            self.look_at_tickets()
            with self._lock:
                searches = list(self._searches.values())
            for each in searches:
                try:
                    each.go_on()
                except Exception as error:  # noqa: BLE001 - one platform must not stop the others
                    self._log.error("internal fault", error=type(error).__name__, exc_info=True)
                    each.postpone()
            next_at = min([self._tickets_at, self._pushed_at, *(each.next_at for each in searches)])
            if self._wake.wait(max(0.0, next_at - self._clock())):
                self._wake.clear()

    def stop(self) -> None:
        """Wake the thread, so that it sees that the exporter stops."""
        self._wake.set()

    def look_at_tickets(self) -> None:
        """Tell how new the tickets are, if it is time, and go on where one came to another exporter."""
        now = self._clock()
        platforms = dict(self._platforms)
        pushed = {name: each for name, each in platforms.items() if self._may_be_pushed_elsewhere(each)}
        due = platforms if now >= self._tickets_at else pushed if now >= self._pushed_at else {}
        if now >= self._tickets_at:
            self._tickets_at = now + _TICKET_SECONDS
        if now >= self._pushed_at:
            self._pushed_at = now + _PUSHED_SECONDS if pushed else math.inf
        for name, platform in due.items():
            self._look_at_ticket(name, platform, pushed=name in pushed)

    def _look_at_ticket(self, name: str, platform: OpenPlatform, *, pushed: bool) -> None:
        try:
            received_at = platform.component.tickets.ticket().received_at
        except CallError as error:
            self._log.debug("no verify ticket", platform=name, detail=str(error))
            self._tickets.setdefault(name, 0.0)
            return
        if received_at is None:
            return
        if pushed and received_at > self._tickets.get(name, math.inf):  # at the first look it is no news
            self.ticket_came(name, received_at)
        else:
            self._tickets[name] = received_at
            self._gauges.ticket(name, received_at)

    def _may_be_pushed_elsewhere(self, platform: OpenPlatform) -> bool:
        return self._around.turn is not None and isinstance(platform.settings.ticket, TicketCallback)

    def _search(self, platform: OpenPlatform, settings: Discovery, before: Search | None) -> Search:
        if before is not None and before.platform is platform:
            return before
        return Search(platform, settings, self._around)

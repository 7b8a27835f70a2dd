"""Watches over all third-party platforms: whose accounts to search for, and how new their tickets are."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

from exporter.config.settings import App
from exporter.discovery.search import Search, Turn
from exporter.discovery.state import PlatformState
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.open_platform import OpenPlatform
from exporter.wechat.platform.tickets import Ticket
from exporter.wechat.tokens.services import TICKET
from exporter.wechat.vault import Vault

_LOOK_SECONDS: Final = 15.0  # between two looks at tickets and secrets
_BY_TICKET: Final = frozenset({Reason.THIRD_PARTY_TICKET})
_BY_SECRET: Final = frozenset({Reason.INVALID_SECRET, Reason.INVALID_APPID})


class Gauges(Protocol):
    """Shows how the platforms are."""

    def platforms(self, states: Collection[PlatformState]) -> None:
        """These are all platforms that there are, and how they are."""


@dataclass(frozen=True, slots=True)
class News:
    """What a look has found: whether `apps` has changed, and what may work now.

    `retries`: platforms, each with the reasons of failed calls that may work now.
    """

    apps_changed: bool = False
    retries: tuple[tuple[str, Collection[Reason]], ...] = ()


class PlatformWatch:
    """Keeps the accounts of all platforms that discover, and looks how new their tickets and secrets are."""

    def __init__(
        self,
        vault: Vault,
        gauges: Gauges,
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], float],
        stopping: threading.Event,
        turn: Turn | None = None,
    ) -> None:
        """`turn`: set where the vault is shared with exporters that look the same accounts up."""
        self._vault = vault
        self._gauges = gauges
        self._log = log
        self._clock = clock
        self._stopping = stopping
        self._turn = turn
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._searches: dict[str, Search] = {}
        self._platforms: Mapping[str, OpenPlatform] = {}
        self._tickets: dict[str, Ticket | Failure] = {}  # what the last look at each has found
        self._secrets: dict[str, bytes] = {}  # the fingerprints at the last look
        self._failing_since: dict[str, float] = {}
        self._settled: set[str] = set()
        self._shown: list[PlatformState] | None = None

    def configure(self, platforms: Mapping[str, OpenPlatform]) -> None:
        """Watch over these from now on; accounts known from before a restart are there at once."""
        with self._lock:
            before = self._searches
            searches = {
                name: found
                if (found := before.get(name)) is not None and found.platform is platform
                else Search(platform, settings, self._vault, self._log, self._clock, self._turn)
                for name, platform in platforms.items()
                if (settings := platform.settings.discovery) is not None
            }
            self._platforms, self._searches = platforms, searches  # together, or neither where that failed
        self._show()
        self._wake.set()

    def apps(self) -> list[App]:
        """The apps that the accounts found so far become."""
        return [app for each in self._all() for app in each.apps()]

    def states(self) -> list[PlatformState]:
        """How each platform is, in the order of the configuration."""
        return [self._state(name, each) for name, each in list(self._platforms.items())]

    def list_accounts(self) -> list[Search]:
        """List every platform's accounts now, outside of `run`; returns what is known of each then."""
        searches = self._all()
        for each in searches:
            each.go_on()
            while not each.complete and not self._stopping.wait(min(each.wait(), 1.0)):
                each.go_on()
        return searches

    @property
    def unlisted(self) -> list[str]:
        """The platforms whose accounts are not known, as there was no try to list them yet."""
        return [each.name for each in self._all() if not each.tried]

    @property
    def settled(self) -> bool:
        """Whether all apps of every platform were known once, as far as they could be."""
        self._settled |= {each.name for each in self._all() if each.complete}
        return all(each.name in self._settled for each in self._all())

    def accounts_changed(self, name: str) -> None:
        """List the accounts soon: one came or went."""
        if (found := self._searches.get(name)) is not None:
            found.accounts_changed()
            self._wake.set()

    def ticket_came(self, name: str) -> None:
        """Look soon: WeChat has pushed a ticket to this exporter."""
        self._tickets.setdefault(name, TICKET.failure("none came yet"))
        self._wake.set()

    def look(self) -> News:
        """Look at tickets and secrets, and go on with each search whose time has come."""
        retries: list[tuple[str, Collection[Reason]]] = []
        try:
            retries += self.look_at_credentials()
        except Exception as error:  # noqa: BLE001 - the accounts are searched for all the same
            self._log.error("internal fault", error=type(error).__name__, exc_info=True)
        changed = False
        for each in self._all():
            failed = each.failure
            try:
                changed |= each.go_on()
                if failed is not None and each.failure is None:
                    retries.append((each.name, {failed.reason}))
            except Exception as error:  # noqa: BLE001 - one platform must not stop the others
                self._log.error("internal fault", error=type(error).__name__, exc_info=True)
                each.postpone()
        self._show()
        return News(changed, tuple(retries))

    def wait(self) -> None:
        """Return once it is time to look again, or something has come."""
        if self._wake.wait(min([_LOOK_SECONDS, *(each.wait() for each in self._all())])):
            self._wake.clear()

    def stop(self) -> None:
        """Wake the thread that waits, so that it sees that the exporter stops."""
        self._wake.set()

    def look_at_credentials(self) -> list[tuple[str, Collection[Reason]]]:
        """See whether tickets have come, to a file, an address, another exporter; whether secrets changed.

        Returns:
            the platforms of which another one is there than at the last look, each with the reasons of
            failed calls that may work now.
        """
        retries: list[tuple[str, Collection[Reason]]] = []
        for name, platform in list(self._platforms.items()):
            fingerprint = platform.component.keeper.source.fingerprint()
            if fingerprint not in (self._secrets.setdefault(name, fingerprint), b""):
                self._secrets[name] = fingerprint
                retries.append((name, _BY_SECRET))
            if self._has_new_ticket(name, platform):
                retries.append((name, _BY_TICKET))
        for name, reasons in retries:
            if (search := self._searches.get(name)) is not None:
                search.retry(reasons)
        return retries

    def _has_new_ticket(self, name: str, platform: OpenPlatform) -> bool:
        seen = self._tickets.get(name)
        try:
            found = self._tickets[name] = platform.component.tickets.ticket()
        except CallError as error:
            self._tickets[name] = error.failure
            return False
        return seen is not None and not (isinstance(seen, Ticket) and seen.value == found.value)

    def _state(self, name: str, platform: OpenPlatform) -> PlatformState:
        search, ticket = self._searches.get(name), self._tickets.get(name)
        problem = platform.component.failure
        if isinstance(ticket, Failure):
            problem = ticket
        if search is not None and search.failure is not None:
            problem = search.failure
        state = PlatformState(
            name,
            failure=problem,
            failing_since=None if problem is None else self._failing_since.get(name),
            ticket_at=ticket.received_at if isinstance(ticket, Ticket) else None,
        )
        if search is None:
            return state
        kinds = Counter(each.is_app for each in list(search.known.values()))
        return replace(
            state,
            discovers=True,
            apps=kinds[True],
            others=kinds[False],
            unknown=kinds[None],
            without_token=search.without_token,
            listed_at=search.listed_at,
        )

    def _show(self) -> None:
        """Show how the platforms are, if that has changed."""
        for state in self.states():
            if state.failure is None:
                self._failing_since.pop(state.name, None)
            else:
                self._failing_since.setdefault(state.name, self._clock())
        states = self.states()
        if states != self._shown:
            self._shown = states
            self._gauges.platforms(states)

    def _all(self) -> list[Search]:
        with self._lock:
            return list(self._searches.values())

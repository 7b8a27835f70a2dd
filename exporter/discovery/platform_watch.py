"""The watch over all third-party platforms: searches for accounts, and looks for new tickets and secrets."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.config.apps import App
from exporter.discovery.account_search import AccountSearch
from exporter.discovery.platform_state import PlatformState
from exporter.wechat.access import attempt
from exporter.wechat.credential_vault import Leases
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.open_platform import OpenPlatform
from exporter.wechat.platform.tickets import Ticket
from exporter.wechat.tokens.services import TICKET

_LOOK_SECONDS: Final = 15.0  # seconds between two looks at tickets and secrets
_BY_TICKET: Final = frozenset({Reason.THIRD_PARTY_TICKET})
_BY_SECRET: Final = frozenset({Reason.INVALID_SECRET, Reason.INVALID_APPID})


@dataclass(slots=True)
class _WatchedPlatform:
    """A platform, the search for its accounts if it discovers, and the result of the last look at it."""

    platform: OpenPlatform
    search: AccountSearch | None
    ticket: Ticket | Failure | None = None
    secret: bytes | None = None
    failing_since: float | None = None

    def look_at_credential(self) -> Iterator[Collection[Reason]]:
        """Look at secret and ticket; for each new one yield the reasons of failures that it may end."""
        secret, found = self.secret, self.platform.source.fingerprint()
        self.secret = found if secret is None else found or secret
        if secret is not None and self.secret != secret:
            yield _BY_SECRET
        seen = self.ticket
        try:
            self.ticket = self.platform.tickets.ticket()
        except CallError as error:
            self.ticket = error.failure
            return
        if seen is not None and not (isinstance(seen, Ticket) and seen.value == self.ticket.value):
            yield _BY_TICKET


@dataclass(frozen=True, slots=True)
class WatchFindings:
    """The result of a look: whether the apps have changed, and calls that may work now.

    `retries`: platforms with the reasons of the failures that may have ended.
    """

    apps_changed: bool = False
    retries: tuple[tuple[str, Collection[Reason]], ...] = ()


class PlatformWatch:
    """Keeps the accounts of all discovering platforms, and watches tickets and secrets."""

    def __init__(
        self,
        log: FilteringBoundLogger,
        show: Callable[[Sequence[PlatformState]], object] = lambda _: None,
        *,
        stopping: threading.Event,
        leases: Leases | None = None,
    ) -> None:
        """Watch no platforms yet.

        `show`: called with the states of all platforms when one changes. `leases`: None if no other exporter
        searches for the same accounts.
        """
        self._log = log
        self._show_states = show
        self._stopping = stopping
        self._leases = leases
        self._wake = threading.Event()
        self._watched: Mapping[str, _WatchedPlatform] = {}
        self._settled: set[str] = set()
        self._shown: list[PlatformState] | None = None

    def configure(self, platforms: Mapping[str, OpenPlatform]) -> None:
        """Replace the watched platforms, loading the accounts known before a restart."""
        self._watched = {
            name: found
            if (found := self._watched.get(name)) is not None and found.platform is platform
            else _WatchedPlatform(platform, self._search(platform))
            for name, platform in platforms.items()
        }
        self._show()
        self._wake.set()

    def apps(self) -> list[App]:
        """Return the apps for the accounts found so far."""
        return [app for each in self._searches() for app in each.apps()]

    def states(self) -> list[PlatformState]:
        """Return the state of each platform, in the order of the configuration."""
        return [_state(name, each) for name, each in self._watched.items()]

    def list_accounts(self) -> list[AccountSearch]:
        """List every platform's accounts now, for commands without a watching thread; return the searches."""
        searches = self._searches()
        for each in searches:
            each.go_on()
            while not each.complete and not self._stopping.wait(min(each.wait(), 1.0)):
                each.go_on()
        return searches

    @property
    def unlisted(self) -> list[str]:
        """Return the names of the platforms whose accounts were never listed nor stored."""
        return [each.name for each in self._searches() if not each.tried]

    @property
    def settled(self) -> bool:
        """Return whether all apps of every platform have been known once, as far as possible."""
        self._settled |= {each.name for each in self._searches() if each.complete}
        return all(each.name in self._settled for each in self._searches())

    def accounts_changed(self, name: str) -> None:
        """List a platform's accounts soon, as one has come or gone."""
        if (each := self._watched.get(name)) is not None and each.search is not None:
            each.search.accounts_changed()
            self._wake.set()

    def ticket_came(self, name: str) -> None:
        """Look at a platform soon, as WeChat has pushed a ticket."""
        if (each := self._watched.get(name)) is not None:
            each.ticket = each.ticket or TICKET.failure("none came yet")
            self._wake.set()

    def look(self) -> WatchFindings:
        """Look at tickets and secrets, and continue each search that is due."""
        looked = attempt(self.look_at_credentials, self._log)
        retries = [] if isinstance(looked, Failure) else looked  # the search continues all the same
        changed = False
        for each in self._searches():
            failed = each.failure
            outcome = attempt(each.go_on, self._log)
            if isinstance(outcome, Failure):  # one platform must not stop the others
                each.postpone()
                continue
            changed |= outcome
            if failed is not None and each.failure is None:
                retries.append((each.name, {failed.reason}))
        self._show()
        return WatchFindings(changed, tuple(retries))

    def wait(self) -> None:
        """Wait until the next look is due, or something has come."""
        if self._wake.wait(min([_LOOK_SECONDS, *(each.wait() for each in self._searches())])):
            self._wake.clear()

    def stop(self) -> None:
        """Wake the waiting thread, so that it sees that the exporter stops."""
        self._wake.set()

    def look_at_credentials(self) -> list[tuple[str, Collection[Reason]]]:
        """Look for new tickets (in a file, at an address, from another exporter) and changed secrets.

        Return the platforms that have one, each with the reasons of failures that may have ended.
        """
        retries: list[tuple[str, Collection[Reason]]] = []
        for name, each in self._watched.items():
            for reasons in each.look_at_credential():
                retries.append((name, reasons))
                if each.search is not None:
                    each.search.retry(reasons)
        return retries

    def _show(self) -> None:
        """Show the states of the platforms if they have changed."""
        for each in self._watched.values():
            if _problem(each) is None:
                each.failing_since = None
            elif each.failing_since is None:
                each.failing_since = each.platform.client.clock()
        states = self.states()
        if states != self._shown:
            self._shown = states
            self._show_states(states)

    def _search(self, platform: OpenPlatform) -> AccountSearch | None:
        settings = platform.settings.discovery
        return None if settings is None else AccountSearch(platform, settings, self._log, self._leases)

    def _searches(self) -> list[AccountSearch]:
        return [each.search for each in self._watched.values() if each.search is not None]


def _problem(each: _WatchedPlatform) -> Failure | None:
    """Return why accounts cannot be listed, or why there is no ticket or token."""
    if each.search is not None and each.search.failure is not None:
        return each.search.failure
    return each.ticket if isinstance(each.ticket, Failure) else each.platform.source.failure


def _state(name: str, each: _WatchedPlatform) -> PlatformState:
    problem, search = _problem(each), each.search
    known = [] if search is None else list(search.known.values())
    kinds = Counter(account.is_app for account in known)
    return PlatformState(
        name,
        failure=problem,
        failing_since=None if problem is None else each.failing_since,
        ticket_at=each.ticket.received_at if isinstance(each.ticket, Ticket) else None,
        discovers=search is not None,
        apps=kinds[True],
        others=kinds[False],
        unknown=kinds[None],
        without_token=0 if search is None else search.without_token,
        listed_at=None if search is None else search.listed_at,
    )

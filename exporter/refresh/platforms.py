"""Watches over third-party platforms: accounts that come, go and rename themselves; the ticket's age."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

from exporter.config.settings import App
from exporter.refresh import accounts
from exporter.refresh.accounts import Account, Roll
from exporter.wechat.errors import CallError, Reason
from exporter.wechat.line import Endpoint
from exporter.wechat.third_party import OpenPlatform
from exporter.wechat.vault import Vault, VaultError

_TICKET_SECONDS: Final = 300.0  # between two looks at a ticket's age
_NAME_PAUSE: Final = 0.2  # seconds between two names: 10,000 take half an hour
_FIRST_NAMES: Final = 50  # are awaited before the accounts are shown: a later name is another series
_NAMES_AT_ONCE: Final = 500  # in one turn, and between two changes of what is on show
_FIRST_RETRY: Final = 60.0  # seconds, doubled after each failure up to the interval
_EVENT_PAUSE: Final = 10.0  # seconds between two lists that pushes ask for
_NAME_RETRY: Final = 3600.0
_LOOK_SECONDS: Final = 30.0  # between two looks at what other exporters have found
_TURN_SECONDS: Final = 5.0  # until asking again whether it is this exporter's turn
_OF_ACCOUNT: Final = frozenset(
    {Reason.PERMISSION, Reason.ACCOUNT, Reason.INVALID_APPID, Reason.MALFORMED, Reason.UNKNOWN_ERRCODE}
)
"""Why the name of one account may fail while the others' do not."""


class Gauges(Protocol):
    """Is told how the platforms are."""

    def ticket(self, platform: str, received_at: float) -> None:
        """The platform's newest verify ticket came then (Unix time)."""

    def discovered(self, platform: str, apps: int, without_token: int, at: float) -> None:
        """The platform's accounts were listed: so many became apps, so many have no refresh token."""


Turn = Callable[[str], bool]
"""Whether this exporter may look a platform's accounts up now, or another one of its fleet does."""


@dataclass(slots=True)
class _Search:
    """What is known of one platform's accounts; times are Unix times."""

    platform: OpenPlatform
    known: dict[str, Account] = field(default_factory=dict)
    without_token: int = 0
    tried: bool = False
    saved_at: float = 0.0
    look_at: float = 0.0
    listed_at: float | None = None
    list_at: float = 0.0
    names_at: float = 0.0
    failures: int = 0
    told: object = None

    @property
    def name(self) -> str:
        return self.platform.settings.name

    @property
    def key(self) -> str:
        return f"accounts/{self.platform.settings.component_appid}"


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
        self._turn = turn
        self._names = names
        self._vault = vault
        self._changed = changed
        self._gauges = gauges
        self._log = log
        self._clock = clock
        self._stopping = stopping
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._searches: dict[str, _Search] = {}
        self._platforms: Mapping[str, OpenPlatform] = {}

    def configure(self, platforms: Mapping[str, OpenPlatform]) -> None:
        """Watch over these from now on; accounts known from before a restart are there at once."""
        with self._lock:
            before = self._searches
            self._platforms = platforms
            self._searches = {
                name: self._search(platform, before.get(name))
                for name, platform in platforms.items()
                if platform.settings.discovery is not None
            }
        self._wake.set()

    def apps(self) -> list[App]:
        """The apps that the accounts found so far become."""
        with self._lock:
            searches = list(self._searches.values())
        return [
            accounts.app_of(appid, account, search.name)
            for search in searches
            for appid, account in list(search.known.items())
        ]

    @property
    def settled(self) -> bool:
        """Whether every platform's accounts were listed, or tried to be, or known from before a restart."""
        return all(search.tried for search in list(self._searches.values()))

    def accounts_changed(self, name: str) -> None:
        """WeChat has told that an account came or went: list them soon."""
        search = self._searches.get(name)
        if search is not None:
            search.list_at = min(search.list_at, (search.listed_at or 0.0) + _EVENT_PAUSE)
            self._wake.set()

    def ticket_came(self, name: str, received_at: float) -> None:
        """WeChat has pushed a ticket: go on where there was none."""
        self._gauges.ticket(name, received_at)
        search = self._searches.get(name)
        if search is not None and search.failures:
            search.list_at = 0.0
            self._wake.set()

    def run(self) -> None:
        """List, name and look, each in its time, until the exporter stops."""
        look_at = 0.0
        while not self._stopping.is_set():
            if self._clock() >= look_at:
                look_at = self._clock() + _TICKET_SECONDS
                self._look_at_tickets()
            with self._lock:
                searches = list(self._searches.values())
            for search in searches:
                try:
                    self.search(search)
                except Exception as error:  # noqa: BLE001 - one platform must not stop the others
                    self._log.error("internal fault", error=type(error).__name__, exc_info=True)
                    search.list_at = self._clock() + _FIRST_RETRY
            next_at = min([look_at, *(self._next_at(search) for search in searches)])
            if self._wake.wait(max(0.0, next_at - self._clock())):
                self._wake.clear()

    def stop(self) -> None:
        """Wake the thread, so that it sees that the exporter stops."""
        self._wake.set()

    def search(self, search: _Search) -> None:
        """List the platform's accounts if it is time, and ask for names that are due."""
        if self._adopt(search):
            self._changed()
        listing = self._clock() >= search.list_at
        due = self._unnamed(search) if self._clock() >= search.names_at else []
        if not (listing or due) or not self._takes_turn(search):
            return
        if listing:
            if not self._list(search):
                return
            self._name(search, self._without_name(search)[:_FIRST_NAMES])
            self._changed()
            due = self._unnamed(search) if self._clock() >= search.names_at else []
        if due:  # the rest in the next turn: other platforms have theirs, and a push may have come
            self._name(search, due[:_NAMES_AT_ONCE])
            self._changed()

    def _takes_turn(self, search: _Search) -> bool:
        """Whether no other exporter is at it; where one is, this one looks again in some seconds."""
        if self._turn is None or self._turn(search.key):
            return True
        again = self._clock() + _TURN_SECONDS
        search.list_at, search.names_at = max(search.list_at, again), max(search.names_at, again)
        return False

    def _adopt(self, search: _Search) -> bool:
        """Take over what another exporter has stored meanwhile; whether it has."""
        if self._turn is None or self._clock() < search.look_at:
            return False
        search.look_at = self._clock() + _LOOK_SECONDS
        try:
            roll = accounts.read(self._vault.credential(search.key))
        except VaultError:
            return False  # the storage's own watch tells
        if roll is None or roll.saved_at <= search.saved_at:
            return False
        self._take_over(search, roll)
        return True

    def _take_over(self, search: _Search, roll: Roll) -> None:
        discovery = search.platform.settings.discovery
        if discovery is None:
            return
        search.known = accounts.listed(accounts.wanted(roll.accounts, discovery), roll.accounts)
        search.tried, search.saved_at, search.without_token = True, roll.saved_at, roll.without_token
        if roll.listed_at > (search.listed_at or 0.0):
            search.listed_at, search.failures = roll.listed_at, 0
            if self._turn is not None:
                search.list_at = roll.listed_at + discovery.interval
            self._gauges.discovered(search.name, len(search.known), roll.without_token, roll.listed_at)

    def _search(self, platform: OpenPlatform, before: _Search | None) -> _Search:
        if before is not None and before.platform is platform:
            return before
        search = _Search(platform)
        try:
            roll = accounts.read(self._vault.credential(search.key))
        except VaultError as error:
            self._log.warning("accounts not restored", platform=search.name, error=str(error))
            roll = None
        if roll is not None:
            self._take_over(search, roll)
        return search

    def _list(self, search: _Search) -> bool:
        """Read the list; whether that worked."""
        discovery = search.platform.settings.discovery
        if discovery is None:
            return False
        now = self._clock()
        try:
            listing = search.platform.component.list_accounts()
        except CallError as error:
            delay = min(_FIRST_RETRY * 2.0 ** min(search.failures, 20), discovery.interval)
            search.failures += 1
            search.tried = True
            search.list_at = now + delay
            problem = error.failure
            self._tell(
                search, problem.reason, "discovery failing", detail=str(error), advice=problem.advice.en
            )
            return False
        appids = accounts.wanted(listing.refresh_tokens, discovery)
        usable = [
            appid for appid in appids if listing.refresh_tokens[appid] or self._has_token(search, appid)
        ]
        without = sorted(set(appids) - set(usable))
        come, gone = set(usable) - search.known.keys(), search.known.keys() - set(usable)
        search.known = accounts.listed(usable, search.known)
        search.tried, search.failures = True, 0
        search.listed_at, search.list_at = now, now + discovery.interval
        search.without_token = len(without)
        self._gauges.discovered(search.name, len(usable), len(without), now)
        self._save(search)
        if come or gone:
            self._log.info(
                "accounts discovered", platform=search.name, apps=len(usable), new=len(come), gone=len(gone)
            )
        self._tell(
            search,
            tuple(without) or None,
            "accounts without a refresh token: their authorisation code was never exchanged (api_query_auth)",
            accounts=len(without),
            first=without[0] if without else None,
        )
        return True

    def _name(self, search: _Search, appids: list[str]) -> None:
        """Ask for the names of these, as far as it makes sense to go on."""
        for number, appid in enumerate(appids):
            if self._stopping.wait(_NAME_PAUSE if number else 0):
                return
            if number and not self._takes_turn(search):  # many names take longer than a turn
                return  # another one has it, and stores what it finds
            now = self._clock()
            try:
                name = search.platform.component.ask(
                    Endpoint.AUTHORIZER_INFO, {"authorizer_appid": appid}, accounts.name_in
                )
            except CallError as error:
                known = search.known[appid]
                search.known[appid] = Account(known.name, now - accounts.NAME_SECONDS + _NAME_RETRY)
                if error.failure.reason not in _OF_ACCOUNT:  # the next one would fail too
                    search.names_at = now + _FIRST_RETRY
                    break
            else:
                search.known[appid] = Account(name, now)
        if appids:
            self._save(search)

    def _has_token(self, search: _Search, appid: str) -> bool:
        try:
            return search.platform.refresh_tokens.get(appid) is not None
        except CallError:
            return False

    def _save(self, search: _Search) -> None:
        search.saved_at = self._clock()
        roll = Roll(search.known, search.listed_at or 0.0, search.saved_at, search.without_token)
        try:
            self._vault.save_credential(search.key, accounts.written(roll))
        except VaultError as error:
            self._log.error("accounts not stored", platform=search.name, error=str(error))

    def _look_at_tickets(self) -> None:
        for name, platform in list(self._platforms.items()):
            try:
                ticket = platform.component.tickets.ticket()
            except CallError as error:
                self._log.debug("no verify ticket", platform=name, detail=str(error))
                continue
            if ticket.received_at is not None:
                self._gauges.ticket(name, ticket.received_at)

    def _next_at(self, search: _Search) -> float:
        due = [
            account.asked_at + accounts.NAME_SECONDS
            for appid, account in search.known.items()
            if self._names(appid)
        ]
        looks = [] if self._turn is None else [search.look_at]
        return min([search.list_at, *looks, max(search.names_at, min(due, default=search.list_at))])

    def _unnamed(self, search: _Search) -> list[str]:
        return [appid for appid in accounts.unnamed(search.known, self._clock()) if self._names(appid)]

    def _without_name(self, search: _Search) -> list[str]:
        return [
            appid for appid, account in search.known.items() if not account.asked_at and self._names(appid)
        ]

    def _tell(self, search: _Search, state: object, event: str, **about: object) -> None:
        """One warning when a state begins; None is the good one."""
        if state is not None and state != search.told:
            self._log.warning(event, platform=search.name, **about)
        search.told = state

"""The search for one platform's accounts: listed, named, and taken over from other exporters."""

from typing import Final

from exporter.config.settings import App, Discovery
from exporter.refresh import accounts
from exporter.refresh.accounts import Account, Roll
from exporter.refresh.surroundings import Surroundings
from exporter.store.shared import credible
from exporter.wechat.component import GivenUpError
from exporter.wechat.errors import CallError, Failure, Reason
from exporter.wechat.line import Endpoint
from exporter.wechat.third_party import OpenPlatform
from exporter.wechat.vault import VaultError

FIRST_RETRY: Final = 60.0
"""Seconds until a list that failed is tried again, doubled after each failure up to the interval."""

_NAME_PAUSE: Final = 0.2  # seconds between two names: 10,000 take half an hour
_FIRST_NAMES: Final = 50  # are awaited before the accounts are shown: a later name is another series
_NAMES_AT_ONCE: Final = 500  # in one turn, and between two changes of what is on show
_EVENT_PAUSE: Final = 10.0  # seconds between two lists that pushes ask for
_NAME_RETRY: Final = 3600.0
_LOOK_SECONDS: Final = 30.0  # between two looks at what other exporters have found
_TURN_SECONDS: Final = 5.0  # until asking again whether it is this exporter's turn
_OF_ACCOUNT: Final = frozenset(
    {Reason.PERMISSION, Reason.ACCOUNT, Reason.INVALID_APPID, Reason.MALFORMED, Reason.UNKNOWN_ERRCODE}
)
"""Why the name of one account may fail while the others' do not."""


class Search:
    """What is known of one platform's accounts, and when to ask for more; times are Unix times.

    `go_on` is for one thread; the rest may be called from any.
    """

    def __init__(self, platform: OpenPlatform, settings: Discovery, around: Surroundings) -> None:
        """Accounts known from before a restart are there at once."""
        self.platform = platform
        self.name = platform.settings.name
        self.known: dict[str, Account] = {}
        self.tried = False
        self.failure: Failure | None = None  # of the last list
        self.without: tuple[str, ...] = ()  # the accounts of the last list that lack a refresh token
        self.list_at = 0.0
        self.names_at = 0.0
        self._settings = settings
        self._around = around
        self._key = f"accounts/{platform.settings.component_appid}"
        self._without_token = 0
        self._saved_at = 0.0
        self._look_at = 0.0
        self._listed_at: float | None = None
        self._failures = 0
        self._told: object = None
        self._restore()

    def apps(self) -> list[App]:
        """The apps that the accounts found so far become."""
        return [accounts.app_of(appid, account, self.name) for appid, account in list(self.known.items())]

    def accounts_changed(self) -> None:
        """An account came or went: list them soon."""
        self.list_at = min(self.list_at, (self._listed_at or 0.0) + _EVENT_PAUSE)

    def ticket_came(self) -> None:
        """There is a new verify ticket: go on where there was none."""
        if self._failures:
            self.list_at = 0.0

    def postpone(self) -> None:
        """List again after a while."""
        self.list_at = self._around.clock() + FIRST_RETRY

    @property
    def next_at(self) -> float:
        """When there will be something to do."""
        due = [
            account.asked_at + accounts.NAME_SECONDS
            for appid, account in self.known.items()
            if self._around.names(appid)
        ]
        looks = [] if self._around.turn is None else [self._look_at]
        return min([self.list_at, *looks, max(self.names_at, min(due, default=self.list_at))])

    def go_on(self) -> None:
        """List the accounts if it is time, and ask for names that are due."""
        if self._adopt():
            self._around.changed()
        listing = self._around.clock() >= self.list_at
        due = self._unnamed()
        if not (listing or due) or not self._takes_turn():
            return
        if listing:
            if not self._list():
                return
            self._name(self._without_name()[:_FIRST_NAMES])
            self._around.changed()
            due = self._unnamed()
        if due:  # the rest in the next turn: other platforms have theirs, and a push may have come
            self._name(due[:_NAMES_AT_ONCE])
            self._around.changed()

    def _takes_turn(self) -> bool:
        """Whether no other exporter is at it; where one is, this one looks again in some seconds."""
        if self._around.turn is None or self._around.turn(self._key):
            return True
        again = self._around.clock() + _TURN_SECONDS
        self.list_at, self.names_at = max(self.list_at, again), max(self.names_at, again)
        return False

    def _restore(self) -> None:
        try:
            roll = accounts.read(self._around.vault.credential(self._key))
        except VaultError as error:
            self._around.log.warning("accounts not restored", platform=self.name, error=str(error))
            return
        if roll is not None:
            self._take_over(roll)

    def _adopt(self) -> bool:
        """Take over what another exporter has stored meanwhile; whether it has."""
        if self._around.turn is None or self._around.clock() < self._look_at:
            return False
        self._look_at = self._around.clock() + _LOOK_SECONDS
        try:
            roll = accounts.read(self._around.vault.credential(self._key))
        except VaultError:
            return False  # the storage's own watch tells
        now = self._around.clock()
        if roll is None or credible(roll.saved_at, now) <= credible(self._saved_at, now):
            return False
        self._take_over(roll)
        return True

    def _take_over(self, roll: Roll) -> None:
        self.known = accounts.listed(accounts.wanted(roll.accounts, self._settings), roll.accounts)
        self.tried, self._saved_at, self._without_token = True, roll.saved_at, roll.without_token
        now = self._around.clock()  # one whose clock was ahead has listed nothing
        if credible(roll.listed_at, now) > credible(self._listed_at or 0.0, now):
            self._listed_at, self._failures = roll.listed_at, 0
            if self._around.turn is not None:
                self.list_at = roll.listed_at + self._settings.interval
            self._around.observer.discovered(self.name, len(self.known), roll.without_token, roll.listed_at)

    def _list(self) -> bool:
        """Read the list; whether that worked, and nobody else has begun to meanwhile."""
        now = self._around.clock()
        try:
            listing = self.platform.component.list_accounts(self._takes_turn)
        except GivenUpError:
            self._around.log.info("accounts are listed by another exporter", platform=self.name)
            return False
        except CallError as error:
            delay = min(FIRST_RETRY * 2.0 ** min(self._failures, 20), self._settings.interval)
            self._failures += 1
            self.tried = True
            self.list_at = now + delay
            problem = self.failure = error.failure
            self._tell(problem.reason, "discovery failing", detail=str(error), advice=problem.advice.en)
            return False
        appids = accounts.wanted(listing.refresh_tokens, self._settings)
        usable = [appid for appid in appids if listing.refresh_tokens[appid] or self._has_token(appid)]
        without = self.without = tuple(sorted(set(appids) - set(usable)))
        come, gone = set(usable) - self.known.keys(), self.known.keys() - set(usable)
        self.known = accounts.listed(usable, self.known)
        self.tried, self._failures, self.failure = True, 0, None
        self._listed_at, self.list_at = now, now + self._settings.interval
        self._without_token = len(without)
        self._around.observer.discovered(self.name, len(usable), len(without), now)
        self._save()
        if come or gone:
            self._around.log.info(
                "accounts discovered", platform=self.name, apps=len(usable), new=len(come), gone=len(gone)
            )
        self._tell(
            without or None,
            "accounts without a refresh token: their authorisation code was never exchanged (api_query_auth)",
            accounts=len(without),
            first=without[0] if without else None,
        )
        return True

    def _name(self, appids: list[str]) -> None:
        """Ask for the names of these, as far as it makes sense to go on."""
        for number, appid in enumerate(appids):
            if self._around.stopping.wait(_NAME_PAUSE if number else 0):
                return
            if number and not self._takes_turn():  # many names take longer than a turn
                return  # another one has it, and stores what it finds
            now = self._around.clock()
            try:
                name = self.platform.component.ask(
                    Endpoint.AUTHORIZER_INFO, {"authorizer_appid": appid}, accounts.name_in
                )
            except CallError as error:
                known = self.known[appid]
                self.known[appid] = Account(known.name, now - accounts.NAME_SECONDS + _NAME_RETRY)
                if error.failure.reason not in _OF_ACCOUNT:  # the next one would fail too
                    self.names_at = now + FIRST_RETRY
                    break
            else:
                self.known[appid] = Account(name, now)
        if appids:
            self._save()

    def _unnamed(self) -> list[str]:
        now = self._around.clock()
        if now < self.names_at:
            return []
        return [appid for appid in accounts.unnamed(self.known, now) if self._around.names(appid)]

    def _without_name(self) -> list[str]:
        return [
            appid
            for appid, account in self.known.items()
            if not account.asked_at and self._around.names(appid)
        ]

    def _has_token(self, appid: str) -> bool:
        try:
            return self.platform.refresh_tokens.get(appid) is not None
        except CallError:
            return False

    def _save(self) -> None:
        self._saved_at = self._around.clock()
        roll = Roll(self.known, self._listed_at or 0.0, self._saved_at, self._without_token)
        try:
            self._around.vault.save_credential(self._key, accounts.written(roll))
        except VaultError as error:
            self._around.log.error("accounts not stored", platform=self.name, error=str(error))

    def _tell(self, state: object, event: str, **about: object) -> None:
        """One warning when a state begins; None is the good one."""
        if state is not None and state != self._told:
            self._around.log.warning(event, platform=self.name, **about)
        self._told = state

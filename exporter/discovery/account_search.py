"""The search for a platform's accounts: lists, identifies, and shares them with other exporters."""

from collections.abc import Collection
from contextlib import suppress
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.config.apps import App
from exporter.config.platforms import Discovery
from exporter.discovery import accounts
from exporter.discovery.accounts import Account, AccountList, MassLossCheck
from exporter.discovery.identification import identify
from exporter.not_before import AT_ONCE, NotBefore, back_off
from exporter.wechat.credential_vault import Leases, Record, VaultError, credible
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.platform.open_platform import OpenPlatform
from exporter.wechat.platform.refresh_tokens import stored

RETRY_SECONDS: Final = 60.0
"""Seconds until a failed list is tried again, doubled by each failure."""

_LONGEST_RETRY: Final = 300.0  # for failures that time or the operator may end
_LONGEST_REFUSAL: Final = 3600.0  # for a refused credential, unless it changes
_EVENT_PAUSE: Final = 10.0  # seconds between two lists caused by pushes
_LOOK_SECONDS: Final = 30.0  # seconds between two looks at other exporters' results
_IN_ONE_GO: Final = 500  # accounts identified before the page changes
_LEASE_SECONDS: Final = 180.0  # seconds; a list of many pages takes less
_LEASE_PAUSE: Final = 5.0  # seconds until the next try to take the lease


class AccountSearch:
    """The known accounts of a platform, and the time to ask for more; times are Unix times.

    `go_on` is for one thread, the rest for any. `failure`: why the last list failed. `without`: the accounts
    of the last list without a refresh token. `tried`: whether a list was tried, or the accounts come from the
    storage.
    """

    def __init__(
        self, platform: OpenPlatform, settings: Discovery, log: FilteringBoundLogger, leases: Leases | None
    ) -> None:
        """Load the accounts known before a restart.

        `leases`: None if no other exporter searches for these accounts with the same vault.
        """
        self.platform = platform
        self.name = platform.settings.name
        self.known: dict[str, Account] = {}
        self.tried = False
        self.failure: Failure | None = None
        self.without: tuple[str, ...] = ()
        self.without_token = 0
        self.listed_at: float | None = None
        self._settings = settings
        self._log = log.bind(platform=self.name)
        self._clock = platform.client.clock
        self._leases = leases
        key = f"accounts/{platform.settings.component_appid}"
        self._record = Record(platform.vault, key, AccountList.of_json, AccountList.json)
        self._list_after = self._look_after = self._identify_after = AT_ONCE
        self._broke_off = False  # of the last identification
        self._mass_loss = MassLossCheck()
        self._saved_at = -1.0
        self._failures = 0
        self._warned: object = None
        try:
            self._adopt()
        except VaultError as error:
            self._log.warning("accounts not restored", error=str(error))

    def apps(self) -> list[App]:
        """Return the apps for the accounts found so far."""
        return [
            accounts.app_of(appid, account, self.name)
            for appid, account in list(self.known.items())
            if account.is_app
        ]

    @property
    def complete(self) -> bool:
        """Return whether all apps are known that can be known now."""
        return self.tried and (
            self._broke_off
            or not any(each.is_app is None and not each.asked_at for each in list(self.known.values()))
        )

    def accounts_changed(self) -> None:
        """List the accounts soon, as one has come or gone."""
        now = self._clock()
        pause = NotBefore((self.listed_at or 0.0) + _EVENT_PAUSE, _EVENT_PAUSE)
        self._list_in(min(pause.left(now), self._list_after.left(now)))

    def retry(self, reasons: Collection[Reason]) -> None:
        """List again at once if the last list failed for one of these reasons, which may have ended."""
        if self.failure is not None and self.failure.reason in reasons:
            self._list_after = AT_ONCE

    def postpone(self, seconds: float = RETRY_SECONDS) -> None:
        """List and identify no sooner than in `seconds`."""
        now = self._clock()
        self._list_after, self._identify_after = (
            NotBefore.after(max(seconds, each.left(now)), now)
            for each in (self._list_after, self._identify_after)
        )

    def wait(self) -> float:
        """Return the seconds until there is something to do."""
        now = self._clock()
        if any(self.known[appid].is_app is None for appid in self._to_identify()):
            return 0.0
        left = self._list_after.left(now)
        return left if self._leases is None else min(left, self._look_after.left(now))

    def go_on(self) -> bool:
        """List the accounts if it is time, identify some that are due; return whether anything changed."""
        adopted = self._look()
        listing = self._list_after.reached(self._clock())
        if not (listing or self._to_identify()) or not self._takes_lease():
            return adopted
        changed = self._list() if listing else False
        before = self.apps()
        if due := self._to_identify()[:_IN_ONE_GO]:
            self._broke_off = not identify(self.platform, self.known, due)
            if self._broke_off:
                self._identify_after = NotBefore.after(RETRY_SECONDS, self._clock())
            self._save()
        return changed or adopted or self.apps() != before

    def _to_identify(self) -> list[str]:
        """Return the accounts to identify now, unknown ones first."""
        now = self._clock()
        return accounts.to_ask_for(self.known, now) if self._identify_after.reached(now) else []

    def _list_in(self, seconds: float) -> None:
        self._list_after = NotBefore.after(seconds, self._clock())

    def _takes_lease(self) -> bool:
        """Take the lease; if another exporter has it, schedule another look and return False."""
        with suppress(VaultError):  # results could not be shared: keep what is known
            if self._leases is None or self._leases.take(self._record.key, _LEASE_SECONDS):
                return True
        self.postpone(_LEASE_PAUSE)
        now = self._clock()
        self._look_after = NotBefore.after(min(self._look_after.left(now), _LEASE_PAUSE), now)
        return False

    def _look(self) -> bool:
        """Adopt the accounts that another exporter has stored meanwhile; return whether there were any."""
        now = self._clock()
        if self._leases is not None and self._look_after.reached(now):
            self._look_after = NotBefore.after(_LOOK_SECONDS, now)
            with suppress(VaultError):  # the publisher reports it
                return self._adopt()
        return False

    def _adopt(self) -> bool:
        """Adopt the stored accounts if they are newer than the known ones; raise VaultError."""
        found, now = self._record.load(), self._clock()
        if found is None or credible(found.saved_at, now) <= credible(self._saved_at, now):
            return False
        self.known = accounts.listed(accounts.wanted(found.accounts, self._settings), found.accounts)
        self.tried, self._saved_at, self.without_token = True, found.saved_at, found.without_token
        # the list of an exporter whose clock was ahead
        if credible(found.listed_at, now) > credible(self.listed_at or 0.0, now):
            self.listed_at = found.listed_at
            if self._leases is not None:
                self._failures, self.failure = 0, None
                span = self._settings.interval
                self._list_after = NotBefore(found.listed_at + span, span)
        return True

    def _list(self) -> bool:
        """List the accounts; return whether the list was believed."""
        try:
            listing = self.platform.accounts.read()
        except CallError as error:
            self._list_failed(error.failure)
            return False
        if not listing.whole:
            text = "the list of accounts is not as long as WeChat says it is: nothing changes"
            self._list_failed(failure(Reason.MALFORMED, text))
            return False
        self._failures, self.failure = 0, None
        appids = accounts.wanted(listing.refresh_tokens, self._settings)
        usable = [appid for appid in appids if listing.refresh_tokens[appid] or self._has_token(appid)]
        if (left := self._mass_loss.left(len(usable), len(self.known), self._clock())) > 0:
            self._list_in(left)
            event = "accounts gone from the list: believed after a second look in some minutes"
            self._warn("loss", event, accounts=len(usable), before=len(self.known))
            return False
        self.without = tuple(sorted(set(appids) - set(usable)))
        self.without_token = len(self.without)
        come, gone = set(usable) - self.known.keys(), self.known.keys() - set(usable)
        self.known = accounts.listed(usable, self.known)
        self.tried, self.listed_at = True, listing.asked_at
        self._list_in(self._settings.interval)
        self._save()
        if come or gone:
            self._log.info("accounts discovered", apps=len(usable), new=len(come), gone=len(gone))
        if gone:
            self._log.warning("accounts gone", gone=len(gone), first=min(gone))
        self._warn(
            self.without or None,
            "accounts without a refresh token: their authorisation code was never exchanged (api_query_auth)",
            accounts=len(self.without),
            first=self.without[0] if self.without else None,
        )
        return True

    def _list_failed(self, problem: Failure) -> None:
        refused = problem.action in (Action.SUSPEND, Action.SUSPEND_DAY)
        self._failures += 1
        longest = _LONGEST_REFUSAL if refused else _LONGEST_RETRY
        self._list_in(back_off(RETRY_SECONDS, self._failures, longest))
        self.tried, self.failure = True, problem
        self._warn(problem.reason, "discovery failing", detail=problem.detail, advice=problem.advice)

    def _has_token(self, appid: str) -> bool:
        with suppress(VaultError):
            return stored(self.platform, appid).load() is not None
        return False

    def _save(self) -> None:
        """Store the accounts, or adopt a newer list that another exporter has stored."""
        now, listed_at, saved = self._clock(), self.listed_at or 0.0, None
        new = AccountList(self.known, listed_at, now, self.without_token)
        try:
            saved = self._record.save(
                lambda kept: new if kept is None or credible(kept.listed_at, now) <= listed_at else None
            )
        except VaultError as error:
            self._log.error("accounts not stored", error=str(error))
        if saved is None:
            self._look_after = AT_ONCE
        else:
            self._saved_at = now

    def _warn(self, state: object, event: str, **about: object) -> None:
        """Log one warning when a state begins; None is the good state."""
        if state is not None and state != self._warned:
            self._log.warning(event, **about)
        self._warned = state

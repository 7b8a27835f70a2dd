"""Asks WeChat what the accounts of a platform are: under which name, and whether mini programs."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from exporter.discovery import accounts
from exporter.discovery.accounts import Account
from exporter.not_before import AT_ONCE, NotBefore
from exporter.wechat import endpoints
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.open_platform import OpenPlatform

_IN_ONE_GO: Final = 500  # accounts between two changes of what is on show
_TOGETHER: Final = 20  # asked for until it is seen that the next ones would fail too
_THREADS: Final = 4
_RETRY_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 3600.0  # until WeChat is asked again for an account that it refuses
_OF_ACCOUNT: Final = frozenset(
    {Reason.PERMISSION, Reason.ACCOUNT, Reason.INVALID_APPID, Reason.MALFORMED, Reason.UNKNOWN_ERRCODE}
)
"""Why one account may be refused while the others are not."""


class Identification:
    """Asks when accounts are due. `failed`: whether the last asking broke off, as all accounts would fail."""

    def __init__(self, platform: OpenPlatform) -> None:
        self.failed = False
        self._platform = platform
        self._clock = platform.client.clock
        self._after = AT_ONCE

    def due(self, known: accounts.Accounts) -> list[str]:
        """Return the accounts that are to be asked for now, the unknown ones first."""
        now = self._clock()
        return [] if self._after.left(now) else accounts.to_ask_for(known, now)

    def postpone(self, seconds: float) -> None:
        """Ask for none for some time."""
        now = self._clock()
        self._after = NotBefore.until(now + max(seconds, self._after.left(now)), now)

    def go_on(self, known: dict[str, Account]) -> bool:
        """Ask for some of those that are due, and write into `known` what they are; whether any was."""
        due = self.due(known)[:_IN_ONE_GO]
        for first in range(0, len(due), _TOGETHER):
            some = due[first : first + _TOGETHER]
            with ThreadPoolExecutor(_THREADS) as threads:
                outcomes = list(threads.map(self._ask, some))
            for appid, outcome in zip(some, outcomes, strict=True):
                known[appid] = _account(known[appid], outcome, self._clock())
            self.failed = any(
                isinstance(each, Failure) and each.reason not in _OF_ACCOUNT for each in outcomes
            )
            if self.failed:
                self.postpone(_RETRY_SECONDS)
                break
        return bool(due)

    def _ask(self, appid: str) -> tuple[str, bool] | Failure:
        try:
            return self._platform.ask(
                endpoints.AUTHORIZER_INFO, {"authorizer_appid": appid}, accounts.read_info
            )
        except CallError as error:
            return error.failure


def _account(known: Account, outcome: tuple[str, bool] | Failure, now: float) -> Account:
    """Return what is known of an account by now.

    One that WeChat refuses to speak of becomes an app: why it has no figures will stand beside it.
    """
    if not isinstance(outcome, Failure):
        return Account(outcome[0], now, outcome[1])
    if outcome.reason not in _OF_ACCOUNT:
        return known
    is_app = known.is_app
    if is_app is None and outcome.reason is not Reason.MALFORMED:
        is_app = True
    return Account(known.name, now - accounts.INFO_SECONDS + _AGAIN_SECONDS, is_app)

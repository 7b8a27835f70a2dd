"""Asks WeChat for the name and the kind of a platform's accounts."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from exporter.discovery import accounts
from exporter.discovery.accounts import Account
from exporter.wechat import endpoints
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.open_platform import OpenPlatform

_TOGETHER: Final = 20  # accounts to ask for before a look at the failures
_THREADS: Final = 4
_AGAIN_SECONDS: Final = 3600.0  # seconds until the next call for a refused account
_OF_ACCOUNT: Final = frozenset(
    {Reason.PERMISSION, Reason.ACCOUNT, Reason.INVALID_APPID, Reason.MALFORMED, Reason.UNKNOWN_ERRCODE}
)
"""Reasons why WeChat may refuse one account and not the others."""


def identify(platform: OpenPlatform, known: dict[str, Account], appids: Sequence[str]) -> bool:
    """Identify accounts and record the results in `known`; return False if all calls would fail now."""
    for first in range(0, len(appids), _TOGETHER):
        some = appids[first : first + _TOGETHER]
        with ThreadPoolExecutor(_THREADS) as threads:
            outcomes = list(threads.map(partial(_ask, platform), some))
        for appid, outcome in zip(some, outcomes, strict=True):
            known[appid] = _account(known[appid], outcome, platform.client.clock())
        if any(isinstance(each, Failure) and each.reason not in _OF_ACCOUNT for each in outcomes):
            return False
    return True


def _ask(platform: OpenPlatform, appid: str) -> tuple[str, bool] | Failure:
    try:
        return platform.ask(endpoints.AUTHORIZER_INFO, {"authorizer_appid": appid}, accounts.read_info)
    except CallError as error:
        return error.failure


def _account(known: Account, outcome: tuple[str, bool] | Failure, now: float) -> Account:
    """Return an account with the result of a call for it.

    An account that WeChat refuses becomes an app, whose failure will show the reason.
    """
    if not isinstance(outcome, Failure):
        return Account(outcome[0], now, outcome[1])
    if outcome.reason not in _OF_ACCOUNT:
        return known
    is_app = known.is_app
    if is_app is None and outcome.reason is not Reason.MALFORMED:
        is_app = True
    return Account(known.name, now - accounts.INFO_SECONDS + _AGAIN_SECONDS, is_app)

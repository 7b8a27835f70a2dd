"""Asks WeChat what the accounts of a platform are: under which name, and whether mini programs."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from exporter.discovery import accounts
from exporter.discovery.accounts import Account
from exporter.wechat import endpoints
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.open_platform import OpenPlatform

_TOGETHER: Final = 20  # asked for until it is seen that the next ones would fail too
_THREADS: Final = 4
_AGAIN_SECONDS: Final = 3600.0  # until WeChat is asked again for an account that it refuses
_OF_ACCOUNT: Final = frozenset(
    {Reason.PERMISSION, Reason.ACCOUNT, Reason.INVALID_APPID, Reason.MALFORMED, Reason.UNKNOWN_ERRCODE}
)
"""Why one account may be refused while the others are not."""


def identify(platform: OpenPlatform, known: dict[str, Account], appids: Sequence[str]) -> bool:
    """Ask what some accounts are, and write that into `known`; False: it broke off, as all would fail now."""
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

"""The table of WeChat's error codes: what each means and what the exporter does about it.

Source: WeChat's common error codes, the pages of the interfaces used here, and the troubleshooting
page of the open platform. docs/errors.md is made from this table.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from exporter.wechat.failures import advice
from exporter.wechat.failures.advice import Advice
from exporter.wechat.failures.failure import Action, Failure, Reason


@dataclass(frozen=True, slots=True)
class Errcode:
    """One row of a table: a code of WeChat's (None: it gave none), what it means and what follows."""

    code: int | None
    reason: Reason
    action: Action
    cause: str
    advice: Advice


R, A = Reason, Action
_ROWS: Final = (
    Errcode(-1, R.BUSY, A.RETRY, "system error, WeChat is busy", advice.WAIT),
    Errcode(40001, R.TOKEN_REJECTED, A.RENEW_TOKEN, "access_token invalid or not the latest", advice.TOKEN),
    Errcode(40002, R.INTERNAL, A.SUSPEND, "invalid grant_type", advice.BUG),
    Errcode(40013, R.INVALID_APPID, A.SUSPEND, "invalid appid", advice.APPID),
    Errcode(40014, R.TOKEN_REJECTED, A.RENEW_TOKEN, "invalid access_token", advice.TOKEN),
    Errcode(40066, R.INTERNAL, A.SUSPEND, "invalid url", advice.BUG),
    Errcode(40097, R.INTERNAL, A.SUSPEND, "invalid args", advice.BUG),
    Errcode(40101, R.INTERNAL, A.SUSPEND, "parameter missing", advice.BUG),
    Errcode(40125, R.INVALID_SECRET, A.SUSPEND, "invalid appsecret", advice.SECRET),
    Errcode(40164, R.IP_NOT_ALLOWED, A.SUSPEND, "IP not in the account's allow-list", advice.IP),
    Errcode(40234, R.ACCOUNT, A.SUSPEND, "invalid signature: API signing is on", advice.SIGNING),
    Errcode(40243, R.INVALID_SECRET, A.SUSPEND, "AppSecret frozen", advice.FROZEN_SECRET),
    Errcode(41001, R.TOKEN_REJECTED, A.RENEW_TOKEN, "access_token missing", advice.TOKEN),
    Errcode(41002, R.INVALID_APPID, A.SUSPEND, "appid missing", advice.APPID),
    Errcode(41004, R.INVALID_SECRET, A.SUSPEND, "appsecret missing", advice.SECRET),
    Errcode(41018, R.INTERNAL, A.SUSPEND, "component_appid missing", advice.BUG),
    Errcode(42001, R.TOKEN_REJECTED, A.RENEW_TOKEN, "access_token expired", advice.TOKEN),
    Errcode(42002, R.TOKEN_REJECTED, A.SUSPEND, "refresh_token expired (user OAuth)", advice.TOKEN_KIND),
    Errcode(42007, R.TOKEN_REJECTED, A.SUSPEND, "user changed the password (user OAuth)", advice.TOKEN_KIND),
    Errcode(43002, R.INTERNAL, A.SUSPEND, "POST required", advice.BUG),
    Errcode(43003, R.INTERNAL, A.SUSPEND, "HTTPS required", advice.HTTPS),
    Errcode(44002, R.INTERNAL, A.SUSPEND, "POST data empty", advice.BUG),
    Errcode(45009, R.QUOTA_DAILY, A.NEXT_DAY, "daily quota spent", advice.QUOTA_DAY),
    Errcode(45011, R.QUOTA_MINUTE, A.RETRY_NEXT_MINUTE, "quota of the minute spent", advice.QUOTA_MINUTE),
    Errcode(45035, R.IP_NOT_ALLOWED, A.SUSPEND, "IP not registered", advice.IP),
    Errcode(45040, R.QUOTA_DAILY, A.NEXT_MONTH, "monthly quota spent", advice.QUOTA_MONTH),
    Errcode(47001, R.INTERNAL, A.SUSPEND, "data format error", advice.BUG),
    Errcode(
        48001, R.PERMISSION, A.SUSPEND, "interface not granted, or token of the wrong kind", advice.PERMISSION
    ),
    Errcode(48004, R.ACCOUNT, A.SUSPEND, "interface forbidden for irregularities", advice.ACCOUNT),
    Errcode(50001, R.ACCOUNT, A.SUSPEND, "user unauthorized", advice.ACCOUNT),
    Errcode(50002, R.ACCOUNT, A.SUSPEND, "user limited: frozen or migrated", advice.ACCOUNT),
    Errcode(50004, R.ACCOUNT, A.SUSPEND, "token interface forbidden", advice.ACCOUNT),
    Errcode(50007, R.ACCOUNT, A.SUSPEND, "account frozen", advice.ACCOUNT),
    Errcode(61000, R.INVALID_APPID, A.SUSPEND, "invalid component type", advice.PLATFORM_APPID),
    Errcode(
        61001, R.INVALID_APPID, A.SUSPEND, "component type and appid do not match", advice.PLATFORM_APPID
    ),
    Errcode(61003, R.PERMISSION, A.SUSPEND, "the account has not authorised the platform", advice.WITHDRAWN),
    Errcode(61004, R.IP_NOT_ALLOWED, A.SUSPEND, "IP not in the platform's allow-list", advice.IP_PLATFORM),
    Errcode(61005, R.THIRD_PARTY_TICKET, A.NEXT_ROUND, "component ticket expired", advice.TICKET),
    Errcode(61006, R.THIRD_PARTY_TICKET, A.NEXT_ROUND, "component ticket invalid", advice.TICKET),
    Errcode(61007, R.PERMISSION, A.SUSPEND, "permission set not granted to the platform", advice.PERMISSION),
    Errcode(
        61009, R.THIRD_PARTY_REFRESH_TOKEN, A.SUSPEND, "authorisation code invalid", advice.REFRESH_TOKEN
    ),
    Errcode(
        61010, R.THIRD_PARTY_REFRESH_TOKEN, A.SUSPEND, "authorisation code expired", advice.REFRESH_TOKEN
    ),
    Errcode(61011, R.INVALID_APPID, A.SUSPEND, "invalid component", advice.PLATFORM_APPID),
    Errcode(61014, R.TOKEN_REJECTED, A.SUSPEND, "component token required", advice.TOKEN_KIND),
    Errcode(61015, R.TOKEN_REJECTED, A.SUSPEND, "the account's own token required", advice.TOKEN_KIND),
    Errcode(
        61016, R.PERMISSION, A.SUSPEND, "permission set awaits the platform's confirmation", advice.PERMISSION
    ),
    Errcode(61017, R.PERMISSION, A.SUSPEND, "permission set not authorised", advice.PERMISSION),
    Errcode(61023, R.THIRD_PARTY_REFRESH_TOKEN, A.SUSPEND, "refresh_token invalid", advice.REFRESH_TOKEN),
    Errcode(61024, R.INVALID_APPID, A.SUSPEND, "cgi-bin/token called for a component appid", advice.APPID),
    Errcode(61061, R.IP_NOT_ALLOWED, A.SUSPEND, "overseas access denied", advice.IP_OVERSEAS),
    Errcode(61500, R.DATE_RANGE, A.SUSPEND, "date format error", advice.BUG),
    Errcode(61501, R.DATE_RANGE, A.NEXT_ROUND, "date range error: not one day up to yesterday", advice.CLOCK),
    Errcode(61502, R.ACCOUNT, A.SUSPEND, "mini game, data interface not supported", advice.GAME),
    Errcode(61503, R.NOT_READY, A.NEXT_ROUND, "data not ready", advice.NOT_READY),
    Errcode(61504, R.BUSY, A.RETRY, "data service busy", advice.WAIT),
    Errcode(76003, R.INTERNAL, A.SUSPEND, "quota asked for a malformed cgi_path", advice.BUG),
    Errcode(76021, R.INTERNAL, A.SUSPEND, "quota asked for an unknown cgi_path", advice.BUG),
    Errcode(76022, R.PERMISSION, A.SUSPEND, "no quota: cgi_path not granted", advice.PERMISSION),
    Errcode(85088, R.PERMISSION, A.SUSPEND, "no cloud base privilege", advice.CLOUD),
    Errcode(
        89501, R.IP_NOT_ALLOWED, A.SUSPEND, "IP awaits the administrator's confirmation", advice.IP_CONFIRM
    ),
    Errcode(
        89503, R.IP_NOT_ALLOWED, A.SUSPEND, "IP awaits the administrator's confirmation", advice.IP_CONFIRM
    ),
    Errcode(89506, R.IP_NOT_ALLOWED, A.SUSPEND_DAY, "IP refused twice, blocked for a day", advice.IP_CONFIRM),
    Errcode(89507, R.IP_NOT_ALLOWED, A.SUSPEND, "IP refused, blocked for an hour", advice.IP_CONFIRM),
    Errcode(-604101, R.PERMISSION, A.SUSPEND, "cloud call not declared by the function", advice.CLOUD_CALL),
    Errcode(-504002, R.INTERNAL, A.NEXT_ROUND, "the cloud function threw an error", advice.CLOUD_FUNCTION),
    Errcode(-501000, R.INTERNAL, A.SUSPEND, "cloud environment or function not found", advice.CLOUD_FUNCTION),
    Errcode(-1000, R.BUSY, A.RETRY, "cloud system error", advice.WAIT),
)
ERRCODES: Final = {row.code: row for row in _ROWS if row.code is not None}
CODELESS: Final = (
    Errcode(None, R.NETWORK, A.RETRY, "no connection", advice.NETWORK),
    Errcode(None, R.NETWORK, A.RETRY, "the proxy failed", advice.PROXY),
    Errcode(None, R.NETWORK, A.RETRY, "a TLS certificate that is not trusted", advice.CERTIFICATE),
    Errcode(None, R.NETWORK, A.RETRY, "no certificates to trust", advice.BUNDLE),
    Errcode(None, R.NETWORK, A.RETRY, "no more open files", advice.DESCRIPTORS),
    Errcode(None, R.TIMEOUT, A.RETRY, "no whole answer in time", advice.TIMEOUT),
    Errcode(None, R.HTTP_STATUS, A.RETRY, "another HTTP status than 2xx", advice.GATEWAY),
    Errcode(None, R.MALFORMED, A.RETRY, "not the documented answer", advice.MALFORMED),
    Errcode(None, R.EMPTY, A.NEXT_ROUND, "no row in the answer", advice.EMPTY),
    Errcode(None, R.TOKEN_REJECTED, A.NEXT_ROUND, "no token from its keeper", advice.TOKEN_KEEPER),
    Errcode(None, R.TOKEN_REJECTED, A.NEXT_ROUND, "another app holds the same token", advice.SAME_TOKEN),
    Errcode(None, R.TOKEN_REJECTED, A.NEXT_ROUND, "a second classic token in one round", advice.TOKEN),
    Errcode(None, R.INVALID_SECRET, A.SUSPEND, "no secret in its file", advice.SECRET_FILE),
    Errcode(None, R.PERMISSION, A.SUSPEND, "an old cloud function called another one", advice.OLD_FUNCTION),
    Errcode(None, R.THIRD_PARTY_TICKET, A.NEXT_ROUND, "no verify ticket", advice.NO_TICKET),
    Errcode(None, R.THIRD_PARTY_REFRESH_TOKEN, A.SUSPEND, "no refresh token", advice.NO_REFRESH_TOKEN),
    Errcode(None, R.INTERNAL, A.NEXT_ROUND, "a fault of the exporter's own", advice.INTERNAL),
)
"""Failures without a code; of each reason the usual one comes first."""
_WITHOUT_ERRCODE: Final = {row.reason: row for row in reversed(CODELESS)}
_NAMED_IN_TEXT: Final = re.compile(r"err[Cc]ode[\"']?[ :=]+[\"']?(-?[0-9]{1,9})\b")


def failure(reason: Reason, detail: str, action: Action | None = None, text: Advice | None = None) -> Failure:
    """A failure for which WeChat gave no errcode; `detail` must hold no secret, `text` is a closer advice."""
    usual = _WITHOUT_ERRCODE[reason]
    return Failure(reason, action or usual.action, text or usual.advice, detail)


def errcode_failure(errcode: int, errmsg: str, *, asking_for_token: bool = False) -> Failure:
    """The failure that a code of WeChat's stands for.

    Args:
        errcode: WeChat's code, not 0.
        errmsg: WeChat's text, whole; its tail (rid, hint) stays, as WeChat's support asks for it.
        asking_for_token: there, a code about the token means that the secret is wrong.
    """
    detail = f"errcode {errcode}: {_printable(errmsg)}"
    thrown = _thrown(errmsg) if errcode < 0 else None
    row = thrown or ERRCODES.get(errcode)
    if thrown is not None:
        inside = Failure(thrown.reason, thrown.action, thrown.advice, detail, thrown.code)
        return of_function(inside)
    if row is None:
        return Failure(R.UNKNOWN_ERRCODE, A.NEXT_ROUND, advice.UNKNOWN, detail, errcode)
    if asking_for_token and row.action is A.RENEW_TOKEN:
        return Failure(R.INVALID_SECRET, A.SUSPEND, advice.SECRET, detail, errcode)
    return Failure(row.reason, row.action, row.advice, detail, errcode)


def of_function(inside: Failure) -> Failure:
    """The failure of a call that a cloud function has made: a token that was refused is not the one sent."""
    if inside.action is not A.RENEW_TOKEN:
        return inside
    return replace(inside, action=A.NEXT_ROUND, advice=advice.CLOUD_FUNCTION)


def _thrown(errmsg: str) -> Errcode | None:
    """What a cloud function's own errors are about: their texts name the code of the call inside it."""
    named = [ERRCODES[code] for code in map(int, _NAMED_IN_TEXT.findall(errmsg)) if code in ERRCODES]
    return named[-1] if named else None


def _printable(text: str) -> str:
    """Control characters, half characters and marks of direction have been met or might be tried."""
    return " ".join("".join(c if c.isprintable() and c != "\ufffd" else " " for c in text).split())

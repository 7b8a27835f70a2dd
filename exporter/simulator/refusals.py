"""WeChat's refusals: errcode and errmsg in WeChat's words, with the rid tail.

Texts are the observed or documented ones; `,` at the end where WeChat puts a comma before the rid.
"""

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

_ERRMSGS: Final[Mapping[int, str]] = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40013: "invalid appid,",
    40014: "invalid access_token",
    40066: "invalid url",
    40125: "invalid appsecret,",
    40164: "invalid ip {ip} ipv6 {ipv6}, not in whitelist",
    40243: "AppSecret is frozen,",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41018: "missing component_appid",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    44002: "empty post data",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    47001: "data format error",
    48001: "api unauthorized,",
    50002: "user limited",
    61003: "component is not authorized by this account",
    61004: "access clientip is not registered requestIP: {ip}",
    61005: "component ticket is expired",
    61006: "component ticket is invalid",
    61007: "api is unauthorized to component",
    61011: "invalid component",
    61014: "must use component token for component api",
    61015: "must use biz account token",
    61023: "refresh_token is invalid",
    61500: "date format error",
    61501: "date range error",
    61502: "this is game miniprogram, data api is not supported",
    61503: "data not ready, please try later",
    61504: "system busy now , please try later",
    76003: "invalid cgi_path",
    76021: "cgi_path not found, please check",
    85088: "no qbase privilege",
    -501000: "[100003] Param Invalid: function not found",
    -604101: "has no permission to call this API. Make sure you declare it in config.json",
}


class RefusedError(Exception):
    """WeChat answers with an errcode."""

    def __init__(self, errcode: int) -> None:
        super().__init__(f"errcode {errcode}")
        self.errcode = errcode


def refusal(errcode: int, client_ip: str, now: float, serial: int) -> bytes:
    """The body of a refusal.

    Args:
        errcode: WeChat's code; one without a known text is answered as `unknown error`.
        client_ip: stands in the texts about IP allow-lists.
        now: Unix time; the first group of the rid is made of it.
        serial: number of the request; makes the rid unique.
    """
    text = errmsg(errcode, client_ip)
    tail = blake2b(f"{now} {serial}".encode(), digest_size=8).hexdigest()
    rid = f"{int(now):08x}-{tail[:8]}-{tail[8:]}"
    return json.dumps({"errcode": errcode, "errmsg": f"{text} rid: {rid}"}, separators=(",", ":")).encode()


def errmsg(errcode: int, client_ip: str) -> str:
    """WeChat's words for a code, without the rid."""
    ipv6 = client_ip if ":" in client_ip else f"::ffff:{client_ip}"
    return _ERRMSGS.get(errcode, "unknown error").format(ip=client_ip, ipv6=ipv6)

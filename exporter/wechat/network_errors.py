"""Why a call brought no answer, in our own words: a library's text holds the URL and with it the token."""

import errno
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3

from exporter.wechat import advice
from exporter.wechat.advice import Advice
from exporter.wechat.connections import BundleError
from exporter.wechat.errcodes import failure
from exporter.wechat.errors import Failure, Reason

_TUNNEL_REFUSED: Final = re.compile(r"Tunnel connection failed: ([1-9][0-9]{2})")  # http.client's words
_FULL: Final = (errno.EMFILE, errno.ENFILE)


class OversizeError(ValueError):
    """The body is longer than the limit, which is given in bytes."""


@dataclass(frozen=True, slots=True)
class _Explanation:
    """What to say of a kind of exception, unless that is nothing, and what to do about it."""

    kind: Any
    words: Callable[[Any], str]
    reason: Reason = Reason.NETWORK
    advice: Advice | None = None


EXPLANATIONS: Final = (
    _Explanation(OversizeError, lambda e: f"the answer is longer than {e} bytes", Reason.MALFORMED),
    _Explanation(
        urllib3.exceptions.DecodeError, lambda _: "the answer's compression is broken", Reason.MALFORMED
    ),
    _Explanation(BundleError, str, advice=advice.BUNDLE),
    _Explanation(
        ssl.SSLCertVerificationError,
        lambda e: f"TLS certificate refused: {e.verify_message}",
        advice=advice.CERTIFICATE,
    ),
    _Explanation(ssl.SSLError, lambda e: f"TLS failed: {e.reason or 'unknown reason'}"),
    _Explanation(
        requests.exceptions.InvalidSchema, lambda _: "the address's or proxy's scheme is not supported"
    ),
    _Explanation(socket.gaierror, lambda _: "the name could not be resolved"),
    _Explanation(
        (TimeoutError, urllib3.exceptions.ReadTimeoutError), lambda _: "no answer in time", Reason.TIMEOUT
    ),
    _Explanation(
        OSError,
        lambda e: f"connection failed: {e.strerror}" if e.errno in _FULL else "",
        advice=advice.DESCRIPTORS,
    ),
    _Explanation(OSError, lambda e: f"connection failed: {e.strerror}" if e.strerror else ""),
    _Explanation(
        OSError,
        lambda e: (
            f"answered CONNECT with HTTP status {found[1]}"
            if (found := _TUNNEL_REFUSED.match(str(e)))
            else ""
        ),
    ),
)
"""The first row that fits any cause, and has something to say of it, counts."""


def explain(error: BaseException, url: str, proxy: str | None) -> Failure:
    """The failure that an exception of a call's stands for; it names who failed, the host or the proxy.

    Args:
        error: what requests, urllib3 or the socket raised.
        url: what was asked; only its host is told.
        proxy: the URL of the proxy that the call went through, if any; told without its password.
    """
    causes = _causes(error)
    place, text = host(url), None
    if proxy is not None:
        refused = any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes)
        place = f"proxy {address(proxy)}" if refused else f"{place} through the proxy {address(proxy)}"
        text = advice.PROXY if refused else None
    for row in EXPLANATIONS:
        for cause in causes:
            if isinstance(cause, row.kind) and (told := row.words(cause)):
                return failure(row.reason, f"{place}: {told}", text=row.advice or text)
    told = f"the connection broke off ({type(error).__name__})"
    return failure(Reason.NETWORK, f"{place}: {told}", text=text)


def host(url: str) -> str:
    """The URL's host; a question mark where it has none."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def address(proxy: str) -> str:
    """A proxy's URL without user and password."""
    scheme, _, rest = proxy.rpartition("://")
    return f"{scheme or 'http'}://{rest.rpartition('@')[2].partition('/')[0]}"


def _causes(error: BaseException) -> list[BaseException]:
    """The exception and all that it wraps, also by its arguments, as urllib3 and requests do."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return found

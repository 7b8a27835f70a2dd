"""Why a call brought no answer, in our own words: a library's text holds the URL and with it the token."""

import errno
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from requests.exceptions import InvalidSchema

from exporter.wechat.failures import advice
from exporter.wechat.failures.advice import Advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Failure, Reason

_TUNNEL_REFUSED: Final = re.compile(r"Tunnel connection failed: ([1-9][0-9]{2})")  # http.client's words
LATE: Final = "no answer in time"
_FULL: Final = (errno.EMFILE, errno.ENFILE)
_BEFORE_SENDING: Final = (
    ConnectionRefusedError,
    InvalidSchema,
    socket.gaierror,
    ssl.SSLCertVerificationError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ProxyError,
)


class OversizeError(ValueError):
    """The body is longer than the limit, which is given in bytes."""


def _strerror(error: OSError) -> str:
    return f"connection failed: {error.strerror}" if error.strerror else ""


def _tunnel(error: OSError) -> str:
    found = _TUNNEL_REFUSED.match(str(error))
    return f"CONNECT was answered with HTTP status {found[1]}" if found else ""


EXPLANATIONS: Final[tuple[tuple[Any, Callable[[Any], str], Reason, Advice | None], ...]] = (
    (OversizeError, lambda e: f"the answer is longer than {e} bytes", Reason.MALFORMED, None),
    (urllib3.exceptions.DecodeError, lambda _: "the answer's compression is broken", Reason.MALFORMED, None),
    (
        ssl.SSLCertVerificationError,
        lambda e: f"TLS certificate refused: {e.verify_message}",
        Reason.NETWORK,
        advice.CERTIFICATE,
    ),
    (ssl.SSLError, lambda e: f"TLS failed: {e.reason or 'unknown reason'}", Reason.NETWORK, None),
    (InvalidSchema, lambda _: "the address's or proxy's scheme is not supported", Reason.NETWORK, None),
    (socket.gaierror, lambda _: "the name could not be resolved", Reason.NETWORK, None),
    (
        (TimeoutError, urllib3.exceptions.ReadTimeoutError),
        lambda _: LATE,
        Reason.TIMEOUT,
        None,
    ),
    (OSError, lambda e: _strerror(e) if e.errno in _FULL else "", Reason.NETWORK, advice.DESCRIPTORS),
    (OSError, _strerror, Reason.NETWORK, None),
    (OSError, _tunnel, Reason.NETWORK, None),
)
"""What to say of which exception, and what to do; the first row that says something of any cause counts."""


def explain(error: BaseException, url: str, proxy: str | None) -> Failure:
    """The failure that an exception of a call's stands for; it names who failed, the host or the proxy.

    Args:
        error: what requests, urllib3 or the socket raised.
        url: what was asked; only its host is told.
        proxy: the URL of the proxy that the call went through, if any; told without its password.
    """
    causes = _causes(error)
    unsent = any(isinstance(cause, _BEFORE_SENDING) for cause in causes)
    return replace(_explained(causes, url, proxy), unsent=unsent)


def _explained(causes: list[BaseException], url: str, proxy: str | None) -> Failure:
    place, text = host(url), None
    if proxy is not None:
        refused = any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes)
        place = f"proxy {address(proxy)}" if refused else f"{place} through the proxy {address(proxy)}"
        text = advice.PROXY if refused else None
    for kind, words, reason, closer in EXPLANATIONS:
        for cause in causes:
            if isinstance(cause, kind) and (told := words(cause)):
                return failure(reason, f"{place}: {told}", text=closer or text)
    told = f"the connection broke off ({type(causes[0]).__name__})"
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

"""Explains in our words why a call brought no answer, as libraries' texts contain the URL with its token."""

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3.exceptions
from requests.exceptions import InvalidSchema

from exporter.wechat.failures import advice
from exporter.wechat.failures.advice import Advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Failure, Reason

TRANSPORT_ERRORS: Final = (
    OSError,  # includes those of requests
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    ValueError,  # an address or a header that cannot be sent
)
_BEFORE_SENDING: Final = (
    ConnectionRefusedError,
    InvalidSchema,
    socket.gaierror,
    ssl.SSLCertVerificationError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ProxyError,
)
_TUNNEL_REFUSED: Final = re.compile(r"Tunnel connection failed: ([1-9][0-9]{2})")  # text of http.client


class OversizeError(ValueError):
    """A body is longer than the limit, which is given in bytes."""


def _system(error: OSError) -> str:
    return f"connection failed: {error.strerror}" if error.strerror else ""


def _full(error: OSError) -> str:
    return _system(error) if error.errno in (errno.EMFILE, errno.ENFILE) else ""


def _tunnel(error: OSError) -> str:
    found = _TUNNEL_REFUSED.match(str(error))
    return f"CONNECT was answered with HTTP status {found[1]}" if found else ""


Kinds = type[BaseException] | tuple[type[BaseException], ...]
EXPLANATIONS: Final[tuple[tuple[Kinds, str | Callable[[Any], str], Reason, Advice | None], ...]] = (
    (OversizeError, lambda e: f"the answer is longer than {e} bytes", Reason.MALFORMED, None),
    (urllib3.exceptions.DecodeError, "the answer's compression is broken", Reason.MALFORMED, None),
    (
        ssl.SSLCertVerificationError,
        lambda e: f"TLS certificate refused: {e.verify_message}",
        Reason.NETWORK,
        advice.CERTIFICATE,
    ),
    (ssl.SSLError, lambda e: f"TLS failed: {e.reason or 'unknown reason'}", Reason.NETWORK, None),
    (InvalidSchema, "the address's or proxy's scheme is not supported", Reason.NETWORK, None),
    (socket.gaierror, "the name could not be resolved", Reason.NETWORK, None),
    ((TimeoutError, urllib3.exceptions.ReadTimeoutError), "no whole answer in time", Reason.TIMEOUT, None),
    (OSError, _full, Reason.NETWORK, advice.DESCRIPTORS),
    (OSError, _system, Reason.NETWORK, None),
    (OSError, _tunnel, Reason.NETWORK, None),
    (BaseException, lambda e: f"the connection broke off ({type(e).__name__})", Reason.NETWORK, None),
)
"""Exceptions with their meaning and specific advice; the first row that matches any cause counts."""


def explain(error: BaseException, url: str, proxy: str | None) -> Failure:
    """Make the failure for an exception of requests, urllib3 or a socket.

    It names the host or proxy that failed: of the call's URL only the host, of the proxy's all but the
    password.
    """
    causes = _causes(error)
    refused = proxy is not None and any(isinstance(each, urllib3.exceptions.ProxyError) for each in causes)
    place = host(url)
    if proxy is not None:
        place = f"proxy {_address(proxy)}" if refused else f"{place} through the proxy {_address(proxy)}"
    reason, words, closer = next(
        (reason, text, closer)
        for kinds, words, reason, closer in EXPLANATIONS
        for cause in causes
        if isinstance(cause, kinds) and (text := words if isinstance(words, str) else words(cause))
    )
    found = failure(reason, f"{place}: {words}", text=closer or (advice.PROXY if refused else None))
    return replace(found, unsent=any(isinstance(each, _BEFORE_SENDING) for each in causes))


def _causes(error: BaseException) -> list[BaseException]:
    """Return an exception and all that it wraps, even as arguments, as in urllib3 and requests."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return found


def host(url: str) -> str:
    """Return a URL's host, or a question mark without one."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def _address(proxy: str) -> str:
    """Return a proxy's URL without user and password."""
    scheme, _, rest = proxy.rpartition("://")
    return f"{scheme or 'http'}://{rest.rpartition('@')[2].partition('/')[0]}"

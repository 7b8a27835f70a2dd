"""The transport: sends an HTTP request and returns the whole body within limits, or the failure.

Nothing that leaves this module contains a sent URL, header or body, as they carry tokens.
"""

import ipaddress
import re
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Final, TypedDict, Unpack
from urllib.parse import urlsplit

import requests

from exporter import __version__
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.network.connections import Call, under_way
from exporter.wechat.network.errors import TRANSPORT_ERRORS, OversizeError, explain, host

BODY_LIMIT: Final = 1024 * 1024
"""Bytes, after decompression: an answer has about 200, a list of 500 accounts about 110,000."""

_PIECE: Final = 16 * 1024  # bytes per read, so that many compression bombs take little memory
KEEP_SECONDS: Final = 5.0
"""Seconds between two tries to close all connections when no call is under way, as after a round."""

_SECONDS: Final = re.compile(r"[0-9]{1,7}")
_HEADERS: Final = {
    "User-Agent": f"wechat-miniprogram-exporter/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # the bodies are small
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: HTTP status, decompressed body, and the seconds of Retry-After, if any."""

    status: int
    body: bytes
    retry_after: float | None = None


class RequestParts(TypedDict, total=False):
    """The parts of a request beside its address: URL parameters, a JSON body, headers."""

    params: Mapping[str, str] | None
    body: object
    headers: Mapping[str, str] | None


class Transport:
    """Sends requests through an adapter of requests, from any thread."""

    def __init__(self, adapter: requests.adapters.HTTPAdapter, timeout: float) -> None:
        self._adapter = adapter
        self._timeout = timeout
        self._proxies: dict[tuple[str, str], dict[str, str]] = {}
        self._calls: set[Call] = set()
        self._stopped = False
        self._closing: threading.Timer | None = None
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # the turn of the calls: see `Call`

    def send(
        self, method: str, url: str, *, repeatable: bool = True, **parts: Unpack[RequestParts]
    ) -> Answer:
        """Send a request.

        A request that is not `repeatable` gets a new connection, as a kept one might need a second attempt.

        Raises:
            CallError: a network failure, a timeout or a body over the limit; safe to show.
        """
        call = Call(self._timeout, self._turn, wants_new=not repeatable)
        proxies: dict[str, str] = {}
        self._calls.add(call)
        try:
            if self._stopped:
                raise CallError(failure(Reason.NETWORK, f"{host(url)}: not asked, the exporter stops"))
            self._close_later()
            with under_way(call):
                proxies = self._proxies_for(url)
                request = requests.PreparedRequest()
                headers = {**_HEADERS, **(parts.get("headers") or {})}
                request.prepare(method, url, headers, params=parts.get("params"), json=parts.get("body"))
                while True:
                    try:
                        # Through the adapter, as a session would read a redirect's body of any size.
                        response = self._adapter.send(
                            request, stream=True, timeout=self._timeout, proxies=proxies
                        )
                        return _answer(response, call)
                    except TRANSPORT_ERRORS:
                        if call.connected or call.answered or call.wants_new:
                            raise
                        call.wants_new = True  # the kept connection was closed, as others may be
        except TRANSPORT_ERRORS as error:
            proxy = requests.utils.select_proxy(url, proxies) if proxies else None
            problem = explain(error, url, proxy)
        finally:
            self._calls.discard(call)
        if problem.reason is Reason.TIMEOUT:
            within = f"within {self._timeout:g} s"
            problem = replace(problem, detail=problem.detail.removesuffix("in time") + within)
        # Outside the handler: its error, which has the URL in its text, would become the context.
        raise CallError(problem)

    def stop(self) -> None:
        """Abort the calls under way and close all connections; later calls fail at once."""
        self._stopped = True
        for call in list(self._calls):
            call.abort()
        with self._lock:
            timer = self._closing
        if timer is not None:
            timer.cancel()
            timer.join()
        self._adapter.close()

    def _proxies_for(self, url: str) -> dict[str, str]:
        """Return the proxies for a URL from the environment, cached by host, as NO_PROXY names hosts."""
        place = urlsplit(url)[:2]
        if place not in self._proxies:
            own = _is_loopback(host(url))
            self._proxies[place] = {} if own else requests.utils.get_environ_proxies(url)
        return self._proxies[place]

    def _close_later(self) -> None:
        """Schedule the closing of the connections after the last call."""
        with self._lock:
            if self._closing is None and not self._stopped:
                timer = threading.Timer(KEEP_SECONDS, self._close)
                timer.daemon = True
                with suppress(RuntimeError):  # no thread is available: the next call tries again
                    timer.start()
                    self._closing = timer

    def _close(self) -> None:
        with self._lock:
            self._closing = None
        if self._calls:
            self._close_later()
        else:
            self._adapter.close()


def _answer(response: requests.Response, call: Call) -> Answer:
    with closing(response):
        content = bytearray()
        while piece := response.raw.read(_PIECE, decode_content=True):
            content += piece
            if len(content) > BODY_LIMIT:
                raise OversizeError(BODY_LIMIT)
    call.left()  # the body of an aborted call may look complete
    return Answer(response.status_code, bytes(content), _retry_after(response.headers))


def _is_loopback(name: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return name.rstrip(".") == "localhost" or name.endswith(".localhost")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of the header Retry-After; a date is relative to the answer's Date."""
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    with suppress(ValueError, TypeError):
        waited = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, waited.total_seconds())
    return None

"""Send one HTTP request and bring back the whole body, within limits, or say plainly why not.

Nothing that leaves this module holds a URL, a header or a body that was sent: they carry tokens.
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

_PIECE: Final = 16 * 1024  # bytes read at a time: many bombs at once take little memory together
KEEP_SECONDS: Final = 5.0
"""Every so often all connections are closed unless a call is under way: none is kept after a round."""

_SECONDS: Final = re.compile(r"[0-9]{1,7}")
_HEADERS: Final = {
    "User-Agent": f"wechat-miniprogram-exporter/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # the bodies are tiny
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status, the body, decompressed, and after how many seconds to ask again."""

    status: int
    body: bytes
    retry_after: float | None = None


class RequestParts(TypedDict, total=False):
    """What a request may have beside its address: URL parameters, a body sent as JSON, further headers."""

    params: Mapping[str, str] | None
    body: object
    headers: Mapping[str, str] | None


class Transport:
    """Send requests by an adapter of requests'; safe to use from many threads."""

    def __init__(self, adapter: requests.adapters.HTTPAdapter, timeout: float) -> None:
        self._adapter = adapter
        self._timeout = timeout
        self._proxies: dict[tuple[str, str], dict[str, str]] = {}
        self._calls: set[Call] = set()
        self._stopped = False
        self._closing: threading.Timer | None = None
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # of the calls: see `Call`

    def send(
        self, method: str, url: str, *, repeatable: bool = True, **parts: Unpack[RequestParts]
    ) -> Answer:
        """Send one request.

        One that is not `repeatable` gets a new connection: on a kept one it might have to be sent twice.

        Raises:
            CallError: network, timeout or a body over the limit; safe to show.
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
                        # By the adapter: a session would read a redirect's body, of any size, to follow it.
                        response = self._adapter.send(
                            request, stream=True, timeout=self._timeout, proxies=proxies
                        )
                        return _answer(response, call)
                    except TRANSPORT_ERRORS:
                        if call.connected or call.answered or call.wants_new:
                            raise
                        call.wants_new = True  # the one kept was gone, as others may be
        except TRANSPORT_ERRORS as error:
            proxy = requests.utils.select_proxy(url, proxies) if proxies else None
            problem = explain(error, url, proxy)
        finally:
            self._calls.discard(call)
        if problem.reason is Reason.TIMEOUT:
            within = f"within {self._timeout:g} s"
            problem = replace(problem, detail=problem.detail.removesuffix("in time") + within)
        # Raised out here: in the handler the error, whose text has the URL, would come along as its context.
        raise CallError(problem)

    def stop(self) -> None:
        """End the calls under way and close all connections; later calls fail at once."""
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
        """Take them from the environment, once for each host: NO_PROXY names hosts."""
        place = urlsplit(url)[:2]
        if place not in self._proxies:
            own = _is_loopback(host(url))
            self._proxies[place] = {} if own else requests.utils.get_environ_proxies(url)
        return self._proxies[place]

    def _close_later(self) -> None:
        """Have the connections closed once there are no more calls."""
        with self._lock:
            if self._closing is None and not self._stopped:
                timer = threading.Timer(KEEP_SECONDS, self._close)
                timer.daemon = True
                with suppress(RuntimeError):  # no thread is to be had now: the next call tries again
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
    call.left()  # what ended because the call was aborted may look whole
    return Answer(response.status_code, bytes(content), _retry_after(response.headers))


def _is_loopback(name: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return name.rstrip(".") == "localhost" or name.endswith(".localhost")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the header of that name asks to wait; a date counts from the answer's own."""
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    with suppress(ValueError, TypeError):
        waited = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, waited.total_seconds())
    return None

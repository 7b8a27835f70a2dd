"""Sends one HTTP request and brings back the whole body, within limits, or says plainly why not.

Nothing that leaves this module holds a URL, a header or a body that was sent: they carry tokens.
"""

import http.client
import ipaddress
import json
import re
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import requests
import urllib3

from exporter import __version__
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.network.connections import Call, under_way
from exporter.wechat.network.errors import LATE, OversizeError, explain, host

_ERRCODE: Final = re.compile(r"-?[0-9]{1,9}")
_LARGEST_ERRCODE: Final = 10**9  # WeChat's are far below; a code becomes a label's value
BODY_LIMIT: Final = 1024 * 1024
"""Bytes, after decompression: an answer has about 200, a list of 500 accounts about 110,000."""

_PIECE: Final = 16 * 1024  # bytes read at a time: many bombs at once take little memory together
KEEP_SECONDS: Final = 5.0
"""How often it is looked whether no call is under way, as after a round: then no connection is kept."""

_WAITED_FOR: Final = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)  # with which Retry-After is to be heeded
_SECONDS: Final = re.compile(r"[0-9]{1,7}")
_HEADERS: Final = {
    "User-Agent": f"wechat-miniprogram-exporter/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # the bodies are tiny
}
_TRANSPORT_ERRORS: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,  # an address or a header that cannot be sent
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status, the body, decompressed, and after how many seconds to ask again."""

    status: int
    body: bytes
    retry_after: float | None = None


class Transport:
    """Sends requests through an adapter of requests'; safe to use from many threads."""

    def __init__(self, adapter: requests.adapters.HTTPAdapter, timeout: float) -> None:
        self._adapter = adapter
        self._timeout = timeout
        self._proxies: dict[tuple[str, str], dict[str, str]] = {}
        self._calls: set[Call] = set()
        self._stopped = False
        self._closing: threading.Timer | None = None
        self._lock = threading.Lock()

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Answer:
        """Send one request; `body` goes as JSON.

        One that is not `repeatable` gets a new connection: on a kept one it might have to be sent twice.

        Raises:
            CallError: network, timeout or a body over the limit; safe to show.
        """
        call, problem = Call(self._timeout), None
        call.wants_new = not repeatable
        self._calls.add(call)
        try:
            if self._stopped:
                raise CallError(failure(Reason.NETWORK, f"{host(url)}: not asked, the exporter stops"))
            self._close_later()
            request = requests.PreparedRequest()
            request.prepare(method, url, {**_HEADERS, **(headers or {})}, params=params, json=body)
            with under_way(call):
                answer = self._exchange(request, url, call)
                call.left()  # what ended because the call was aborted may look whole
        except _TRANSPORT_ERRORS as error:
            problem = explain(error, url, self._proxy(url))
            if problem.reason is Reason.TIMEOUT:
                within = f"no whole answer within {self._timeout:g} s"
                problem = replace(problem, detail=problem.detail.replace(LATE, within))
        finally:
            self._calls.discard(call)
        if problem is None:
            return answer
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

    def _exchange(self, request: requests.PreparedRequest, url: str, call: Call) -> Answer:
        try:
            return self._answer(request, url)
        except _TRANSPORT_ERRORS:
            if call.connected or call.answered:
                raise
            call.wants_new = True  # the one kept from an earlier call was gone, as others may be
            return self._answer(request, url)

    def _answer(self, request: requests.PreparedRequest, url: str) -> Answer:
        # By the adapter: a session would read a redirect's body, of any size, to find where it leads.
        response = self._adapter.send(
            request, stream=True, timeout=self._timeout, proxies=self._proxies_for(url)
        )
        with closing(response):
            content = bytearray()
            while piece := response.raw.read(_PIECE, decode_content=True):
                content += piece
                if len(content) > BODY_LIMIT:
                    raise OversizeError(BODY_LIMIT)
            return Answer(response.status_code, bytes(content), _retry_after(response.headers))

    def _proxies_for(self, url: str) -> dict[str, str]:
        """From the environment, which is read once for each host: NO_PROXY names hosts."""
        place = urlsplit(url)[:2]
        if place not in self._proxies:
            own = _is_loopback(host(url))
            self._proxies[place] = {} if own else requests.utils.get_environ_proxies(url)
        return self._proxies[place]

    def _proxy(self, url: str) -> str | None:
        with suppress(ValueError):
            return requests.utils.select_proxy(url, self._proxies_for(url))
        return None

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


def _is_loopback(name: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return name.rstrip(".") == "localhost" or name.endswith(".localhost")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the header of that name asks to wait; a date counts from the answer's own."""
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    with suppress(ValueError, TypeError):
        waited = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, waited.total_seconds())
    return None


def read_json(answer: Answer, *, asking_for_token: bool = False) -> dict[str, Any]:
    """The body as a JSON object, judged by WeChat's `errcode` first and by the HTTP status second.

    Raises:
        CallError: WeChat answered with an error, or something else answered.
    """
    body = decode(answer.body)
    if isinstance(body, dict):
        code, message = _errcode(body)
        if code:
            raise CallError(errcode_failure(code, message, asking_for_token=asking_for_token))
    if not 200 <= answer.status < 300:  # noqa: PLR2004
        raise CallError(status_failure(answer))
    if not isinstance(body, dict):
        raise CallError(failure(Reason.MALFORMED, "the answer is not a JSON object"))
    return body


def decode(body: bytes) -> object:
    """The value of a JSON text, as leniently as WeChat's texts need it; None where it is none."""
    try:
        # Control characters and bad UTF-8 have been met in WeChat's texts; figures are not concerned.
        text = body.decode("utf-8-sig", "replace")
        return json.loads(text, strict=False, parse_constant=_refuse, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):  # which of the two values would be right?
        raise ValueError("a key stands twice")
    return found


def _errcode(body: dict[str, Any]) -> tuple[int, str]:
    """WeChat's code and text of both wire shapes; code 0 where there is none."""
    code = body.get("errcode", body.get("errCode", 0))
    message = body.get("errmsg", body.get("errMsg"))
    if isinstance(code, str) and _ERRCODE.fullmatch(code):
        code = int(code)
    if isinstance(code, bool) or not isinstance(code, int) or abs(code) > _LARGEST_ERRCODE:
        raise CallError(failure(Reason.MALFORMED, "errcode is not a number that could be one"))
    return code, message if isinstance(message, str) else "(no errmsg)"


def status_failure(answer: Answer) -> Failure:
    """What an HTTP status that is no success means."""
    status = answer.status
    passing = status >= 500 or status in (408, 425, 429)  # noqa: PLR2004
    text = f"HTTP status {status}"
    if 300 <= status < 400:  # noqa: PLR2004
        text += ", a redirect: not followed, as it would carry the token elsewhere"
    closer = advice.PROXY if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED else None
    found = failure(Reason.HTTP_STATUS, text, Action.RETRY if passing else Action.NEXT_ROUND, closer)
    return replace(found, retry_after=answer.retry_after) if status in _WAITED_FOR else found

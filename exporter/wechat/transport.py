"""Sends one HTTP request and brings back the whole body, within limits, or says plainly why not.

Nothing that leaves this module holds a URL, a header or a body that was sent: they carry tokens.
"""

import http.client
import json
import logging
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import requests
import urllib3

from exporter import __version__
from exporter.wechat.deadline import DeadlineAdapter, Watchdog
from exporter.wechat.errcodes import errcode_failure, failure
from exporter.wechat.errors import Action, CallError, Failure, Reason

_ERRCODE: Final = re.compile(r"-?[0-9]{1,9}")
_LARGEST_ERRCODE: Final = 10**9  # WeChat's are far below; a code becomes a label's value
BODY_LIMIT: Final = 1024 * 1024  # bytes, after decompression; an answer has about 200
_TRANSPORT_ERRORS: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,  # an address or a header that cannot be sent
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status and the body, decompressed."""

    status: int
    body: bytes


class Transport:
    """Sends requests through a `requests` session; safe to use from many threads."""

    def __init__(self, session: requests.Session, watchdog: Watchdog, timeout: float) -> None:
        self._session = session
        self._watchdog = watchdog
        self._timeout = timeout
        self._proxies: dict[tuple[str, str], dict[str, str]] = {}

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; `body` goes as JSON.

        Raises:
            CallError: network, timeout or a body over the limit; safe to show.
        """
        problem = None
        with self._watchdog.call(self._timeout) as call:
            if call.expired:
                raise CallError(failure(Reason.NETWORK, f"{_host(url)}: not asked, the exporter stops"))
            try:
                answer = self._exchange(method, url, params, body, headers)
            except _TRANSPORT_ERRORS as error:
                problem = _explain(error, _host(url))
            if call.expired or (problem is not None and problem.reason is Reason.TIMEOUT):
                # A socket's time limit and the watchdog's come at the same moment: one text for both.
                problem = failure(Reason.TIMEOUT, f"{_host(url)}: no whole answer within {self._timeout:g} s")
        if problem is None:
            return answer
        # Raised out here: in the handler the error, whose text has the URL, would come along as its context.
        raise CallError(problem)

    def stop(self) -> None:
        """End the calls under way and close all connections; later calls fail at once."""
        self._watchdog.stop()
        self._session.close()

    def _exchange(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        body: object,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        request = requests.PreparedRequest()
        request.prepare(method, url, {**self._session.headers, **(headers or {})}, params=params, json=body)
        response = self._session.send(  # `request` would merge anew what is the same for all of ours
            request,
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
            proxies=self._proxies_for(url),
            verify=self._session.verify,
            cert=None,
        )
        with closing(response):
            content = response.raw.read(BODY_LIMIT + 1, decode_content=True)
            if len(content) > BODY_LIMIT:
                raise _OversizeError
            return Answer(response.status_code, content)

    def _proxies_for(self, url: str) -> dict[str, str]:
        """From the environment, which is read once for each host: NO_PROXY names hosts."""
        place = urlsplit(url)[:2]
        if place not in self._proxies:
            self._proxies[place] = requests.utils.get_environ_proxies(url)
        return self._proxies[place]


def open_session(watchdog: Watchdog, connections: int) -> requests.Session:
    """A session with our limits, for WeChat and for the keepers of tokens."""
    logging.getLogger("urllib3").propagate = False  # its lines have whole URLs, some at level WARNING
    session = requests.Session()
    session.verify = session.merge_environment_settings("", {}, None, None, None)["verify"]
    session.trust_env = False  # a .netrc would put another Authorization header in place of ours
    session.mount("https://", DeadlineAdapter(watchdog, connections))
    session.mount("http://", DeadlineAdapter(watchdog, connections))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # none: WeChat needs none
    session.headers = requests.structures.CaseInsensitiveDict(
        {
            "User-Agent": f"wechat-miniprogram-exporter/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # the bodies are tiny
        }
    )
    return session


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
        raise CallError(status_failure(answer.status))
    if not isinstance(body, dict):
        raise CallError(failure(Reason.MALFORMED, "the answer is not a JSON object"))
    return body


class _OversizeError(ValueError):
    """The body is longer than the limit."""


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


def status_failure(status: int) -> Failure:
    """What an HTTP status that is no success means."""
    passing = status >= 500 or status in (408, 425, 429)  # noqa: PLR2004
    text = f"HTTP status {status}"
    if 300 <= status < 400:  # noqa: PLR2004
        text += ", a redirect: not followed, as it would carry the token elsewhere"
    return failure(Reason.HTTP_STATUS, text, Action.RETRY if passing else Action.NEXT_ROUND)


def _host(url: str) -> str:
    with suppress(ValueError):
        return urlsplit(url).hostname or "?"
    return "?"


def _explain(error: BaseException, host: str) -> Failure:
    """A failure in our own words; the library's text holds the URL and with it the token."""
    causes = _causes(error)
    for kind, reason, words in _EXPLANATIONS:
        for cause in causes:
            if isinstance(cause, kind) and (told := words(cause)):
                return failure(reason, f"{host}: {told}")
    return failure(Reason.NETWORK, f"{host}: the connection broke off ({type(error).__name__})")


_EXPLANATIONS: Final[tuple[tuple[Any, Reason, Callable[[Any], str]], ...]] = (
    (_OversizeError, Reason.MALFORMED, lambda _: f"the answer is longer than {BODY_LIMIT} bytes"),
    (urllib3.exceptions.DecodeError, Reason.MALFORMED, lambda _: "the answer's compression is broken"),
    (ssl.SSLCertVerificationError, Reason.NETWORK, lambda e: f"TLS certificate refused: {e.verify_message}"),
    (ssl.SSLError, Reason.NETWORK, lambda e: f"TLS failed: {e.reason or 'unknown reason'}"),
    (
        requests.exceptions.InvalidSchema,
        Reason.NETWORK,
        lambda _: "the address's or proxy's scheme is not supported",
    ),
    (socket.gaierror, Reason.NETWORK, lambda _: "the name could not be resolved"),
    ((TimeoutError, urllib3.exceptions.ReadTimeoutError), Reason.TIMEOUT, lambda _: "no answer in time"),
    (OSError, Reason.NETWORK, lambda e: f"connection failed: {e.strerror}" if e.strerror else ""),
)
"""What to say of which exception; the first row that fits any cause counts."""


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

"""One call to one interface: sent in its turn, judged, read, timed and counted."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar, Unpack
from urllib.parse import quote, quote_plus

from exporter.config.settings import WechatSettings
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.network.connections import Adapter
from exporter.wechat.network.transport import Answer, RequestParts, Transport
from exporter.wechat.verdict import read_json

_Result = TypeVar("_Result")
_SHORTEST_SECRET: Final = 8  # characters; a shorter one is a word such as Bearer or true
_LONGEST_DETAIL: Final = 240  # characters


class Observer(Protocol):
    """Hears of every call that left the exporter."""

    def __call__(self, endpoint: Endpoint, seconds: float, reason: Reason | None) -> None:
        """Count one call that is over; `reason` is None where it brought what was asked for."""


Verdict = Callable[[Failure], Failure]
"""Makes of a failure, as any call may have it, the one that is counted, recorded and shown."""


def as_it_is(failure: Failure) -> Failure:
    """Return the failure."""
    return failure


@dataclass(slots=True)
class Client:
    """Calls WeChat.

    `base_url` has no slash at its end; `pace` returns when a call may start; `clock` gives Unix time,
    `stopwatch` seconds that never jump.
    """

    base_url: str
    transport: Transport
    observer: Observer
    pace: Callable[[], None]
    clock: Callable[[], float] = time.time
    stopwatch: Callable[[], float] = time.monotonic
    record: Callable[[Answer, Iterable[str]], None] = lambda *_: None
    """Is given what came to each call, and what is secret in the request."""

    def follow(self, other: "Client") -> None:
        """Call within `other`'s limits from now on, at the same address: tokens and accesses outlive that."""
        self.transport, self.pace = other.transport, other.pace

    def ask(
        self,
        endpoint: Endpoint,
        read: Callable[[dict[str, Any]], _Result],
        *,
        secrets: Iterable[str],
        judged: Verdict = as_it_is,
        base_url: str | None = None,
        **parts: Unpack[RequestParts],
    ) -> _Result:
        """Make one call to WeChat and return what `read` makes of the answer.

        Args:
            endpoint: which interface.
            read: makes the result of the answer's JSON object; may raise CallError.
            secrets: what is secret in the request; blotted out should the answer's text repeat it.
            judged: says what a failure means for this call, before it is counted.
            base_url: another address of WeChat's than the client's.
            parts: the request's parameters, body and headers.

        Raises:
            CallError: whatever went wrong; safe to show.
        """
        url = (self.base_url if base_url is None else base_url) + endpoint.path
        secrets = tuple(secrets)
        with self.observed(endpoint, secrets, judged):
            answer = self.transport.send(endpoint.method, url, repeatable=endpoint.repeatable, **parts)
            self.record(answer, secrets)
            return read(read_json(answer, asking_for_token=endpoint.takes_secret))

    @contextmanager
    def observed(
        self, endpoint: Endpoint, secrets: Iterable[str], judged: Verdict = as_it_is
    ) -> Iterator[None]:
        """Wait for a call's turn, time it, count it as `judged`, and blot secrets out of its failure."""
        self.pace()
        start = self.stopwatch()
        reason: Reason | None = Reason.INTERNAL
        try:
            yield
            reason = None
        except CallError as error:
            error.failure = _safe(judged(error.failure), secrets)
            reason = error.failure.reason
            raise
        finally:
            self.observer(endpoint, self.stopwatch() - start, reason)


class Pace:
    """Let at most `per_second` calls start each second, evenly spread; 0 means no limit.

    The limiters on offer count in windows and so let bursts through.
    """

    def __init__(
        self, per_second: float, clock: Callable[[], float], sleep: Callable[[float], object]
    ) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next call may start."""
        if not self._gap:
            return
        with self._lock:
            now = self._clock()
            start = max(self._next, now)
            self._next = start + self._gap
        if start > now:
            self._sleep(start - now)


def open_client(
    settings: WechatSettings,
    connections: int,
    observer: Observer,
    pace: Callable[[], None],
    clock: Callable[[], float] = time.time,
) -> Client:
    """Open a client that keeps at most `connections` to a host, until `client.transport.stop()`."""
    logging.getLogger("urllib3").propagate = False  # its lines have whole URLs, some at level WARNING
    transport = Transport(Adapter(connections, settings.private_ca), settings.timeout)
    return Client(settings.base_url, transport, observer, pace, clock)


def _safe(failure: Failure, secrets: Iterable[str]) -> Failure:
    """Blot secrets out, also URL-encoded ones; shorten the text only then, lest half of one stays."""
    detail = failure.detail
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            for written in (secret, quote(secret, safe=""), quote_plus(secret)):
                detail = detail.replace(written, "***")
    return replace(failure, detail=detail[:_LONGEST_DETAIL])

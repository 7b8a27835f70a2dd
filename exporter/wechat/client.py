"""One call to one interface: sent, judged, read, timed and counted."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote, quote_plus

from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.network.transport import Answer, Transport, read_json

_Result = TypeVar("_Result")
_SHORTEST_SECRET: Final = 8  # characters; a shorter one is a word such as Bearer or true
_LONGEST_DETAIL: Final = 240  # characters


class Observer(Protocol):
    """Is told about every call that left the exporter."""

    def __call__(self, endpoint: Endpoint, seconds: float, reason: Reason | None) -> None:
        """One call is over; `reason` is None where it brought what was asked for."""


@dataclass(slots=True)
class Client:
    """The line to WeChat.

    `base_url` has no slash at its end; `pace` returns when a call may start; `clock` gives Unix time,
    `stopwatch` seconds that never jump.
    """

    base_url: str
    transport: Transport
    observer: Observer
    pace: Callable[[], None]
    clock: Callable[[], float] = time.time
    stopwatch: Callable[[], float] = time.monotonic

    def follow(self, other: "Client") -> None:
        """Call within `other`'s limits from now on, at the same address: tokens and ways outlive that."""
        self.transport, self.pace = other.transport, other.pace

    def ask(
        self,
        endpoint: Endpoint,
        method: str,
        address: str,
        read: Callable[[dict[str, Any]], _Result],
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        secrets: Iterable[str],
    ) -> _Result:
        """Make one call and return what `read` makes of the answer.

        Args:
            endpoint: which interface, for the counters.
            method: GET or POST.
            address: a path below `base_url`, or a whole URL.
            read: makes the result of the answer's JSON object; may raise CallError.
            params: URL parameters.
            body: sent as JSON.
            headers: further headers.
            secrets: what is secret in all that; blotted out should the answer's text repeat it.

        Raises:
            CallError: whatever went wrong; safe to show.
        """
        return self.exchange(
            endpoint,
            method,
            address,
            lambda answer: read(read_json(answer, asking_for_token=endpoint.takes_secret)),
            params=params,
            body=body,
            headers=headers,
            secrets=secrets,
        )

    def exchange(
        self,
        endpoint: Endpoint,
        method: str,
        address: str,
        judge: Callable[[Answer], _Result],
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        secrets: Iterable[str],
    ) -> _Result:
        """Make one call as `ask` does, to whoever answers: `judge` makes the result of status and body."""
        url = self.base_url + address if address.startswith("/") else address
        self.pace()
        start = self.stopwatch()
        reason: Reason | None = Reason.INTERNAL
        try:
            answer = self.transport.send(
                method, url, params=params, body=body, headers=headers, repeatable=endpoint.repeatable
            )
            result = judge(answer)
            reason = None
        except CallError as error:
            reason = error.failure.reason
            error.failure = _safe(error.failure, secrets)
            raise
        finally:
            self.observer(endpoint, self.stopwatch() - start, reason)
        return result


def _safe(failure: Failure, secrets: Iterable[str]) -> Failure:
    """The failure without secrets, also URL-encoded ones; shortened only then, lest half of one stays."""
    detail = failure.detail
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            for written in (secret, quote(secret, safe=""), quote_plus(secret)):
                detail = detail.replace(written, "***")
    return replace(failure, detail=detail[:_LONGEST_DETAIL])

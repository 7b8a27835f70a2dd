"""Clients of a peer or of the simulator, and what their observer counted."""

import gc
import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar

import pytest

from exporter.config.settings import WechatSettings
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Row
from exporter.datasets.period import DAY
from exporter.wechat.access import Access
from exporter.wechat.client import Client, open_client
from exporter.wechat.credential_vault import VaultError
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.failure import CallError, Failure, Reason

T = TypeVar("T")
GENEROUS: Final = 5.0  # seconds; for calls that are not about time


@dataclass
class Clock:
    """Unix time that stands still until it is moved."""

    now: float = 1_795_500_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeLeases:
    """The leases of one exporter; those of others have the same `held`: holders and ends by work."""

    clock: Clock
    held: dict[str, tuple[str, float]] = field(default_factory=dict)
    holder: str = "this one"
    away: bool = False

    def take(self, work: str, seconds: float) -> bool:
        if self.away:
            raise VaultError("cannot write storage redis://cache/0: Connection refused.")
        holder, end = self.held.get(work, ("", 0.0))
        if holder != self.holder and self.clock() < end:
            return False
        self.held[work] = self.holder, self.clock() + seconds
        return True

    def give_back(self, work: str) -> None:
        if self.held.get(work, ("",))[0] == self.holder:
            del self.held[work]


@dataclass
class Observed:
    """Every call that the observer counted."""

    calls: list[tuple[Endpoint, Reason | None]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __call__(self, endpoint: Endpoint, seconds: float, reason: Reason | None) -> None:
        self.calls.append((endpoint, reason))
        self.seconds.append(seconds)


@contextmanager
def opened(
    url: str,
    timeout: float = GENEROUS,
    observed: Observed | None = None,
    clock: Callable[[], float] = time.time,
    private_ca: str = "",
) -> Iterator[Client]:
    """Yield a client that is stopped at the end."""
    client = open_client(
        WechatSettings(url, timeout, private_ca), 4, observed or Observed(), lambda: None, clock
    )
    try:
        yield client
    finally:
        client.transport.stop()


def outcome(call: Callable[[], T]) -> T | Failure:
    """Return what the call returns, or the failure that it raises."""
    try:
        return call()
    except CallError as error:
        return error.failure


def failure_of(call: Callable[[], object]) -> Failure:
    """Return the failure that the call raises."""
    with pytest.raises(CallError) as caught:
        call()
    return caught.value.failure


def everything_in(error: BaseException) -> str:
    """Return all texts of an exception: its own, its arguments', its chain's and its traceback's."""
    texts, waiting, seen = [], [error], set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        texts += [str(each), repr(each), repr(each.args), "".join(traceback.format_exception(each))]
        if isinstance(each, CallError):
            texts.append(repr(each.failure))
        waiting += [other for other in (each.__cause__, each.__context__) if other is not None]
    return "\n".join(texts)


def open_files() -> int:
    """Return the number of file descriptors of this process."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts, needs no paths


def daily_trend(access: Access, day: date) -> Row:
    """Fetch a day's row of the daily trend."""
    return access.fetch(DAILY_TREND, DAY.starting(day))

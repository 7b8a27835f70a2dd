import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.wechat.failures.errcodes import errcode_failure
from exporter.wechat.failures.failure import Failure
from exporter.wechat.tokens.cache import Token, TokenCache, expiring_token
from tests.wechat.lines import Clock, outcome
from tests.wechat.tokens.conftest import Source

START = Clock().now
BUSY = errcode_failure(-1, "system error")
REFUSED = errcode_failure(40125, "invalid appsecret")


def token(value: str, lifetime: float = 7200, at: float = 0) -> Token:
    return expiring_token(value, lifetime, START + at)


def cached(*outcomes: Token | Failure) -> tuple[TokenCache, Source, Clock]:
    """Return a cache over a source with these outcomes, the last one for ever."""
    clock, source = Clock(), Source(lambda number: outcomes[min(number, len(outcomes)) - 1])
    return TokenCache(source, clock), source, clock


def got(cache: TokenCache) -> str | Failure:
    return outcome(lambda: cache.get().value)


# How long a token is kept


@pytest.mark.parametrize(
    ("lifetime", "kept"),
    [
        *((7200, 6900), (361, 61), (360, 60), (299, 60), (120, 60), (119, 59.5), (0.5, 0.25)),
        (345, 60),  # the second example of getStableAccessToken's page
    ],
)
def test_a_token_is_kept_until_five_minutes_before_its_end_or_asked_for_again_soon(
    lifetime: float, kept: float
) -> None:
    held = expiring_token("value", lifetime, START)
    assert (held.expires_at, held.renew_at) == (START + lifetime, START + kept)


@given(lifetime=st.floats(0, 1e7, exclude_min=True, exclude_max=True))
def test_a_token_is_never_kept_beyond_its_end(lifetime: float) -> None:
    held = expiring_token("value", lifetime, 0.0)
    assert held.expires_at is not None
    assert 0 <= held.renew_at <= held.expires_at == lifetime


UNKNOWN_END = Token("old", None, START + 60)


@pytest.mark.parametrize(
    ("outcomes", "moments"),
    [
        (
            [token("one"), token("two", at=6900)],
            [(0, "one", 1), (6899.9, "one", 1), (6900, "two", 2), (13_799, "two", 2)],
        ),
        (
            [token("old", 200), token("old", 140, 60), token("new", at=120)],
            [
                (0, "old", 1),
                (59, "old", 1),
                (60, "old", 2),
                (119, "old", 2),
                (120, "new", 3),
                (6000, "new", 3),
            ],
        ),
        (
            [token("old"), BUSY],
            [(0, "old", 1), (6900, "old", 2), (6959, "old", 2), (6960, "old", 3), (7199, "old", 4)],
        ),
        ([token("old"), BUSY], [(0, "old", 1), (7190, "old", 2), (7200, BUSY, 3), (7200, BUSY, 4)]),
        ([token("old"), REFUSED], [(0, "old", 1), (6900, REFUSED, 2)]),
        ([UNKNOWN_END, BUSY], [(0, "old", 1), (59, "old", 1), (60, BUSY, 2)]),
        ([BUSY, token("good")], [(0, BUSY, 1), (0, "good", 2)]),
    ],
    ids=[
        "until five minutes before its end",
        "with little left, used and asked for again soon but not on every call",
        "still good while renewals fail, tried once a minute",
        "not beyond its end, however short ago the renewal failed",
        "a refused credential is reported at once, even while the old token is good",
        "of unknown end, not beyond its time",
        "asked for again after a failure",
    ],
)
def test_a_token_is_fetched_renewed_and_kept_at_the_right_moments(
    outcomes: list[Token | Failure], moments: list[tuple[float, str | Failure, int]]
) -> None:
    cache, source, clock = cached(*outcomes)
    for seconds, expected, fetches in moments:
        clock.now = START + seconds
        assert got(cache) == expected
        assert source.fetches == fetches


@pytest.mark.parametrize(("held", "ends"), [(token("one"), START + 7200), (UNKNOWN_END, None)])
def test_the_end_of_the_token_held_is_known_where_it_is(held: Token, ends: float | None) -> None:
    cache, _, _ = cached(held)
    assert cache.expires_at is None
    cache.get()
    assert cache.expires_at == ends


def test_nothing_that_shows_a_cache_shows_its_token() -> None:
    cache, source, _ = cached(token("SECRETVALUE"))
    assert "SECRETVALUE" not in repr(cache.get()) + repr(cache) + repr(source)


# A token that WeChat refuses


def test_only_the_token_that_was_refused_is_dropped_and_its_source_knows_of_it_once() -> None:
    cache, source, _ = cached(token("one"), token("two"))
    cache.drop(token("another"))
    first = cache.get()
    cache.drop(first)
    cache.drop(first)  # another thread, that used it too
    assert cache.expires_at is None
    second = cache.get()
    cache.drop(first)
    assert cache.get() is second
    assert (second.value, source.fetches, source.refused) == ("two", 2, ["one"])


# Threads


class CountingLock:
    """A lock that knows how many have come to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.come = threading.Semaphore(0)

    def __enter__(self) -> None:
        self.come.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.mark.parametrize("first", [token("one"), REFUSED], ids=["a token", "a refusal"])
def test_many_threads_that_come_before_a_fetch_is_over_share_its_outcome(first: Token | Failure) -> None:
    cache, source, _ = cached(first, token("two"))
    lock = cache._lock = CountingLock()  # type: ignore[assignment]
    source.meanwhile = lambda: [lock.come.acquire(timeout=10) for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda _: got(cache), range(16)))
    assert outcomes == [first.value if isinstance(first, Token) else first] * 16
    assert source.fetches == 1


def test_many_threads_whose_token_was_refused_renew_it_once() -> None:
    cache, source, _ = cached(token("one"), token("two"), token("three"))
    start = threading.Barrier(32)

    def refused_once(_: int) -> str:
        held = cache.get()
        start.wait()
        cache.drop(held)
        return cache.get().value

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(refused_once, range(32))) == {"two"}
    assert source.fetches == 2

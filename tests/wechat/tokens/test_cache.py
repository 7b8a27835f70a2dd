import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.tokens.cache import Token, TokenCache, TokenSource, expiring_token
from tests.wechat.lines import Clock

START = Clock().now
BUSY = errcode_failure(-1, "system error")
REFUSED = errcode_failure(40125, "invalid appsecret")


class Script(TokenSource):
    """A source with these outcomes, one per fetch, the last one for ever."""

    kind = "script"

    def __init__(self, *outcomes: Token | Failure) -> None:
        self._outcomes = list(outcomes)
        self.fetches = 0
        self.refused: list[str] = []
        self.before: Callable[[], object] = lambda: None

    def fetch(self) -> Token:
        self.fetches += 1
        self.before()
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Failure):
            raise CallError(outcome)
        return outcome

    def fingerprint(self) -> bytes:
        return b""

    def refuse(self, value: str) -> None:
        self.refused.append(value)


def token(value: str, lifetime: float = 7200, at: float = 0) -> Token:
    return expiring_token(value, lifetime, START + at)


def cached(*outcomes: Token | Failure) -> tuple[TokenCache, Script, Clock]:
    clock, source = Clock(), Script(*outcomes)
    return TokenCache(source, clock), source, clock


# How long a token is kept


@pytest.mark.parametrize(
    ("lifetime", "kept"),
    [
        (7200, 6900),
        (1000, 700),
        (361, 61),
        (360, 60),
        (345, 60),  # the second example of getStableAccessToken's page
        (299, 60),
        (120, 60),
        (119, 59.5),
        (1, 0.5),
        (0.5, 0.25),
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
def test_a_token_is_used(
    outcomes: list[Token | Failure], moments: list[tuple[float, str | Failure, int]]
) -> None:
    cache, source, clock = cached(*outcomes)
    for seconds, expected, fetches in moments:
        clock.now = START + seconds
        assert got(cache) == expected
        assert source.fetches == fetches


def got(cache: TokenCache) -> str | Failure:
    try:
        return cache.get().value
    except CallError as error:
        return error.failure


def test_the_end_of_the_token_held_is_known_where_it_is() -> None:
    cache, _, _ = cached(token("one"))
    assert cache.expires_at is None
    cache.get()
    assert cache.expires_at == START + 7200
    cache, _, _ = cached(UNKNOWN_END)
    cache.get()
    assert cache.expires_at is None


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


def test_a_call_whose_token_is_refused_is_made_once_more_with_another() -> None:
    cache, source, _ = cached(token("one"), token("two"), token("three"))
    used: list[str] = []

    def refused(held: Token) -> None:
        used.append(held.value)
        raise CallError(errcode_failure(40001, "invalid credential"))

    with pytest.raises(CallError, match="40001"):
        cache.use(refused)
    assert used == ["one", "two"]
    assert cache.use(lambda held: held.value) == "two"
    assert source.refused == ["one"]


def test_a_call_that_fails_for_another_reason_is_made_once() -> None:
    cache, source, _ = cached(token("one"))

    def fails(_: Token) -> None:
        raise CallError(failure(Reason.NETWORK, "gone"))

    with pytest.raises(CallError, match="gone"):
        cache.use(fails)
    assert (source.fetches, source.refused) == (1, [])


# Threads


class Gate:
    """Stands for a cache's lock, and counts who has come to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._arrived = 0

    def __enter__(self) -> None:
        with self._changed:
            self._arrived += 1
            self._changed.notify_all()
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._arrived >= count, 10)


@pytest.mark.parametrize("outcome", [token("one"), REFUSED], ids=["a token", "a refusal"])
def test_many_threads_that_come_before_a_fetch_is_over_share_its_outcome(outcome: Token | Failure) -> None:
    cache, source, _ = cached(outcome, token("two"))
    gate = Gate()
    cache._lock = gate  # type: ignore[assignment]
    source.before = lambda: gate.wait_for(32)
    with ThreadPoolExecutor(32) as pool:
        outcomes = list(pool.map(lambda _: got(cache), range(32)))
    assert outcomes == [outcome.value if isinstance(outcome, Token) else outcome] * 32
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

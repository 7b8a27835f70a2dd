import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.tokens.cache import Token, TokenCache, TokenSource, expiring_token
from tests.wechat.lines import Clock

START = Clock().now
BUSY = errcode_failure(-1, "system error")
REFUSED = errcode_failure(40125, "invalid appsecret")


class Script:
    """A source that gives what it is told, one thing per fetch, the last one for ever."""

    kind = "script"

    def __init__(self, *outcomes: Token | Failure) -> None:
        self._outcomes = list(outcomes)
        self.fetches = 0
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


def token(value: str, lifetime: float, at: float = 0) -> Token:
    return expiring_token(value, lifetime, START + at)


# How long a token is kept


@pytest.mark.parametrize(
    ("lifetime", "kept"),
    [
        (7200, 6900),
        (1000, 700),
        (361, 61),
        (360, 60),
        (345, 60),  # the second example of getStableAccessToken's page
        (300, 60),
        (299, 60),
        (120, 60),
        (119, 59.5),
        (10, 5),
        (1, 0.5),
        (0.5, 0.25),
    ],
)
def test_a_token_is_kept_until_five_minutes_before_its_end_or_asked_for_again_soon(
    lifetime: float, kept: float
) -> None:
    held = expiring_token("value", lifetime, START)
    assert held.expires_at == START + lifetime
    assert held.renew_at == START + kept


@given(lifetime=st.floats(0, 1e7, exclude_min=True, exclude_max=True))
def test_a_token_is_never_kept_beyond_its_end(lifetime: float) -> None:
    held = expiring_token("value", lifetime, 0.0)
    assert held.expires_at is not None
    assert 0 <= held.renew_at <= held.expires_at == lifetime


def test_a_token_does_not_show_its_value() -> None:
    assert "value" not in repr(Token("value", None, 0.0)).replace("Token(", "")


# Keeping


def test_a_token_is_fetched_once_and_kept_until_five_minutes_before_its_end() -> None:
    clock, source = Clock(), Script(token("one", 7200), token("two", 7200, 6900))
    keeper = TokenCache(source, clock)
    assert keeper.expires_at is None
    for seconds, value, fetches in [(0, "one", 1), (6899.9, "one", 1), (6900, "two", 2), (13_799, "two", 2)]:
        clock.now = START + seconds
        assert keeper.get().value == value
        assert source.fetches == fetches
    assert keeper.expires_at == START + 6900 + 7200


def test_a_token_with_little_left_is_used_and_asked_for_again_soon_but_not_on_every_call() -> None:
    clock, source = Clock(), Script(token("old", 200), token("old", 140, 60), token("new", 7200, 120))
    keeper = TokenCache(source, clock)
    for seconds, value, fetches in [
        (0, "old", 1),
        (59, "old", 1),
        (60, "old", 2),
        (119, "old", 2),
        (120, "new", 3),
        (6000, "new", 3),
    ]:
        clock.now = START + seconds
        assert keeper.get().value == value
        assert source.fetches == fetches


def test_a_token_whose_end_is_unknown_has_no_expiry() -> None:
    keeper = TokenCache(Script(Token("value", None, START + 60)), Clock())
    keeper.get()
    assert keeper.expires_at is None


def test_what_shows_a_keeper_shows_no_token() -> None:
    source = Script(Token("SECRETVALUE", None, START + 60))
    keeper = TokenCache(source, Clock())
    keeper.get()
    assert "SECRETVALUE" not in repr(keeper) + repr(source)


# When a renewal fails


def renewed_at(seconds: float, outcome: Failure) -> tuple[TokenCache, Script, Clock]:
    """A keeper whose token of 7200 s is due for renewal, which goes so."""
    clock, source = Clock(), Script(token("old", 7200), outcome)
    keeper = TokenCache(source, clock)
    keeper.get()
    clock.now = START + seconds
    return keeper, source, clock


def test_a_token_that_is_still_good_is_used_while_renewals_fail_once_a_minute() -> None:
    keeper, source, clock = renewed_at(6900, BUSY)
    for seconds, fetches in [(6900, 2), (6959, 2), (6960, 3), (7199, 4)]:
        clock.now = START + seconds
        assert keeper.get().value == "old"
        assert source.fetches == fetches
        assert keeper.expires_at == START + 7200


def test_an_expired_token_is_not_used_any_more_however_short_ago_the_renewal_failed() -> None:
    keeper, source, clock = renewed_at(7190, BUSY)
    assert keeper.get().value == "old"
    for _ in range(2):
        clock.now = START + 7200
        with pytest.raises(CallError) as caught:
            keeper.get()
        assert caught.value.failure == BUSY
    assert source.fetches == 4


def test_a_refused_credential_is_told_at_once_even_while_the_old_token_is_good() -> None:
    keeper, _, _ = renewed_at(6900, REFUSED)
    with pytest.raises(CallError) as caught:
        keeper.get()
    assert caught.value.failure == REFUSED


def test_a_token_whose_end_is_unknown_is_not_used_beyond_its_time() -> None:
    clock, source = Clock(), Script(Token("old", None, START + 60), failure(Reason.NETWORK, "gone"))
    keeper = TokenCache(source, clock)
    keeper.get()
    clock.now = START + 60
    with pytest.raises(CallError, match="gone"):
        keeper.get()


def test_after_a_failed_fetch_the_next_one_is_tried_anew() -> None:
    source = Script(BUSY, token("good", 7200))
    keeper = TokenCache(source, Clock())
    with pytest.raises(CallError):
        keeper.get()
    assert keeper.get().value == "good"


# Dropping


def test_a_dropped_token_is_fetched_anew() -> None:
    source = Script(token("one", 7200), token("two", 7200))
    keeper = TokenCache(source, Clock())
    keeper.drop(keeper.get())
    assert keeper.expires_at is None
    assert keeper.get().value == "two"


def test_only_the_token_that_was_refused_is_dropped() -> None:
    source = Script(token("one", 7200), token("two", 7200))
    keeper = TokenCache(source, Clock())
    first = keeper.get()
    keeper.drop(first)
    second = keeper.get()
    keeper.drop(first)
    assert keeper.get() is second
    assert source.fetches == 2


def test_dropping_where_nothing_is_held_does_nothing() -> None:
    keeper = TokenCache(Script(token("one", 7200)), Clock())
    keeper.drop(token("other", 7200))
    assert keeper.get().value == "one"


# Threads


class Gate:
    """Stands for a keeper's lock and tells how many have come to it."""

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


def got_by(keeper: TokenCache, source: Script, threads: int) -> list[Token | Failure]:
    """What that many threads get, all of which have come before the first fetch is over."""
    gate = Gate()
    keeper._lock = gate  # type: ignore[assignment]
    source.before = lambda: gate.wait_for(threads)

    def get(_: int) -> Token | Failure:
        try:
            return keeper.get()
        except CallError as error:
            return error.failure

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(get, range(threads)))


def test_many_threads_fetch_once() -> None:
    source = Script(token("one", 7200), token("two", 7200))
    got = got_by(TokenCache(source, Clock()), source, 32)
    assert {each.value for each in got if isinstance(each, Token)} == {"one"}
    assert source.fetches == 1


def test_threads_that_waited_for_a_fetch_that_failed_do_not_repeat_it() -> None:
    source = Script(REFUSED)
    keeper = TokenCache(source, Clock())
    assert got_by(keeper, source, 32) == [REFUSED] * 32
    assert source.fetches == 1
    with pytest.raises(CallError):
        keeper.get()
    assert source.fetches == 2


def test_many_threads_whose_token_was_refused_renew_it_once() -> None:
    source = Script(token("one", 7200), token("two", 7200), token("three", 7200))
    keeper = TokenCache(source, Clock())
    start = threading.Barrier(32)

    def refused_once(_: int) -> str:
        held = keeper.get()
        start.wait()
        keeper.drop(held)
        return keeper.get().value

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(refused_once, range(32))) == {"two"}
    assert source.fetches == 2


def test_the_action_of_a_refusal_is_suspend() -> None:
    assert REFUSED.action is Action.SUSPEND


# What is shared with other exporters


class Shelf:
    """Gives what another exporter has put there, else what the source has."""

    def __init__(self, *held: Token) -> None:
        self.held = list(held)
        self.dropped: list[str] = []

    def fetch(self, source: TokenSource) -> Token:
        return self.held.pop(0) if self.held else source.fetch()

    def drop(self, value: str) -> None:
        self.dropped.append(value)


def test_a_token_on_the_shelf_is_used_and_kept_like_one_of_its_own() -> None:
    source, clock = Script(token("own", 7200)), Clock()
    keeper = TokenCache(source, clock, Shelf(token("shared", 7200)))
    assert [keeper.get().value, keeper.get().value] == ["shared", "shared"]
    assert source.fetches == 0
    clock.now += 6900
    assert keeper.get().value == "own"


def test_a_refused_token_is_dropped_from_the_shelf_once() -> None:
    shelf = Shelf()
    keeper = TokenCache(Script(token("one", 7200), token("two", 7200)), Clock(), shelf)
    refused = keeper.get()
    keeper.drop(refused)
    keeper.drop(refused)  # another thread of this exporter, that used it too
    assert keeper.get().value == "two"
    keeper.drop(refused)
    assert shelf.dropped == ["one"]


def test_a_call_whose_token_is_refused_is_made_once_more_with_what_is_on_the_shelf() -> None:
    shelf = Shelf(token("ended", 7200), token("another's", 7200))
    source = Script(token("own", 7200))
    used: list[str] = []

    def call(held: Token) -> str:
        used.append(held.value)
        if held.value == "ended":
            raise CallError(errcode_failure(40001, "invalid credential"))
        return "answer"

    assert TokenCache(source, Clock(), shelf).use(call) == "answer"
    assert (used, shelf.dropped, source.fetches) == (["ended", "another's"], ["ended"], 0)

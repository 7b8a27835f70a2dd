"""Two apps with one token: which of them has it, whoever is asked for first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Failure, Reason
from exporter.wechat.tokens.cache import Token, TokenCache
from exporter.wechat.tokens.duplicates import TokenOwners
from tests.wechat.lines import Clock, failure_of, outcome
from tests.wechat.tokens.conftest import Source

ABSENT = failure(Reason.TOKEN_REJECTED, "no such file")


def having(value: str | None) -> Callable[[int], Token | Failure]:
    """Return another program that keeps a token of an app's, or none."""
    return lambda _: ABSENT if value is None else Token(value, None, renew_at=0.0)


@dataclass
class Scene:
    clock: Clock = field(default_factory=Clock)
    owners: TokenOwners = field(init=False)
    caches: dict[str, TokenCache] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.owners = TokenOwners(self.clock)

    def has(self, **tokens: str | None) -> dict[str, Source]:
        sources = {appid: Source(having(value), "file") for appid, value in tokens.items()}
        for appid, source in sources.items():
            self.caches[appid] = TokenCache(source, self.clock)
            self.owners.join(appid, self.caches[appid])
        self.owners.arrange(self.caches)
        return sources

    def claim(self, appid: str) -> None:
        self.owners.claim(appid, self.caches[appid].get())

    def claims(self, appid: str) -> bool:
        return outcome(lambda: self.claim(appid)) is None


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_other_app_and_what_to_do_are_named(scene: Scene) -> None:
    scene.has(first="same", second="same")
    problem = failure_of(lambda: scene.claim("second"))
    assert (problem.reason, problem.advice) == (Reason.TOKEN_REJECTED, advice.SAME_TOKEN)
    assert problem.detail == "its token is that of first, whose figures it would show"


def test_the_first_of_the_configuration_has_it_even_where_the_second_is_asked_for_first(
    scene: Scene,
) -> None:
    scene.has(first="one", second="same", third="same")
    for _ in range(2):
        assert not scene.claims("third")
        assert scene.claims("second")
        assert scene.claims("first")


def test_however_many_threads_ask_at_once_one_of_them_gets_it(scene: Scene) -> None:
    appids = [f"wx{number}" for number in range(50)]
    scene.has(**dict.fromkeys(appids, "same"))
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(scene.claims, reversed(appids)))[::-1] == [True, *[False] * 49]


def test_the_tokens_of_those_before_are_looked_at_once(scene: Scene) -> None:
    sources = scene.has(**{f"wx{number}": f"token-{number}" for number in range(20)})
    for _ in range(3):
        assert scene.claims("wx19")
    assert [source.fetches for source in sources.values()] == [*[1] * 19, 3]


@pytest.mark.parametrize(("then", "free"), [("other", True), (None, False)])
def test_a_token_that_has_moved_on_is_free_but_not_where_the_first_ones_cannot_be_had(
    scene: Scene, then: str | None, *, free: bool
) -> None:
    sources = scene.has(first="same", second="same")
    assert not scene.claims("second")
    sources["first"].outcome = having(then)
    assert scene.claims("second") is free


def test_a_program_without_a_token_or_with_a_fault_holds_nobody_up(scene: Scene) -> None:
    sources = scene.has(first=None, second="", third="same")
    sources["second"].meanwhile = lambda: 1 / 0
    assert scene.claims("third")


def test_a_token_that_wechat_gave_to_an_app_is_that_apps_wherever_it_stands(scene: Scene) -> None:
    scene.has(first="same")
    scene.owners.arrange(["first", "stable"])
    scene.owners.claim("stable", Token("same", None, 0.0))
    assert not scene.claims("first")


def test_an_app_that_is_gone_holds_no_token(scene: Scene) -> None:
    scene.has(first="same", second="same")
    assert not scene.claims("second")
    scene.owners.arrange(["second"])
    assert scene.claims("second")


def test_a_slow_program_holds_the_others_up_for_seconds_only(scene: Scene) -> None:
    def slow() -> None:
        scene.clock.now += 10

    sources = scene.has(**{f"wx{number}": None for number in range(10)}, last="token")
    for appid in sources.keys() - {"last"}:
        sources[appid].meanwhile = slow
    assert scene.claims("last")
    assert sum(source.fetches for source in sources.values()) == 2

"""Two apps with one token: which of them has it, whoever is asked for first."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import Token, TokenCache, TokenSource
from exporter.wechat.tokens.owners import TokenOwners
from tests.wechat.lines import Clock


@dataclass
class Foreign(TokenSource):
    """Another program that keeps an app's token, None while it has none."""

    value: str | None
    kind: str = "file"
    fetches: int = 0

    def fetch(self) -> Token:
        self.fetches += 1
        if self.value is None:
            raise CallError(failure(Reason.TOKEN_REJECTED, "no such file"))
        return Token(self.value, None, renew_at=0.0)

    def fingerprint(self) -> bytes:
        return b""


@dataclass
class Scene:
    owners: TokenOwners = field(default_factory=lambda: TokenOwners(Clock()))
    caches: dict[str, TokenCache] = field(default_factory=dict)

    def has(self, **tokens: str | None) -> dict[str, Foreign]:
        sources = {appid: Foreign(value) for appid, value in tokens.items()}
        for appid, source in sources.items():
            self.caches[appid] = TokenCache(source, Clock())
            self.owners.join(appid, self.caches[appid])
        self.owners.arrange(self.caches)
        return sources

    def claims(self, appid: str) -> bool:
        try:
            self.owners.claim(appid, self.caches[appid].get())
        except CallError:
            return False
        return True


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_other_app_and_what_to_do_are_named(scene: Scene) -> None:
    scene.has(first="same", second="same")
    with pytest.raises(CallError) as caught:
        scene.owners.claim("second", scene.caches["second"].get())
    problem = caught.value.failure
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


def test_a_token_that_has_moved_on_is_free_for_the_one_that_it_belongs_to(scene: Scene) -> None:
    sources = scene.has(first="same", second="same")
    assert scene.claims("first")
    assert not scene.claims("second")
    sources["first"].value = "other"
    assert scene.claims("second")


def test_while_the_first_ones_token_cannot_be_had_it_keeps_what_it_had(scene: Scene) -> None:
    sources = scene.has(first="same", second="same")
    assert not scene.claims("second")
    sources["first"].value = None
    assert not scene.claims("second")


def test_a_program_without_a_token_or_with_a_fault_holds_nobody_up(scene: Scene) -> None:
    sources = scene.has(first=None, second="", third="same")
    sources["second"].fetch = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
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
    clock = Clock()

    class Slow(Foreign):
        def fetch(self) -> Token:
            clock.now += 10
            return super().fetch()

    scene.owners = TokenOwners(clock)
    slow = {f"wx{number}": Slow(None) for number in range(10)}
    for appid, source in slow.items():
        scene.owners.join(appid, TokenCache(source, clock))
    scene.caches = {appid: TokenCache(source, clock) for appid, source in slow.items()}
    scene.has(last="token")
    assert scene.claims("last")
    assert sum(source.fetches for source in slow.values()) == 1

"""Classic tokens: kept over restarts, one a round."""

import threading
from dataclasses import replace

import pytest

from exporter.store.memory import MemoryStore
from exporter.wechat.credential_vault import VaultError
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Action, Failure, Reason
from exporter.wechat.tokens.cache import Token, TokenCache, expiring_token
from exporter.wechat.tokens.classic import KIND, ClassicSource
from exporter.wechat.tokens.shared import kept_in
from tests.wechat.lines import Clock, FakeLeases, failure_of
from tests.wechat.tokens.conftest import Source

HOUR = 3600.0
LATE = failure(Reason.TIMEOUT, "no whole answer within 10 s")


class Vault(MemoryStore):
    away = False

    def credential(self, key: str) -> str | None:
        if self.away:
            raise VaultError("the storage does not answer")
        return super().credential(key)


class Scene:
    """WeChat's interface, which numbers its tokens, and exporters that share a storage."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.vault = Vault()
        self.leases: FakeLeases | None = None
        self.answers: Failure | None = None
        self.wechat = Source(lambda made: self.answers or self._token(made), KIND)

    def _token(self, made: int) -> Token:
        return expiring_token(f"token-{made}", 7200, self.clock())

    @property
    def made(self) -> int:
        return self.wechat.fetches

    def started(self, interval: float = HOUR) -> TokenCache:
        kept = kept_in(self.vault, "access_token/wx@url")
        wait = threading.Event().wait
        source = ClassicSource(
            self.wechat, kept, self.leases, 35, self.clock, wait, interval=lambda: interval
        )
        return TokenCache(source, self.clock)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_restart_or_another_command_uses_the_token_that_is_kept(scene: Scene) -> None:
    first = scene.started().get()
    scene.clock.now += HOUR
    assert scene.started().get() == first
    assert scene.made == 1


def test_a_token_near_its_end_is_replaced_for_all(scene: Scene) -> None:
    cache = scene.started()
    cache.get()
    scene.clock.now += 6900
    assert cache.get().value == scene.started().get().value == "token-2"


def test_a_token_that_wechat_refuses_is_replaced_once_in_a_round(scene: Scene) -> None:
    cache = scene.started()
    cache.drop(cache.get())
    problem = failure_of(cache.get)
    assert (problem.reason, problem.action) == (Reason.TOKEN_REJECTED, Action.NEXT_ROUND)
    assert problem.advice == advice.TOKEN
    assert "one a round" in problem.detail
    failure_of(scene.started().get)  # a restart does not make it two
    assert scene.made == 1
    scene.clock.now += HOUR
    assert cache.get().value == "token-2"


@pytest.mark.parametrize(
    "answer", [LATE, failure(Reason.NETWORK, "the connection broke off (ProtocolError)")]
)
def test_answers_that_come_too_late_cost_one_token_a_round(scene: Scene, answer: Failure) -> None:
    cache, scene.answers = scene.started(), answer
    for _ in range(3):
        problem = failure_of(cache.get)
        assert (problem.reason, problem.detail) == (answer.reason, answer.detail)
    assert problem.action is Action.NEXT_ROUND
    assert scene.made == 1
    scene.clock.now += HOUR
    scene.answers = None
    assert cache.get().value == "token-2"


@pytest.mark.parametrize(
    "answer",
    [
        errcode_failure(40164, "invalid ip"),
        replace(failure(Reason.NETWORK, "connection refused"), unsent=True),
    ],
)
def test_where_wechat_made_no_token_asking_again_ends_nobodys(scene: Scene, answer: Failure) -> None:
    cache, scene.answers = scene.started(), answer
    assert failure_of(cache.get) == answer
    scene.answers = None
    assert cache.get().value == "token-2"


def test_what_another_command_has_fetched_is_used_in_place_of_what_was_refused(scene: Scene) -> None:
    serving = scene.started(interval=10)
    old = serving.get()
    scene.clock.now += 20
    checking = scene.started(interval=10)
    checking.drop(checking.get())
    new = checking.get()
    serving.drop(old)
    assert serving.get() == new
    assert scene.made == 2


def test_a_clock_that_was_ahead_blocks_nothing(scene: Scene) -> None:
    scene.clock.now += 1e6
    cache = scene.started()
    cache.drop(cache.get())
    scene.clock.now -= 1e6
    assert cache.get().value == "token-2"


def test_a_storage_that_does_not_answer_changes_nothing_for_the_exporter(scene: Scene) -> None:
    scene.vault.away = True
    cache = scene.started()
    cache.drop(cache.get())
    failure_of(cache.get)
    assert scene.made == 1


def test_what_is_kept_but_cannot_be_read_counts_as_nothing(scene: Scene) -> None:
    scene.vault.put("access_token/wx@url", None, "{}")
    assert scene.started().get().value == "token-1"


def test_several_exporters_fetch_one_token_and_none_without_the_storage(scene: Scene) -> None:
    scene.leases = FakeLeases(scene.clock)
    first = scene.started().get()
    assert scene.started().get() == first
    assert scene.leases.held == {}
    scene.leases.away = True
    scene.clock.now += 6900
    problem = failure_of(scene.started().get)
    assert (problem.reason, scene.made) == (Reason.INTERNAL, 1)
    assert "Connection refused. A classic token is not fetched without it" in problem.detail

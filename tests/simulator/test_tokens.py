import pytest

from exporter.simulator.messages import RefusedError
from exporter.simulator.tokens import TokenDesk

APP = "wxfa4e000000000001"
START = 1_790_000_000.0


@pytest.fixture(name="desk")
def _desk() -> TokenDesk:
    return TokenDesk()


def refused_with(desk: TokenDesk, text: str, now: float) -> int | None:
    try:
        assert desk.holder(text, now)[0] == APP
    except RefusedError as error:
        return error.errcode
    return None


def test_a_stable_token_stays_the_same_and_counts_down(desk: TokenDesk) -> None:
    first, lifetime = desk.stable(APP, START)
    assert lifetime == 7200
    assert desk.stable(APP, START + 6900) == (first, 300)


def test_in_its_last_minutes_a_stable_token_has_a_successor_and_both_are_good(desk: TokenDesk) -> None:
    first, _ = desk.stable(APP, START)
    second, lifetime = desk.stable(APP, START + 6901)
    assert second != first
    assert lifetime == 7200
    assert refused_with(desk, first, START + 7199) is None
    assert refused_with(desk, second, START + 7199) is None
    assert refused_with(desk, first, START + 7200) == 42001


def test_a_forced_refresh_too_soon_does_nothing(desk: TokenDesk) -> None:
    first, _ = desk.force(APP, START)
    assert desk.force(APP, START + 29) == (first, 7171)
    assert desk.force(APP, START + 30)[0] != first


def test_an_expired_token_stays_expired_when_revoked(desk: TokenDesk) -> None:
    first, _ = desk.stable(APP, START)
    desk.revoke(APP, START + 8000)
    assert refused_with(desk, first, START + 8000) == 42001


def test_a_classic_token_supersedes_the_one_before_after_the_grace(desk: TokenDesk) -> None:
    first, lifetime = desk.classic(APP, START)
    second, _ = desk.classic(APP, START + 100)
    assert lifetime == 7200
    assert second != first
    assert refused_with(desk, first, START + 399) is None
    assert refused_with(desk, first, START + 400) == 40001
    assert refused_with(desk, second, START + 400) is None


def test_a_classic_token_in_its_last_minutes_expires_at_its_own_time(desk: TokenDesk) -> None:
    first, _ = desk.classic(APP, START)
    desk.classic(APP, START + 7100)
    assert refused_with(desk, first, START + 7200) == 42001


def test_the_two_kinds_leave_each_other_alone(desk: TokenDesk) -> None:
    stable, _ = desk.stable(APP, START)
    classic, _ = desk.classic(APP, START)
    desk.classic(APP, START)
    desk.force(APP, START)
    assert refused_with(desk, stable, START) == 40001
    assert refused_with(desk, classic, START + 299) is None


def test_a_token_of_long_ago_is_forgotten(desk: TokenDesk) -> None:
    first, _ = desk.stable(APP, START)
    for round_ in (1, 2):
        desk.stable(APP, START + round_ * 7200)
    assert refused_with(desk, first, START + 14400) == 40001

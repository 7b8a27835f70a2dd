from contextlib import suppress

import pytest

from exporter.refresh.duty import LEASE_SECONDS, OwnDuty, SharedDuty
from exporter.store.interface import StoreError
from tests.refresh.leases import Leases
from tests.wechat.lines import Clock

INTERVAL = 3600.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leases(clock: Clock) -> Leases:
    return Leases(clock)


def duty(leases: Leases) -> SharedDuty:
    return SharedDuty(leases, "shard-0-of-1", INTERVAL, leases.clock)


def renew(*duties: SharedDuty) -> list[bool]:
    """A second of the exporters' threads; who has the duty after it."""
    for each in duties:
        with suppress(StoreError):
            each.renew()
    return [each.mine for each in duties]


def pass_seconds(leases: Leases, seconds: float, *duties: SharedDuty) -> None:
    for _ in range(int(seconds)):
        leases.clock.now += 1
        renew(*duties)


def test_an_exporter_alone_always_asks() -> None:
    assert OwnDuty().mine


def test_the_first_one_has_the_duty_and_keeps_it_as_long_as_it_lives(leases: Leases) -> None:
    first, second = duty(leases), duty(leases)
    assert renew(first, second) == [True, False]
    pass_seconds(leases, 100, second, first)
    assert [first.mine, second.mine] == [True, False]


def test_two_in_one_process_are_two_holders(leases: Leases) -> None:
    assert duty(leases).holder != duty(leases).holder


def test_one_that_dies_is_followed_once_its_lease_is_over(leases: Leases) -> None:
    first, second = duty(leases), duty(leases)
    renew(first, second)
    pass_seconds(leases, LEASE_SECONDS - 1, second)
    assert not second.mine
    pass_seconds(leases, 1, second)
    assert second.mine
    assert renew(first, second) == [False, True]  # it was only slow


def test_one_that_stops_gives_the_duty_back_at_once(leases: Leases) -> None:
    first, second = duty(leases), duty(leases)
    renew(first, second)
    second.leave()  # has nothing to give
    assert renew(first, second) == [True, False]
    first.leave()
    assert not first.mine
    assert renew(second) == [True]


def test_without_the_storage_the_one_that_had_the_duty_goes_on_and_the_others_wait_an_interval(
    leases: Leases,
) -> None:
    first, second = duty(leases), duty(leases)
    renew(first, second)
    leases.away = True
    assert renew(first, second) == [True, False]
    leases.clock.now += INTERVAL - 1
    assert renew(first, second) == [True, False]
    leases.clock.now += 1
    assert [first.mine, second.mine] == [True, True]


def test_when_the_storage_is_back_empty_the_one_that_had_the_duty_comes_first(leases: Leases) -> None:
    first, second = duty(leases), duty(leases)
    renew(first, second)
    leases.away = True
    pass_seconds(leases, 20, second, first)
    leases.away = False
    leases.held.clear()
    pass_seconds(leases, 60, second, first)  # the other one looks first each time
    assert [first.mine, second.mine] == [True, False]


def test_who_asked_in_its_absence_stops_when_the_storage_says_that_another_has_the_duty(
    leases: Leases,
) -> None:
    first, second = duty(leases), duty(leases)
    renew(first, second)
    leases.away = True
    renew(first, second)
    leases.clock.now += INTERVAL
    assert renew(first, second) == [True, True]
    leases.away = False
    leases.clock.now += 1
    renew(first)
    pass_seconds(leases, LEASE_SECONDS, first, second)
    assert [first.mine, second.mine] == [True, False]


def test_an_outage_that_ends_and_comes_again_is_waited_for_anew(leases: Leases) -> None:
    first, second = duty(leases), duty(leases)
    renew(first, second)
    leases.away = True
    renew(second)
    leases.clock.now += INTERVAL - 10
    leases.away = False
    renew(first)
    pass_seconds(leases, LEASE_SECONDS, first, second)
    leases.away = True
    leases.clock.now += 20
    assert renew(first, second) == [True, False]


def test_a_storage_that_is_away_when_the_duty_is_given_back_is_told(leases: Leases) -> None:
    only = duty(leases)
    renew(only)
    leases.away = True
    with pytest.raises(StoreError):
        only.leave()
    assert not only.mine


def test_one_that_cannot_ask_gives_its_duty_to_another_and_takes_it_again_when_it_can(leases: Leases) -> None:
    first, second = duty(leases), duty(leases)
    renew(first, second)
    first.able = lambda: False
    assert renew(first, second) == [False, True]
    second.able = lambda: False
    assert renew(first, second) == [False, False]
    first.able = lambda: True
    assert renew(first, second) == [True, False]


def test_with_short_intervals_nobody_asks_beside_the_other_while_the_storage_comes_back(
    leases: Leases,
) -> None:
    first, second = (SharedDuty(leases, "shard-0-of-1", 1.0, leases.clock) for _ in range(2))
    renew(first, second)
    leases.away = True
    pass_seconds(leases, 2, first, second)
    leases.away = False
    for _ in range(20):
        leases.clock.now += 1
        assert renew(first, second) == [True, False]

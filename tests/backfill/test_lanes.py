import threading
from collections.abc import Iterator
from datetime import date, timedelta

from exporter.backfill.lanes import Lanes
from exporter.refresh.plan import Ask
from tests.building import YESTERDAY


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def days(count: int) -> Iterator[date]:
    return (YESTERDAY - timedelta(days=back) for back in range(count))


def taken(lanes: Lanes) -> Ask:
    ask = lanes.take()
    assert ask is not None
    return ask


def drained(lanes: Lanes) -> list[tuple[str, int]]:
    """Everything that is left, as appid and days back."""
    found = []
    while (ask := lanes.take()) is not None:
        found.append((ask.appid, (YESTERDAY - ask.day).days))
        lanes.done(ask)
    return found


def test_apps_take_turns_and_newest_dates_come_first() -> None:
    lanes = Lanes({"wx1": days(3), "wx2": days(1), "wx3": days(2)}, 9, Clock())
    assert drained(lanes) == [("wx1", 0), ("wx2", 0), ("wx3", 0), ("wx1", 1), ("wx3", 1), ("wx1", 2)]


def test_nothing_to_ask_ends_at_once() -> None:
    assert Lanes({}, 9, Clock()).take() is None
    assert Lanes({"wx1": days(0)}, 9, Clock()).take() is None


def test_a_resting_app_holds_up_no_other_and_goes_on_with_what_failed() -> None:
    clock = Clock()
    lanes = Lanes({"wx1": days(2), "wx2": days(2)}, 9, clock)
    failed = taken(lanes)
    assert failed == Ask("wx1", YESTERDAY)
    lanes.repeat(failed, 60)
    lanes.done(failed)
    for _ in range(2):
        other = taken(lanes)
        assert other.appid == "wx2"
        lanes.done(other)
    clock.now += 60
    again = taken(lanes)
    assert again == Ask("wx1", YESTERDAY, attempt=2)
    lanes.done(again)
    assert drained(lanes) == [("wx1", 1)]


def test_threads_are_shared_evenly_among_the_apps_that_have_dates_left() -> None:
    lanes = Lanes({"wx1": days(9), "wx2": days(1), "wx3": days(0)}, 4, Clock())
    hanging = [taken(lanes)]
    quick = taken(lanes)
    assert (hanging[0].appid, quick.appid) == ("wx1", "wx2")
    hanging.append(taken(lanes))
    lanes.done(quick)
    hanging += [taken(lanes), taken(lanes)]  # all that are left
    assert [ask.appid for ask in hanging] == ["wx1"] * 4
    found: list[Ask | None] = []
    thread = threading.Thread(target=lambda: found.append(lanes.take()))
    thread.start()
    thread.join(0.05)
    assert not found  # a fifth call would be one too many
    lanes.done(hanging.pop())
    thread.join(5)
    assert [ask and ask.appid for ask in found] == ["wx1"]


def test_a_waiting_thread_goes_on_when_the_rest_is_over() -> None:
    clock = Clock()
    lanes = Lanes({"wx1": days(1)}, 9, clock)
    first = taken(lanes)
    found: list[Ask | None] = []
    thread = threading.Thread(target=lambda: found.append(lanes.take()))
    thread.start()
    clock.now += 10
    lanes.repeat(first, 0)
    lanes.done(first)
    thread.join(5)
    assert found == [Ask("wx1", YESTERDAY, attempt=2)]


def test_who_waits_for_the_last_call_under_way_ends_with_it() -> None:
    lanes = Lanes({"wx1": days(1)}, 9, Clock())
    last = taken(lanes)
    found: list[Ask | None] = []
    thread = threading.Thread(target=lambda: found.append(lanes.take()))
    thread.start()
    lanes.done(last)
    thread.join(5)
    assert found == [None]


def test_a_stopped_app_is_asked_nothing_more_and_not_waited_for() -> None:
    lanes = Lanes({"wx1": days(5)}, 9, Clock())
    failed = taken(lanes)
    lanes.repeat(failed, 3600)
    lanes.stop("wx1")
    lanes.repeat(failed, 3600)
    lanes.done(failed)
    assert lanes.take() is None


def test_closing_ends_everything() -> None:
    lanes = Lanes({"wx1": days(5)}, 9, Clock())
    lanes.close()
    assert lanes.take() is None


def test_the_longer_of_two_rests_counts_and_who_rested_is_not_overtaken() -> None:
    clock = Clock()
    lanes = Lanes({"wx1": days(3), "wx2": days(9)}, 9, clock)
    first, _, second = taken(lanes), taken(lanes), taken(lanes)
    lanes.repeat(first, 60)
    lanes.repeat(second, 2)
    for ask in (first, second):
        lanes.done(ask)
    clock.now += 30
    assert {taken(lanes).appid for _ in range(2)} == {"wx2"}
    clock.now += 30
    assert {taken(lanes).appid for _ in range(2)} == {"wx1", "wx2"}

import threading
from collections.abc import Iterator
from datetime import date, timedelta

from exporter.backfill.fair_queue import FairQueue
from exporter.refresh.plan import Ask
from tests.building import YESTERDAY


class Clock:
    """A clock that moves only when the test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def days(count: int) -> Iterator[date]:
    return (YESTERDAY - timedelta(days=back) for back in range(count))


def taken(queue: FairQueue) -> Ask:
    ask = queue.take()
    assert ask is not None
    return ask


def drained(queue: FairQueue) -> list[tuple[str, int]]:
    """Take all remaining asks, as appid and days back."""
    found = []
    while (ask := queue.take()) is not None:
        found.append((ask.appid, (YESTERDAY - ask.day).days))
        queue.done(ask)
    return found


def test_apps_take_turns_and_newest_dates_come_first() -> None:
    queue = FairQueue({"wx1": days(3), "wx2": days(1), "wx3": days(2)}, 9, Clock())
    assert drained(queue) == [("wx1", 0), ("wx2", 0), ("wx3", 0), ("wx1", 1), ("wx3", 1), ("wx1", 2)]


def test_nothing_to_ask_ends_at_once() -> None:
    assert FairQueue({}, 9, Clock()).take() is None
    assert FairQueue({"wx1": days(0)}, 9, Clock()).take() is None


def test_a_resting_app_holds_up_no_other_and_goes_on_with_what_failed() -> None:
    clock = Clock()
    queue = FairQueue({"wx1": days(2), "wx2": days(2)}, 9, clock)
    failed = taken(queue)
    assert failed == Ask("wx1", YESTERDAY)
    queue.repeat(failed, 60)
    queue.done(failed)
    for _ in range(2):
        other = taken(queue)
        assert other.appid == "wx2"
        queue.done(other)
    clock.now += 60
    again = taken(queue)
    assert again == Ask("wx1", YESTERDAY, attempt=2)
    queue.done(again)
    assert drained(queue) == [("wx1", 1)]


def test_threads_are_shared_evenly_among_the_apps_that_have_dates_left() -> None:
    queue = FairQueue({"wx1": days(9), "wx2": days(1), "wx3": days(0)}, 4, Clock())
    hanging = [taken(queue)]
    quick = taken(queue)
    assert (hanging[0].appid, quick.appid) == ("wx1", "wx2")
    hanging.append(taken(queue))
    queue.done(quick)
    hanging += [taken(queue), taken(queue)]  # all that are left
    assert [ask.appid for ask in hanging] == ["wx1"] * 4
    found: list[Ask | None] = []
    thread = threading.Thread(target=lambda: found.append(queue.take()))
    thread.start()
    thread.join(0.05)
    assert not found  # a fifth call would be one too many
    queue.done(hanging.pop())
    thread.join(5)
    assert [ask and ask.appid for ask in found] == ["wx1"]


def test_a_waiting_thread_goes_on_when_the_rest_is_over() -> None:
    clock = Clock()
    queue = FairQueue({"wx1": days(1)}, 9, clock)
    first = taken(queue)
    found: list[Ask | None] = []
    thread = threading.Thread(target=lambda: found.append(queue.take()))
    thread.start()
    clock.now += 10
    queue.repeat(first, 0)
    queue.done(first)
    thread.join(5)
    assert found == [Ask("wx1", YESTERDAY, attempt=2)]


def test_who_waits_for_the_last_call_under_way_ends_with_it() -> None:
    queue = FairQueue({"wx1": days(1)}, 9, Clock())
    last = taken(queue)
    found: list[Ask | None] = []
    thread = threading.Thread(target=lambda: found.append(queue.take()))
    thread.start()
    queue.done(last)
    thread.join(5)
    assert found == [None]


def test_a_stopped_app_is_asked_nothing_more_and_not_waited_for() -> None:
    queue = FairQueue({"wx1": days(5)}, 9, Clock())
    failed = taken(queue)
    queue.repeat(failed, 3600)
    queue.stop("wx1")
    queue.repeat(failed, 3600)
    queue.done(failed)
    assert queue.take() is None


def test_a_closed_queue_hands_out_nothing() -> None:
    queue = FairQueue({"wx1": days(5)}, 9, Clock())
    queue.close()
    assert queue.take() is None


def test_the_longer_of_two_rests_counts_and_who_rested_is_not_overtaken() -> None:
    clock = Clock()
    queue = FairQueue({"wx1": days(3), "wx2": days(9)}, 9, clock)
    first, _, second = taken(queue), taken(queue), taken(queue)
    queue.repeat(first, 60)
    queue.repeat(second, 2)
    for ask in (first, second):
        queue.done(ask)
    clock.now += 30
    assert {taken(queue).appid for _ in range(2)} == {"wx2"}
    clock.now += 30
    assert {taken(queue).appid for _ in range(2)} == {"wx1", "wx2"}

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


def drained(lanes: Lanes) -> list[tuple[str, int]]:
    """Everything that is left, as appid and days back."""
    taken = []
    while (ask := lanes.take()) is not None:
        taken.append((ask.appid, (YESTERDAY - ask.day).days))
        lanes.done()
    return taken


def test_apps_take_turns_and_newest_dates_come_first() -> None:
    lanes = Lanes({"wx1": days(3), "wx2": days(1), "wx3": days(2)}, Clock())
    assert drained(lanes) == [("wx1", 0), ("wx2", 0), ("wx3", 0), ("wx1", 1), ("wx3", 1), ("wx1", 2)]


def test_nothing_to_ask_ends_at_once() -> None:
    assert Lanes({}, Clock()).take() is None
    assert Lanes({"wx1": days(0)}, Clock()).take() is None


def test_a_resting_app_holds_up_no_other_and_goes_on_with_what_failed() -> None:
    clock = Clock()
    lanes = Lanes({"wx1": days(2), "wx2": days(2)}, clock)
    failed = lanes.take()
    assert failed == Ask("wx1", YESTERDAY)
    lanes.repeat(failed, 60)
    lanes.done()
    taken = [lanes.take(), lanes.take()]
    assert [ask and ask.appid for ask in taken] == ["wx2", "wx2"]
    lanes.done()
    lanes.done()
    clock.now += 60
    assert lanes.take() == Ask("wx1", YESTERDAY, attempt=2)
    lanes.done()
    assert drained(lanes) == [("wx1", 1)]


def test_a_waiting_thread_goes_on_when_the_rest_is_over() -> None:
    clock = Clock()
    lanes = Lanes({"wx1": days(1)}, clock)
    first = lanes.take()
    assert first is not None
    found: list[Ask | None] = []
    thread = threading.Thread(target=lambda: found.append(lanes.take()))
    thread.start()
    clock.now += 10
    lanes.repeat(first, 0)
    lanes.done()
    thread.join(5)
    assert found == [Ask("wx1", YESTERDAY, attempt=2)]


def test_who_waits_for_the_last_call_under_way_ends_with_it() -> None:
    lanes = Lanes({"wx1": days(1)}, Clock())
    lanes.take()
    found: list[Ask | None] = []
    thread = threading.Thread(target=lambda: found.append(lanes.take()))
    thread.start()
    lanes.done()
    thread.join(5)
    assert found == [None]


def test_a_stopped_app_is_asked_nothing_more_and_not_waited_for() -> None:
    lanes = Lanes({"wx1": days(5)}, Clock())
    failed = lanes.take()
    assert failed is not None
    lanes.repeat(failed, 3600)
    lanes.stop("wx1")
    lanes.repeat(failed, 3600)
    lanes.done()
    assert lanes.take() is None


def test_closing_ends_everything() -> None:
    lanes = Lanes({"wx1": days(5)}, Clock())
    lanes.close()
    assert lanes.take() is None


def test_the_longer_of_two_rests_counts() -> None:
    clock = Clock()
    lanes = Lanes({"wx1": days(3), "wx2": days(9)}, clock)
    first, _, second = lanes.take(), lanes.take(), lanes.take()
    assert first is not None
    assert second is not None
    lanes.repeat(first, 60)
    lanes.repeat(second, 2)
    clock.now += 30
    following = [lanes.take() for _ in range(3)]
    assert {ask.appid for ask in following if ask} == {"wx2"}
    clock.now += 30
    assert {ask.appid for ask in (lanes.take() for _ in range(4)) if ask} == {"wx1", "wx2"}

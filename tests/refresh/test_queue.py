import threading
import time

import pytest

from exporter.refresh.plan import Ask
from exporter.refresh.queue import Queue
from tests.building import YESTERDAY
from tests.wechat.lines import Clock

A, B, C = (Ask(f"wx{letter * 16}", YESTERDAY) for letter in "abc")


def drain(queue: Queue) -> list[Ask]:
    taken = []
    while (ask := queue.take()) is not None:
        taken.append(ask)
        queue.done(ask)
    return taken


def test_first_calls_come_in_order() -> None:
    assert drain(Queue([A, B, C], time.monotonic() + 9)) == [A, B, C]


def test_an_empty_round_is_over_at_once() -> None:
    assert Queue([], time.monotonic() + 9).take() is None


def test_follow_ups_wait_behind_all_first_calls() -> None:
    queue = Queue([A, B], time.monotonic() + 9)
    assert queue.take() is A
    queue.add(C)
    queue.done(A)
    assert drain(queue) == [B, C]


def test_a_retry_comes_when_it_is_due_and_others_are_not_held_up() -> None:
    queue = Queue([A, B], time.monotonic() + 9)
    start = time.monotonic()
    queue.take()
    queue.add(A, delay=0.15)
    queue.done(A)
    assert drain(queue) == [B, A]
    assert 0.15 <= time.monotonic() - start < 2


def test_retries_and_follow_ups_end_at_the_deadline_but_first_calls_do_not() -> None:
    queue = Queue([A, B], time.monotonic() - 1)
    queue.take()
    queue.add(C)
    queue.done(A)
    assert drain(queue) == [B]


def test_a_retry_that_would_come_after_the_deadline_is_left_out() -> None:
    queue = Queue([A], time.monotonic() + 1)
    queue.take()
    queue.add(A, delay=5)
    queue.done(A)
    start = time.monotonic()
    assert queue.take() is None
    assert time.monotonic() - start < 0.5


@pytest.mark.parametrize("ending", ["done", "close"])
def test_idle_threads_wait_for_calls_under_way_and_then_end(ending: str) -> None:
    queue = Queue([A], time.monotonic() + 9)
    queue.take()
    results: list[Ask | None] = []
    idle = threading.Thread(target=lambda: results.append(queue.take()))
    idle.start()
    idle.join(0.05)
    assert idle.is_alive()  # what is under way may still add something
    if ending == "done":
        queue.done(A)
    else:
        queue.close()
    idle.join(2)
    assert results == [None]


def test_what_a_call_under_way_adds_wakes_an_idle_thread() -> None:
    queue = Queue([A], time.monotonic() + 9)
    queue.take()
    results: list[Ask | None] = []
    idle = threading.Thread(target=lambda: results.append(queue.take()))
    idle.start()
    queue.add(B)
    idle.join(2)
    assert results == [B]


def test_a_newcomer_joins_once_and_not_while_it_waits_or_is_under_way() -> None:
    queue = Queue([A, B], time.monotonic() + 9)
    assert queue.take() is A
    for ask in (A, B, C, C):
        queue.join(ask)
    queue.done(A)
    assert drain(queue) == [B, C]


def test_what_is_done_may_join_again() -> None:
    queue = Queue([A, B], time.monotonic() + 9)
    queue.take()
    queue.done(A)
    queue.join(A)
    assert drain(queue) == [B, A]


def test_a_date_that_was_asked_for_in_this_round_is_not_asked_for_again_as_a_follow_up() -> None:
    queue = Queue([A], time.monotonic() + 9)
    queue.take()
    queue.done(A)
    queue.follow(A)
    assert queue.take() is None


def test_a_round_whose_first_calls_outlast_its_time_says_so() -> None:
    clock = Clock()
    queue = Queue([A, B], clock.now + 10, clock)
    queue.take()
    assert not queue.overran
    clock.now += 10
    queue.take()
    assert queue.overran

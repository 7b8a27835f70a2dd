import threading
import time

import pytest

from exporter.refresh.plan import Ask
from exporter.refresh.queue import Agenda
from tests.building import YESTERDAY
from tests.wechat.lines import Clock

A, B, C = (Ask(f"wx{letter * 16}", YESTERDAY) for letter in "abc")


def drain(agenda: Agenda) -> list[Ask]:
    taken = []
    while (ask := agenda.take()) is not None:
        taken.append(ask)
        agenda.done(ask)
    return taken


def test_first_calls_come_in_order() -> None:
    assert drain(Agenda([A, B, C], time.monotonic() + 9)) == [A, B, C]


def test_an_empty_round_is_over_at_once() -> None:
    assert Agenda([], time.monotonic() + 9).take() is None


def test_follow_ups_wait_behind_all_first_calls() -> None:
    agenda = Agenda([A, B], time.monotonic() + 9)
    assert agenda.take() is A
    agenda.add(C)
    agenda.done(A)
    assert drain(agenda) == [B, C]


def test_a_retry_comes_when_it_is_due_and_others_are_not_held_up() -> None:
    agenda = Agenda([A, B], time.monotonic() + 9)
    start = time.monotonic()
    agenda.take()
    agenda.add(A, delay=0.15)
    agenda.done(A)
    assert drain(agenda) == [B, A]
    assert 0.15 <= time.monotonic() - start < 2


def test_retries_and_follow_ups_end_at_the_deadline_but_first_calls_do_not() -> None:
    agenda = Agenda([A, B], time.monotonic() - 1)
    agenda.take()
    agenda.add(C)
    agenda.done(A)
    assert drain(agenda) == [B]


def test_a_retry_that_would_come_after_the_deadline_is_left_out() -> None:
    agenda = Agenda([A], time.monotonic() + 1)
    agenda.take()
    agenda.add(A, delay=5)
    agenda.done(A)
    start = time.monotonic()
    assert agenda.take() is None
    assert time.monotonic() - start < 0.5


@pytest.mark.parametrize("ending", ["done", "close"])
def test_idle_threads_wait_for_calls_under_way_and_then_end(ending: str) -> None:
    agenda = Agenda([A], time.monotonic() + 9)
    agenda.take()
    results: list[Ask | None] = []
    idle = threading.Thread(target=lambda: results.append(agenda.take()))
    idle.start()
    idle.join(0.05)
    assert idle.is_alive()  # what is under way may still add something
    if ending == "done":
        agenda.done(A)
    else:
        agenda.close()
    idle.join(2)
    assert results == [None]


def test_what_a_call_under_way_adds_wakes_an_idle_thread() -> None:
    agenda = Agenda([A], time.monotonic() + 9)
    agenda.take()
    results: list[Ask | None] = []
    idle = threading.Thread(target=lambda: results.append(agenda.take()))
    idle.start()
    agenda.add(B)
    idle.join(2)
    assert results == [B]


def test_a_newcomer_joins_once_and_not_while_it_waits_or_is_under_way() -> None:
    agenda = Agenda([A, B], time.monotonic() + 9)
    assert agenda.take() is A
    for ask in (A, B, C, C):
        agenda.join(ask)
    agenda.done(A)
    assert drain(agenda) == [B, C]


def test_what_is_done_may_join_again() -> None:
    agenda = Agenda([A, B], time.monotonic() + 9)
    agenda.take()
    agenda.done(A)
    agenda.join(A)
    assert drain(agenda) == [B, A]


def test_a_date_that_was_asked_for_in_this_round_is_not_asked_for_again_as_a_follow_up() -> None:
    agenda = Agenda([A], time.monotonic() + 9)
    agenda.take()
    agenda.done(A)
    agenda.follow(A)
    assert agenda.take() is None


def test_a_round_whose_first_calls_outlast_its_time_says_so() -> None:
    clock = Clock()
    agenda = Agenda([A, B], clock.now + 10, clock)
    agenda.take()
    assert not agenda.overran
    clock.now += 10
    agenda.take()
    assert agenda.overran

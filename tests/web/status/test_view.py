from dataclasses import replace
from datetime import timedelta

import pytest

from exporter.datasets.daily_trend import FIELDS
from exporter.not_before import NotBefore
from exporter.store.entry import Entry, Health
from exporter.web.status.language import Language
from exporter.web.status.query import State
from exporter.web.status.view import AppView, Moments, app_view
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, YESTERDAY, make_entry, make_failure, make_row

TIMES = Moments(NOON, NOON + 600)
OK = Health(last_refresh=NOON - 60, last_success=NOON - 60)
REFUSED = replace(OK, failure=errcode_failure(40164, "invalid ip 203.0.113.7"))


def view(entry: Entry, language: Language = Language.EN, times: Moments = TIMES) -> AppView:
    return app_view(entry, times, FIELDS[1], 9, language)


@pytest.mark.parametrize(
    ("days", "late", "text"), [(-1, 0, ""), (0, 0, ""), (1, 1, "1 day late"), (3, 3, "3 days late")]
)
def test_a_date_older_than_yesterday_in_beijing_is_late(days: int, late: int, text: str) -> None:
    found = view(make_entry(rows=[make_row(YESTERDAY - timedelta(days=days))], health=OK))
    assert (found.days_late, found.late_text) == (late, text)


@pytest.mark.parametrize(("hour", "late"), [(0.2, 0), (8, 0), (11.9, 0), (12, 1), (23.9, 1)])
def test_late_begins_at_noon(hour: float, late: int) -> None:
    now = NOON - 12 * 3600 + hour * 3600
    entry = make_entry(rows=[make_row(YESTERDAY - timedelta(days=1))], health=OK)
    assert view(entry, times=Moments(now, None)).days_late == late


def test_a_failing_app_tells_the_reason_and_what_to_do_in_the_pages_language() -> None:
    found = [view(make_entry(health=REFUSED), language).trouble for language in Language]
    assert [(each.reason, each.advice) for each in found if each] == [
        ("IP not allowed", advice.IP.en),
        ("IP 不在白名单", advice.IP.zh),
    ]
    assert {each.detail for each in found if each} == {REFUSED.detail}


def test_a_failing_app_keeps_its_last_good_figures() -> None:
    found = view(make_entry(rows=[make_row(YESTERDAY - timedelta(days=2))], health=REFUSED))
    assert found.newest == "2026-11-21"
    assert found.figures[1].text == "40"


@pytest.mark.parametrize(
    "health",
    [OK, Health(), *(replace(OK, failure=make_failure(state)) for state in (Reason.NOT_READY, Reason.EMPTY))],
)
def test_an_app_that_does_not_fail_has_no_trouble(health: Health) -> None:
    assert view(make_entry(health=health)).trouble is None


def test_an_empty_answer_is_noted() -> None:
    found = view(make_entry(health=replace(OK, failure=make_failure(Reason.EMPTY))))
    assert (found.state, found.note) == (State.NOT_READY, "Empty answer")


def test_an_app_is_asked_next_in_the_next_round() -> None:
    found = view(make_entry(health=OK))
    assert found.next_refresh
    assert found.next_refresh.relative == "in 10 min"


@pytest.mark.parametrize(("pause", "relative"), [(7200, "in 2 h"), (300, "in 5 min"), (-5, "in 10 min")])
def test_a_paused_app_is_asked_next_when_its_pause_is_over(pause: float, relative: str) -> None:
    found = view(make_entry(health=replace(REFUSED, next_try=NotBefore.until(NOON + pause, NOON - 60))))
    assert found.next_refresh
    assert found.next_refresh.relative == relative
    assert found.trouble
    assert (found.trouble.paused_until is not None) == (pause > 0)


def test_during_a_round_no_next_one_is_known() -> None:
    assert view(make_entry(health=OK), times=Moments(NOON, None)).next_refresh is None


def test_the_token_is_shown_with_its_source_and_expiry() -> None:
    entry = replace(make_entry(health=OK), token_kind="file", token_expires_at=NOON + 3600)
    assert [view(entry, language).token for language in Language] == ["file", "文件"]
    expiry = view(entry).token_expiry
    assert expiry
    assert (expiry.short, expiry.relative, expiry.ahead) == ("13:00", "in 60 min", True)


def test_a_token_of_a_kind_without_a_text_is_shown_by_its_name() -> None:
    assert view(replace(make_entry(), token_kind="cloud_function")).token == "cloud_function"

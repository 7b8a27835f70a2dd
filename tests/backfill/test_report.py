import io
from collections import Counter
from dataclasses import replace

import pytest

from exporter.backfill.fetching import AppOutcome
from exporter.backfill.journal import DateCounts
from exporter.backfill.report import AppSummary, advice, exit_code, write_table
from exporter.beijing import next_midnight
from exporter.wechat.failures.errcodes import errcode_failure
from exporter.wechat.failures.failure import Failure, Reason
from tests.building import NOON, paused_until

QUOTA = errcode_failure(45009, "reach max api daily quota limit")
REFUSED = errcode_failure(48001, "api unauthorized")
WHOLE = AppSummary("wx1", 60, DateCounts(58, 2), AppOutcome("coffee-shop"))


def result(count: DateCounts, ended_by: Failure | None = None, **missed: int) -> AppSummary:
    health = paused_until(next_midnight(NOON))
    outcome = AppOutcome(
        "奶茶\n小铺", health, Counter({Reason(name): n for name, n in missed.items()}), 0, ended_by
    )
    return AppSummary("wx2", 60, count, outcome)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([WHOLE], 0),
        ([], 0),
        ([WHOLE, result(DateCounts(59, 0), malformed=1)], 3),
        ([WHOLE, result(DateCounts(0, 0), REFUSED)], 3),
        ([result(DateCounts(0, 0), QUOTA)], 3),
        ([result(DateCounts(0, 0), not_ready=60)], 3),
        ([result(DateCounts(0, 0), REFUSED)], 1),
        ([result(DateCounts(0, 0), network=1)], 1),
    ],
)
def test_the_exit_code_distinguishes_all_some_and_nothing(results: list[AppSummary], code: int) -> None:
    assert exit_code(results) == code


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (WHOLE, ""),
        (result(DateCounts(59, 0), malformed=1), "malformed 1"),
        (result(DateCounts(50, 0), not_ready=1, busy=9), "busy 9, not_ready 1"),
        (result(DateCounts(1, 0), REFUSED, busy=3), "permission: errcode 48001: api unauthorized"),
        (result(DateCounts(1, 0)), "not asked for"),
    ],
)
def test_every_missing_date_has_a_reason(message: AppSummary, why: str) -> None:
    assert message.why == why


def test_a_spent_quota_has_the_time_to_go_on() -> None:
    message = " ".join(advice([WHOLE, result(DateCounts(1, 0), QUOTA)], out_of_reach=False))
    assert "59 dates are missing. The same command goes on here" in message
    assert "1 app has spent its quota: go on after 2026-11-25 00:01 (Beijing)." in message


def test_each_refusal_comes_with_its_advice_once() -> None:
    refused = result(DateCounts(1, 0), REFUSED)
    message = advice([refused, replace(refused, appid="wx3")], out_of_reach=False)
    assert message[1:] == [f"permission: {REFUSED.advice.en}"]
    assert advice([refused], language="zh", out_of_reach=False)[1:] == [f"permission: {REFUSED.advice.zh}"]


def test_other_ends_have_their_advice_too() -> None:
    assert advice([WHOLE], out_of_reach=False) == []
    assert "out of reach" in advice([result(DateCounts(1, 0), network=1)], out_of_reach=True)[1]
    assert "come later" in advice([result(DateCounts(59, 0), not_ready=1)], out_of_reach=False)[1]


def test_the_table_has_columns_that_hold_chinese_names_too() -> None:
    stream = io.StringIO()
    write_table([WHOLE, result(DateCounts(59, 0), malformed=1)], stream)
    assert stream.getvalue().splitlines() == [
        "app          appid  fetched  empty  missing  why",
        "coffee-shop  wx1    58       2      0",
        "奶茶 小铺    wx2    59       0      1        malformed 1",
    ]

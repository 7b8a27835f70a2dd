"""Refusals that outlive a restart, and the health that they restore."""

import json
from dataclasses import replace

import pytest

from exporter.store.stored_refusals import Refusal, read_refusal, refusal_key, refusal_text
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Reason
from tests.building import NOON

SECRET = Refusal(
    errcode_failure(40125, "invalid appsecret 不合法"), NOON, NOON + 3600, 2, b"\x01\xff", NOON - 600
)
QUOTA = Refusal(errcode_failure(45009, "reach max api daily quota limit"), NOON, NOON + 43_200)


@pytest.mark.parametrize("refusal", [SECRET, QUOTA])
def test_a_refusal_comes_back_whole(refusal: Refusal) -> None:
    assert read_refusal(refusal_text(refusal), NOON + 1) == refusal


def test_a_daily_trends_refusal_is_found_in_storages_that_knew_no_other_dataset() -> None:
    keys = [refusal_key("wx0000000000000001", name) for name in ("daily_trend", "weekly_trend", "quota")]
    assert keys[0] == "wx0000000000000001"
    assert len(set(keys)) == 3


def test_a_refusal_that_is_over_is_none() -> None:
    assert read_refusal(refusal_text(SECRET), NOON + 3599) == SECRET
    assert read_refusal(refusal_text(SECRET), NOON + 3600) is None


@pytest.mark.parametrize(
    "refusal",
    [
        replace(SECRET, refused_at=NOON + 86_400, until=NOON + 90_000),
        replace(SECRET, until=NOON + 40 * 86_400),
        replace(SECRET, until=float("inf")),
        replace(SECRET, refused_at=float("nan")),
    ],
)
def test_a_clock_that_was_wrong_stops_no_app_for_long(refusal: Refusal) -> None:
    assert read_refusal(refusal_text(refusal), NOON) is None


WHOLE = json.loads(refusal_text(SECRET))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "[" * 100_000,
        None,
        json.dumps({key: value for key, value in WHOLE.items() if key != "until"}),
        json.dumps({**WHOLE, "reason": "of_a_later_version"}),
        json.dumps({**WHOLE, "fingerprint": "no hex"}),
        json.dumps({**WHOLE, "strikes": 1e999}),
        json.dumps({**WHOLE, "until": "soon"}),
        json.dumps({**WHOLE, "advice": 7}),
        json.dumps({**WHOLE, "detail": "\x1b[2J"}),
    ],
    ids=range(12),
)
def test_what_is_damaged_or_of_another_version_stops_no_app(text: object) -> None:
    assert read_refusal(text, NOON + 1) is None


def test_a_refused_address_is_a_fact_of_the_machine() -> None:
    assert Refusal(errcode_failure(40164, "invalid ip"), NOON, NOON + 1).of_this_machine
    assert not SECRET.of_this_machine
    assert not Refusal(failure(Reason.INVALID_SECRET, "empty"), NOON, NOON + 1).of_this_machine

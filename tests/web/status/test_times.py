from datetime import UTC, datetime

import pytest

from exporter.web.status.language import Language
from exporter.web.status.times import local_time, span

NOW = datetime(2026, 11, 24, 7, 4, 12, tzinfo=UTC).timestamp()  # 15:04:12 in Beijing


def test_a_time_is_shown_in_beijing_whatever_the_machines_zone() -> None:
    found = local_time(NOW + 3600, NOW, Language.EN)
    assert found is not None
    assert found.iso == "2026-11-24T16:04:12+08:00"
    assert found.full == "2026-11-24 16:04:12"
    assert found.ahead


@pytest.mark.parametrize(
    ("seconds", "short"),
    [
        (0, "15:04"),
        (8 * 3600 + 55 * 60, "23:59"),
        (9 * 3600, "11-25 00:04"),
        (-16 * 3600, "11-23 23:04"),
        (60 * 86_400, "2027-01-23 15:04"),
    ],
)
def test_the_short_form_leaves_out_what_is_the_same_today(seconds: int, short: str) -> None:
    found = local_time(NOW + seconds, NOW, Language.EN)
    assert found is not None
    assert found.short == short


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "now", "刚刚"),
        (-0.4, "now", "刚刚"),
        (30, "in 30 s", "30 秒后"),
        (-89, "89 s ago", "89 秒前"),
        (90 * 60 - 1, "in 90 min", "90 分钟后"),
        (90 * 60, "in 2 h", "2 小时后"),
        (-36 * 3600, "2 d ago", "2 天前"),
        (-2000 * 86_400, "2,000 d ago", "2,000 天前"),
    ],
)
def test_how_far_away_a_time_is(seconds: float, english: str, chinese: str) -> None:
    found = [local_time(NOW + seconds, NOW, language) for language in Language]
    assert [each.relative for each in found if each is not None] == [english, chinese]


@pytest.mark.parametrize("at", [None, -1, 1e18, float("inf"), float("nan")])
def test_a_time_without_a_date_is_none(at: float | None) -> None:
    assert local_time(at, NOW, Language.EN) is None


def test_the_last_second_that_has_a_date_is_shown() -> None:
    found = local_time(253_402_271_999, NOW, Language.EN)
    assert found is not None
    assert found.full == "9999-12-31 23:59:59"


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (60, "1 min", "1 分钟"),
        (3600, "1 h", "1 小时"),
        (5400, "1 h 30 min", "1 小时 30 分钟"),
        (90_061, "1 d 1 h 1 min 1 s", "1 天 1 小时 1 分钟 1 秒"),
        (0.2, "0.2 s", "0.2 秒"),
    ],
)
def test_a_length_of_time_is_written_in_words(seconds: float, english: str, chinese: str) -> None:
    assert [span(seconds, language) for language in (Language.EN, Language.ZH)] == [english, chinese]

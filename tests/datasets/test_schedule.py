"""The calls for datasets over simulated days, with a WeChat that publishes in the morning."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.beijing import BEIJING, DAY_SECONDS, midnight, yesterday
from exporter.config.datasets import DatasetSettings
from exporter.datasets.catalogue import BY_NAME, CATALOGUE
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.period import Period
from exporter.datasets.schedule import RequiredAnswer

HOUR = 3600
PUBLISHED = 8 * HOUR + 300
SETTINGS = {
    "daily_trend": DatasetSettings("daily_trend", history=9),
    "weekly_trend": DatasetSettings("weekly_trend", history=5),
    "monthly_trend": DatasetSettings("monthly_trend", history=3),
    "daily_summary": DatasetSettings("daily_summary", history=9),
    "daily_retention": DatasetSettings("daily_retention", days=(1, 2, 3, 4, 5, 6, 7, 14, 30)),
    "visit_distribution": DatasetSettings("visit_distribution"),
    "visit_pages": DatasetSettings("visit_pages", top=10),
}
QUOTA_CALLS = len(CATALOGUE)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING).timestamp()


def required(name: str, now: float) -> tuple[RequiredAnswer, ...]:
    dataset = BY_NAME[name]
    return dataset.schedule.required(dataset.calendar, dataset.selection.backs(SETTINGS[name]), now)


class Exporter:
    """Asks for an app's dataset in every round that its schedule demands, and keeps the answers.

    The daily trend is there from `published` on, in seconds after midnight.
    """

    def __init__(self, dataset: Dataset, since: float, published: float = PUBLISHED) -> None:
        self.dataset = dataset
        self.since = since
        self.published = published
        self.held: dict[tuple[Period, str], float] = {}
        self.tried: dict[tuple[Period, str], float] = {}

    def round(self, now: float, interval: float = HOUR) -> list[RequiredAnswer]:
        """Return the asks of a round, and answer them at once."""
        asked = []
        due = self.dataset.schedule.due
        early = (now - at("2026-01-01 00:00")) % DAY_SECONDS < self.published
        asked_before = bool(self.held or self.tried)
        for answer in required(self.dataset.name, now):
            key = (answer.period, answer.key)
            held, tried = self.held.get(key), self.tried.get(key)
            if due(answer, now, interval, held_at=held, tried_at=tried, early=early and asked_before):
                asked.append(answer)
                answered = (
                    answer.since + self.published <= now and midnight(answer.period.first) >= self.since
                )
                (self.held if answered else self.tried)[key] = now
        assert len({answer.period for answer in asked}) == len(asked), (
            "a period was asked for twice in a round"
        )
        return asked


@pytest.mark.parametrize(
    ("now", "weeks", "month"),
    [
        ("2026-11-22 23:59", date(2026, 11, 9), date(2026, 10, 1)),
        ("2026-11-23 00:00", date(2026, 11, 16), date(2026, 10, 1)),
        ("2026-11-30 23:59", date(2026, 11, 23), date(2026, 10, 1)),
        ("2026-12-01 00:00", date(2026, 11, 23), date(2026, 11, 1)),
        ("2027-01-04 00:00", date(2026, 12, 28), date(2026, 12, 1)),
    ],
)
def test_the_newest_week_and_month_asked_for_are_over(now: str, weeks: date, month: date) -> None:
    assert required("weekly_trend", at(now))[0].period.first == weeks
    assert required("monthly_trend", at(now))[0].period.first == month


UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@UNTIMED
@given(st.sampled_from(CATALOGUE), st.integers(31_536_000, 4_133_865_600))
def test_a_period_that_is_not_over_is_never_wanted(dataset: Dataset, now: int) -> None:
    found = required(dataset.name, now)
    assert found
    assert all(answer.period.end <= now and answer.since <= now for answer in found)


def test_retention_is_asked_for_by_age() -> None:
    dataset = BY_NAME["daily_retention"]
    today = date(2026, 11, 24)
    found = dataset.schedule.required(dataset.calendar, (1, 7, 30), at("2026-11-24 12:00"))
    ages = {answer.key: (today - answer.period.first).days for answer in found}
    assert ages == {"1": 2, "7": 8, "30": 31}
    assert all(answer.since == midnight(today) for answer in found)


def test_over_sixty_days_every_key_of_a_cohort_is_asked_for_on_its_morning_once() -> None:
    start = at("2026-09-01 00:30")
    exporter = Exporter(BY_NAME["daily_retention"], since=0)
    came: Counter[tuple[date, str]] = Counter()
    for hour in range(60 * 24):
        now = start + hour * HOUR
        before = dict(exporter.held)
        exporter.round(now)
        for (period, key), held in exporter.held.items():
            if before.get((period, key)) != held:
                came[period.first, key] += 1
                morning = midnight(period.first + timedelta(days=int(key) + 1))
                assert morning + PUBLISHED <= held < morning + PUBLISHED + 2 * HOUR
    cohorts = [date(2026, 9, 1) + timedelta(days=day) for day in range(28)]
    for cohort in cohorts:
        assert [came[cohort, key] for key in ("1", "2", "7", "14", "30")] == [1] * 5
    assert set(came.values()) == {1}


@pytest.mark.parametrize(
    "start", ["2026-11-24 00:00", "2026-11-30 00:30", "2026-12-01 07:00", "2026-11-24 15:00"]
)
def test_the_first_round_has_at_most_sixty_calls(start: str) -> None:
    calls = sum(len(Exporter(dataset, since=0).round(at(start))) for dataset in CATALOGUE)
    assert calls + QUOTA_CALLS <= 60


def test_once_all_is_there_an_hour_has_few_calls() -> None:
    start = at("2026-11-20 12:00")
    exporters = [Exporter(dataset, since=0) for dataset in CATALOGUE if dataset.name != "daily_trend"]
    for hour in range(24 * 21):
        now = start + hour * HOUR
        complete = all(
            (answer.period, answer.key) in exporter.held
            for exporter in exporters
            for answer in required(exporter.dataset.name, now)
        )
        calls = sum(len(exporter.round(now)) for exporter in exporters)
        assert calls <= (4 if complete else 60)


def test_a_start_on_a_monday_night_asks_again_in_the_morning() -> None:
    exporter = Exporter(BY_NAME["weekly_trend"], since=0)
    monday = at("2026-11-23 00:30")
    newest = required("weekly_trend", monday)[0].period
    times = [
        hour
        for hour in range(48)
        if newest in [answer.period for answer in exporter.round(monday + hour * HOUR)]
    ]
    assert times == [0, 4, 8, 34]  # 34: once more on Tuesday, 10:30


def test_a_week_that_stays_away_is_asked_for_less_and_less_often() -> None:
    exporter = Exporter(BY_NAME["weekly_trend"], since=at("2027-01-01 00:00"))
    monday = at("2026-11-23 00:30")
    newest = required("weekly_trend", monday)[0].period
    times = [
        hour
        for hour in range(7 * 24)
        if newest in [answer.period for answer in exporter.round(monday + hour * HOUR)]
    ]
    first_day = [hour for hour in times if hour < 24]
    late = [hour for hour in times if 24 <= hour < 72]
    old = [hour for hour in times if hour >= 72]
    assert (len(first_day), len(late), len(old)) == (10, 8, 4)


@pytest.mark.parametrize("hours", [6, 12, 24])
def test_however_long_the_rounds_are_a_week_that_stays_away_is_asked_for_every_day(hours: int) -> None:
    exporter = Exporter(BY_NAME["weekly_trend"], since=at("2027-01-01 00:00"))
    monday = at("2026-11-23 09:30")
    newest = required("weekly_trend", monday)[0].period
    days = Counter(
        hour // 24
        for hour in range(0, 6 * 24, hours)
        if newest in [answer.period for answer in exporter.round(monday + hour * HOUR, hours * HOUR)]
    )
    assert days.keys() == set(range(6))
    assert max(list(days.values())[1:]) == 1


def test_an_old_period_that_wechat_never_had_costs_a_call_a_day() -> None:
    exporter = Exporter(BY_NAME["daily_summary"], since=at("2026-11-23 00:00"))
    start = at("2026-11-24 12:00")
    asked = Counter(
        answer.period.first for hour in range(24) for answer in exporter.round(start + hour * HOUR)
    )
    assert [asked[date(2026, 11, day)] for day in range(16, 21)] == [1] * 5


def test_an_answer_of_the_night_is_asked_for_once_more_when_it_has_settled() -> None:
    schedule = BY_NAME["visit_pages"].schedule
    now = at("2026-11-24 15:30")
    answer = required("visit_pages", now)[0]
    assert yesterday(now) == answer.period.first
    due = [
        schedule.due(answer, at(time), HOUR, held_at=at(held), tried_at=None)
        for held, time in (
            ("2026-11-24 09:00", "2026-11-24 14:59"),
            ("2026-11-24 09:00", "2026-11-24 15:00"),
            ("2026-11-24 15:00", "2026-11-24 16:00"),
        )
    ]
    assert due == [False, True, False]


def test_shorter_rounds_ask_more_often() -> None:
    exporter = Exporter(BY_NAME["visit_pages"], since=at("2027-01-01 00:00"), published=0)
    noon = at("2026-11-24 12:00")
    newest = required("visit_pages", noon)[0].period
    asked = [
        newest in [answer.period for answer in exporter.round(noon + second, interval=1)]
        for second in range(10)
    ]
    assert asked == [True] * 10


def test_other_datasets_hold_as_many_rows_as_are_asked_for_and_know_them_whole() -> None:
    for dataset in CATALOGUE:
        if dataset.name == "daily_retention":
            continue
        settings = SETTINGS[dataset.name]
        newest = dataset.calendar.newest(date(2026, 11, 23))
        rows = [Row(dataset.calendar.earlier(newest, back), ()) for back in range(20)]
        backs = list(dataset.selection.backs(settings))
        assert dataset.selection.held(rows, settings) == tuple(rows[: len(backs)])
        assert dataset.selection.known(rows[0], 0) is rows[0]

"""The calls for all datasets of an app in rounds: their times, their number, and the effects of failures."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.beijing import DAY_SECONDS
from exporter.config.datasets import DatasetSettings
from exporter.config.settings import RefreshSettings
from exporter.config.token_types import FileToken
from exporter.datasets.catalogue import BY_NAME, CATALOGUE
from exporter.datasets.daily_retention import DAILY_RETENTION
from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.enabled import EnabledDataset, enabled
from exporter.datasets.period import Period
from exporter.datasets.quota import QUOTA
from exporter.refresh.plan import Ask, asks_before_the_round
from exporter.refresh.round_settings import RoundSettings
from exporter.store.pause_ends import FRESH_REFUSAL_SECONDS
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from tests.building import NOON, YESTERDAY
from tests.refresh.desk import APP, Desk

ALL = (
    DatasetSettings("weekly_trend", history=5),
    DatasetSettings("monthly_trend", history=3),
    DatasetSettings("daily_summary", history=9),
    DatasetSettings("daily_retention", days=(1, 7, 30)),
    DatasetSettings("visit_distribution"),
    DatasetSettings("visit_pages", top=10),
)
WITH_QUOTA = (*ALL, DatasetSettings(QUOTA, interval=21_600.0))
NAMES = [each.name for each in ALL]
NOT_READY = errcode_failure(61503, "data not ready")
Answers = Callable[[Dataset, Period], Row | Failure | None]


def by_name(settings: Iterable[DatasetSettings]) -> Mapping[str, EnabledDataset]:
    return {each.name: each for each in enabled(settings)}


def good_row(dataset: Dataset, period: Period) -> Row:
    """Return a row with every point that the dataset's labels call for."""
    values = tuple(range(1, len(dataset.fields) + 1))
    if dataset is DAILY_RETENTION:
        return Row(period, tuple(Point((str(key),), values) for key in (0, 1, 7, 30)))
    return Row(period, (Point(("1",) * len(dataset.labels), values),))


class Wechat:
    """An access with answers from a function; None is a good row."""

    kind = "stable_token"
    token_expires_at = NOON + 7200

    def __init__(self, answers: Answers, credential: bytes, quota_problem: Failure | None) -> None:
        self.answers = answers
        self.quota_problem = quota_problem
        self.credential = credential
        self.asked: list[tuple[str, date]] = []
        self.quotas: list[str] = []

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        self.asked.append((dataset.name, period.first))
        answer = self.answers(dataset, period)
        if isinstance(answer, Failure):
            raise CallError(answer)
        return answer or good_row(dataset, period)

    def quota(self, cgi_path: str) -> tuple[int, int, int]:
        self.quotas.append(cgi_path)
        if self.quota_problem is not None:
            raise CallError(self.quota_problem)
        return 1000, 10, 990

    def fingerprint(self) -> bytes:
        return self.credential


class DatasetDesk(Desk):
    """A desk that asks for datasets too."""

    def __init__(self, log: FilteringBoundLogger, settings: tuple[DatasetSettings, ...]) -> None:
        quota = next((each for each in settings if each.name == QUOTA), None)
        super().__init__(log, RoundSettings(9, 0, datasets=by_name(settings), quota=quota))
        self.credential = b"first"

    def round(
        self,
        answers: Answers = lambda *_: None,
        asks: list[Ask] | None = None,
        quota_problem: Failure | None = None,
    ) -> Wechat:
        """Make a round, or given asks; return the access with its calls."""
        wechat = Wechat(answers, self.credential, quota_problem)
        self.work(wechat, asks)
        return wechat

    def before_the_round(self, *, credentials: bool = False) -> list[Ask]:
        return list(asks_before_the_round(self.entry, self.now, self.settings, credentials=credentials))

    def held(self) -> set[tuple[str, date, int]]:
        """Return every held row with its number of points."""
        return {
            (name, held.row.ref_date, len(held.row.points))
            for name in self.entry.names
            for held in self.entry.table(name).rows
        }

    def newest(self, name: str) -> Period:
        return self.entry.table(name).rows[0].row.period


@pytest.fixture
def desk(log: FilteringBoundLogger) -> DatasetDesk:
    return DatasetDesk(log, ALL)


def failing(name: str, problem: Failure) -> Answers:
    return lambda dataset, _: problem if dataset.name == name else None


def test_one_round_brings_every_dataset_and_asks_nothing_twice(log: FilteringBoundLogger) -> None:
    desk = DatasetDesk(log, WITH_QUOTA)
    wechat = desk.round()
    assert {name for name, _ in wechat.asked} == {dataset.name for dataset in CATALOGUE}
    assert set(Counter(wechat.asked).values()) == {1}
    assert len(wechat.asked) + len(wechat.quotas) <= 60
    assert desk.newest("weekly_trend").first == date(2026, 11, 16)
    assert desk.newest("monthly_trend").first == date(2026, 10, 1)
    assert [held.row.ref_date for held in desk.entry.table("daily_retention").rows] == [
        YESTERDAY - timedelta(days=back) for back in (1, 7, 30)
    ]
    assert desk.entry.quotas[wechat.quotas[0]].figures == (1000, 10, 990)


@dataclass(frozen=True)
class Day:
    """The hours after which WeChat publishes a period; the dataset `never` has none."""

    hours: int
    never: str = ""

    def answers(self, now: float) -> Answers:
        published = now - self.hours * 3600

        def answer(dataset: Dataset, period: Period) -> Row | Failure | None:
            row = good_row(dataset, period)
            if dataset is DAILY_RETENTION:
                keys = [key for key in (0, 1, 7, 30) if period.end + key * DAY_SECONDS <= published]
                row = replace(row, points=[each for each in row.points if int(each.labels[0]) in keys])
            there = period.end <= published and dataset.name != self.never
            return row if there else NOT_READY

        return answer


@pytest.mark.parametrize(
    ("day", "busiest", "a_day"),
    [
        (Day(0), 6, 80),
        (Day(7), 6, 80),
        (Day(9), 6, 80),
        *((Day(9, name), 12, 110) for name in NAMES),
        (Day(24 * 365), 30, 200),
    ],
    ids=["at midnight", "at 07:00", "at 09:00", *(f"never {name}" for name in NAMES), "never anything"],
)
@pytest.mark.parametrize(("start", "days"), [(-11.5, 9), (0, 9)], ids=["from the night", "from noon"])
def test_while_wechat_has_nothing_new_an_hour_has_few_calls(
    day: Day, busiest: int, a_day: int, start: float, days: int, log: FilteringBoundLogger
) -> None:
    desk = DatasetDesk(log, WITH_QUOTA)
    desk.settings = replace(desk.settings, revisit_days=RefreshSettings().revisit_days)
    calls, known = [], desk.held()
    for hour in range(24 * days):
        desk.now = NOON + (start + hour) * 3600
        wechat = desk.round(day.answers(desk.now))
        assert set(Counter(wechat.asked).values()) | set(Counter(wechat.quotas).values()) <= {1}
        assert all(BY_NAME[name].calendar.starting(first).end <= desk.now for name, first in wechat.asked)
        calls.append(len(wechat.asked) + len(wechat.quotas))
        before, known = known, known | desk.held()
        if hour:
            assert calls[-1] <= (12 if known > before else busiest)
    assert calls[0] <= 60
    assert sum(calls) <= days * a_day


@pytest.mark.parametrize("hours", [1, 2, 6, 12])
@pytest.mark.parametrize("start", [-11.5, -3, 0], ids=["from 00:30", "from 09:00", "from noon"])
def test_without_a_daily_trend_each_dataset_still_comes_however_long_the_rounds_are(
    hours: int, start: float, desk: DatasetDesk
) -> None:
    desk.settings = replace(desk.settings, interval=hours * 3600.0)
    day, calls = Day(9, "daily_trend"), 0
    for hour in range(0, 24 * 15, hours):
        desk.now = NOON + (start + hour) * 3600
        asked = desk.round(day.answers(desk.now)).asked
        calls += sum(name != "daily_trend" for name, _ in asked)
    oldest = {"monthly_trend": date(2026, 11, 1), "weekly_trend": date(2026, 11, 30)}
    for name in NAMES:
        assert desk.newest(name).first >= oldest.get(name, YESTERDAY + timedelta(days=12))
    assert calls <= 15 * 40


PERMISSION = errcode_failure(48001, "api unauthorized")
SPENT = errcode_failure(45009, "reach max api daily quota limit")


@pytest.mark.parametrize("problem", [PERMISSION, SPENT], ids=["permission", "quota"])
@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_that_is_refused_is_paused_alone(desk: DatasetDesk, name: str, problem: Failure) -> None:
    wechat = desk.round(failing(name, problem))
    assert [each for each, _ in wechat.asked].count(name) == 1
    assert desk.entry.health.up
    assert desk.entry.table(name).health.reason is problem.reason
    assert all(desk.entry.table(other).rows for other in NAMES if other != name)
    desk.now += 1800
    assert name not in {each for each, _ in desk.round(failing(name, problem)).asked}


@pytest.mark.parametrize(
    ("later", "reason"),
    [(None, None), (NOT_READY, None), (failure(Reason.TIMEOUT, "no answer in time"), Reason.TIMEOUT)],
    ids=["a row", "no row", "a timeout"],
)
def test_a_refusal_for_an_older_month_ends_with_that_months_next_answer(
    desk: DatasetDesk, later: Failure | None, reason: Reason | None
) -> None:
    def spent(dataset: Dataset, period: Period) -> Failure | None:
        return SPENT if (dataset.name, period.first) == ("monthly_trend", date(2026, 9, 1)) else None

    desk.round(spent)
    assert desk.entry.table("monthly_trend").health.reason is Reason.QUOTA_DAILY
    desk.now += DAY_SECONDS
    desk.round(lambda dataset, _: later if dataset.name == "monthly_trend" else None)
    assert desk.entry.table("monthly_trend").health.reason is reason
    assert desk.newest("monthly_trend").first == date(2026, 10, 1)


def test_after_a_restart_an_older_week_that_does_not_arrive_is_not_asked_for_again_and_again(
    desk: DatasetDesk,
) -> None:
    silent = failure(Reason.TIMEOUT, "no answer in time")
    desk.round()
    newest = desk.entry.table("weekly_trend").rows[0]
    desk.ledger.configure([], desk.settings.trend_days, desk.now)
    desk.ledger.configure([(APP, "stable_token")], desk.settings.trend_days, desk.now)
    desk.ledger.restore([(APP.appid, (newest,))], "weekly_trend")
    desk.round(lambda *_: silent)
    asked: Counter[str] = Counter()
    for _ in range(60):
        desk.now += 5
        asked.update(name for name, _ in desk.round(lambda *_: silent, desk.before_the_round()).asked)
    assert asked["weekly_trend"] <= 5
    desk.now += 3600
    desk.round()
    assert len(desk.entry.table("weekly_trend").rows) == 5
    assert desk.entry.table("weekly_trend").health.failure is None


@pytest.mark.parametrize("problem", [PERMISSION, SPENT], ids=["permission", "quota"])
def test_a_daily_trend_that_is_refused_keeps_no_other_dataset_away(
    desk: DatasetDesk, problem: Failure
) -> None:
    desk.round(failing("daily_trend", problem))
    assert not desk.entry.health.up
    assert all(desk.entry.table(name).rows for name in NAMES)
    desk.now += DAY_SECONDS / 4
    assert {each for each, _ in desk.round(failing("daily_trend", problem)).asked} == {
        "daily_summary",
        "visit_distribution",
        "visit_pages",
    } | ({"daily_trend"} if problem is PERMISSION else set())


def test_a_refused_address_pauses_the_whole_app(desk: DatasetDesk) -> None:
    refused = errcode_failure(40164, "invalid ip 203.0.113.7, not in whitelist")
    wechat = desk.round(failing("weekly_trend", refused))
    assert desk.entry.health.reason is Reason.IP_NOT_ALLOWED
    after = wechat.asked.index(("weekly_trend", date(2026, 11, 16)))
    assert wechat.asked[after + 1 :] == []
    desk.now += 60
    assert desk.round(failing("weekly_trend", refused)).asked == []


@pytest.mark.parametrize(
    "problem",
    [
        errcode_failure(61501, "date range error"),
        errcode_failure(61503, "data not ready"),
        failure(Reason.EMPTY, "no row"),
        failure(Reason.MALFORMED, "visit_uv is null"),
    ],
    ids=["date_range", "not_ready", "empty", "malformed"],
)
def test_a_week_that_does_not_come_is_asked_for_later_and_the_last_one_stays(
    desk: DatasetDesk, problem: Failure
) -> None:
    desk.round()
    monday = NOON + 6 * DAY_SECONDS  # 2026-11-30
    desk.now = monday
    desk.round(failing("weekly_trend", problem))
    assert desk.newest("weekly_trend").first == date(2026, 11, 16)
    assert desk.entry.health.up
    desk.now = monday + 7200
    desk.round()
    assert desk.newest("weekly_trend").first == date(2026, 11, 23)
    assert desk.entry.table("weekly_trend").health.failure is None


def test_a_cohort_without_the_day_that_is_due_is_asked_for_again(desk: DatasetDesk) -> None:
    def without_day_one(dataset: Dataset, period: Period) -> Row | None:
        row = good_row(dataset, period)
        left = tuple(point for point in row.points if point.labels != ("1",))
        return Row(period, left) if dataset is DAILY_RETENTION else None

    cohort = YESTERDAY - timedelta(days=1)
    wechat = desk.round(without_day_one)
    assert wechat.asked.count(("daily_retention", cohort)) == 1
    assert cohort not in [held.row.ref_date for held in desk.entry.table("daily_retention").rows]
    desk.now += 7200
    desk.round()
    assert desk.newest("daily_retention").first == cohort


def test_keys_that_are_not_due_are_never_held(desk: DatasetDesk) -> None:
    desk.round()
    held = {each.row.ref_date: each.row for each in desk.entry.table("daily_retention").rows}
    assert [point.labels for point in held[YESTERDAY - timedelta(days=1)].points] == [("1",)]


def test_what_a_row_has_over_the_cap_is_counted(desk: DatasetDesk) -> None:
    def too_many(dataset: Dataset, period: Period) -> Row | None:
        return replace(good_row(dataset, period), dropped=5) if dataset.name == "visit_pages" else None

    wechat = desk.round(too_many)
    assert desk.dropped == 5 * sum(name == "visit_pages" for name, _ in wechat.asked)


def test_while_nothing_arrives_each_dataset_is_tried_once(desk: DatasetDesk) -> None:
    silent = failure(Reason.TIMEOUT, "no answer in time")
    wechat = desk.round(lambda *_: silent)
    counts = Counter(name for name, _ in wechat.asked)
    assert counts == {"daily_trend": 3} | dict.fromkeys(NAMES, 1)


@pytest.mark.parametrize(
    "problem", [PERMISSION, failure(Reason.MALFORMED, "there is no 'quota'", Action.NEXT_ROUND)]
)
def test_a_count_of_calls_that_does_not_come_costs_one_call(
    problem: Failure, log: FilteringBoundLogger
) -> None:
    desk = DatasetDesk(log, WITH_QUOTA)
    wechat = desk.round(quota_problem=problem)
    assert wechat.quotas == [BY_NAME["daily_trend"].path]
    assert desk.entry.table(QUOTA).health.reason is problem.reason


@pytest.mark.parametrize("name", ["weekly_trend", "daily_summary", "daily_retention"])
def test_after_a_reload_a_dataset_whose_answer_was_not_usable_is_asked_for_at_once(
    desk: DatasetDesk, name: str
) -> None:
    desk.round(failing(name, failure(Reason.MALFORMED, "visit_uv is null")))
    desk.now += 60
    app = desk.entry.app
    desk.ledger.configure([(app, "stable_token")], desk.settings.trend_days, desk.now)
    asked = desk.round(asks=desk.before_the_round()).asked
    assert {each for each, _ in asked} == {name}
    assert desk.entry.table(name).health.up


def test_with_the_token_of_another_place_a_dataset_that_had_no_row_is_asked_for_at_once(
    desk: DatasetDesk,
) -> None:
    desk.round(failing("weekly_trend", NOT_READY))
    desk.now += 60
    app = replace(desk.entry.app, token=FileToken(Path("/run/wechat/another.token")))
    desk.ledger.configure([(app, "file")], desk.settings.trend_days, desk.now)
    assert "weekly_trend" in {name for name, _ in desk.round(asks=desk.before_the_round()).asked}


def test_a_dataset_that_did_not_arrive_is_asked_for_before_the_next_round(desk: DatasetDesk) -> None:
    desk.round(failing("weekly_trend", failure(Reason.TIMEOUT, "no answer in time")))
    assert desk.entry.health.up
    assert desk.before_the_round() == []
    desk.now += 60
    asks = desk.before_the_round()
    assert [ask.dataset for ask in asks] == ["weekly_trend"]
    desk.round(asks=asks)
    assert len(desk.entry.table("weekly_trend").rows) == 5


def test_a_dataset_that_was_just_switched_on_is_asked_for_at_once(log: FilteringBoundLogger) -> None:
    desk = DatasetDesk(log, ())
    desk.round()
    desk.settings = RoundSettings(9, 0, datasets=by_name(ALL))
    assert [ask.dataset for ask in desk.before_the_round()] == NAMES


def test_another_credential_is_noticed_for_a_refused_dataset_between_rounds(desk: DatasetDesk) -> None:
    desk.round(failing("weekly_trend", PERMISSION))
    assert desk.before_the_round() == []
    asks = desk.before_the_round(credentials=True)
    assert [ask.dataset for ask in asks] == ["weekly_trend"]
    assert desk.round(asks=asks).asked == []
    desk.credential = b"second"
    desk.round(asks=asks)
    assert len(desk.entry.table("weekly_trend").rows) == 5


def test_looks_at_the_credential_of_a_refused_daily_trend_repeat_no_call_of_its_datasets(
    desk: DatasetDesk,
) -> None:
    problems = {"daily_trend": PERMISSION, "weekly_trend": failure(Reason.TIMEOUT, "no answer in time")}
    desk.round(lambda dataset, _: problems.get(dataset.name))
    desk.now += 10
    asks = desk.before_the_round(credentials=True)
    assert [ask.dataset for ask in asks] == ["daily_trend"]
    assert desk.round(lambda dataset, _: problems.get(dataset.name), asks).asked == []


@pytest.mark.parametrize("problem", [PERMISSION, SPENT], ids=["permission", "quota"])
def test_whatever_pauses_a_dataset_ends_where_its_app_is_to_be_asked_now(
    desk: DatasetDesk, problem: Failure
) -> None:
    desk.round(failing("weekly_trend", problem))
    desk.ledger.ask_again([desk.entry.app.appid])
    assert not desk.entry.table("weekly_trend").health.up
    desk.now += 1
    desk.round(asks=desk.before_the_round())
    assert desk.entry.table("weekly_trend").health.up
    assert len(desk.entry.table("weekly_trend").rows) == 5


def test_a_week_that_was_not_there_is_asked_for_where_its_app_is_to_be_asked_now(desk: DatasetDesk) -> None:
    desk.round(failing("weekly_trend", errcode_failure(61503, "data not ready")))
    desk.now += 60
    assert "weekly_trend" not in {name for name, _ in desk.round().asked}
    desk.ledger.ask_again([desk.entry.app.appid])
    assert "weekly_trend" in {name for name, _ in desk.round(asks=desk.before_the_round()).asked}


def test_where_all_are_to_be_asked_now_a_spent_quota_stays_spent(desk: DatasetDesk) -> None:
    problems = {"weekly_trend": SPENT, "monthly_trend": PERMISSION}
    desk.round(lambda dataset, _: problems.get(dataset.name))
    desk.ledger.ask_all_again()
    assert desk.before_the_round() == []  # all is fresh
    desk.now += FRESH_REFUSAL_SECONDS
    desk.ledger.ask_all_again()
    asked = {name for name, _ in desk.round(asks=desk.before_the_round()).asked}
    assert "monthly_trend" in asked
    assert "daily_trend" in asked
    assert "weekly_trend" not in asked


def test_a_mini_game_has_no_figures_of_a_dataset_and_the_app_is_not_paused_for_that(
    desk: DatasetDesk,
) -> None:
    desk.round(failing("visit_pages", errcode_failure(61502, "this is game miniprogram")))
    assert desk.entry.health.up
    assert desk.entry.table("visit_pages").health.reason is Reason.ACCOUNT
    assert all(desk.entry.table(other).rows for other in NAMES if other != "visit_pages")

from dataclasses import replace
from pathlib import Path

import pytest

from exporter.beijing import window
from exporter.capacity import estimate, summary, warnings
from exporter.config.apps import App
from exporter.config.datasets import DatasetSettings
from exporter.config.settings import Config, RefreshSettings, WechatSettings
from exporter.config.storage import StorageSettings
from exporter.exposition.page import PageRenderer
from exporter.store.entry import Entry, Health
from tests.building import NOON, YESTERDAY, make_app, make_entry, make_row, text_of


def config(history_days: int = 9, interval: float = 3600, per_second: float = 50) -> Config:
    return Config(
        Path("config.yaml"),
        WechatSettings("https://api.weixin.qq.com", 10),
        RefreshSettings(interval, history_days, 3, 16, per_second),
        StorageSettings("memory://"),
        (),
    )


@pytest.mark.parametrize("history_days", [1, 2, 9])
def test_series_and_bytes_are_those_of_the_real_page(history_days: int) -> None:
    dates = window(YESTERDAY, history_days)
    health = Health(last_refresh=NOON, last_success=NOON)
    made = (make_entry(number, [make_row(day) for day in dates], health) for number in range(1, 301))
    entries = {entry.app.appid: Entry(entry.app, "stable_token", entry.rows, health, NOON) for entry in made}
    page = PageRenderer().replace_all(entries, dates if history_days > 1 else ())
    lines = [line for line in text_of(page.text).splitlines() if not line.startswith(b"#")]
    load = estimate(config(history_days), 300)
    assert load.series == len(lines)
    assert load.page_bytes == pytest.approx(page.text.checksum.size, rel=0.3)


def test_calls_are_one_per_round_the_revisits_and_the_tokens() -> None:
    assert estimate(config(), 10).calls_per_day == 10 * (24 + 2) + 125
    assert estimate(config(interval=86_400), 10).calls_per_day == 10 * (1 + 2 + 1)


def test_an_ordinary_configuration_has_no_warning() -> None:
    usual = config()
    assert warnings(estimate(usual, 1000), usual) == []
    told_of = summary(estimate(usual, 1000))
    assert told_of.startswith("1,000 apps: 88,000 series, 8.4 MB a scrape (0.8 MB with gzip), ")


def test_a_round_that_cannot_end_in_time_is_warned_of() -> None:
    hurried = config(interval=10)
    (warning,) = warnings(estimate(hurried, 1000), hurried)
    assert "1,000 apps takes about 40 s, longer than refresh.interval (10 s): 2,000 calls" in warning


def test_a_round_over_60_apps_at_ten_a_second_does_not_fit_into_five_seconds() -> None:
    hurried = config(interval=5, per_second=10)
    assert warnings(estimate(hurried, 60), hurried)
    assert not warnings(estimate(hurried, 25), hurried)


def test_what_a_call_takes_counts_too() -> None:
    slow = config(interval=60, per_second=0)
    assert not warnings(estimate(slow, 160, latency=2), slow)
    (warning,) = warnings(estimate(slow, 480, latency=2), slow)
    assert "takes about 120 s" in warning
    assert "2.00 s each" in warning


def test_without_a_limit_only_the_answers_take_time() -> None:
    unlimited = config(interval=30, per_second=0)
    assert warnings(estimate(unlimited, 1000), unlimited) == []


def test_more_series_than_one_scrape_should_have_are_warned_of() -> None:
    large = config()
    (warning,) = warnings(estimate(large, 15_000), large)
    assert "1,320,000 series in one scrape: set refresh.history_days to 1" in warning


def with_datasets(*datasets: DatasetSettings, apps: tuple[App, ...] = ()) -> Config:
    return replace(config(), datasets=datasets, apps=apps)


def cost_of(settings: DatasetSettings) -> tuple[int, float]:
    """Return the series and calls a day that a dataset adds for an app."""
    with_it, without = estimate(with_datasets(settings), 1), estimate(config(), 1)
    return with_it.series - without.series, with_it.dataset_calls


def test_a_week_costs_a_few_calls_and_its_families_by_week() -> None:
    series, calls = cost_of(DatasetSettings("weekly_trend", history=5))
    assert series == 9 * 6 + 3
    assert 1 <= calls * 7 <= 10


def test_retention_costs_its_days_every_day() -> None:
    series, calls = cost_of(DatasetSettings("daily_retention", days=(1, 7, 30)))
    assert series == 5 * 3 + 3
    assert 3 <= calls <= 24


def test_pages_cost_as_many_series_as_pages_are_shown() -> None:
    assert cost_of(DatasetSettings("visit_pages", top=10))[0] == 7 * 11 + 3


def test_the_quota_of_each_dataset_is_asked_for_at_its_interval() -> None:
    quota = DatasetSettings("quota", interval=21_600)
    load = estimate(with_datasets(DatasetSettings("weekly_trend", history=5), quota), 1)
    assert load.dataset_calls == pytest.approx(cost_of(DatasetSettings("weekly_trend", history=5))[1] + 2 * 4)


def test_an_app_without_a_dataset_does_not_pay_for_it() -> None:
    weekly = DatasetSettings("weekly_trend", history=5)
    without = replace(make_app(1), datasets=())
    load = estimate(with_datasets(weekly, apps=(without, make_app(2))), 2)
    assert load.series == 2 * 88 + 57


def test_ten_thousand_apps_with_the_audience_s_datasets_have_room_for_half_of_fifty_calls_a_second() -> None:
    audience = with_datasets(
        DatasetSettings("weekly_trend", history=5),
        DatasetSettings("monthly_trend", history=3),
        DatasetSettings("daily_summary", history=9),
        DatasetSettings("daily_retention", days=(1, 7, 30)),
    )
    load = estimate(audience, 10_000)
    assert load.calls_per_day < 50 * 86_400 / 2
    assert summary(load).endswith(f" per app, {load.dataset_calls:.0f} of them for datasets")

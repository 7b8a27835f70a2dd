from pathlib import Path

import pytest

from exporter.capacity import estimate, told, warnings
from exporter.config.settings import Config, RefreshSettings, StorageSettings, WechatSettings
from exporter.exposition.page import PageMaker
from exporter.store.entry import Entry, Health
from exporter.trend import window
from tests.building import NOON, YESTERDAY, make_app, make_entry, make_row


def config(apps: int, history_days: int = 9, interval: float = 3600, per_second: float = 50) -> Config:
    return Config(
        Path("config.yaml"),
        WechatSettings("https://api.weixin.qq.com", 10),
        RefreshSettings(interval, history_days, 3, 16, per_second),
        StorageSettings("memory://"),
        tuple(make_app(number) for number in range(1, apps + 1)),
    )


@pytest.mark.parametrize("history_days", [1, 2, 9])
def test_series_and_bytes_are_those_of_the_real_page(history_days: int) -> None:
    dates = window(YESTERDAY, history_days)
    health = Health(last_refresh=NOON, last_success=NOON)
    made = (make_entry(number, [make_row(day) for day in dates], health) for number in range(1, 301))
    entries = {entry.app.appid: Entry(entry.app, "stable_token", entry.rows, health, NOON) for entry in made}
    page = PageMaker().replace_all(entries, dates if history_days > 1 else ())
    lines = [line for line in b"".join(page.text.plain).splitlines() if not line.startswith(b"#")]
    load = estimate(config(300, history_days))
    assert load.series == len(lines)
    assert load.page_bytes == pytest.approx(page.text.size, rel=0.3)


def test_calls_are_one_per_round_and_the_revisits() -> None:
    assert estimate(config(10)).calls_per_day == 10 * (24 + 2)


def test_an_ordinary_configuration_has_no_warning() -> None:
    usual = config(1000)
    assert warnings(estimate(usual), usual) == []
    assert told(estimate(usual)).startswith("1,000 apps: 85,000 series, 8.1 MB a scrape (0.7 MB with gzip), ")


def test_a_round_that_cannot_end_in_time_is_warned_of() -> None:
    hurried = config(1000, interval=10)
    (warning,) = warnings(estimate(hurried), hurried)
    assert (
        "takes at least 20 s at refresh.requests_per_second 50, longer than refresh.interval (10 s)"
        in warning
    )


def test_no_limit_is_never_too_slow() -> None:
    unlimited = config(1000, interval=10, per_second=0)
    assert warnings(estimate(unlimited), unlimited) == []


def test_more_series_than_one_scrape_should_have_are_warned_of() -> None:
    large = config(15_000)
    (warning,) = warnings(estimate(large), large)
    assert "1,275,000 series in one scrape: set refresh.history_days to 1" in warning

from dataclasses import replace

import pytest

from exporter.config.datasets import DatasetSettings
from exporter.datasets.enabled import enabled
from exporter.datasets.quota import QUOTA
from exporter.not_before import AT_ONCE
from exporter.refresh.reload_summary import reload_summary, switched
from exporter.refresh.round_settings import RoundSettings
from exporter.store.entry import Entry, Health, Table
from exporter.wechat.failures.failure import Action, Reason
from tests.building import NOON, make_entry, make_failure, paused_until

FINE = make_entry(health=Health(last_refresh=NOON, last_success=NOON))
NEW = make_entry()
FREED = make_entry(health=replace(paused_until(NOON + 60), next_try=AT_ONCE))
SUMMARY = {each.name: each for each in enabled([DatasetSettings("daily_summary")])}
SETTINGS = RoundSettings(9, 3)
WITH_DATASETS = RoundSettings(9, 3, datasets=SUMMARY, quota=DatasetSettings(QUOTA, interval=21_600))
REFUSED = Health(
    last_refresh=NOON,
    failure=make_failure(Reason.IP_NOT_ALLOWED, action=Action.SUSPEND),
    next_try=paused_until(NOON + 3600).next_try,
)
SOON, LATE = make_entry(health=paused_until(NOON + 300)), make_entry(health=paused_until(NOON + 7200))


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([], ""),
        ([FINE], ""),
        ([FINE, NEW], "1 app is asked now"),
        ([NEW, FREED, NEW], "3 apps are asked now"),
        ([FINE, SOON], "1 app waits until 2026-11-24 12:05 (Beijing)"),
        ([NEW, SOON], "1 app is asked now, 1 waits until 2026-11-24 12:05 (Beijing)"),
        ([SOON, LATE], "2 apps wait until at least 2026-11-24 12:05 (Beijing)"),
    ],
)
def test_a_reload_says_who_is_asked_now_and_who_waits(entries: list[Entry], text: str) -> None:
    assert reload_summary(entries, NOON, SETTINGS) == text


def having(summary: Health, quota: Health, trend: Health = FINE.health) -> Entry:
    entry = make_entry(health=trend).with_table("daily_summary", Table(health=summary))
    return entry.with_table(QUOTA, Table(health=quota))


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([having(FINE.health, FINE.health)], ""),
        ([having(Health(), FINE.health), FINE], "3 datasets are asked now"),
        ([having(SOON.health, FINE.health)], "1 dataset waits until 2026-11-24 12:05 (Beijing)"),
        (
            [having(FREED.health, LATE.health)],
            "1 dataset is asked now, 1 waits until 2026-11-24 14:00 (Beijing)",
        ),
        ([NEW, having(FREED.health, FINE.health)], "1 app is asked now; 1 dataset is asked now"),
        (
            [having(SOON.health, Health(), trend=REFUSED)],
            "1 app waits until 2026-11-24 13:00 (Beijing)",
        ),
    ],
    ids=["all is well", "switched on", "paused", "freed and paused", "an app and a dataset", "a refused app"],
)
def test_a_reload_says_which_datasets_are_asked_now_and_which_wait(entries: list[Entry], text: str) -> None:
    assert reload_summary(entries, NOON, WITH_DATASETS) == text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"a": ["quota"]}, {"a": ["quota"]}, ""),
        ({"a": []}, {"a": ["quota"]}, "quota is on for 1 app"),
        ({"a": ["quota"], "b": ["quota"]}, {"a": [], "b": []}, "quota is off for 2 apps"),
        (
            {"a": ["quota"], "b": []},
            {"a": ["weekly_trend"], "b": ["weekly_trend"]},
            "weekly_trend is on for 2 apps, quota is off for 1 app",
        ),
        ({"a": ["quota"]}, {"b": ["weekly_trend"]}, ""),
    ],
    ids=["none", "on", "off", "both", "apps that come and go"],
)
def test_a_reload_says_which_datasets_it_switches_on_and_off(
    before: dict[str, list[str]], after: dict[str, list[str]], text: str
) -> None:
    assert switched(before, after) == text

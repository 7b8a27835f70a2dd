"""Entries of many apps, as an exporter holds them after a round."""

import time
from collections.abc import Iterator

from exporter.beijing import window, yesterday
from exporter.config.apps import App
from exporter.config.secret import Secret
from exporter.config.token_types import StableToken
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Row
from exporter.datasets.enabled import EnabledDataset
from exporter.datasets.period import DAY
from exporter.simulator.daily_figures import row
from exporter.simulator.dataset_bodies import body
from exporter.simulator.fleet import SimApp, fleet
from exporter.store.entry import Entry, Health, HeldRow


def entries(apps: int, history_days: int) -> dict[str, Entry]:
    """Return `apps` entries with rows of the last `history_days` dates."""
    now = time.time()
    health = Health(last_refresh=now, last_success=now)
    made = {}
    for sim in fleet(apps, 1):
        app = App(sim.appid, sim.name, sim.labels, StableToken(Secret(value=sim.secret)))
        rows = (parsed(sim.appid, sim.size, back, history_days, now) for back in range(history_days))
        held = tuple(HeldRow(each, now) for each in rows)
        made[app.appid] = Entry(app, "stable_token", held, health, now + 7200)
    return made


def dataset_rows(app: SimApp, enabled: EnabledDataset, now: float) -> Iterator[Row]:
    """Yield the rows of a dataset that the stand-in WeChat gives, oldest first."""
    dataset = enabled.dataset
    newest = dataset.calendar.newest(yesterday(now))
    for back in sorted(dataset.selection.backs(enabled.settings), reverse=True):
        period = dataset.calendar.earlier(newest, back)
        found = dataset.read(body(app, dataset, period, lambda each: each.end <= now), period)
        if found is None:
            raise SystemExit("the stand-in gave no row: nothing was measured")
        yield dataset.selection.known(found, now)


def parsed(appid: str, size: int, back: int, history_days: int, now: float) -> Row:
    """Return the row that the stand-in WeChat gives for `back` days before yesterday."""
    day = window(yesterday(now), history_days)[back]
    found = DAILY_TREND.read({"list": [row(appid, day, size)]}, DAY.starting(day))
    if found is None:
        raise SystemExit("the stand-in gave no row: nothing was measured")
    return found

"""The real command with all datasets on: every value is the stand-in WeChat's, before and after a restart."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exporter.beijing import yesterday
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.dataset import Row
from exporter.datasets.metrics import DATED_LABEL, dated_metrics, newest_metrics
from exporter.datasets.quota import QUOTA
from exporter.datasets.visit_pages import OTHER
from exporter.simulator.dataset_bodies import body
from exporter.simulator.fleet import ALL_DATASETS, config_yaml, fleet
from exporter.simulator.server import Conditions, Simulator
from tests.running import Running, Sample, serving

HISTORY = {"weekly_trend": 5, "monthly_trend": 3, "daily_summary": 9}
TABLES = [name for name in ALL_DATASETS if name != QUOTA]


@pytest.fixture
def wechat() -> Iterator[Simulator]:
    with Simulator(fleet(2, seed=1), Conditions(always_published=True)) as simulator:
        yield simulator


@pytest.fixture
def config(tmp_path: Path, wechat: Simulator) -> Path:
    path = tmp_path / "config.yaml"
    settings = config_yaml(wechat.apps, wechat.base_url, interval="1h", datasets=ALL_DATASETS)
    path.write_text(settings.replace("memory://", "sqlite:///exporter.db"), "utf-8")
    return path


def given(wechat: Simulator, place: int, name: str, back: int) -> Row:
    """Return what the stand-in gives an app for that many periods before the newest."""
    dataset, newest = BY_NAME[name], yesterday(wechat.clock.now())
    period = dataset.calendar.earlier(dataset.calendar.newest(newest), back)
    row = dataset.read(body(wechat.apps[place], dataset, period, lambda each: each.last <= newest), period)
    assert row is not None
    return row


def samples(
    wechat: Simulator, place: int, name: str, row: Row, *, dated: bool
) -> Iterator[tuple[Sample, float]]:
    """Yield the samples of a row in the families of the newest figures, or in those of each period."""
    dataset, app = BY_NAME[name], wechat.apps[place]
    for metric in dated_metrics(dataset) if dated else newest_metrics(dataset):
        for point in row.points:
            own = dict(zip(dataset.labels, point.labels, strict=True)) | {DATED_LABEL: f"{row.ref_date}"}
            named = {key: own[key] for key in metric.labels if own[key]}
            labels = {"appid": app.appid, "name": app.name, **named}
            value = point.values[metric.field] if metric.field is not None else None
            if metric.moment is not None:
                value = dataset.moments[metric.moment].of(row.period)
            if value is not None:
                yield (f"wechat_miniprogram_{metric.name}", tuple(sorted(labels.items()))), value


def newest(wechat: Simulator, place: int, name: str) -> Iterator[Row]:
    """Yield the rows of which the newest figures are, with the points that are shown."""
    if name == "daily_retention":
        for day in (1, 7, 30):
            row = given(wechat, place, name, day)
            yield Row(row.period, tuple(point for point in row.points if point.labels == (f"{day}",)))
    else:
        row = given(wechat, place, name, 0)
        yield Row(row.period, row.points[:10] if name == "visit_pages" else row.points)


def expected(wechat: Simulator) -> dict[Sample, float]:
    """Return all samples of all datasets but the quota."""
    found: dict[Sample, float] = {}
    for place in range(len(wechat.apps)):
        for name in TABLES:
            for row in newest(wechat, place, name):
                found |= samples(wechat, place, name, row, dated=False)
            for back in range(HISTORY.get(name, 0)):
                found |= samples(wechat, place, name, given(wechat, place, name, back), dated=True)
    return found


def of_datasets(exporter: Running) -> dict[Sample, float]:
    """Return the samples of the datasets' families on the page, without the pages that are added up."""
    names = {
        f"wechat_miniprogram_{metric.name}"
        for name in TABLES
        for metric in (*newest_metrics(BY_NAME[name]), *dated_metrics(BY_NAME[name]))
    }
    return {
        sample: value
        for sample, value in exporter.samples().items()
        if sample[0] in names and ("page_path", OTHER) not in sample[1]
    }


def test_every_value_is_wechats_and_a_restart_asks_for_none_again(
    config: Path, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    wanted = expected(wechat)
    with serving(config, free_port()) as exporter:
        exporter.wait_until(lambda: of_datasets(exporter) == wanted, seconds=30)
        exporter.wait_until(lambda: "wechat_miniprogram_api_quota_remain{" in exporter.metrics())
        page = exporter.samples()
        up = [labels for (name, labels), _ in page.items() if name == "wechat_miniprogram_dataset_up"]
        assert len(up) == len(wechat.apps) * (1 + len(ALL_DATASETS))
        sources = [name for name, _ in page if name == "wechat_miniprogram_access_source_info"]
        assert len(sources) == 57
        assert exporter.stop() == 0
    before = {name: wechat.calls(name) for name in TABLES}
    with serving(config, free_port()) as exporter:
        assert of_datasets(exporter) == wanted
        exporter.wait_until(lambda: "round finished" in exporter.output())
    assert {name: wechat.calls(name) for name in TABLES} == before

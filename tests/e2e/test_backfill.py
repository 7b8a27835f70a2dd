"""Past dates from the stand-in WeChat into real Prometheus and VictoriaMetrics, every value compared.

WECHAT_EXPORTER_BACKFILL=full makes it 30 apps and 365 dates instead of 5 and 30.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import requests
import yaml
from prometheus_client.openmetrics.parser import text_fd_to_metric_families

from exporter.backfill.journal import Journal
from exporter.backfill.periods import Span
from exporter.beijing import DAY_SECONDS, midnight, wire_date, yesterday
from exporter.cli import main
from exporter.datasets.daily_trend import FIELDS
from exporter.exposition.app_families import BY_DATE, DAILY
from exporter.simulator.daily_figures import row
from exporter.simulator.fleet import config_yaml, fleet
from exporter.simulator.server import Conditions, Simulator
from exporter.wechat.endpoints import server_name
from prometheus.expressions import newest, per_date
from tests.running import COMMAND

APPS, DATES = (30, 365) if os.environ.get("WECHAT_EXPORTER_BACKFILL") == "full" else (5, 30)
NAMES = ('he said "hi"', "back\\slash \\n", "two\nlines", "奶茶小铺 🧋", "{braces},=")
REPLAY_APPS, REPLAY_DATES, REPLAY_SECONDS = 2, 3, 300
Values = dict[tuple[str, date], float]


@pytest.fixture(scope="module")
def wechat() -> Iterator[Simulator]:
    apps = [
        replace(app, name=name) if name else app
        for app, name in zip(fleet(APPS, seed=1), (*NAMES, *[""] * (APPS - len(NAMES))), strict=True)
    ]
    with Simulator(apps, Conditions(always_published=True)) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def config(wechat: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_config(wechat, tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="module")
def span(wechat: Simulator) -> Span:
    last = yesterday(wechat.clock.now())
    return Span(last - timedelta(days=DATES - 1), last)


@pytest.fixture(scope="module")
def history(config: Path, wechat: Simulator, span: Span) -> Path:
    """Return the OpenMetrics file, fetched once for all tests."""
    output = config.with_name("history.om")
    target = ("--label=job=wechat", "--label=instance=exporter:10950")
    assert (
        main(["backfill", f"--config.file={config}", f"--from={DATES}d", f"--output={output}", *target]) == 0
    )
    assert wechat.calls(endpoint="daily_visit_trend") == APPS * DATES
    assert wechat.calls(endpoint="stable_token") == APPS
    return output


def write_config(wechat: Simulator, folder: Path) -> Path:
    settings = yaml.safe_load(config_yaml(wechat.apps, wechat.base_url))
    settings["refresh"]["requests_per_second"] = 0
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    return path


def figures(wechat: Simulator, field: str, span: Span) -> Values:
    """Return what WeChat answers for every app and date."""
    return {
        (app.appid, day): row(app.appid, day, app.size)[field]  # type: ignore[misc]
        for app in wechat.apps
        if field not in app.left_out
        for day in span.newest_first()
    }


def drawn(base_url: str, metric: str, span: Span, shift: int) -> Values:
    """Return the bars that a dashboard draws whose days begin `shift` seconds after Beijing's."""
    answer = requests.get(
        f"{base_url}/api/v1/query_range",
        params={
            "query": per_date(metric),
            "start": f"{midnight(span.first) + shift}",
            "end": f"{midnight(span.last) + shift}",
            "step": f"{DAY_SECONDS}",
            "nocache": "1",
        },
        timeout=60,
    ).json()
    return {
        (series["metric"]["appid"], day_of(at)): float(value)
        for series in answer["data"]["result"]
        for at, value in series["values"]
    }


def names(base_url: str) -> set[str]:
    answer = requests.get(f"{base_url}/api/v1/label/name/values", params={"start": "0"}, timeout=60)
    return set(answer.json()["data"])


def day_of(at: float) -> date:
    return yesterday(at) + timedelta(days=1)


@contextmanager
def server(command: list[str], base_url: str, ready: str) -> Iterator[str]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 30
    try:
        while True:
            try:
                if requests.get(base_url + ready, timeout=5).ok:
                    break
            except requests.ConnectionError:
                pass
            assert time.monotonic() < end, f"{command[0]} is not ready in time"
            time.sleep(0.1)
        yield base_url
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def prometheus_with(history: Path, folder: Path, program: Callable[[str], str], port: int) -> Iterator[str]:
    tsdb = folder / "tsdb"
    blocks = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=192h"]
    subprocess.run(
        [program("promtool"), *blocks, str(history), str(tsdb)], check=True, stdout=subprocess.DEVNULL
    )
    empty = folder / "prometheus.yml"
    empty.write_text("{}")
    command = [
        program("prometheus"),
        f"--config.file={empty}",
        f"--storage.tsdb.path={tsdb}",
        "--storage.tsdb.retention.time=400d",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with server(command, f"http://127.0.0.1:{port}", "/-/ready") as base_url:
        yield base_url


@pytest.fixture
def victoria(program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path) -> Iterator[str]:
    port = free_port()
    command = [
        program("victoria-metrics"),
        f"-storageDataPath={tmp_path / 'vm'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=2y",
    ]
    with server(command, f"http://127.0.0.1:{port}", "/health") as base_url:
        yield base_url


def instant(base_url: str, query: str, at: float) -> list[dict[str, dict[str, str]]]:
    answer = requests.get(
        f"{base_url}/api/v1/query", params={"query": query, "time": f"{at}", "nocache": "1"}, timeout=60
    )
    result: list[dict[str, dict[str, str]]] = answer.json()["data"]["result"]
    return result


def test_prometheus_draws_every_figure_on_its_date(
    history: Path,
    wechat: Simulator,
    span: Span,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    with prometheus_with(history, tmp_path, program, free_port()) as base_url:
        for field in FIELDS:
            expected = figures(wechat, field.name, span)
            assert len(expected) >= APPS * DATES // 2
            assert drawn(base_url, field.metric, span, shift=0) == expected
        assert names(base_url) == {app.name for app in wechat.apps}
        assert drawn(base_url, "visit_pv", span, shift=8 * 3600) == figures(wechat, "visit_pv", span)
        found = instant(
            base_url, "count by (job, instance) ({__name__=~'.+'})", midnight(span.first) + 32 * 3600
        )
        assert [series["metric"] for series in found] == [{"job": "wechat", "instance": "exporter:10950"}]


def test_victoriametrics_draws_every_figure_on_its_date(
    history: Path, config: Path, wechat: Simulator, span: Span, victoria: str
) -> None:
    before = wechat.calls(endpoint="daily_visit_trend")
    journal = f"--journal={history}.journal"
    words = ["backfill", f"--config.file={config}", f"--from={DATES}d", f"--push={victoria}", journal]
    assert main(words) == 0
    assert main(words) == 0  # all is taken: nothing is sent again
    assert wechat.calls(endpoint="daily_visit_trend") == before
    requests.get(f"{victoria}/internal/force_flush", timeout=10)
    for field in FIELDS:
        assert drawn(victoria, field.metric, span, shift=0) == figures(wechat, field.name, span)
    assert names(victoria) == {app.name for app in wechat.apps}
    counted = instant(
        victoria, "max(count_over_time(wechat_miniprogram_by_date_visit_pv[400d]))", time.time()
    )
    assert counted[0]["value"][1] == "1"  # type: ignore[index]


def test_openmetrics_is_strictly_right(history: Path, wechat: Simulator, span: Span) -> None:
    with history.open(encoding="utf-8", newline="\n") as file:
        families = list(text_fd_to_metric_families(file))
    assert [family.name for family in families] == [family.metric for family in BY_DATE]
    called = {app.appid: app.name for app in wechat.apps}
    found, stamps = {}, {}
    for sample in families[1].samples:
        labels = sample.labels
        day = date.fromisoformat(labels["ref_date"])
        found[labels["appid"], day] = sample.value
        assert labels["name"] == called[labels["appid"]]
        stamps[day] = float(sample.timestamp)
    assert found == figures(wechat, "visit_pv", span)
    assert stamps.pop(span.last) <= time.time()  # before 08:00 it is stamped with the time of writing
    assert stamps == {day: midnight(day) + 32 * 3600 for day in stamps}


def test_the_latest_family_replays_as_if_the_exporter_had_run(
    history: Path,
    config: Path,
    wechat: Simulator,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    output = tmp_path / "replayed.om"
    chosen = wechat.apps[:REPLAY_APPS]
    last = yesterday(wechat.clock.now()) - timedelta(days=2)  # its day on show is over
    first = last - timedelta(days=REPLAY_DATES - 1)
    span = Span(first, last)
    assert (
        main(
            [
                "backfill",
                f"--config.file={config}",
                f"--from={first}",
                f"--to={last}",
                *(f"--app={app.appid}" for app in chosen),
                f"--output={output}",
                f"--journal={history}.journal",
                f"--resolution={REPLAY_SECONDS}s",
                "--label=job=wechat",
                "--label=instance=exporter:10950",
            ]
        )
        == 0
    )
    with output.open(encoding="utf-8", newline="\n") as file:
        names = [family.name for family in text_fd_to_metric_families(file)]
    assert names == [family.metric for family in (*DAILY, *BY_DATE)]
    with prometheus_with(output, tmp_path, program, free_port()) as base_url:
        for day in span.newest_first():
            for hour in (8, 20, 31.999):
                found = instant(base_url, newest("visit_pv"), midnight(day) + DAY_SECONDS + hour * 3600)
                assert {
                    (series["metric"]["appid"], float(series["value"][1]))  # type: ignore[index]
                    for series in found
                } == {(app.appid, row(app.appid, day, app.size)["visit_pv"]) for app in chosen}
        ends = midnight(last) + 2 * DAY_SECONDS + 8 * 3600 + REPLAY_SECONDS
        counted = instant(base_url, "count_over_time(wechat_miniprogram_daily_visit_pv[30d])", ends)
        assert {series["value"][1] for series in counted} == {  # type: ignore[index]
            f"{REPLAY_DATES * DAY_SECONDS // REPLAY_SECONDS}"
        }


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_after_kill_9_or_ctrl_c_the_same_command_asks_only_for_what_is_not_kept(
    number: signal.Signals, tmp_path: Path
) -> None:
    with Simulator(fleet(4, seed=2), Conditions(always_published=True, latency_seconds=0.1)) as wechat:
        config = write_config(wechat, tmp_path)
        output = tmp_path / "history.om"
        words = ["backfill", f"--config.file={config}", "--from=40d", f"--output={output}"]
        process = subprocess.Popen([*COMMAND, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while wechat.calls(endpoint="daily_visit_trend") < 60:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(number)
        assert process.wait(10) == (1 if number is signal.SIGINT else -signal.SIGKILL)
        assert not output.exists()
        asked_before = wechat.calls(endpoint="daily_visit_trend")
        last = yesterday(wechat.clock.now())
        span = Span(last - timedelta(days=39), last)
        with Journal(tmp_path / "history.om.journal", server_name(wechat.base_url)) as journal:
            lacking = sorted(
                (app.appid, wire_date(day))
                for app in wechat.apps
                for day in journal.unknown(app.appid, span, wechat.clock.now())
            )
        kept = 4 * 40 - len(lacking)
        assert 60 - 16 <= kept <= asked_before <= kept + 16  # but for the 16 calls under way
        wechat.log.clear()
        assert main(words) == 0
        asked = [
            (call.appid, call.date) for call in wechat.log.recent() if call.endpoint == "daily_visit_trend"
        ]
        assert sorted(asked) == lacking
        assert output.read_text("utf-8").count("by_date_visit_pv{") == 4 * 40


@pytest.mark.parametrize(
    ("dataset", "days", "metric"),
    [
        ("weekly_trend", 70, "by_week_visit_uv"),
        ("monthly_trend", 70, "by_month_visit_uv"),
        ("daily_summary", 20, "by_date_visit_total_users"),
        ("daily_retention", 20, "daily_retain_visit_uv_new"),
        ("visit_distribution", 20, "daily_access_source_session_cnt"),
        ("visit_pages", 20, "daily_page_visit_pv"),
    ],
)
def test_every_sample_of_another_dataset_gets_into_prometheus_blocks(
    dataset: str, days: int, metric: str, config: Path, tmp_path: Path, program: Callable[[str], str]
) -> None:
    output, blocks = tmp_path / "history.om", tmp_path / "blocks"
    flags = (f"--config.file={config}", f"--dataset={dataset}", f"--from={days}d", f"--output={output}")
    assert main(["backfill", *flags]) == 0
    (blocks / "wal").mkdir(parents=True)  # dump wants one
    command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=192h"]
    subprocess.run([*command, str(output), str(blocks)], check=True, capture_output=True)
    name = f"wechat_miniprogram_{metric}"
    dump = [program("promtool"), "tsdb", "dump", f'--match={{__name__="{name}"}}', str(blocks)]
    stored = subprocess.run(dump, check=True, capture_output=True, text=True).stdout.splitlines()
    written = [line for line in output.read_text("utf-8").split("\n") if line.startswith(f"{name}{{")]
    assert len(stored) == len(written) >= APPS
    values = sorted(float(line.rsplit(" ", 2)[1]) for line in written)
    assert sorted(float(line.rsplit(" ", 2)[1]) for line in stored) == values

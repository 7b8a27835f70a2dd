import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporter.beijing import yesterday
from exporter.cli import main
from exporter.commands import backfill as command
from exporter.datasets.dataset import Point, Row
from exporter.datasets.period import WEEK
from exporter.datasets.weekly_trend import WEEKLY_TREND
from exporter.simulator.daily_figures import row
from exporter.simulator.faults import Fault
from exporter.simulator.fleet import DEMO_PLATFORM, config_yaml, fake_appid, fleet
from exporter.simulator.server import Conditions, Simulator
from exporter.store.entry import HeldRow
from exporter.store.sqlite import SqliteStore
from exporter.wechat.endpoints import server_name
from tests.building import make_row
from tests.running import COMMAND

Backfill = Callable[..., int]
FIRST, SECOND = fake_appid(1), fake_appid(2)
DAYS = 10


@pytest.fixture
def wechat() -> Iterator[Simulator]:
    with Simulator(fleet(3, seed=1), Conditions(always_published=True)) as simulator:
        yield simulator


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "history.om"


@pytest.fixture
def backfill(wechat: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backfill:
    settings = yaml.safe_load(config_yaml(wechat.apps, wechat.base_url))
    settings["refresh"]["requests_per_second"] = 0
    settings["storage"]["url"] = f"sqlite:///{tmp_path / 'exporter.db'}"
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    monkeypatch.chdir(tmp_path)
    return lambda *flags: main(
        ["backfill", f"--config.file={path}", *(flags or ("--from=10d", "--output=history.om"))]
    )


def asked(wechat: Simulator) -> int:
    return wechat.calls(endpoint="daily_visit_trend")


def values(output: Path) -> list[str]:
    """Return the lines without their time stamps: the newest date's may move on till 11:00."""
    return [line.rpartition(" ")[0] for line in output.read_text("utf-8").splitlines()]


def test_all_dates_of_all_apps_are_written(
    backfill: Backfill, wechat: Simulator, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backfill() == 0
    assert output.read_text("utf-8").count("by_date_visit_pv{") == asked(wechat) == 3 * DAYS
    printed = capsys.readouterr()
    assert printed.out.splitlines()[1].split() == ["app-00001", FIRST, "10", "0", "0"]
    assert "event=written output=history.om format=openmetrics" in printed.err


def test_the_same_command_again_asks_nothing(backfill: Backfill, wechat: Simulator, output: Path) -> None:
    assert backfill() == 0
    first = values(output)
    output.unlink()
    assert backfill() == 0
    assert asked(wechat) == 3 * DAYS
    assert values(output) == first


def test_a_wider_span_asks_only_for_what_is_new(backfill: Backfill, wechat: Simulator) -> None:
    assert backfill() == 0
    assert backfill("--from=12d", "--output=history.om") == 0
    assert asked(wechat) == 3 * (DAYS + 2)


def test_a_spent_quota_ends_clean_and_the_same_command_goes_on(
    backfill: Backfill, wechat: Simulator, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wechat.faults.switch(FIRST, Fault.QUOTA_DAILY)
    assert backfill() == 3
    printed = capsys.readouterr().out
    assert "10 dates are missing. The same command goes on here" in printed
    assert "1 app has spent its quota: go on after 20" in printed
    assert "quota_daily: errcode 45009" in printed
    assert output.read_text("utf-8").count("by_date_visit_pv{") == 2 * DAYS
    wechat.faults.switch(FIRST, Fault.NONE)
    wechat.log.clear()
    assert backfill() == 0
    assert wechat.calls(endpoint="daily_visit_trend", appid=FIRST) == asked(wechat) == DAYS
    assert output.read_text("utf-8").count("by_date_visit_pv{") == 3 * DAYS


@pytest.mark.parametrize(
    ("dataset", "periods", "series"),
    [
        ("weekly_trend", None, "by_week_visit_uv"),
        ("monthly_trend", None, "by_month_visit_uv"),
        ("daily_summary", 9, "by_date_visit_total_users"),
        ("daily_retention", 9, "daily_retain_visit_uv_new"),
        ("visit_distribution", 9, "daily_access_source_session_cnt"),
        ("visit_pages", 9, "daily_page_visit_pv"),
    ],
)
def test_every_dataset_is_fetched_once_and_written(
    dataset: str,
    periods: int | None,
    series: str,
    backfill: Backfill,
    wechat: Simulator,
    output: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = (f"--dataset={dataset}", f"--from={periods or 70}d", "--output=history.om")
    assert backfill(*flags) == 0
    calls = wechat.calls(endpoint=dataset)
    assert calls == 3 * periods if periods else 3 <= calls <= 3 * 10
    page = output.read_text("utf-8")
    assert page.count(f"\nwechat_miniprogram_{series}{{") >= calls
    families = {family.name: family for family in text_string_to_metric_families(page)}
    assert len(families[f"wechat_miniprogram_{series}"].samples) >= calls
    assert asked(wechat) == 0
    assert backfill(*flags) == 0
    assert wechat.calls(endpoint=dataset) == calls
    assert capsys.readouterr().out.count(f"app-00001  {FIRST}") == 2


def test_weeks_are_counted_as_weeks(
    backfill: Backfill, wechat: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backfill("--dataset=weekly_trend", "--from=70d", "--output=history.om", "--dry-run") == 0
    assert re.match(r"(27|30) calls for 3 apps and (9|10) weeks, 20", capsys.readouterr().out)
    wechat.faults.switch(FIRST, Fault.QUOTA_DAILY)
    assert backfill("--dataset=weekly_trend", "--from=70d", "--output=history.om") == 3
    assert re.search(r"\b(9|10) weeks are missing", capsys.readouterr().out)


def test_a_dataset_in_csv_has_its_own_columns(backfill: Backfill, tmp_path: Path) -> None:
    assert backfill("--dataset=daily_retention", "--from=40d", "--output=retention.csv") == 0
    lines = (tmp_path / "retention.csv").read_text("utf-8").splitlines()
    assert lines[0] == ("appid,name,ref_date,day,visit_uv_new,visit_uv,cohort_visit_uv_new,cohort_visit_uv")
    assert {line.split(",")[3] for line in lines[1:]} == {*"01234567", "14", "30"}


def test_rows_of_a_dataset_that_the_storage_holds_are_taken_over(
    backfill: Backfill, wechat: Simulator, tmp_path: Path
) -> None:
    newest = WEEK.newest(yesterday(wechat.clock.now()))
    held = HeldRow(Row(newest, (Point((), (1, 2, 3, 4, 5, 6, 7)),)), wechat.clock.now())
    store = SqliteStore(tmp_path / "exporter.db")
    store.save(server_name(wechat.base_url), [(FIRST, held)], 30, WEEKLY_TREND)
    store.close()
    flags = ("--dataset=weekly_trend", f"--from={newest.first}", f"--to={newest.last}", "--output=history.om")
    assert backfill(*flags, "--missing") == 0
    assert wechat.calls(endpoint="weekly_trend", appid=FIRST) == 0
    assert wechat.calls(endpoint="weekly_trend") == 2


def test_an_unknown_dataset_is_bad_usage(backfill: Backfill, capsys: pytest.CaptureFixture[str]) -> None:
    assert backfill("--dataset=hourly_trend", "--from=7d", "--output=history.om") == 2
    assert "--dataset hourly_trend: none of daily_trend, weekly_trend" in capsys.readouterr().err


def test_dates_without_rows_are_not_asked_for_twice(
    backfill: Backfill, wechat: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    wechat.faults.switch(FIRST, Fault.EMPTY)
    assert backfill() == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["app-00001", FIRST, "0", "10", "0"]
    assert backfill() == 0
    assert asked(wechat) == 3 * DAYS


def test_a_date_that_is_not_ready_is_asked_for_again(backfill: Backfill, wechat: Simulator) -> None:
    wechat.faults.switch(FIRST, Fault.NOT_READY)
    assert backfill() == 3
    assert backfill() == 3
    assert asked(wechat) == 3 * DAYS + 1


def test_where_nothing_comes_nothing_is_written(
    backfill: Backfill, wechat: Simulator, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wechat.faults.switch(FIRST, Fault.IP)
    assert backfill("--from=10d", "--output=history.om", f"--app={FIRST}") == 1
    assert not output.exists()
    printed = capsys.readouterr()
    assert "IP allow-list" in printed.out
    assert "there are no rows" in printed.err


def test_apps_are_chosen_by_name_or_appid(backfill: Backfill, wechat: Simulator) -> None:
    assert backfill("--from=2d", "--output=history.om", "--app=app-00002", f"--app={fake_appid(3)}") == 0
    assert wechat.calls(endpoint="daily_visit_trend", appid=FIRST) == 0
    assert asked(wechat) == 4


def test_a_dry_run_only_counts(
    backfill: Backfill, wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backfill("--from=10d", "--output=history.om", "--dry-run") == 0
    assert capsys.readouterr().out.startswith("30 calls for 3 apps and 10 dates, 20")
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]
    assert asked(wechat) == 0
    backfill("--from=4d", "--output=history.om")
    capsys.readouterr()
    assert backfill("--from=10d", "--output=history.om", "--dry-run") == 0
    assert capsys.readouterr().out.startswith("18 calls for 3 apps")


def test_a_dry_run_prints_the_least_time_that_the_pace_allows(
    wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(config_yaml(wechat.apps, wechat.base_url), "utf-8")
    words = ["--from=1000d", f"--output={tmp_path / 'out'}", "--dry-run"]
    assert main(["backfill", f"--config.file={path}", *words]) == 0
    assert capsys.readouterr().out.endswith(", at least 1m at 50 per second\n")


def test_missing_takes_the_storage_s_rows_and_asks_for_the_others(
    backfill: Backfill,
    wechat: Simulator,
    tmp_path: Path,
    output: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    newest = yesterday(wechat.clock.now())
    store = SqliteStore(tmp_path / "exporter.db")
    held = [newest - timedelta(days=back) for back in (0, 3)]
    server = server_name(wechat.base_url)
    store.save(server, [(FIRST, HeldRow(make_row(day), wechat.clock.now())) for day in held], keep_days=30)
    store.close()
    words = ("--from=10d", "--output=history.om", "--missing")
    assert backfill(*words, "--dry-run") == 0
    assert capsys.readouterr().out.startswith("28 calls")
    assert backfill(*words) == 0
    assert asked(wechat) == 28
    page = output.read_text("utf-8")
    assert page.count("by_date_visit_pv{") == 30
    assert f'appid="{FIRST}",name="app-00001",ref_date="{newest}"}} 40 ' in page


@pytest.mark.parametrize(
    ("written_as", "first", "lines"),
    [
        ("openmetrics", "# HELP wechat_miniprogram_by_date_session_cnt ", None),
        ("prometheus", "wechat_miniprogram_by_date_session_cnt{", 8 * DAYS),
        ("csv", "appid,name,ref_date,session_cnt,", 1 + DAYS),
        ("jsonl", '{"appid": "', DAYS),
    ],
)
def test_each_format_has_its_beginning_and_its_number_of_lines(
    written_as: str, first: str, lines: int | None, backfill: Backfill, output: Path
) -> None:
    words = ("--from=10d", "--output=history.om", f"--format={written_as}", "--app=app-00001")
    assert backfill(*words) == 0
    text = output.read_text("utf-8")
    assert text.startswith(first)
    assert lines is None or text.count("\n") == lines


@pytest.mark.parametrize(
    ("name", "first"),
    [("x.csv", "appid,name,"), ("x.jsonl", '{"appid"'), ("x.om", "# HELP"), ("x", "# HELP")],
)
def test_the_output_s_name_decides_the_format(
    name: str, first: str, backfill: Backfill, tmp_path: Path
) -> None:
    assert backfill("--from=1d", f"--output={name}", "--app=app-00001") == 0
    assert (tmp_path / name).read_text("utf-8").startswith(first)


def test_an_output_that_cannot_be_written_leaves_nothing_and_asks_nothing(
    backfill: Backfill, wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    for path in ("nowhere/history.om", "folder"):
        assert backfill("--from=1d", f"--output={path}") == 1
        assert f"cannot write {path}: " in capsys.readouterr().err
    assert {path.name for path in tmp_path.rglob("*")} == {"config.yaml", "folder"}
    assert asked(wechat) == 0


def test_a_single_thing_is_written_in_the_singular(
    backfill: Backfill, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backfill("--from=1d", "--output=x", "--app=app-00001", "--dry-run") == 0
    assert capsys.readouterr().out.startswith("1 call for 1 app and 1 date, ")


def test_a_dry_run_with_missing_makes_no_storage(backfill: Backfill, tmp_path: Path) -> None:
    assert backfill("--from=1d", "--output=x", "--missing", "--dry-run") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_the_output_has_wechat_s_figures(backfill: Backfill, wechat: Simulator, output: Path) -> None:
    assert backfill("--from=10d", "--output=history.om", "--format=jsonl") == 0
    found = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    newest = yesterday(wechat.clock.now())
    expected = [
        {"appid": app.appid, "name": app.name, **figures, "ref_date": f"{day}"}
        for app in wechat.apps
        for day in (newest - timedelta(days=back) for back in reversed(range(DAYS)))
        for figures in [row(app.appid, day, app.size)]
    ]
    assert found == [
        {key: value for key, value in each.items() if key not in app_left_out(wechat, each["appid"])}
        for each in expected
    ]


def app_left_out(wechat: Simulator, appid: object) -> frozenset[str]:
    return next(app.left_out for app in wechat.apps if app.appid == appid)


def test_a_target_that_refuses_fails_and_keeps_the_rows(
    backfill: Backfill, wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backfill("--from=2d", f"--push={wechat.base_url}/_sim/nowhere") == 1
    assert "/_sim/nowhere: HTTP status 404" in capsys.readouterr().err
    assert (tmp_path / "backfill.journal").exists()
    assert asked(wechat) == 6
    assert backfill("--from=2d", "--output=history.om", "--journal=backfill.journal") == 0
    assert asked(wechat) == 6


@pytest.mark.parametrize(
    ("flags", "printed"),
    [
        (("--from=2d",), "say where the samples go"),
        (("--from=2d", "--output=x", "--app=nobody"), "--app nobody: no app"),
        (("--from=2d", "--output=x", "--label=job"), "--label job: not NAME=VALUE"),
        (("--from=2d", "--output=x", "--label=appid=wx1"), "taken"),
        (("--from=2d", "--output=x", "--label=__name__=x"), "--label __name__"),
        (("--from=2d", "--output=x", "--resolution=5"), "--resolution 5: not whole seconds"),
        (("--from=2d", "--output=x", "--resolution=1500ms"), "--resolution 1500ms"),
        (("--from=2d", "--output=x", "--resolution=2d"), "--resolution 2d"),
        (("--from=2d", "--push=vm:8428"), "--push: not an http"),
        (("--from=soon", "--output=x"), "--from soon: not a date"),
    ],
)
def test_bad_flags_are_bad_usage(
    flags: tuple[str, ...],
    printed: str,
    backfill: Backfill,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert backfill(*flags) == 2
    assert printed in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_a_bad_configuration_is_exit_code_2(tmp_path: Path) -> None:
    words = ["--from=2d", f"--output={tmp_path / 'x'}"]
    assert main(["backfill", f"--config.file={tmp_path / 'none.yaml'}", *words]) == 2


def test_the_first_date_is_required(backfill: Backfill) -> None:
    with pytest.raises(SystemExit) as ended:
        backfill("--output=x")
    assert ended.value.code == 2


@pytest.mark.real
def test_a_console_without_the_letters_shows_their_numbers(
    backfill: Backfill, wechat: Simulator, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text("utf-8").replace("name: app-00002", "name: 奶茶"), "utf-8")
    wechat.faults.switch(FIRST, Fault.IP)
    words = [*COMMAND, "backfill", f"--config.file={path}", "--from=1d", "--output=x", "--log.format=json"]
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    printed = subprocess.run(words, env=environ, capture_output=True, check=False, cwd=tmp_path)
    assert printed.returncode == 3
    assert b"\\u5976\\u8336" in printed.stdout
    assert all(json.loads(line) for line in printed.stderr.splitlines())


PLATFORM = """
  - name: main
    component_appid: wxfa4ec00000000001
    component_appsecret: not-a-real-component-secret
    verify_ticket: {{http: {{url: "{url}/_sim/platforms/main/ticket"}}}}
    discover: {discover}
"""


@pytest.fixture
def platform_wechat() -> Iterator[Simulator]:
    conditions = Conditions(always_published=True)
    with Simulator(fleet(3, seed=1), conditions, platforms=[DEMO_PLATFORM]) as simulator:
        yield simulator


@pytest.fixture
def platform_backfill(
    platform_wechat: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Backfill:
    def run(apps: str, discover: str, *flags: str) -> int:
        url = platform_wechat.base_url
        lines = f"wechat: {{base_url: '{url}'}}\nstorage: {{url: 'sqlite:///exporter.db'}}\napps: [{apps}]\n"
        path = tmp_path / "config.yaml"
        path.write_text(f"{lines}platforms:{PLATFORM.format(url=url, discover=discover)}", "utf-8")
        words = ("--from=2d", "--output=history.csv", *flags)
        return main(["backfill", f"--config.file={path}", *words])

    monkeypatch.chdir(tmp_path)
    return run


def test_an_app_of_a_platform_is_one_like_others_and_its_refresh_token_is_kept(
    platform_backfill: Backfill, tmp_path: Path
) -> None:
    app = f"{{appid: {FIRST}, token: {{type: third_party, platform: main}}}}"
    assert platform_backfill(app, "false") == 0
    assert (tmp_path / "history.csv").read_text("utf-8").count(f"\n{FIRST},") == 2
    store = SqliteStore(tmp_path / "exporter.db")
    assert store.credential(f"refresh_token/{DEMO_PLATFORM.component_appid}/{FIRST}")
    store.close()


def test_discovered_accounts_are_apps_and_chosen_by_name_too(
    platform_backfill: Backfill, platform_wechat: Simulator, tmp_path: Path
) -> None:
    assert platform_backfill("", "true") == 0
    page = (tmp_path / "history.csv").read_text("utf-8")
    assert [page.count(app.appid) for app in platform_wechat.apps] == [2, 2, 2]
    name = platform_wechat.apps[1].name
    assert platform_backfill("", "true", f"--app={name}", "--journal=other") == 0
    assert (tmp_path / "history.csv").read_text("utf-8").count(name) == 2
    assert platform_backfill("", "true", "--app=nobody") == 2


def test_a_dry_run_counts_the_accounts_that_were_listed_last_and_asks_nothing(
    platform_backfill: Backfill,
    platform_wechat: Simulator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert platform_backfill("", "true", "--dry-run") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "platform main: its accounts are not known yet, and not counted"
    assert printed[1].startswith("0 calls for 0 apps")
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]
    assert platform_wechat.calls() == 0
    assert platform_backfill("", "true", "--app=app-00001") == 0
    capsys.readouterr()
    assert platform_backfill("", "true", "--dry-run", "--journal=other") == 0
    assert capsys.readouterr().out.startswith("6 calls for 3 apps and 2 dates")


def test_accounts_that_cannot_be_listed_are_printed_with_what_to_do(
    platform_backfill: Backfill, platform_wechat: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    platform_wechat.platforms["main"].ip_allowed = False
    assert platform_backfill("", "true") == 1
    printed = capsys.readouterr().out
    assert "platform main, accounts not listed: ip_not_allowed: errcode 61004" in printed
    assert "platform's list" in printed


def test_labels_and_the_latest_family_are_added(backfill: Backfill, output: Path) -> None:
    words = ("--from=6d", "--to=4d", "--output=history.om", "--app=app-00001")
    assert backfill(*words, "--resolution=6h", "--label=job=wechat", "--label=instance=a=b") == 0
    page = output.read_text("utf-8")
    assert page.count("\nwechat_miniprogram_daily_visit_pv{") == 3 * 4
    assert page.count('job="wechat",instance="a=b"') == 3 * (4 + 1) * 8


def test_no_sample_is_so_young_that_prometheus_would_forget_others_at_a_restart(
    backfill: Backfill, wechat: Simulator, output: Path
) -> None:
    words = ("--from=2d", "--output=history.om", "--app=app-00001", "--resolution=1m")
    assert backfill(*words) == 0
    page = output.read_text("utf-8")
    newest = max(float(line.rpartition(" ")[2]) for line in page.splitlines() if not line.startswith("#"))
    assert newest <= wechat.clock.now() - 3 * 3600


def test_ctrl_c_keeps_what_came(
    backfill: Backfill, output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "fetch", interrupted)
    assert backfill() == 1
    assert "the same command continues" in capsys.readouterr().err
    assert not output.exists()


def test_on_a_terminal_there_is_a_bar(
    backfill: Backfill, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert backfill() == 0
    assert "30/30" in capsys.readouterr().err

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from exporter.backfill.report import counted
from exporter.beijing import yesterday
from exporter.cli import main
from exporter.datasets.catalogue import CATALOGUE
from exporter.shards import owner
from exporter.simulator.faults import Fault
from exporter.simulator.fleet import DEMO_PLATFORM, config_yaml, fake_appid, fleet
from exporter.simulator.server import Conditions, Simulator
from tests.running import COMMAND

Check = Callable[..., int]


@pytest.fixture
def wechat() -> Iterator[Simulator]:
    with Simulator(fleet(3, seed=1), Conditions(always_published=True)) as simulator:
        yield simulator


@pytest.fixture
def check(wechat: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    path = tmp_path / "config.yaml"
    path.write_text(config_yaml(wechat.apps, wechat.base_url), "utf-8")
    monkeypatch.setenv("LC_ALL", "C")
    return lambda *flags: main(["check", f"--config.file={path}", *flags])


def test_offline_it_asks_nothing(check: Check, wechat: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert check() == 0
    output = capsys.readouterr().out
    assert "config.yaml: OK\n3 apps: 264 series, " in output
    assert wechat.calls() == 0


def test_online_it_makes_one_real_call_per_app(
    check: Check, wechat: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check("--online") == 0
    output = capsys.readouterr().out
    assert output.count(": OK, ") == 3
    assert output.endswith("3 of 3 apps OK\n")
    assert wechat.calls(endpoint="daily_visit_trend") == 3


def test_a_refused_app_is_printed_with_the_reason_and_what_to_do(
    check: Check, wechat: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    wechat.faults.switch(fake_appid(2), Fault.IP)
    assert check("--online") == 1
    output = capsys.readouterr().out
    assert (
        f"app-00002 ({fake_appid(2)}): FAILED, ip_not_allowed: errcode 40164: invalid ip 127.0.0.1" in output
    )
    assert "IP allow-list" in output
    assert output.endswith("2 of 3 apps OK\n")


def test_the_advice_is_in_chinese_for_those_who_read_it(
    check: Check, wechat: Simulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    wechat.faults.switch(fake_appid(2), Fault.IP)
    check("--online")
    assert "IP 白名单" in capsys.readouterr().out
    check("--online", "--log.language=en")
    assert "IP allow-list" in capsys.readouterr().out


def test_before_wechat_publishes_yesterday_the_newest_row_is_printed(
    check: Check, wechat: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = yesterday(wechat.clock.now())
    wechat.faults.switch(fake_appid(1), Fault.NOT_READY)
    assert check("--online") == 0
    output = capsys.readouterr().out
    assert f"({fake_appid(1)}): OK, {newest - timedelta(days=1)}: session_cnt " in output
    assert f"({fake_appid(2)}): OK, {newest}: session_cnt " in output


def test_data_that_is_not_there_yet_is_no_failure(
    check: Check, wechat: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    wechat.faults.switch(fake_appid(1), Fault.EMPTY)
    assert check("--online") == 0
    assert "OK, but no row yet (empty)" in capsys.readouterr().out


def test_a_classic_token_is_warned_of_before_it_is_fetched(
    check: Check, wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("  secret:", "  token:\n    type: access_token\n    secret:"), "utf-8")
    assert check("--online") == 0
    assert "each fetch ends the token that other programs hold" in capsys.readouterr().err


def test_a_figure_that_wechat_left_out_is_not_printed(
    check: Check, wechat: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    check("--online")
    output = capsys.readouterr().out
    assert "visit_pv " in output
    assert "None" not in output


def test_a_name_with_a_line_break_stays_on_its_line(
    check: Check, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text("utf-8").replace("name: app-00002", 'name: "two\\nlines"'), "utf-8")
    assert check("--online") == 0
    assert f"'two\\nlines' ({fake_appid(2)}): OK" in capsys.readouterr().out


@pytest.mark.real
@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "gbk"])
def test_a_console_without_the_letters_shows_their_numbers(
    check: Check, wechat: Simulator, tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text("utf-8").replace("name: app-00002", "name: 奶茶🧋é"), "utf-8")
    wechat.faults.switch(fake_appid(1), Fault.IP)
    environ = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "zh_CN"}
    output = subprocess.run(
        [*COMMAND, "check", "--online", f"--config.file={path}"],
        env=environ,
        capture_output=True,
        check=False,
    )
    assert output.returncode == 1
    assert output.stdout.decode(encoding).endswith("2 of 3 apps OK\n")
    assert "\\U0001f9cb" in output.stdout.decode(encoding)
    assert b"Traceback" not in output.stderr


DATASETS = """
datasets:
  weekly_trend:
  monthly_trend:
  daily_summary:
  daily_retention:
  visit_distribution:
  visit_pages:
  quota:
"""


def with_datasets(tmp_path: Path, text: str = DATASETS) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def test_every_dataset_is_asked_for_once_and_a_line_per_app_is_enough(
    check: Check, wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_datasets(tmp_path)
    assert check("--online") == 0
    output = capsys.readouterr().out
    assert output.count("; 7 datasets OK\n") == 3
    assert len(output.splitlines()) == 6
    assert " of them for datasets\n" in output
    for dataset in CATALOGUE[1:]:
        assert wechat.calls(dataset.name) == 3


def test_a_dataset_that_fails_is_named_with_the_reason_and_what_to_do(
    check: Check, wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_datasets(tmp_path)
    wechat.faults.switch(fake_appid(2), Fault.PERMISSION, dataset="visit_pages")
    assert check("--online") == 1
    output = capsys.readouterr().out
    assert output.count("; 7 datasets OK\n") == 2
    assert output.count("; 6 datasets OK\n    visit_pages: FAILED, permission: errcode 48001") == 1
    assert "may not call getVisitPage" in output
    assert "permission set 18" in output
    assert output.endswith("\n1 app with failing datasets alone; 2 of 3 apps OK\n")


def test_a_dataset_without_a_row_is_no_failure(
    check: Check, wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_datasets(tmp_path)
    wechat.faults.switch(fake_appid(2), Fault.EMPTY, dataset="weekly_trend")
    assert check("--online") == 0
    assert "; 6 datasets OK; weekly_trend: no row yet (empty)\n" in capsys.readouterr().out


def test_where_the_account_itself_is_refused_no_dataset_is_asked_for(
    check: Check, wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_datasets(tmp_path)
    wechat.faults.switch(fake_appid(2), Fault.IP)
    assert check("--online") == 1
    output = capsys.readouterr().out
    assert output.count("ip_not_allowed") == 1
    assert output.count("IP allow-list") == 1


PLATFORM = """
platforms:
  - name: main
    component_appid: wxfa4ec00000000001
    component_appsecret: not-a-real-component-secret
    verify_ticket: {{http: {{url: "{url}/_sim/platforms/main/ticket"}}}}
    discover: true
"""


def platform_check(wechat: Simulator, tmp_path: Path, apps: str = "", *flags: str) -> int:
    path = tmp_path / "config.yaml"
    text = f"wechat: {{base_url: '{wechat.base_url}'}}\nstorage: {{url: 'sqlite:///exporter.db'}}\n"
    path.write_text(text + apps + PLATFORM.format(url=wechat.base_url), "utf-8")
    return main(["check", f"--config.file={path}", "--online", *flags])


@pytest.fixture
def platform_wechat() -> Iterator[Simulator]:
    conditions = Conditions(always_published=True, hosting_appid=fake_appid(3))
    with Simulator(fleet(3, seed=1), conditions, platforms=[DEMO_PLATFORM]) as simulator:
        yield simulator


def test_accounts_of_a_platform_are_checked_too_and_no_refresh_token_is_lost(
    platform_wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    platform_wechat.platforms["main"].authorise(fake_appid(2), exchanged=False)
    hosting = f"apps: [{{appid: {fake_appid(3)}, name: inside, token: {{type: cloud_hosting}}}}]\n"
    for _ in range(2):
        assert platform_check(platform_wechat, tmp_path, hosting) == 1
        output = capsys.readouterr().out
        assert "platform main: OK, 2 accounts\n" in output
        assert "\n2 apps: 176 series, " in output
        assert f"inside ({fake_appid(3)}): OK" in output
        assert (
            "platform main: FAILED, third_party_refresh_token: 1 account without a refresh token, "
            f"first {fake_appid(2)}\n    The platform has no" in output
        )
        assert output.endswith("2 of 2 apps OK\n")
    assert platform_wechat.calls("authorizer_token", outcome="61023") == 0


def test_the_accounts_of_other_shards_are_left_to_their_checks(
    platform_wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        assert platform_check(platform_wechat, tmp_path, "", f"--shard={number}", "--total-shards=2") == 0
        asked = [appid for appid in map(fake_appid, (1, 2, 3)) if owner(appid, 2) == number]
        output = capsys.readouterr().out
        assert [appid for appid in map(fake_appid, (1, 2, 3)) if f"({appid}): OK" in output] == asked
        assert output.endswith(f"{len(asked)} of {counted(len(asked), 'app')} OK\n")
    assert platform_wechat.calls("daily_visit_trend") == 3


def test_a_refused_platform_is_printed_with_what_to_do(
    platform_wechat: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    platform_wechat.platforms["main"].ip_allowed = False
    assert platform_check(platform_wechat, tmp_path) == 1
    output = capsys.readouterr().out
    assert "platform main: FAILED, ip_not_allowed: errcode 61004" in output
    assert "platform's list" in output


@pytest.mark.real
def test_a_reader_that_has_seen_enough_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    apps = "".join(f"  - {{appid: wx{number:016x}, secret: not-a-real-secret}}\n" for number in range(3))
    path.write_text(f"wechat: {{base_url: 'http://127.0.0.1:9', timeout: 1s}}\napps:\n{apps}")
    command = shlex.join([*COMMAND, "check", "--online", f"--config.file={path}"])
    output = subprocess.run(["sh", "-c", f"{command} | head -1"], capture_output=True, text=True, check=True)
    assert output.stdout == f"{path}: OK\n"
    assert "Traceback" not in output.stderr


def test_one_app_is_asked_alone_and_each_call_is_shown(
    check: Check, wechat: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    wechat.faults.switch(fake_appid(2), Fault.IP)
    assert check("--online", "--app=app-00002") == 1
    output = capsys.readouterr().out
    assert "getDailyVisitTrend" in output or "getStableAccessToken" in output
    assert "errcode 40164, rid " in output
    assert f"app-00002 ({fake_appid(2)}): FAILED, ip_not_allowed" in output
    assert wechat.calls(appid=fake_appid(1)) == wechat.calls(appid=fake_appid(3)) == 0
    assert check("--online", f"--app={fake_appid(1)}") == 0
    output = capsys.readouterr().out
    assert '"access_token": "<secret>"' in output
    assert '"visit_pv"' in output


def test_an_app_that_is_not_there_is_bad_usage(check: Check, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--online", "--app=nobody") == 2
    assert "--app nobody: no app of the configuration" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        check("--app=app-00001")
    assert ended.value.code == 2


def test_the_configuration_is_printed_without_its_secrets(
    check: Check, wechat: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check("--print") == 0
    output = capsys.readouterr().out
    assert "secret: <secret>" in output
    assert wechat.apps[0].secret not in output


def test_a_storage_that_cannot_be_written_is_warned_of_and_nothing_is_left(
    check: Check, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    text = path.read_text("utf-8")
    for url, warned in (("sqlite:////proc/nowhere/x.db", True), ("sqlite:///new/folder/x.db", False)):
        path.write_text(text.replace("memory://", url), "utf-8")
        assert check() == 0
        assert ("cannot be written by this user" in capsys.readouterr().err) == warned
    assert [each.name for each in tmp_path.iterdir()] == ["config.yaml"]


def test_without_a_configuration_it_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config.file=/nowhere/config.yaml"]) == 2
    output = capsys.readouterr().err
    assert all(hint in output for hint in ("--config.file", "config.example.yaml", "demo"))

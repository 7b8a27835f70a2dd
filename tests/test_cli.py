import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from exporter import __version__
from exporter.cli import main


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"wechat-miniprogram-exporter, version {__version__} (python ")


def test_help_names_all_commands_and_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    for word in (
        "serve",
        "check",
        "simulate",
        "demo",
        "healthcheck",
        "examples:",
        "--config.file",
        "exit codes:",
    ):
        assert word in told


@pytest.mark.parametrize("command", ["serve", "check", "simulate", "demo", "healthcheck"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--help" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["--no-such-flag"],
        ["fly"],
        ["--log.level=loud"],
        ["--config.fil=x"],
        ["--web.telemetry-path=metrics"],
        ["--web.telemetry-path=/"],
        ["--web.telemetry-path=/-/healthy"],
        ["--web.telemetry-path=/style.css"],
        ["--web.telemetry-path=/metrics?a=b"],
        ["--web.telemetry-path=/m{x}"],
        ["--web.listen-address=:99999"],
        ["--web.listen-address=x:y:80"],
        ["simulate", "--apps=many"],
        ["simulate", "--apps=-5"],
        ["simulate", "--latency=nan"],
        ["simulate", "--listen-address=garbage", "--print-config"],
    ],
)
def test_bad_usage_is_exit_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["serve"], ["check"]])
def test_a_bad_configuration_is_exit_code_2_with_every_mistake_named(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("refresh:\n  interval: 10\napps:\n  - appid: wx12\n    secret: not-a-real-secret\n")
    assert main([*command, f"--config.file={path}"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0].removeprefix(str(tmp_path)) for line in told] == [
        "/config.yaml:2",
        "/config.yaml:4",
    ]
    assert "appid (wx followed by 16 hexadecimal digits)" in told[1]
    assert "not-a-real-secret" not in "".join(told)


def test_an_unknown_command_is_told_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fly"])
    assert ended.value.code == 2
    assert "unknown command 'fly' (known: serve, check, " in capsys.readouterr().err


def test_a_missing_configuration_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config.file=/no/such/file.yaml"]) == 2
    assert "/no/such/file.yaml" in capsys.readouterr().err


def test_an_interrupt_before_the_start_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("exporter.cli.import_module", interrupted)
    assert main([]) == 1


def test_the_version_needs_none_of_the_heavy_libraries() -> None:
    code = "import sys, exporter.cli as c\ntry: c.main(['--version'])\nfinally: print(list(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("requests", "pydantic", "yaml", "starlette", "uvicorn", "jinja2", "prometheus_client"):
        assert f"'{heavy}'" not in told


# Which part of the apps


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> Callable[..., argparse.Namespace]:
    """What the command is given for these words."""

    def parsed(*words: str) -> argparse.Namespace:
        seen: list[argparse.Namespace] = []

        def run(given: argparse.Namespace) -> int:
            seen.append(given)
            return 0

        monkeypatch.setattr("exporter.cli.import_module", lambda _: SimpleNamespace(run=run))
        assert main(list(words)) == 0
        return seen[0]

    return parsed


def test_without_flags_an_exporter_has_all_apps(flags: Callable[..., argparse.Namespace]) -> None:
    assert (flags().shard, flags().total_shards, flags().sd_targets) == ("0", 1, [])


@pytest.mark.parametrize("command", ["serve", "check"])
def test_shards_are_named_by_number_or_by_the_pod(
    command: str, flags: Callable[..., argparse.Namespace]
) -> None:
    given = flags(command, "--shard=2", "--total-shards=3")
    assert (given.shard, given.total_shards) == ("2", 3)
    assert flags(command, "--shard=auto", "--total-shards=1000").shard == "auto"


def test_targets_for_service_discovery_may_name_the_shard(flags: Callable[..., argparse.Namespace]) -> None:
    targets = ["exporter-{shard}.exporter:10950", "10.0.0.1:1095{shard}", "[::1]:10950"]
    assert flags(*(f"--sd.target={target}" for target in targets)).sd_targets == targets


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--shard=-1"], "'-1' is not a number from 0 up, nor auto"),
        (["--shard=x"], "'x' is not a number"),
        (["--shard=1000"], "'1000' is not a number"),
        (["--shard=٣"], "is not a number"),
        (["--total-shards=0"], "'0' is not a number from 1 to 1000"),
        (["--total-shards=1001"], "'1001' is not a number from 1 to 1000"),
        (["--total-shards=three"], "'three' is not a number from 1 to 1000"),
        (["--sd.target=exporter"], "is not HOST:PORT"),
        (["--sd.target=exporter-{number}:10950"], "is not HOST:PORT"),
        (["--sd.target=http://exporter:10950"], "is not HOST:PORT"),
    ],
)
def test_what_is_no_shard_or_target_is_told(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--shard=3", "--total-shards=3"], "--shard=3: with --total-shards=3 shards count from 0 to 2"),
        (["--shard=auto", "--total-shards=3"], "--shard=auto: the name 'no-number' does not end in a number"),
    ],
)
def test_a_shard_that_there_is_not_is_exit_code_2_before_the_configuration_is_read(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POD_NAME", "no-number")
    assert main([*words, "--config.file=/no/such/file.yaml"]) == 2
    assert told in capsys.readouterr().err

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exporter import __version__
from exporter.cli import main


def test_version_prints_the_version_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"wechat-miniprogram-exporter, version {__version__} (python ")


def test_help_names_all_commands_and_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    output = capsys.readouterr().out
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
        assert word in output


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
        ["simulate", "--listen-address=127.0.0.1"],
        ["simulate", "--listen-address=127.0.0.1:65536"],
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
    output = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0].removeprefix(str(tmp_path)) for line in output] == [
        "/config.yaml:2",
        "/config.yaml:4",
    ]
    assert "appid (wx followed by 16 hexadecimal digits)" in output[1]
    assert "not-a-real-secret" not in "".join(output)


def test_an_unknown_command_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fly"])
    assert ended.value.code == 2
    assert "unknown command 'fly' (known: serve, check, " in capsys.readouterr().err


def test_a_missing_configuration_is_reported_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config.file=/no/such/file.yaml"]) == 2
    assert "/no/such/file.yaml" in capsys.readouterr().err


def test_a_storage_that_may_not_be_written_is_exit_code_2_as_a_restart_does_not_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    (tmp_path / "config.yaml").write_text("apps: [{appid: wx0123456789abcdef, secret: not-a-real-secret}]\n")
    make = Path.mkdir

    def refuse(path: Path, *words: Any, **more: Any) -> None:
        if path == tmp_path / "data":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        make(path, *words, **more)

    monkeypatch.setattr(Path, "mkdir", refuse)
    address = f"--web.listen-address=127.0.0.1:{free_port()}"
    assert main([f"--config.file={tmp_path}/config.yaml", address]) == 2


@pytest.mark.parametrize(("words", "code"), [([], 0), (["demo"], 0), (["check"], 1)])
def test_an_interrupt_before_the_start_ends_a_server_well_and_fails_another_command(
    words: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("exporter.cli.import_module", interrupted)
    assert main(words) == code


def test_the_version_needs_none_of_the_heavy_libraries() -> None:
    code = "import sys, exporter.cli as c\ntry: c.main(['--version'])\nfinally: print(list(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("requests", "yaml", "starlette", "uvicorn", "jinja2", "prometheus_client"):
        assert f"'{heavy}'" not in output

"""The systemd unit is hardened, and starts existing programs."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import PurePosixPath

from exporter import cli
from tests.docs.pages import ROOT

UNIT = ROOT / "deploy" / "systemd" / "wechat-miniprogram-exporter.service"


def test_systemd_finds_little_exposed(program: Callable[[str], str]) -> None:
    output = subprocess.run(
        [program("systemd-analyze"), "security", "--offline=true", "--threshold=20", UNIT],
        capture_output=True,
        check=False,
        text=True,
    )
    assert output.returncode == 0, output.stdout
    level = re.search(r"Overall exposure level for .*: ([0-9.]+)", output.stdout)
    assert level is not None
    assert float(level[1]) <= 2.0


def test_it_starts_the_program_with_flags_that_it_has() -> None:
    [line] = [line for line in UNIT.read_text("utf-8").splitlines() if line.startswith("ExecStart=")]
    command, *words = shlex.split(line.removeprefix("ExecStart="))
    assert PurePosixPath(command).name == cli.PROGRAM
    assert cli._parser("serve").parse_args(words).config_file.startswith("/etc/")


def test_a_reload_sends_sighup_on_a_system_without_kill() -> None:
    [line] = [line for line in UNIT.read_text("utf-8").splitlines() if line.startswith("ExecReload=")]
    words = [word.replace("$$", "$") for word in shlex.split(line.removeprefix("ExecReload="))]
    program = "import signal as s; s.signal(s.SIGHUP, s.SIG_DFL); print(flush=True); s.pause()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as main:
        assert main.stdout is not None
        main.stdout.readline()
        subprocess.run(words, env={"MAINPID": f"{main.pid}", "PATH": "/nowhere"}, check=True)
        assert main.wait(10) == -signal.SIGHUP


def test_rows_may_be_written_where_it_says() -> None:
    text = UNIT.read_text("utf-8")
    assert "StateDirectory=wechat-miniprogram-exporter\n" in text
    assert "sqlite:////var/lib/wechat-miniprogram-exporter/" in text

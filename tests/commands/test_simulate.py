import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import yaml

from exporter.cli import main
from exporter.commands.simulate import usage
from exporter.config import load
from exporter.simulator.fleet import DEMO_PLATFORM, demo_fleet
from exporter.simulator.server import Simulator


def test_it_prints_a_configuration_that_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--print-config", "--apps=3", "--listen-address=127.0.0.1:10951"]) == 0
    path = tmp_path / "config.yaml"
    path.write_text(capsys.readouterr().out, "utf-8")
    config = load(path, {})
    assert config.wechat.base_url == "http://127.0.0.1:10951"
    assert len(config.apps) == 3


@pytest.mark.parametrize(("apps", "known"), [(0, "coffee-shop"), (3, "app-00003")])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_a_signal_and_says_how_to_ask(number: signal.Signals, apps: int, known: str) -> None:
    flags = ("--listen-address=127.0.0.1:0", f"--apps={apps}", "--always-published")
    with subprocess.Popen(
        [sys.executable, "-m", "exporter", "simulate", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", first)
        assert url is not None
        config = yaml.safe_load(requests.get(url[0] + "/_sim/config", timeout=5).content)
        answer = requests.post(url[0] + "/cgi-bin/stable_token", json={}, timeout=5).json()
        process.send_signal(number)
        rest, errors = process.stdout.read(), process.stderr.read()
        process.wait(timeout=10)
    assert known in {app["name"] for app in config["apps"]}
    assert answer["errcode"] != 0
    assert f"curl {url[0]}/_sim/calls" in rest
    assert (process.returncode, errors) == (0, "")


def test_every_curl_line_names_a_path_that_exists() -> None:
    with Simulator(demo_fleet(), platforms=[DEMO_PLATFORM]) as sim:
        for path in re.findall(rf"curl {sim.base_url}(/\S+)", usage(sim)):
            assert requests.get(sim.base_url + path, timeout=5).status_code == 200


@pytest.mark.parametrize("address", ["0.0.0.0:18080", ":18080"])
def test_only_loopback_is_listened_on(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", f"--listen-address={address}"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "loopback" in output.err
    assert "127.0.0.1" in output.err


def test_a_taken_port_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with Simulator(()) as sim:
        address = sim.base_url.removeprefix("http://")
        assert main(["simulate", f"--listen-address={address}"]) == 1
    assert "cannot listen on 127.0.0.1:" in capsys.readouterr().err

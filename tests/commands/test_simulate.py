import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from exporter.cli import main
from exporter.config import load
from tests.running import running


def test_it_prints_a_configuration_that_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--print-config", "--apps=3", "--listen-address=127.0.0.1:10951"]) == 0
    path = tmp_path / "config.yaml"
    path.write_text(capsys.readouterr().out, "utf-8")
    config = load(path, {})
    assert config.wechat.base_url == "http://127.0.0.1:10951"
    assert len(config.apps) == 3


def test_it_answers_until_a_signal(free_port: Callable[[], int]) -> None:
    port = free_port()
    with running(port, "simulate", f"--listen-address=127.0.0.1:{port}", "--apps=2") as simulator:
        simulator.wait_until(lambda: simulator.get("/_sim/apps").ok)
        answer = requests.post(simulator.base_url + "/cgi-bin/stable_token", json={}, timeout=5).json()
        assert answer["errcode"] != 0
        assert simulator.stop(signal.SIGTERM) == 0


def test_only_loopback_is_listened_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--listen-address=0.0.0.0:10951"]) == 2
    assert "loopback" in capsys.readouterr().err

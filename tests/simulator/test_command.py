import re
import signal
import subprocess
import sys

import pytest
import requests
import yaml

from exporter.simulator.command import run, split_address, usage
from exporter.simulator.fleet import DEMO_PLATFORM, demo_fleet
from exporter.simulator.listener import ListenAddressError
from exporter.simulator.server import Simulator

CALL = "import sys; from exporter.simulator.command import run; sys.exit(run({!r}, {}, 0.0, True))"


@pytest.mark.parametrize(("apps", "known"), [(0, "coffee-shop"), (3, "app-00003")])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_a_signal_and_says_how_to_ask(number: signal.Signals, apps: int, known: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CALL.format("127.0.0.1:0", apps)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", first)
        assert url is not None
        told = yaml.safe_load(requests.get(url[0] + "/_sim/config", timeout=5).content)
        process.send_signal(number)
        rest, errors = process.stdout.read(), process.stderr.read()
        process.wait(timeout=10)
    assert known in {app["name"] for app in told["apps"]}
    assert f"curl {url[0]}/_sim/calls" in rest
    assert (process.returncode, errors) == (0, "")


def test_every_curl_line_names_a_path_that_exists() -> None:
    with Simulator(demo_fleet(), platforms=[DEMO_PLATFORM]) as sim:
        for path in re.findall(rf"curl {sim.base_url}(/\S+)", usage(sim)):
            assert requests.get(sim.base_url + path, timeout=5).status_code == 200


@pytest.mark.parametrize(
    "address", ["0.0.0.0:18080", ":18080", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536"]
)
def test_a_bad_address_is_bad_usage(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(address, 1, latency_seconds=0.0, always_published=True) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "127.0.0.1" in told.err


def test_a_taken_port_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with Simulator(()) as sim:
        address = sim.base_url.removeprefix("http://")
        assert run(address, 1, latency_seconds=0.0, always_published=True) == 1
    assert "cannot listen on 127.0.0.1:" in capsys.readouterr().err


def test_an_address_is_split() -> None:
    assert split_address("127.0.0.1:18080") == ("127.0.0.1", 18080)
    assert split_address("[::1]:0") == ("::1", 0)
    with pytest.raises(ListenAddressError, match="say 127"):
        split_address("18080")

import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests

from exporter.simulator.faults import CallKind, Fault
from exporter.simulator.fleet import fleet
from exporter.simulator.listener import ListenAddressError
from exporter.simulator.server import Simulator

if TYPE_CHECKING:
    from tests.simulator.conftest import Client


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "example.com"])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(
        ListenAddressError, match=r"loopback only.*allowed are 127\.0\.0\.1, ::1 and localhost"
    ):
        Simulator(fleet(1, 1), host=host)


@pytest.mark.parametrize(
    ("host", "url"), [("localhost", "http://127.0.0.1:"), ("127.0.0.2", "http://127.0.0.2:")]
)
def test_other_loopback_names_work(host: str, url: str) -> None:
    with Simulator(fleet(1, 1), host=host) as sim:
        assert sim.base_url.startswith(url)
        assert requests.get(sim.base_url + "/_sim/clock", timeout=5).status_code == 200


def test_ipv6_loopback_has_brackets_in_its_url() -> None:
    assert Simulator(fleet(1, 1), host="::1", port=1234).base_url == "http://[::1]:1234"


def test_ipv6_loopback_is_listened_on() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with Simulator(fleet(1, 1), host="::1") as sim:
        assert requests.get(sim.base_url + "/_sim/clock", timeout=5).status_code == 200


def test_two_apps_with_one_appid_are_refused() -> None:
    with pytest.raises(ValueError, match="two apps have the same appid"):
        Simulator(fleet(1, 1) * 2)


def test_a_taken_port_is_an_error() -> None:
    with Simulator(fleet(1, 1)) as sim:
        port = int(sim.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Simulator(fleet(1, 1), port=port).start()


def test_starting_twice_is_an_error() -> None:
    with Simulator(fleet(1, 1)) as sim, pytest.raises(RuntimeError, match="runs already on http://127"):
        sim.start()


def test_it_may_go_away_and_come_back_on_the_same_port(client: "Client") -> None:
    url, token = client.sim.base_url, client.token()
    client.sim.stop()
    with pytest.raises(requests.ConnectionError):
        client.trend(token=token)
    client.sim.start()
    assert client.sim.base_url == url
    assert "list" in client.trend(token=token).json()


def test_a_stop_leaves_nothing_behind(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.HANG)
    with pytest.raises(requests.ReadTimeout):
        client.trend(timeout=0.1)
    client.sim.stop()
    client.sim.stop()
    assert client.sim.log.in_flight == 0
    assert "simulator" not in {thread.name for thread in threading.enumerate()}


def test_a_stop_from_any_thread_drops_calls_that_hang(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.HANG, on=CallKind.TOKEN)
    stoppers = [threading.Timer(0.1, client.sim.stop) for _ in range(3)]
    for stopper in stoppers:
        stopper.start()
    with pytest.raises(requests.ConnectionError):
        client.stable()
    for stopper in stoppers:
        stopper.join()


def test_an_app_may_have_its_fault_from_the_start() -> None:
    app = replace(fleet(1, 1)[0], fault=Fault.WRONG_SECRET)
    with Simulator([app]) as sim:
        asked = {"grant_type": "client_credential", "appid": app.appid, "secret": app.secret}
        answer = requests.post(sim.base_url + "/cgi-bin/stable_token", json=asked, timeout=5)
        assert answer.json()["errcode"] == 40125


def test_a_token_is_revoked_from_python(client: "Client") -> None:
    token = client.token()
    client.sim.tokens.revoke(client.appid, client.sim.clock.now())
    assert client.trend(token=token).json()["errcode"] == 40001

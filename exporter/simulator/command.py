"""The command `simulate`: run the simulator in the foreground and say how to ask it."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Final

from exporter.beijing import wire_date, yesterday
from exporter.simulator.fleet import DEMO_PLATFORM, demo_fleet, fleet
from exporter.simulator.listener import ListenAddressError
from exporter.simulator.rules import STABLE_TOKEN_PATH, TREND_PATH
from exporter.simulator.server import Conditions, Simulator

SEED: Final = 1


def run(listen_address: str, apps: int, latency_seconds: float, always_published: bool) -> int:  # noqa: FBT001
    """Simulate until SIGINT or SIGTERM; must be called in the main thread.

    Args:
        listen_address: `host:port` of a loopback address, port 0 for any.
        apps: 0 for the demo fleet with its troubles, otherwise that many healthy generated ones.
        latency_seconds: before every answer.
        always_published: yesterday's row is there at any hour.

    Returns:
        the exit code: 0 stopped by a signal, 1 cannot listen, 2 a bad address.
    """
    mini_programs = fleet(apps, SEED) if apps else demo_fleet()
    conditions = Conditions(latency_seconds=latency_seconds, always_published=always_published)
    try:
        host, port = split_address(listen_address)
        simulator = Simulator(mini_programs, conditions, host, port, [DEMO_PLATFORM])
    except ListenAddressError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with _stop_signal() as stopped:
        try:
            simulator.start()
        except OSError as error:
            sys.stderr.write(f"cannot listen on {listen_address}: {error.strerror}\n")
            return 1
        sys.stdout.write(usage(simulator))
        sys.stdout.flush()
        stopped.wait()
        simulator.stop()
    return 0


def split_address(listen_address: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[ipv6]:port`.

    Raises:
        ListenAddressError: it is neither.
    """
    host, colon, port = listen_address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) >= 2**16:
        raise ListenAddressError(f"{listen_address!r} is no listen address, say 127.0.0.1:18080")
    return host.removeprefix("[").removesuffix("]"), int(port)


def usage(simulator: Simulator) -> str:
    """Return how to ask a running simulator with curl and with an exporter."""
    url, app = simulator.base_url, simulator.apps[0]
    credentials = f'{{"grant_type":"client_credential","appid":"{app.appid}","secret":"{app.secret}"}}'
    newest = yesterday(simulator.clock.now())
    day = wire_date(newest - timedelta(days=1))  # published for certain
    return f"""\
Simulated WeChat with {len(simulator.apps)} mini programs on {url}

A token, and a day's figures with it:
  curl -d '{credentials}' -H 'Content-Type: application/json' {url}{STABLE_TOKEN_PATH}
  curl -d '{{"begin_date":"{day}","end_date":"{day}"}}' -H 'Content-Type: application/json' \
'{url}{TREND_PATH}?access_token=TOKEN'
A configuration for the exporter:
  curl {url}/_sim/config
What was asked, the mini programs, the faults there are:
  curl {url}/_sim/calls
  curl {url}/_sim/apps
  curl {url}/_sim/faults
The third-party platform that they have authorised; a ticket of its, and a push of one to an exporter:
  curl {url}/_sim/platforms
  curl {url}/_sim/platforms/{DEMO_PLATFORM.name}/ticket
  curl -d '{{"url":"http://localhost:10950/wechat/ticket/{DEMO_PLATFORM.name}"}}' \
{url}/_sim/platforms/{DEMO_PLATFORM.name}/push
Let one hang, refuse it one dataset, make it healthy again, go to tomorrow:
  curl -d '{{"fault":"hang"}}' {url}/_sim/apps/{app.appid}/fault
  curl -d '{{"fault":"permission","dataset":"weekly_trend"}}' {url}/_sim/apps/{app.appid}/fault
  curl -d '{{"fault":"none"}}' {url}/_sim/apps/{app.appid}/fault
  curl -d '{{"advance":86400}}' {url}/_sim/clock
"""


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """Yield an event that SIGINT or SIGTERM sets; the handlers before come back afterwards."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

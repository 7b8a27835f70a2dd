"""`simulate`: runs a stand-in WeChat server on loopback and prints how to call it."""

import argparse
import sys
import threading
from datetime import timedelta
from typing import Final

from exporter.beijing import wire_date, yesterday
from exporter.simulator.fleet import ALL_DATASETS, DEMO_PLATFORM, config_yaml, demo_fleet, fleet
from exporter.simulator.listener import ListenAddressError
from exporter.simulator.rules import STABLE_TOKEN_PATH, TREND_PATH
from exporter.simulator.server import Conditions, Simulator
from exporter.web.listen import parse_address

_SEED: Final = 1


def run(flags: argparse.Namespace) -> int:
    """Simulate until a signal, or print an exporter configuration; return 1 or 2 if it cannot listen."""
    apps = fleet(flags.apps, _SEED) if flags.apps else demo_fleet()
    if flags.print_config:
        sys.stdout.write(config_yaml(apps, f"http://{flags.listen_address}", datasets=ALL_DATASETS))
        return 0
    conditions = Conditions(latency_seconds=flags.latency, always_published=flags.always_published)
    try:
        with Simulator(apps, conditions, *parse_address(flags.listen_address), [DEMO_PLATFORM]) as simulator:
            sys.stdout.write(usage(simulator))
            sys.stdout.flush()
            threading.Event().wait()  # the signal's exception ends it
    except ListenAddressError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"cannot listen on {flags.listen_address}: {error.strerror}\n")
        return 1
    return 0


def usage(simulator: Simulator) -> str:
    """Return instructions for calling a running simulator with curl and with an exporter."""
    url, app = simulator.base_url, simulator.apps[0]
    credentials = f'{{"grant_type":"client_credential","appid":"{app.appid}","secret":"{app.secret}"}}'
    newest = yesterday(simulator.clock.now())
    day = wire_date(newest - timedelta(days=1))  # certainly published
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
Let one hang, refuse it one dataset, or three calls with an errcode; make it healthy again, go to tomorrow:
  curl -d '{{"fault":"hang"}}' {url}/_sim/apps/{app.appid}/fault
  curl -d '{{"fault":"permission","dataset":"weekly_trend"}}' {url}/_sim/apps/{app.appid}/fault
  curl -d '{{"fault":"not_ready","dataset":"monthly_trend","errcode":61501,"times":3}}' \
{url}/_sim/apps/{app.appid}/fault
  curl -d '{{"fault":"none"}}' {url}/_sim/apps/{app.appid}/fault
  curl -d '{{"advance":86400}}' {url}/_sim/clock
"""

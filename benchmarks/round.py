"""The time of a refresh round, beside the limit N·L/C and bare `requests` in the same run.

N apps, an interface that answers after L seconds, C calls at a time, no rate limit, tokens cached.
The stand-in WeChat runs in a process of its own.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from statistics import median

import requests
import structlog

from benchmarks.table import Figure
from benchmarks.wechat import wechat
from exporter.beijing import yesterday
from exporter.config import load
from exporter.exposition.telemetry import Telemetry
from exporter.refresh.fetching import Fetcher
from exporter.refresh.round_settings import RoundSettings
from exporter.refresh.rounds import Rounds
from exporter.simulator.fleet import config_yaml, fleet
from exporter.store.ledger import Ledger
from exporter.wechat.access import choose_access
from exporter.wechat.client import open_client

APPS, LATENCY, CONCURRENCY, RUNS = 1000, 0.2, 64, 5


def measure() -> Iterator[Figure]:
    """Yield the figures of this benchmark."""
    limit = APPS * LATENCY / CONCURRENCY
    with wechat(APPS, LATENCY) as base_url:
        worker, ledger = prepare(base_url)
        worker.round()  # fetches the tokens
        ours, cpu = [], []
        bare = []
        for _ in range(RUNS):
            before = time.process_time()
            ours.append(worker.round())
            cpu.append((time.process_time() - before) / APPS * 1e3)
            bare.append(bare_requests(base_url))
    case = f"{APPS} apps, {LATENCY * 1e3:.0f} ms, concurrency {CONCURRENCY}"
    yield Figure("round", case, "s", ours, "limit N·L/C", [limit] * RUNS)
    yield Figure("round", case, "s", ours, "bare requests", [each[0] for each in bare])
    yield Figure("CPU per call", case, "ms", cpu, "bare requests", [each[1] for each in bare])
    held = median(len(entry.rows) for entry in ledger.entries())
    if held < 1:
        raise SystemExit("the rounds brought no rows: nothing was measured")


def prepare(base_url: str) -> tuple[Rounds, Ledger]:
    """Return the exporter's rounds, without storage and page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text(config_yaml(fleet(APPS, 1), base_url), "utf-8")
        config = load(path, {})
    telemetry = Telemetry(time.time)
    line = open_client(config.wechat, CONCURRENCY, telemetry.call, lambda: None)
    ledger = Ledger(1)
    accesses = {app.appid: choose_access(app, line) for app in config.apps}
    ledger.configure(((app, accesses[app.appid].kind) for app in config.apps), 1, time.time())
    log = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger("critical"))
    stopping = threading.Event()
    settings = RoundSettings(1, 0, accesses, concurrency=CONCURRENCY)
    fetcher = Fetcher(settings, ledger, telemetry, log, time.time, Random(1).random, stopping)
    return Rounds(fetcher), ledger


def bare_requests(base_url: str) -> tuple[float, float]:
    """Make the calls with bare `requests`; return seconds for all, and CPU milliseconds per call."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CONCURRENCY))
    day = f"{yesterday(time.time()):%Y%m%d}"
    tokens = {}
    for app in fleet(APPS, 1)[:1]:
        body = {"grant_type": "client_credential", "appid": app.appid, "secret": app.secret}
        tokens[app.appid] = session.post(f"{base_url}/cgi-bin/stable_token", json=body, timeout=10).json()
    (token,) = (answer["access_token"] for answer in tokens.values())

    def call(_: int) -> int:
        answer = session.post(
            f"{base_url}/datacube/getweanalysisappiddailyvisittrend",
            params={"access_token": token},
            json={"begin_date": day, "end_date": day},
            timeout=10,
        )
        return len(answer.json()["list"])

    start, cpu = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(CONCURRENCY) as threads:
        rows = sum(threads.map(call, range(APPS)))
    if rows != APPS:
        raise SystemExit("the peer's calls failed: nothing was measured")
    return time.monotonic() - start, (time.process_time() - cpu) / APPS * 1e3

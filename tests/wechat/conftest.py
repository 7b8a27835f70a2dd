"""The simulator with a clock that stands still, and a throwaway certificate."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exporter.simulator.fleet import SimApp
from exporter.simulator.platforms import SimPlatform
from exporter.simulator.server import Conditions, Simulator
from exporter.wechat.client import Client
from tests.wechat.lines import Clock, opened

APP = SimApp("wxfa4e000000000001", "not-a-real-secret-0001", "app-1")
PLATFORM = SimPlatform("main", "wxfa4ec00000000001", "not-a-real-component-secret")


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1: its file, and a server's side of TLS with it."""

    path: Path
    server: ssl.SSLContext


@pytest.fixture(autouse=True)
def _no_proxies_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy") or name in {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}:
            monkeypatch.delenv(name)


@pytest.fixture(name="clock")
def _clock() -> Clock:
    """Return a clock that stands at 2026-11-24 15:00 Beijing."""
    return Clock(datetime(2026, 11, 24, 7, tzinfo=UTC).timestamp())


@pytest.fixture(name="sim")
def _sim(clock: Clock) -> Iterator[Simulator]:
    with Simulator([APP], Conditions(slow_seconds=0.6, drip_seconds=0.02, time_source=clock)) as sim:
        yield sim


@pytest.fixture(name="client")
def _client(sim: Simulator, clock: Clock) -> Iterator[Client]:
    with opened(sim.base_url, clock=clock) as client:
        yield client


@pytest.fixture(name="certificate", scope="session")
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the throwaway certificate, is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, path = folder / "key.pem", folder / "certificate.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    name = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run(
        [openssl, "req", "-x509", *curve, *name, "-keyout", key, "-out", path],
        check=True,
        capture_output=True,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path, key)
    return Certificate(path, server)

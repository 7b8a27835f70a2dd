"""A started simulator with a clock that stands still, and a client that asks it as an exporter would."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time

import pytest
import requests

from exporter.beijing import BEIJING
from exporter.simulator.fleet import SimApp, fake_appid, fake_secret
from exporter.simulator.rules import STABLE_TOKEN_PATH, TOKEN_PATH, TREND_PATH
from exporter.simulator.server import Conditions, Simulator

NOW = datetime(2026, 11, 24, 15, tzinfo=BEIJING).timestamp()
TWO_APPS = tuple(SimApp(fake_appid(n), fake_secret(n), f"app-{n}", published_at=time(9, 30)) for n in (1, 2))


@dataclass
class Client:
    sim: Simulator
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def appid(self) -> str:
        return self.sim.apps[0].appid

    def post(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | str | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 5,
    ) -> requests.Response:
        url = self.sim.base_url + path
        return self.session.post(
            url, params=params, json=json, data=data, headers=headers, timeout=timeout, allow_redirects=False
        )

    def get(self, path: str, params: Mapping[str, str] | None = None) -> requests.Response:
        return self.session.get(self.sim.base_url + path, params=params, timeout=5)

    def stable(self, **changes: object) -> requests.Response:
        return self.post(STABLE_TOKEN_PATH, json=self._credentials() | changes)

    def classic(self, **changes: str) -> requests.Response:
        return self.get(TOKEN_PATH, params=self._credentials() | changes)

    def token(self) -> str:
        return str(self.stable().json()["access_token"])

    def trend(
        self, day: str = "20261123", *, token: str | None = None, timeout: float = 5
    ) -> requests.Response:
        params = {"access_token": self.token() if token is None else token}
        dates = {"begin_date": day, "end_date": day}
        return self.post(TREND_PATH, params=params, json=dates, timeout=timeout)

    def _credentials(self) -> dict[str, str]:
        app = self.sim.apps[0]
        return {"grant_type": "client_credential", "appid": app.appid, "secret": app.secret}


@pytest.fixture(name="started")
def _started() -> Iterator[Callable[..., Client]]:
    """Yield a function that starts a simulator under given conditions at 2026-11-24 15:00 Beijing."""
    clients = []

    def start(
        apps: tuple[SimApp, ...] = TWO_APPS,
        *,
        latency_seconds: float = 0.0,
        drip_seconds: float = 0.002,
        always_published: bool = False,
    ) -> Client:
        conditions = Conditions(latency_seconds, 0.3, drip_seconds, always_published, time_source=lambda: NOW)
        client = Client(Simulator(apps, conditions).start())
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.session.close()
        client.sim.stop()


@pytest.fixture(name="client")
def _client(started: Callable[..., Client]) -> Client:
    return started()

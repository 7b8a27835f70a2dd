import threading
import time
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest
from structlog.typing import FilteringBoundLogger

from exporter.config import load
from exporter.service import Exporter
from exporter.web import reloads
from exporter.web.reloads import Reloads
from exporter.web.webconfig.watch import WebConfigWatch
from tests.building import NOON

CONFIG = """
storage: {url: "memory://"}
apps:
  - {appid: wx0123456789abcdef, secret: not-a-real-secret}
"""
USERS = f"basic_auth_users: {{alice: {bcrypt.hashpw(b'sesame', bcrypt.gensalt(4)).decode()}}}\n"


class Rig:
    def __init__(self, folder: Path, log: FilteringBoundLogger) -> None:
        self.main, self.web = folder / "config.yaml", folder / "web.yaml"
        self.main.write_text(CONFIG)
        self.web.write_text(USERS)
        self.exporter = Exporter(load(self.main, {}), log, lambda: NOON)
        self.watch = WebConfigWatch(self.web, {}, lambda _: None, log)
        self.reloads = Reloads(self.exporter, self.watch)

    def look(self) -> None:
        """Look as often as a change needs that is over."""
        for _ in range(2):
            self.reloads.look()

    @property
    def metric(self) -> bool:
        page = self.exporter.telemetry.render(openmetrics=False)
        return b"wechat_miniprogram_exporter_config_last_reload_successful 1.0\n" in page


@pytest.fixture
def rig(tmp_path: Path, log: FilteringBoundLogger) -> Iterator[Rig]:
    rig = Rig(tmp_path, log)
    yield rig
    rig.exporter.stop(1)


def test_a_refused_web_configuration_shows_in_the_metric_until_it_is_right(rig: Rig) -> None:
    assert rig.metric
    rig.web.write_text("")
    rig.look()
    assert not rig.metric
    (problem,) = rig.reloads.refused()
    assert "basic_auth_users" in problem
    rig.web.write_text(USERS + "# as before\n")
    rig.look()
    assert rig.metric
    assert rig.reloads.refused() == ()


def test_a_refused_configuration_is_known_until_it_is_right(rig: Rig) -> None:
    rig.main.write_text("apps: 7")
    problem = rig.reloads.reload()
    assert problem is not None
    assert rig.reloads.refused() == (problem,)
    assert not rig.metric
    rig.main.write_text(CONFIG)
    assert rig.reloads.reload() is None
    assert rig.reloads.refused() == ()
    assert rig.metric


def test_the_metric_is_about_both_configurations(rig: Rig) -> None:
    rig.main.write_text("apps: 7")
    rig.reloads.reload()
    rig.web.write_text(USERS + "# changed\n")
    rig.look()
    assert not rig.metric
    rig.web.write_text("")
    assert "basic_auth_users" in (rig.reloads.reload() or "")
    assert len(rig.reloads.refused()) == 2


def test_a_refused_web_configuration_holds_up_no_change_of_the_apps(rig: Rig) -> None:
    rig.web.write_text("")
    rig.main.write_text(CONFIG + "  - {appid: wx1123456789abcdef, secret: not-a-real-secret}\n")
    assert "basic_auth_users" in (rig.reloads.reload() or "")
    assert len(rig.exporter.reconfiguration.config.apps) == 2
    assert not rig.metric


def test_a_thread_looks_for_changes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloads, "LOOK_SECONDS", 0.01)
    with rig.reloads.watching():
        rig.web.write_text("")
        end = time.monotonic() + 5
        while rig.metric and time.monotonic() < end:
            time.sleep(0.01)
    assert not rig.metric
    assert "web-config" not in [thread.name for thread in threading.enumerate()]

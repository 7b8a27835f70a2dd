"""kill -9 loses no row that was on show."""

import random
import time
from collections.abc import Callable
from pathlib import Path

from exporter.simulator.fleet import config_yaml, fleet
from exporter.simulator.server import Conditions, Simulator
from tests.running import Running, serving

APPS = 40
KILLS = 8


def rows_shown(exporter: Running) -> dict[tuple[str, str], float]:
    """Return page views by appid and date."""
    return {
        (dict(labels)["appid"], dict(labels)["ref_date"]): value
        for (name, labels), value in exporter.samples().items()
        if name == "wechat_miniprogram_by_date_visit_pv"
    }


def test_a_kill_at_any_moment_loses_no_row_that_was_on_show(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    moments = random.Random(7)
    path = tmp_path / "config.yaml"
    shown: dict[tuple[str, str], float] = {}
    conditions = Conditions(always_published=True, latency_seconds=0.02)
    with Simulator(fleet(APPS, seed=3), conditions) as wechat:
        settings = config_yaml(wechat.apps, wechat.base_url, interval="1s", concurrency=4)
        settings = settings.replace("memory://", "sqlite:///exporter.db")
        path.write_text(settings.replace("refresh:", "refresh:\n  requests_per_second: 0"), "utf-8")
        for _ in range(KILLS):
            with serving(path, free_port()) as exporter:
                restored = rows_shown(exporter)
                assert shown.items() <= restored.items()
                time.sleep(moments.uniform(0, 0.6))
                shown = rows_shown(exporter)
                exporter.process.kill()
                exporter.process.wait(15)
    assert len(shown) >= APPS

"""Faults of the storage under the running exporter: rows stay on show, and are stored later."""

import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exporter.simulator.fleet import config_yaml, fleet
from exporter.simulator.server import Conditions, Simulator
from tests.running import Running, serving

APPS = 200
ERRORS = "wechat_miniprogram_exporter_storage_errors_total"
WRITTEN = "wechat_miniprogram_exporter_storage_last_write_timestamp_seconds"


@pytest.fixture
def wechat() -> Iterator[Simulator]:
    with Simulator(fleet(APPS, seed=3), Conditions(always_published=True)) as simulator:
        yield simulator


def configuration(folder: Path, wechat: Simulator, url: str) -> Path:
    path = folder / "config.yaml"
    settings = config_yaml(wechat.apps, wechat.base_url, interval="1s", concurrency=8)
    settings = settings.replace("memory://", url).replace("refresh:", "refresh:\n  requests_per_second: 0")
    path.write_text(settings, "utf-8")
    return path


def rows(exporter: Running) -> int:
    return exporter.metrics().count("\nwechat_miniprogram_daily_visit_pv{")


def value(exporter: Running, metric: str) -> float:
    """Return the value of a metric without labels, as parsing the whole page takes long."""
    return float(re.findall(rf"^{metric} (.*)$", exporter.metrics(), re.MULTILINE)[0])


def stored(path: Path) -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute("SELECT count(DISTINCT appid) FROM rows").fetchone()[0])
    finally:
        db.close()


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system with hardly any room."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=192k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_costs_no_row_and_is_logged(
    tiny: Path, tmp_path: Path, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    path = configuration(tmp_path, wechat, f"sqlite:///{tiny}/exporter.db")
    with serving(path, free_port()) as exporter:
        exporter.wait_until(lambda: rows(exporter) == APPS and value(exporter, ERRORS) >= 1)
        assert "storage fails, going on from memory" in exporter.output()
        assert exporter.get("/-/healthy").ok
        subprocess.run(["mount", "-o", "remount,size=16m", tiny], check=True)
        exporter.wait_until(lambda: "storage works again" in exporter.output())
        exporter.wait_until(lambda: stored(tiny / "exporter.db") == APPS)
        assert value(exporter, WRITTEN) > time.time() - 60
        assert "Traceback" not in exporter.output()


def test_a_locked_database_costs_no_row_and_is_logged(
    tmp_path: Path, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    path = configuration(tmp_path, wechat, "sqlite:///exporter.db")
    with serving(path, free_port()) as exporter:
        exporter.wait_until(lambda: rows(exporter) == APPS)
        other = sqlite3.connect(tmp_path / "exporter.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        exporter.wait_until(lambda: value(exporter, ERRORS) >= 1)
        assert rows(exporter) == APPS
        assert "database is locked" in exporter.output()
        other.close()


def test_a_database_that_is_pulled_away_costs_no_row(
    tmp_path: Path, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    path = configuration(tmp_path, wechat, "sqlite:///data/exporter.db")
    with serving(path, free_port()) as exporter:
        exporter.wait_until(lambda: rows(exporter) == APPS)
        shutil.rmtree(tmp_path / "data")
        time.sleep(1.5)
        assert rows(exporter) == APPS
        assert exporter.stop() == 0
        assert "Traceback" not in exporter.output()


def test_a_read_only_directory_is_a_clear_error_at_the_start(
    tiny: Path, tmp_path: Path, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    path = configuration(tmp_path, wechat, f"sqlite:///{tiny}/exporter.db")
    subprocess.run(["mount", "-o", "remount,ro", tiny], check=True)
    with (
        pytest.raises(AssertionError, match=r"cannot open storage .*Read-only file system"),
        serving(path, free_port()),
    ):
        pass


@pytest.mark.parametrize("fault", ["corrupt", "newer", "a file in the way"])
def test_a_storage_that_cannot_be_opened_is_a_clear_error_at_the_start(
    tmp_path: Path, wechat: Simulator, free_port: Callable[[], int], fault: str
) -> None:
    path = configuration(tmp_path, wechat, "sqlite:///data/exporter.db")
    data = tmp_path / "data"
    if fault == "a file in the way":
        data.write_text("")
    else:
        data.mkdir()
        if fault == "corrupt":
            (data / "exporter.db").write_bytes(b"no database" * 1000)
        else:
            db = sqlite3.connect(data / "exporter.db")
            db.execute("PRAGMA user_version = 999")
            db.close()
    with (
        pytest.raises(AssertionError, match=r"cannot start.*storage .*exporter\.db"),
        serving(path, free_port()),
    ):
        pass

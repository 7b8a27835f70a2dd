"""A SQLite file belongs to one exporter at a time."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.store.file_lock import FileLock
from exporter.store.interface import PlaceError, StoreError

HOLD = """
import sys, time
from pathlib import Path
from exporter.store.file_lock import FileLock
claim = FileLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_exporter_is_refused_with_the_first_ones_pid_and_comes_in_once_that_is_killed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "data" / "exporter.db"
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        refusal = rf"in use by another exporter \(pid {first.pid} on .*storage\.url"
        try:
            with pytest.raises(StoreError, match=refusal):
                FileLock(path)
        finally:
            first.kill()
    FileLock(path).release()


def test_the_file_is_free_again_once_it_is_released(tmp_path: Path) -> None:
    FileLock(tmp_path / "a.db").release()
    claim = FileLock(tmp_path / "a.db")
    assert (tmp_path / "a.db.lock").read_text().startswith(f"pid {os.getpid()} on ")
    FileLock(tmp_path / "b.db").release()
    claim.release()


def test_an_impossible_folder_is_reported_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot open storage .*(Not a directory|File exists)"):
        FileLock(tmp_path / "file" / "a.db")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_where_nothing_may_be_written_the_error_names_a_place_that_may(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PlaceError, match=rf"{os.strerror(number)}; set storage\.url .*sqlite:////var/lib/"):
        FileLock(tmp_path / "a.db")


def test_a_symbolic_link_to_a_file_in_use_is_that_file(tmp_path: Path) -> None:
    path, link = tmp_path / "a.db", tmp_path / "elsewhere" / "b.db"
    link.parent.mkdir()
    link.symlink_to(path)
    claim = FileLock(path)
    with pytest.raises(StoreError, match="in use by another exporter"):
        FileLock(link)
    claim.release()
    FileLock(link).release()

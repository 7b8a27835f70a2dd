from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.backfill.atomic_file import OutputError, write_whole


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_the_pieces_become_one_file(tmp_path: Path) -> None:
    path = tmp_path / "history.om"
    assert write_whole(path, ["奶茶\r\n", "a\n"]) == 10
    assert path.read_bytes() == "奶茶\r\na\n".encode()
    assert names(tmp_path) == ["history.om"]


def test_what_was_there_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "history.om"
    path.write_text("old")

    def pieces() -> Iterator[str]:
        yield "new"
        assert path.read_text() == "old"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_whole(path, pieces())
    assert path.read_text() == "old"
    assert names(tmp_path) == ["history.om"]


def test_what_a_killed_run_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "history.om.tmp").write_text("half of")
    write_whole(tmp_path / "history.om", ["whole"])
    assert (tmp_path / "history.om").read_text() == "whole"
    assert names(tmp_path) == ["history.om"]


def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "history.om.tmp").symlink_to(precious)
    write_whole(tmp_path / "history.om", ["whole"])
    assert precious.read_text() == "precious"


def test_an_unwritable_place_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*nowhere/history.om: No such file or directory"):
        write_whole(tmp_path / "nowhere" / "history.om", ["a"])
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="Is a directory"):
        write_whole(tmp_path / "folder", ["a"])
    assert names(tmp_path) == ["folder"]

from pathlib import Path

import pytest

import exporter
from exporter.package_data import read_table

HOME = Path(exporter.__file__).parent
FILES = sorted(path.relative_to(HOME) for path in HOME.rglob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_data_file_is_a_table_without_keys_that_stand_twice(file: Path) -> None:
    package = ".".join(("exporter", *file.parent.parts))
    table = read_table(package, file.name)
    lines = (HOME / file).read_text("utf-8").splitlines()
    keys = [line for line in lines if line.strip() and line[0] not in "# }"]
    assert len(table) == len(keys)

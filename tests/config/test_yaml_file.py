"""Lines of key paths: the key's own, or the nearest thing around it."""

from pathlib import Path

import pytest

from exporter.config.problems import Problems
from exporter.config.yaml_file import ConfigFile

TEXT = """\
# a comment
wechat:
  timeout:
    10s
apps:
  - appid: a
    labels: {x: 1,
      y: 2}
  -
    appid: &b b
  - *b
? odd
: 1
odd: 2
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 2),
        (("wechat",), 2),
        (("wechat", "timeout"), 3),
        (("wechat", "missing"), 2),
        (("missing", "altogether"), 2),
        (("apps", 0), 6),
        (("apps", 0, "labels", "y"), 8),
        (("apps", 1), 10),
        (("apps", 2), 11),
        (("apps", 2, "behind", 0, "the alias"), 11),
        (("odd",), 12),
    ],
)
def test_a_path_has_the_line_of_its_key(path: tuple[str | int, ...], line: int) -> None:
    assert ConfigFile(Path("config.yaml"), TEXT, {}, Problems("")).lines({path}) == {path: line}

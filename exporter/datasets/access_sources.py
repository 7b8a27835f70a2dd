"""The sources that getVisitDistribution counts visits by, with their names: access_source_info.

WeChat adds keys without documenting them; one that is not here is exported under its number and has no name.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/others/getVisitDistribution.html
"""

from importlib import resources
from typing import Final, NamedTuple

import yaml


class Source(NamedTuple):
    """One source under the key that WeChat gives it."""

    key: int
    name_zh: str
    name_en: str


_TEXT: Final = resources.files(__package__).joinpath("access_sources.yaml").read_text("utf-8")
SOURCES: Final = tuple(Source(key, *names) for key, names in yaml.safe_load(_TEXT).items())

"""The sources that getVisitDistribution counts visits by, with their names: access_source_info.

WeChat adds keys without documenting them; one that is not here is exported under its number and has no name.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/others/getVisitDistribution.html
"""

from typing import Final, NamedTuple

from exporter.package_data import read_table


class AccessSource(NamedTuple):
    """One source under the key that WeChat gives it."""

    key: int
    name_zh: str
    name_en: str


SOURCES: Final = tuple(
    AccessSource(key, *names) for key, names in read_table(__package__, "access_sources.yaml").items()
)

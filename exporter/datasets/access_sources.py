"""The sources of visits in getVisitDistribution, with their names, for access_source_info.

WeChat adds keys without documenting them: the exporter shows unknown ones by number, without a name.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/others/getVisitDistribution.html
"""

from typing import Final, NamedTuple

from exporter.package_data import read_table


class AccessSource(NamedTuple):
    """A source with WeChat's key for it."""

    key: int
    name_zh: str
    name_en: str


SOURCES: Final = tuple(
    AccessSource(key, *names) for key, names in read_table(__package__, "access_sources.yaml").items()
)

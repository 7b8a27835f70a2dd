"""getDailyVisitTrend 日趋势: a day's opens, page views, visitors, stay and depth.

Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/visit-trend/getDailyVisitTrend.html
"""

from typing import Final

from exporter.datasets.body_shapes import OneRowBody
from exporter.datasets.dataset import Dataset, NewestRow, Prefix, Row
from exporter.datasets.period import DAY
from exporter.datasets.schedule import Schedule
from exporter.datasets.trend_fields import DAY_REF_DATE, visit_trend_fields

FIELDS: Final = visit_trend_fields("day", not_over="dates or apps")
DAILY_TREND: Final = Dataset(
    name="daily_trend",
    interface="getDailyVisitTrend",
    chinese="日趋势",
    path="/datacube/getweanalysisappiddailyvisittrend",
    calendar=DAY,
    shape=OneRowBody(),
    selection=NewestRow(),
    schedule=Schedule(),
    fields=FIELDS,
    newest=Prefix("daily", "Newest row held"),
    dated=Prefix("by_date", "Per date"),
    moments=(DAY_REF_DATE,),
)
_POSITIONS: Final = {field.name: position for position, field in enumerate(FIELDS)}


def figure_of(row: Row, name: str) -> int | float | None:
    """Return the figure `name` of a row of the daily trend, or of a dataset with equal fields."""
    return row.values[_POSITIONS[name]]

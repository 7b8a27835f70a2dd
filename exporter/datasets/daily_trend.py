"""getDailyVisitTrend 日趋势: a day's opens, page views, visitors, stay and depth.

Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/visit-trend/getDailyVisitTrend.html
"""

from typing import Final

from exporter.datasets.dataset import Dataset, Prefix
from exporter.datasets.moments import DAY_REF_DATE
from exporter.datasets.one_row import OneRow
from exporter.datasets.period import DAY
from exporter.datasets.schedule import Schedule
from exporter.datasets.selection import NewestRow
from exporter.datasets.visit_trend import visit_trend_fields

FIELDS: Final = visit_trend_fields("day", not_over="dates or apps")
DAILY_TREND: Final = Dataset(
    name="daily_trend",
    interface="getDailyVisitTrend",
    chinese="日趋势",
    path="/datacube/getweanalysisappiddailyvisittrend",
    calendar=DAY,
    shape=OneRow(),
    selection=NewestRow(),
    schedule=Schedule(),
    fields=FIELDS,
    newest=Prefix("daily", "Newest row held"),
    dated=Prefix("by_date", "Per date"),
    moments=(DAY_REF_DATE,),
)

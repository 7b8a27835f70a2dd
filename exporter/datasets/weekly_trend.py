"""getWeeklyVisitTrend 周趋势: the visit figures of a week, Monday to Sunday, each visitor counted once.

WeChat answers 61501 for a week that is not over.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/visit-trend/getWeeklyVisitTrend.html
"""

from typing import Final

from exporter.datasets.dataset import Dataset, Prefix
from exporter.datasets.moments import first_and_end
from exporter.datasets.one_row import OneRow
from exporter.datasets.period import WEEK
from exporter.datasets.schedule import Schedule
from exporter.datasets.selection import NewestRow
from exporter.datasets.visit_trend import visit_trend_fields

WEEKLY_TREND: Final = Dataset(
    name="weekly_trend",
    interface="getWeeklyVisitTrend",
    chinese="周趋势",
    path="/datacube/getweanalysisappidweeklyvisittrend",
    calendar=WEEK,
    shape=OneRow(),
    selection=NewestRow(),
    schedule=Schedule(day_rounds=2, settle_hours=34),
    fields=visit_trend_fields("week", not_over="weeks or apps"),
    newest=Prefix("weekly", "Newest week held"),
    dated=Prefix("by_week", "Per week"),
    moments=first_and_end("week"),
)

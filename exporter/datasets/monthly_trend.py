"""getMonthlyVisitTrend 月趋势: the visit figures of a calendar month, each visitor counted once.

WeChat answers 61501 for a month that is not over, and for dates that are not its first and last.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/visit-trend/getMonthlyVisitTrend.html
"""

from typing import Final

from exporter.datasets.dataset import Dataset, Prefix
from exporter.datasets.moments import first_and_end
from exporter.datasets.one_row import OneRow
from exporter.datasets.period import MONTH
from exporter.datasets.schedule import Schedule
from exporter.datasets.selection import NewestRow
from exporter.datasets.visit_trend import visit_trend_fields

MONTHLY_TREND: Final = Dataset(
    name="monthly_trend",
    interface="getMonthlyVisitTrend",
    chinese="月趋势",
    path="/datacube/getweanalysisappidmonthlyvisittrend",
    calendar=MONTH,
    shape=OneRow(),
    selection=NewestRow(),
    schedule=Schedule(day_rounds=2, settle_hours=34),
    fields=visit_trend_fields("month", not_over="months or apps"),
    newest=Prefix("monthly", "Newest month held"),
    dated=Prefix("by_month", "Per month"),
    moments=first_and_end("month"),
)

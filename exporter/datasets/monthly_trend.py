"""getMonthlyVisitTrend 月趋势: the visit figures of a calendar month, each visitor counted once.

WeChat answers 61501 for a month that is not over, and for dates that are not its first and last.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/visit-trend/getMonthlyVisitTrend.html
"""

from typing import Final

from exporter.datasets.period import MONTH
from exporter.datasets.trend_fields import long_trend

MONTHLY_TREND: Final = long_trend("getMonthlyVisitTrend", "月趋势", MONTH)

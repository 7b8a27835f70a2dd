"""getWeeklyVisitTrend 周趋势: the visit figures of a week, Monday to Sunday, each visitor counted once.

WeChat answers 61501 for a week that is not over.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/visit-trend/getWeeklyVisitTrend.html
"""

from typing import Final

from exporter.datasets.period import WEEK
from exporter.datasets.trend_fields import long_trend

WEEKLY_TREND: Final = long_trend("getWeeklyVisitTrend", "周趋势", WEEK)

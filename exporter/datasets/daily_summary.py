"""getDailySummary 概况趋势: the users so far, and a day's shares.

Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/others/getDailySummary.html
"""

from typing import Final

from exporter.datasets.body_shapes import OneRowBody
from exporter.datasets.dataset import Dataset, NewestRow, Prefix
from exporter.datasets.field import Field
from exporter.datasets.period import DAY
from exporter.datasets.schedule import Schedule

DAILY_SUMMARY: Final = Dataset(
    name="daily_summary",
    interface="getDailySummary",
    chinese="概况趋势",
    path="/datacube/getweanalysisappiddailysummarytrend",
    calendar=DAY,
    shape=OneRowBody(),
    selection=NewestRow(),
    schedule=Schedule(settle_hours=15),
    fields=(
        Field(
            "visit_total",
            "累计用户数",
            "Users so far",
            "users who have ever visited, up to the end of that day",
            unit="users",
            not_over="dates or apps",
        ),
        Field("share_pv", "转发次数", "Shares", "times the mini program was shared that day"),
        Field(
            "share_uv",
            "转发人数",
            "Sharers",
            "distinct visitors who shared it that day",
            not_over="dates or apps",
        ),
    ),
    newest=Prefix("daily", "Newest summary held"),
    dated=Prefix("by_date", "Per date"),
)

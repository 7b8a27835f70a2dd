"""getDailySummary 概况趋势: all users so far, and a day's shares.

Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/others/getDailySummary.html
"""

from typing import Final

from exporter.datasets.dataset import Dataset, Prefix
from exporter.datasets.field import Field
from exporter.datasets.one_row import OneRow
from exporter.datasets.period import DAY
from exporter.datasets.schedule import Schedule
from exporter.datasets.selection import NewestRow

DAILY_SUMMARY: Final = Dataset(
    name="daily_summary",
    interface="getDailySummary",
    chinese="概况趋势",
    path="/datacube/getweanalysisappiddailysummarytrend",
    calendar=DAY,
    shape=OneRow(),
    selection=NewestRow(),
    schedule=Schedule(settle_hours=15),
    fields=(
        Field(
            name="visit_total",
            metric="visit_total_users",
            unit="users",
            integral=True,
            chinese="累计用户数",
            english="Users so far",
            meaning="users who have ever visited, up to the end of that day",
            not_over="dates or apps",
        ),
        Field(
            name="share_pv",
            metric="share_pv",
            unit="",
            integral=True,
            chinese="转发次数",
            english="Shares",
            meaning="times the mini program was shared that day",
        ),
        Field(
            name="share_uv",
            metric="share_uv",
            unit="",
            integral=True,
            chinese="转发人数",
            english="Sharers",
            meaning="distinct visitors who shared it that day",
            not_over="dates or apps",
        ),
    ),
    newest=Prefix("daily", "Newest summary held"),
    dated=Prefix("by_date", "Per date"),
)

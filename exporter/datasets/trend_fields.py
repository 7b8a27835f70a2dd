"""The table that WeChat gives for days, weeks and months: seven figures of visits.

Source: getDailyVisitTrend's documentation and WeChat's glossary of the analytics terms. Over a week or a
month WeChat sums the counts and counts each visitor once.
"""

from operator import attrgetter
from typing import Final

from exporter.datasets.body_shapes import OneRowBody
from exporter.datasets.dataset import Dataset, NewestRow, PeriodTime, Prefix
from exporter.datasets.field import Field
from exporter.datasets.period import Calendar
from exporter.datasets.schedule import Schedule

DAY_REF_DATE: Final = PeriodTime(
    "ref_date_timestamp_seconds",
    "ref_date 日期: 00:00 Asia/Shanghai of the day that the figures are of, Unix time.",
    attrgetter("start"),
)


def visit_trend_fields(period: str, not_over: str) -> tuple[Field, ...]:
    """Return the fields for a `period` (day, week, month); people and means do not add up over `not_over`."""
    return (
        Field("session_cnt", "打开次数", "Opens", f"times the mini program was opened that {period}"),
        Field("visit_pv", "访问次数", "Page views", f"page views that {period}, repeated views counted"),
        Field("visit_uv", "访问人数", "Visitors", f"distinct visitors that {period}", not_over=not_over),
        Field(
            "visit_uv_new",
            "新用户数",
            "New visitors",
            f"visitors who came for the first time ever that {period}",
        ),
        Field(
            "stay_time_uv",
            "人均停留时长",
            "Stay per visitor",
            f"mean stay per visitor that {period}, in seconds",
            unit="seconds",
            integral=False,
            not_over=not_over,
        ),
        Field(
            "stay_time_session",
            "次均停留时长",
            "Stay per open",
            f"mean stay per open that {period}, in seconds",
            unit="seconds",
            integral=False,
            not_over=not_over,
        ),
        Field(
            "visit_depth",
            "平均访问深度",
            "Visit depth",
            f"mean number of distinct pages per open that {period}, in pages",
            integral=False,
            not_over=not_over,
        ),
    )


def long_trend(interface: str, chinese: str, calendar: Calendar) -> Dataset:
    """Return the trend for periods longer than a day."""
    period = calendar.name
    return Dataset(
        name=f"{period}ly_trend",
        interface=interface,
        chinese=chinese,
        path=f"/datacube/getweanalysisappid{period}lyvisittrend",
        calendar=calendar,
        shape=OneRowBody(),
        selection=NewestRow(),
        schedule=Schedule(day_rounds=2, early_rounds=4, settle_hours=34),
        fields=visit_trend_fields(period, not_over=f"{period}s or apps"),
        newest=Prefix(f"{period}ly", f"Newest {period} held"),
        dated=Prefix(f"by_{period}", f"Per {period}"),
        moments=(
            PeriodTime(
                "ref_date_timestamp_seconds",
                f"ref_date 日期: 00:00 Asia/Shanghai of the {period}'s first day, Unix time.",
                attrgetter("start"),
            ),
            PeriodTime(
                "end_timestamp_seconds",
                f"End of the {period}: 00:00 Asia/Shanghai of the day after its last day, Unix time.",
                attrgetter("end"),
            ),
        ),
    )

"""The seven figures that WeChat gives for a day, a week and a month alike.

Source: getDailyVisitTrend's documentation and WeChat's glossary of the analytics terms. Over a week or a
month WeChat sums the counts and counts each visitor once.
"""

from exporter.datasets.field import Field


def visit_trend_fields(period: str, not_over: str) -> tuple[Field, ...]:
    """The figures of a `period` (day, week, month); visitors and means do not add up over `not_over`."""
    return (
        Field(
            name="session_cnt",
            metric="session_cnt",
            unit="",
            integral=True,
            chinese="打开次数",
            english="Opens",
            meaning=f"times the mini program was opened that {period}",
        ),
        Field(
            name="visit_pv",
            metric="visit_pv",
            unit="",
            integral=True,
            chinese="访问次数",
            english="Page views",
            meaning=f"page views that {period}, repeated views counted",
        ),
        Field(
            name="visit_uv",
            metric="visit_uv",
            unit="",
            integral=True,
            chinese="访问人数",
            english="Visitors",
            meaning=f"distinct visitors that {period}",
            not_over=not_over,
        ),
        Field(
            name="visit_uv_new",
            metric="visit_uv_new",
            unit="",
            integral=True,
            chinese="新用户数",
            english="New visitors",
            meaning=f"visitors who came for the first time ever that {period}",
        ),
        Field(
            name="stay_time_uv",
            metric="stay_time_uv_seconds",
            unit="seconds",
            integral=False,
            chinese="人均停留时长",
            english="Stay per visitor",
            meaning=f"mean stay per visitor that {period}, in seconds",
            not_over=not_over,
        ),
        Field(
            name="stay_time_session",
            metric="stay_time_session_seconds",
            unit="seconds",
            integral=False,
            chinese="次均停留时长",
            english="Stay per open",
            meaning=f"mean stay per open that {period}, in seconds",
            not_over=not_over,
        ),
        Field(
            name="visit_depth",
            metric="visit_depth",
            unit="",
            integral=False,
            chinese="平均访问深度",
            english="Visit depth",
            meaning=f"mean number of distinct pages per open that {period}, in pages",
            not_over=not_over,
        ),
    )

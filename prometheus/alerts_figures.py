"""The alerts on the figures: the newest date against the same weekday of the week before."""

from typing import Final

from prometheus.alerting import (
    APP,
    RECENT,
    VISITORS,
    VISITORS_USUAL,
    VISITORS_WEEK_BEFORE,
    Alert,
    Severity,
    looked_up,
)

_FIGURES: Final = (
    f"{looked_up(VISITORS, 'value | printf `%.0f`')} visitors on the newest date, "
    f"{looked_up(VISITORS_WEEK_BEFORE, 'value | printf `%.0f`')} on the same weekday a week before."
)

FIGURE_ALERTS: Final = (
    Alert(
        name="VisitorsDropped",
        severity=Severity.WARNING,
        hold="15m",
        expr=(
            f"({VISITORS} > 0)\n"
            f"  / on (appid) group_left () (max by (appid) ({VISITORS_WEEK_BEFORE}) >= 100)\n"
            f"  < 0.5\n"
            f"and on (appid) {RECENT}"
        ),
        summary=f"{APP}: visitors at {{{{ $value | humanizePercentage }}}} of the week before",
        summary_zh=f"{APP}：访问人数仅为上周同日的 {{{{ $value | humanizePercentage }}}}",
        description=_FIGURES,
        why=(
            "Against the same weekday, so that no weekend is an alarm; a hundred visitors as the floor, "
            "so that small apps are silent; zero is NoVisitors' matter. By date, whatever the hour of "
            "publication."
        ),
    ),
    Alert(
        name="VisitorsSpiked",
        severity=Severity.INFO,
        hold="15m",
        expr=(
            f"{VISITORS}\n"
            f"  / on (appid) group_left () (max by (appid) ({VISITORS_WEEK_BEFORE}) >= 100)\n"
            f"  > 3\n"
            f"and on (appid) ({VISITORS} > on (appid) group_left () 3 * max by (appid) ({VISITORS_USUAL}))\n"
            f"and on (appid) {RECENT}"
        ),
        summary=f"{APP}: {{{{ $value | printf `%.1f` }}}} times the visitors of the week before",
        summary_zh=f"{APP}：访问人数为上周同日的 {{{{ $value | printf `%.1f` }}}} 倍",
        description=(
            f"{_FIGURES} Usually {looked_up(VISITORS_USUAL, 'value | printf `%.0f`')} "
            "(the median of the last dates)."
        ),
        why="Above three times the median too: one bad day a week ago makes no spike of an ordinary one.",
    ),
    Alert(
        name="NoVisitors",
        severity=Severity.WARNING,
        hold="15m",
        expr=(f"({VISITORS} == 0)\nand on (appid) ({VISITORS_WEEK_BEFORE} > 0)\nand on (appid) {RECENT}"),
        summary=f"{APP}: nobody came on the newest date",
        summary_zh=f"{APP}：最新日期无人访问",
        description=_FIGURES,
        why="WeChat itself said zero: a row that has not come is absent, never zero.",
    ),
)

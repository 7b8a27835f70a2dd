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
from prometheus.thresholds import Thresholds

_FIGURES_ZH: Final = (
    f"最新日期 {looked_up(VISITORS, 'value | printf `%.0f`')} 人，"
    f"上周同日 {looked_up(VISITORS_WEEK_BEFORE, 'value | printf `%.0f`')} 人。"
)
_FIGURES: Final = (
    f"{looked_up(VISITORS, 'value | printf `%.0f`')} visitors on the newest date, "
    f"{looked_up(VISITORS_WEEK_BEFORE, 'value | printf `%.0f`')} on the same weekday a week before."
)


def figure_alerts(limits: Thresholds) -> tuple[Alert, ...]:
    """Make them with these thresholds."""
    small, smaller = (limits.number(name, "floor") for name in ("VisitorsDropped", "VisitorsSpiked"))
    below, above = limits.number("VisitorsDropped", "below"), limits.number("VisitorsSpiked", "above")
    return (
        Alert(
            name="VisitorsDropped",
            severity=Severity.WARNING,
            expr=(
                f"({VISITORS} > 0)\n"
                f"  / on (appid) group_left () (max by (appid) ({VISITORS_WEEK_BEFORE}) >= {small})\n"
                f"  < {below}\n"
                f"and on (appid) {RECENT}"
            ),
            summary=f"{APP}: visitors at {{{{ $value | humanizePercentage }}}} of the week before",
            summary_zh=f"{APP}：访问人数仅为上周同日的 {{{{ $value | humanizePercentage }}}}",
            description=_FIGURES,
            description_zh=_FIGURES_ZH,
            why=(
                "Against the same weekday, so that no weekend is an alarm; a hundred visitors as the floor, "
                "so that small apps are silent; zero is NoVisitors' matter. By date, whatever the hour of "
                "publication."
            ),
        ),
        Alert(
            name="VisitorsSpiked",
            severity=Severity.INFO,
            expr=(
                f"{VISITORS}\n"
                f"  / on (appid) group_left () (max by (appid) ({VISITORS_WEEK_BEFORE}) >= {smaller})\n"
                f"  > {above}\n"
                f"and on (appid) ({VISITORS} > on (appid) group_left () {above} * max by (appid) ({VISITORS_USUAL}))\n"
                f"and on (appid) {RECENT}"
            ),
            summary=f"{APP}: {{{{ $value | printf `%.1f` }}}} times the visitors of the week before",
            summary_zh=f"{APP}：访问人数为上周同日的 {{{{ $value | printf `%.1f` }}}} 倍",
            description=(
                f"{_FIGURES} Usually {looked_up(VISITORS_USUAL, 'value | printf `%.0f`')} "
                "(the median of the last dates)."
            ),
            description_zh=(
                f"{_FIGURES_ZH}通常为 {looked_up(VISITORS_USUAL, 'value | printf `%.0f`')} 人（近期中位数）。"
            ),
            why="Above three times the median too: one bad day a week ago makes no spike of an ordinary one.",
        ),
        Alert(
            name="NoVisitors",
            severity=Severity.WARNING,
            expr=(f"({VISITORS} == 0)\nand on (appid) ({VISITORS_WEEK_BEFORE} > 0)\nand on (appid) {RECENT}"),
            summary=f"{APP}: nobody came on the newest date",
            summary_zh=f"{APP}：最新日期无人访问",
            description=_FIGURES,
            description_zh=_FIGURES_ZH,
            why="WeChat itself said zero: a row that has not come is absent, never zero.",
        ),
    )

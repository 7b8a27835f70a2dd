"""The words of the Retention dashboard."""

from typing import Final

from grafana.wording import PanelText, Text, panel_text

RETENTION_WORDS: Final = {
    "retention": Text("WeChat Mini Programs / Retention", "微信小程序 / 留存"),
    "retention_about": Text(
        "How many of a day's visitors come back on the n-th day after it.",
        "某日访问用户在其后第 n 天再次访问的比例。",
    ),
    "new_back": Text("New", "新增留存"),
    "active_back": Text("All", "活跃留存"),
    "needs_rules": Text(
        "No figures: switch on the dataset {} and load the recording rules",
        "无数据：请启用数据集 {} 并加载记录规则",
    ),
    "cohort": Text("New visitors of the cohort (D1)", "新用户数（次日留存）"),
}

_COHORT: Final = Text(
    " Exactly the n-th day, not cumulative. Each point stands on the date of the cohort's own visits; a day "
    "that is not over yet has none.",
    "仅指第 n 天当天，不累计。每个点位于用户首次访问的日期，尚未到期的没有数据。",
)
_TOTALS: Final = Text(
    "Of all mini programs, large ones counting more, as the recording rules have kept it since they were "
    "loaded. With a filter: of its mini programs, from their own figures, the newest cohort from 16:00 on; that "
    "takes seconds for a thousand of them.",
    "全部小程序，按人数加权；取自记录规则保存的合计，自规则加载时起。设置筛选后直接用所选小程序的数据计算："
    "最新日期自 16:00 起显示，小程序上千时需要数秒。",
)


def _cohort(en: str, zh: str) -> Text:
    return Text(en + _COHORT.en, zh + _COHORT.zh)


RETENTION_PANELS: Final = {
    "all_new": panel_text(
        ("All: new visitors who come back", "新增留存（全部）"),
        (
            (
                "Of those who came for the first time, how many came again exactly 1, 7 and 30 days later: the newest "
                "cohorts that have the day, over all mini programs, large ones counting more."
            ),
            "首次访问的用户中在其后第 1、7、30 天再次访问的比例：取已到期的最新一批，按全部小程序的人数加权。",
        ),
    ),
    "all_active": panel_text(
        ("All: visitors who come back", "活跃留存（全部）"),
        (
            "The same for all visitors of a day.",
            "同上，统计某日全部访问用户。",
        ),
    ),
    "all_dated_new": PanelText(
        Text("All: new visitors who come back, per cohort", "新增留存（全部，按日期）"),
        _cohort(
            _TOTALS.en,
            _TOTALS.zh,
        ),
    ),
    "all_dated_active": PanelText(
        Text("All: visitors who come back, per cohort", "活跃留存（全部，按日期）"),
        _cohort(
            _TOTALS.en,
            _TOTALS.zh,
        ),
    ),
    "retention_table": panel_text(
        ("Retention of every mini program", "各小程序留存"),
        (
            "The newest cohort that has each day. A small cohort says little: its size is in the last column.",
            "各天已到期的最新一批。人数少时参考价值有限，见最后一列。",
        ),
    ),
    "dated_back_new": PanelText(
        Text("New visitors who come back", "新增留存（按日期）"),
        _cohort("Of those who came for the first time.", "首次访问的用户。"),
    ),
    "dated_back_active": PanelText(
        Text("Visitors who come back", "活跃留存（按日期）"),
        _cohort("Of all visitors of the date.", "当日全部访问用户。"),
    ),
    "curve_new": panel_text(
        ("Retention curve, new visitors", "留存曲线（新用户）"),
        (
            "The newest cohort that has each day, for the days of `daily_retention.days`: 1, 7 and 30 if not set.",
            "各天已到期的最新一批，天数由 `daily_retention.days` 设定，默认为 1、7、30。",
        ),
    ),
    "curve_active": panel_text(
        ("Retention curve, all visitors", "留存曲线（全部用户）"),
        ("The same for all visitors of a day.", "同上，统计某日全部访问用户。"),
    ),
}

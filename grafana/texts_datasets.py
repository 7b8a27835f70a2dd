"""The words of the dashboards about datasets: Audience, Retention, Sources and Pages."""

from typing import Final

from grafana.wording import PanelText, Text

DATASET_WORDS: Final = {
    "all_apps": Text("All mini programs of the filter", "筛选范围内的全部小程序"),
    "audience": Text("WeChat Mini Programs / Audience", "微信小程序 / 用户规模"),
    "audience_about": Text(
        "Visitors of a day, a week and a month, how many of them are new, and how many share.",
        "日、周、月访问人数，新用户占比与转发率。",
    ),
    "retention": Text("WeChat Mini Programs / Retention", "微信小程序 / 留存"),
    "retention_about": Text(
        "How many of a day's visitors come back on the n-th day after it.",
        "某日访问用户在其后第 n 天再次访问的比例。",
    ),
    "sources": Text("WeChat Mini Programs / Sources", "微信小程序 / 访问来源"),
    "sources_about": Text(
        "Where opens come from, how long they stay and how deep they go.",
        "打开来源、停留时长与访问深度的分布。",
    ),
    "pages": Text("WeChat Mini Programs / Pages", "微信小程序 / 访问页面"),
    "pages_about": Text(
        "Views, visitors, stay, entries, exits and shares of each page, and which pages rise and fall.",
        "各页面的访问、停留、进入、退出与转发，以及涨跌。",
    ),
    "day_users": Text("Visitors of the day (DAU)", "日访问人数（DAU）"),
    "week_users": Text("Visitors of the week (WAU)", "周访问人数（WAU）"),
    "month_users": Text("Visitors of the month (MAU)", "月访问人数（MAU）"),
    "day_of_month": Text("DAU/MAU", "DAU/MAU"),
    "week_of_month": Text("WAU/MAU", "周活/月活"),
    "of_week": Text("of the week", "周"),
    "of_month": Text("of the month", "月"),
    "new_of_week": Text("New in the week", "周新用户占比"),
    "new_share": Text("New visitors' share", "新用户占比"),
    "share_rate": Text("Share rate", "转发率"),
    "total_users": Text("Users so far", "累计用户数"),
    "new_back": Text("New", "新增留存"),
    "active_back": Text("All", "活跃留存"),
    "cohort": Text("New visitors of the cohort (D1)", "新用户数（次日留存）"),
    "source": Text("Source", "来源"),
    "source_key": Text("Key", "编号"),
    "opens": Text("Opens", "打开次数"),
    "page": Text("Page", "页面"),
    "stay_per_view": Text("Stay per view", "次均停留时长"),
    "entries": Text("Entries", "进入页次数"),
    "exits": Text("Exits", "退出页次数"),
    "exit_rate": Text("Exit rate", "退出率"),
    "shares": Text("Shares", "转发次数"),
    "sharers": Text("Sharers", "转发人数"),
}

_COHORT: Final = Text(
    " Exactly the n-th day, not cumulative. Each point stands on the date of the cohort's own visits; a day "
    "that is not over yet has none.",
    "仅指第 n 天当天，不累计。每个点位于用户首次访问的日期，尚未到期的没有数据。",
)


def _cohort(en: str, zh: str) -> Text:
    return Text(en + _COHORT.en, zh + _COHORT.zh)


def _panel(title: tuple[str, str], description: tuple[str, str]) -> PanelText:
    return PanelText(Text(*title), Text(*description))


DATASET_PANELS: Final = {
    "datasets_on": _panel(
        ("Mini programs with the dataset", "启用数据集的小程序数"),
        (
            (
                "How many mini programs of the filter have each dataset that this page needs. Grey: none; switch it "
                "on in the exporter's configuration under `datasets`."
            ),
            "筛选范围内启用了本页所需数据集的小程序数量。灰色表示没有：请在 Exporter 配置的 `datasets` 中启用。",
        ),
    ),
    "all_week_of_month": _panel(
        ("WAU/MAU", "周活/月活"),
        (
            (
                "Visitors of the last complete week by those of the last complete month, over the mini programs that "
                "have both. Each person counts once per mini program."
            ),
            "最近完整一周与最近完整一月的访问人数之比，仅计两者均有的小程序。同一人在每个小程序各计一次。",
        ),
    ),
    "all_new_of_week": _panel(
        ("New visitors' share, week", "周新用户占比"),
        (
            "How many of the visitors of the last complete week came for the first time.",
            "最近完整一周的访问用户中首次访问者的比例。",
        ),
    ),
    "all_new_of_month": _panel(
        ("New visitors' share, month", "月新用户占比"),
        (
            "How many of the visitors of the last complete month came for the first time.",
            "最近完整一月的访问用户中首次访问者的比例。",
        ),
    ),
    "all_share_rate": _panel(
        ("Share rate of all", "转发率（全部）"),
        (
            "How many of the visitors of the newest date shared the mini program, where both figures are of one date.",
            "最新日期的访问用户中转发过小程序的比例，仅计两项数据日期相同的小程序。",
        ),
    ),
    "audience_table": _panel(
        ("Audience of every mini program", "各小程序用户规模"),
        (
            (
                "Visitors of the last complete month and week and of the newest date, their ratios, and all users so "
                "far. Do not add visitors up over mini programs: a person counts in each."
            ),
            "最近完整一月、一周与最新日期的访问人数及其比例，以及累计用户数。不可跨小程序相加：同一人在每个小程序各计一次。",
        ),
    ),
    "day_users": _panel(
        ("DAU", "日活（DAU）"),
        ("Distinct visitors of the newest date.", "最新日期的去重访问人数。"),
    ),
    "week_users": _panel(
        ("WAU", "周活（WAU）"),
        (
            "Distinct visitors of the last complete week, Monday to Sunday.",
            "最近完整一周（周一至周日）的去重访问人数。",
        ),
    ),
    "month_users": _panel(
        ("MAU", "月活（MAU）"),
        ("Distinct visitors of the last complete calendar month.", "最近完整自然月的去重访问人数。"),
    ),
    "stickiness": _panel(
        ("Stickiness", "用户黏性"),
        (
            (
                "DAU/MAU: the mean visitors of the last complete month's days by the month's; grey until Prometheus has "
                "seen every date of that month. WAU/MAU: the last complete week by the last complete month."
            ),
            (
                "DAU/MAU：最近完整月的日均访问人数除以该月访问人数，需 Prometheus 见过该月每一天，否则为灰色。"
                "WAU/MAU：最近完整一周除以最近完整一月。"
            ),
        ),
    ),
    "new_share": _panel(
        ("New visitors' share", "新用户占比"),
        (
            "How many visitors of the last complete week and month came for the first time ever.",
            "最近完整一周、一月的访问用户中首次访问者的比例。",
        ),
    ),
    "total_users": _panel(
        ("Users so far", "累计用户数"),
        (
            "All users who have ever visited, up to the end of the newest date.",
            "截至最新日期曾访问过的全部用户。",
        ),
    ),
    "share_rate": _panel(
        ("Share rate", "转发率"),
        (
            "How many of the visitors of the newest date shared the mini program.",
            "最新日期的访问用户中转发过小程序的比例。",
        ),
    ),
    "dated_day_users": _panel(
        ("Visitors per date (DAU)", "每日访问人数（DAU）"),
        ("Distinct visitors of each date; do not add dates up.", "各日去重访问人数，不可跨日相加。"),
    ),
    "dated_week_users": _panel(
        ("Visitors per week (WAU)", "每周访问人数（WAU）"),
        (
            "Distinct visitors of each week, on its Monday: each person counts once a week.",
            "各周去重访问人数，位于该周周一：同一人每周只计一次。",
        ),
    ),
    "dated_month_users": _panel(
        ("Visitors per month (MAU)", "每月访问人数（MAU）"),
        (
            "Distinct visitors of each calendar month, on its first day.",
            "各自然月去重访问人数，位于该月 1 日。",
        ),
    ),
    "dated_new_share": _panel(
        ("New visitors' share per date", "每日新用户占比"),
        (
            "How many of each date's visitors came for the first time ever.",
            "各日访问用户中首次访问者的比例。",
        ),
    ),
    "dated_share_rate": _panel(
        ("Share rate per date", "每日转发率"),
        (
            "How many of each date's visitors shared the mini program.",
            "各日访问用户中转发过小程序的比例。",
        ),
    ),
    "dated_total_users": _panel(
        ("Users so far per date", "每日累计用户数"),
        (
            "All users who have ever visited, up to the end of each date.",
            "截至各日曾访问过的全部用户。",
        ),
    ),
    "all_new": _panel(
        ("All: new visitors who come back", "新增留存（全部）"),
        (
            (
                "Of those who came for the first time, how many came again exactly 1, 7 and 30 days later: the newest "
                "cohorts that have the day, over all mini programs, large ones counting more."
            ),
            "首次访问的用户中在其后第 1、7、30 天再次访问的比例：取已到期的最新一批，按全部小程序的人数加权。",
        ),
    ),
    "all_active": _panel(
        ("All: visitors who come back", "活跃留存（全部）"),
        (
            "The same for all visitors of a day.",
            "同上，统计某日全部访问用户。",
        ),
    ),
    "all_dated_new": PanelText(
        Text("All: new visitors who come back, per cohort", "新增留存（全部，按日期）"),
        _cohort(
            "Of all mini programs, large ones counting more; the newest cohort from 18:00 on.",
            "全部小程序，按人数加权；最新日期自 18:00 起显示。",
        ),
    ),
    "all_dated_active": PanelText(
        Text("All: visitors who come back, per cohort", "活跃留存（全部，按日期）"),
        _cohort(
            "Of all mini programs, large ones counting more; the newest cohort from 18:00 on.",
            "全部小程序，按人数加权；最新日期自 18:00 起显示。",
        ),
    ),
    "retention_table": _panel(
        ("Retention of every mini program", "各小程序留存"),
        (
            "The newest cohort that has each day. A small cohort says little: its size stands in the last column.",
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
    "curve_new": _panel(
        ("Retention curve, new visitors", "留存曲线（新用户）"),
        (
            "The newest cohort that has each day, for the days of `daily_retention.days`: 1, 7 and 30 if not set.",
            "各天已到期的最新一批，天数由 `daily_retention.days` 设定，默认为 1、7、30。",
        ),
    ),
    "curve_active": _panel(
        ("Retention curve, all visitors", "留存曲线（全部用户）"),
        ("The same for all visitors of a day.", "同上，统计某日全部访问用户。"),
    ),
    "all_sources": _panel(
        ("Sources of all opens", "全部打开来源"),
        (
            (
                "Opens by source over all mini programs on their newest dates, the share of each, and the change against "
                "the same weekday a week before, on the mini programs that have both."
            ),
            "全部小程序最新日期的打开次数（按来源）、占比，以及与上周同日相比的变化（仅计两日均有数据的小程序）。",
        ),
    ),
    "source_shares": _panel(
        ("Share of opens by source", "各来源打开次数占比"),
        (
            "Each date's opens by source, together 100 %. A source that WeChat has not documented has its key, #62.",
            "各日打开次数按来源的占比，合计 100%。微信未公布名称的来源显示编号，如 #62。",
        ),
    ),
    "app_sources": _panel(
        ("Sources, week on week", "来源与周同比"),
        (
            (
                "Opens and visitors by source on the newest date, and the change against the same weekday a week before. "
                "Do not add visitors up over sources: a person may come from several."
            ),
            "最新日期各来源的打开次数与人数，以及与上周同日相比的变化。人数不可跨来源相加：同一人可能来自多个来源。",
        ),
    ),
    "buckets_staytime": _panel(
        ("Opens by stay", "停留时长分布"),
        ("The share of opens that stayed so long, newest date.", "最新日期各停留时长区间的打开次数占比。"),
    ),
    "buckets_depth": _panel(
        ("Opens by depth", "访问深度分布"),
        ("The share of opens that saw so many pages, newest date.", "最新日期各访问页数区间的打开次数占比。"),
    ),
    "top_pages": _panel(
        ("The fifty pages with the most views", "访问次数前五十的页面"),
        (
            "Over all mini programs, on their newest dates; the exit rate is the share of views with which a visit ended.",
            "全部小程序最新日期。退出率为退出次数占访问次数的比例。",
        ),
    ),
    "pages_table": _panel(
        ("Pages", "页面"),
        (
            (
                "The pages with the most views on the newest date (`visit_pages.top`), and the rest as (other). Exit rate: "
                "the share of views with which a visit ended. Do not add visitors up over pages."
            ),
            (
                "最新日期访问次数最多的页面（由 `visit_pages.top` 设定），其余合计为 (other)。退出率为退出次数占访问次数的比例。"
                "人数不可跨页面相加。"
            ),
        ),
    ),
    "page_risers": _panel(
        ("Top risers, week on week", "周同比涨幅榜"),
        (
            "Views against the same weekday a week before, pages with 100 views or more then.",
            "与上周同日相比的访问次数，上周同日至少 100 次的页面。",
        ),
    ),
    "page_fallers": _panel(
        ("Top fallers, week on week", "周同比跌幅榜"),
        (
            "Pages that lost views, largest loss first; 100 views or more a week before.",
            "访问次数下降的页面，降幅最大的在前，上周同日至少 100 次。",
        ),
    ),
}

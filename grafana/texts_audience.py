"""The words of the Audience dashboard."""

from typing import Final

from grafana.wording import Text, panel_text

AUDIENCE_WORDS: Final = {
    "audience": Text("WeChat Mini Programs / Audience", "微信小程序 / 用户规模"),
    "audience_about": Text(
        "Visitors of a day, a week and a month, how many of them are new, and how many share.",
        "日、周、月访问人数，新用户占比与转发率。",
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
}
AUDIENCE_PANELS: Final = {
    "all_week_of_month": panel_text(
        ("WAU/MAU", "周活/月活"),
        (
            (
                "Visitors of the last complete week by those of the last complete month, over the mini programs that "
                "have both. Each person counts once per mini program."
            ),
            "最近完整一周与最近完整一月的访问人数之比，仅计两者均有的小程序。同一人在每个小程序各计一次。",
        ),
    ),
    "all_new_of_week": panel_text(
        ("New visitors' share, week", "周新用户占比"),
        (
            "How many of the visitors of the last complete week came for the first time.",
            "最近完整一周的访问用户中首次访问者的比例。",
        ),
    ),
    "all_new_of_month": panel_text(
        ("New visitors' share, month", "月新用户占比"),
        (
            "How many of the visitors of the last complete month came for the first time.",
            "最近完整一月的访问用户中首次访问者的比例。",
        ),
    ),
    "all_share_rate": panel_text(
        ("Share rate of all", "转发率（全部）"),
        (
            "How many of the visitors of the newest date shared the mini program, where both figures are of one date.",
            "最新日期的访问用户中转发过小程序的比例，仅计两项数据日期相同的小程序。",
        ),
    ),
    "audience_table": panel_text(
        ("Audience of every mini program", "各小程序用户规模"),
        (
            (
                "Visitors of the last complete month and week and of the newest date, their ratios, and all users so "
                "far. Do not add visitors up over mini programs: a person counts in each."
            ),
            "最近完整一月、一周与最新日期的访问人数及其比例，以及累计用户数。不可跨小程序相加：同一人在每个小程序各计一次。",
        ),
    ),
    "day_users": panel_text(
        ("DAU", "日活（DAU）"),
        ("Distinct visitors of the newest date.", "最新日期的去重访问人数。"),
    ),
    "week_users": panel_text(
        ("WAU", "周活（WAU）"),
        (
            "Distinct visitors of the last complete week, Monday to Sunday.",
            "最近完整一周（周一至周日）的去重访问人数。",
        ),
    ),
    "month_users": panel_text(
        ("MAU", "月活（MAU）"),
        ("Distinct visitors of the last complete calendar month.", "最近完整自然月的去重访问人数。"),
    ),
    "stickiness": panel_text(
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
    "new_share": panel_text(
        ("New visitors' share", "新用户占比"),
        (
            "How many visitors of the last complete week and month came for the first time ever.",
            "最近完整一周、一月的访问用户中首次访问者的比例。",
        ),
    ),
    "total_users": panel_text(
        ("Users so far", "累计用户数"),
        (
            "All users who have ever visited, up to the end of the newest date.",
            "截至最新日期曾访问过的全部用户。",
        ),
    ),
    "share_rate": panel_text(
        ("Share rate", "转发率"),
        (
            "How many of the visitors of the newest date shared the mini program.",
            "最新日期的访问用户中转发过小程序的比例。",
        ),
    ),
    "dated_day_users": panel_text(
        ("Visitors per date (DAU)", "每日访问人数（DAU）"),
        ("Distinct visitors of each date; do not add dates up.", "各日去重访问人数，不可跨日相加。"),
    ),
    "dated_week_users": panel_text(
        ("Visitors per week (WAU)", "每周访问人数（WAU）"),
        (
            "Distinct visitors of each week, on its Monday: each person counts once a week.",
            "各周去重访问人数，位于该周周一：同一人每周只计一次。",
        ),
    ),
    "dated_month_users": panel_text(
        ("Visitors per month (MAU)", "每月访问人数（MAU）"),
        (
            "Distinct visitors of each calendar month, on its first day.",
            "各自然月去重访问人数，位于该月 1 日。",
        ),
    ),
    "dated_new_share": panel_text(
        ("New visitors' share per date", "每日新用户占比"),
        (
            "How many of each date's visitors came for the first time ever.",
            "各日访问用户中首次访问者的比例。",
        ),
    ),
    "dated_share_rate": panel_text(
        ("Share rate per date", "每日转发率"),
        (
            "How many of each date's visitors shared the mini program.",
            "各日访问用户中转发过小程序的比例。",
        ),
    ),
    "dated_total_users": panel_text(
        ("Users so far per date", "每日累计用户数"),
        (
            "All users who have ever visited, up to the end of each date.",
            "截至各日曾访问过的全部用户。",
        ),
    ),
}

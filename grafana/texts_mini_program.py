"""The words of the Mini program dashboard."""

from typing import Final

from grafana.wording import PanelText, Text

_DATED: Final = Text(
    " A point per date, right in every time zone and also for dates that came late.",
    "每个日期一个点，任何时区、延迟的数据均正确归位。",
)


def _dated(en: str, zh: str) -> Text:
    return Text(en + _DATED.en, zh + _DATED.zh)


MINI_PROGRAM_WORDS: Final = {
    "mini_program": Text("WeChat Mini Programs / Mini program", "微信小程序 / 单个小程序"),
    "mini_program_about": Text(
        "One or several mini programs, each in a row of its own: newest figures, every date, comparisons.",
        "一个或多个小程序，各占一行：最新数据、每日数据与对比。",
    ),
    "days_old": Text("days old", "距今天数"),
    "side_by_side": Text("Side by side", "对比"),
    "alert": Text("Alert", "告警"),
    "severity": Text("Severity", "级别"),
    "nothing_fires": Text(
        "No alert fires, or the shipped rules are not loaded.", "没有触发的告警，或未加载内置规则。"
    ),
    "failing_state": Text("failing", "失败"),
    "ok_state": Text("OK", "正常"),
    "returning": Text("Returning visitors", "回访用户数"),
    "opens_per_visitor": Text("Opens per visitor", "人均打开次数"),
    "pages_per_open": Text("Page views per open", "次均访问页数"),
    "this_date": Text("This date", "当日"),
    "week_before": Text("A week before", "上周同日"),
}

MINI_PROGRAM_PANELS: Final = {
    "one_state": PanelText(
        Text("Last refresh", "最近一次刷新"),
        Text(
            'Whether WeChat answered when it was last asked for this mini program; "not ready yet" is an '
            "answer. "
            "The table beside has the reason of a failure.",
            "最近一次请求微信是否正常应答（“尚未就绪”也属正常）。失败原因见旁边的表格。",
        ),
    ),
    "overlay": PanelText(
        Text("Visitors of the chosen mini programs", "所选小程序的访问人数"),
        _dated(
            "Distinct visitors of each date, a line per mini program chosen above.",
            "各日去重访问人数，上方所选的每个小程序一条线。",
        ),
    ),
    "one_alerts": PanelText(
        Text("Alerts firing", "触发中的告警"),
        Text(
            "The shipped alerts that fire for this mini program now.",
            "该小程序当前触发的内置告警。",
        ),
    ),
    "one_newest": PanelText(
        Text("Newest date", "最新日期"),
        Text(
            "The date that the figures below are of, as yyyymmdd (Beijing), and how many days ago it began: 1 or "
            "2 is usual, 3 and more is late (orange, then vermilion).",
            "下方数据所属日期（北京时间，yyyymmdd）及距今天数：1 或 2 为正常，3 起为延迟（橙色，其后朱红）。",
        ),
    ),
    "one_failing": PanelText(
        Text("Why it fails, and what to do", "失败原因与处理建议"),
        Text(
            "While the last refresh failed: the reason, WeChat's errcode and the exporter's advice. An empty "
            "table: it has not failed.",
            "最近一次刷新失败时：原因、微信错误码与处理建议。为空表示没有失败。",
        ),
    ),
    "one_session_cnt": PanelText(
        Text("Opens", "打开次数"),
        Text(
            "How often the mini program was opened on the newest date, and the change against the "
            "day before and the same weekday a week before.",
            "最新日期的打开次数，及其日环比、周同比。",
        ),
    ),
    "one_visit_pv": PanelText(
        Text("Page views", "访问次数"),
        Text(
            "Page views of the newest date, and the change day on day and week on week.",
            "最新日期的访问次数，及其日环比、周同比。",
        ),
    ),
    "one_visit_uv": PanelText(
        Text("Visitors", "访问人数"),
        Text(
            "Distinct visitors of the newest date, and the change day on day and week on week.",
            "最新日期的访问人数（去重），及其日环比、周同比。",
        ),
    ),
    "one_visit_uv_new": PanelText(
        Text("New visitors", "新用户数"),
        Text(
            "Visitors who came for the first time ever on the newest date, and the change day on day and week on week.",
            "最新日期首次访问的用户数，及其日环比、周同比。",
        ),
    ),
    "one_stay_time_uv": PanelText(
        Text("Stay per visitor", "人均停留时长"),
        Text(
            "Mean stay per visitor on the newest date, and the change day on day and week on week.",
            "最新日期的人均停留时长，及其日环比、周同比。",
        ),
    ),
    "one_stay_time_session": PanelText(
        Text("Stay per open", "次均停留时长"),
        Text(
            "Mean stay per open on the newest date, and the change day on day and week on week.",
            "最新日期的次均停留时长，及其日环比、周同比。",
        ),
    ),
    "one_visit_depth": PanelText(
        Text("Depth", "平均访问深度"),
        Text(
            "Mean number of distinct pages per open on the newest date, and the change day on day and week on week.",
            "最新日期每次打开访问的不同页面数平均值，及其日环比、周同比。",
        ),
    ),
    "dated_visit_pv": PanelText(
        Text("Page views per date", "每日访问次数"),
        _dated("Page views, repeated views counted.", "访问页面总次数，重复访问计入。"),
    ),
    "dated_visit_uv": PanelText(
        Text("Visitors per date", "每日访问人数"),
        _dated("Distinct visitors of each date; do not add dates up.", "各日去重访问人数，不可跨日相加。"),
    ),
    "dated_new": PanelText(
        Text("New and returning visitors per date", "每日新用户与回访用户"),
        _dated(
            "New visitors, and on top of them those who had come before: together the visitors of the date.",
            "新用户与曾访问过的用户，叠加即当日访问人数。",
        ),
    ),
    "dated_session_cnt": PanelText(
        Text("Opens per date", "每日打开次数"),
        _dated("How often the mini program was opened.", "小程序被打开的次数。"),
    ),
    "dated_stay": PanelText(
        Text("Stay times per date", "每日停留时长"),
        _dated("Mean stay per visitor and per open.", "人均与次均停留时长。"),
    ),
    "dated_depth": PanelText(
        Text("Depth per date", "每日平均访问深度"),
        _dated("Mean number of distinct pages per open.", "每次打开访问的不同页面数平均值。"),
    ),
    "dated_ratios": PanelText(
        Text("Opens per visitor, page views per open", "人均打开次数与次均访问页数"),
        _dated(
            "Opens divided by visitors, and page views divided by opens.",
            "打开次数除以访问人数，访问次数除以打开次数。",
        ),
    ),
    "weekday": PanelText(
        Text("Visitors against the same weekday of last week", "访问人数与上周同日对比"),
        _dated(
            "Visitors of each date beside those of seven days before it. The week before needs "
            "history_days: 8, or less and a week of scrapes; with history_days: 1 it has no line.",
            "各日访问人数与其七天前对比。上周数据需要 history_days 不少于 8，或已抓取一周以上；history_days: 1 时没有上周的线。",
        ),
    ),
    "dates_table": PanelText(
        Text("All figures by date", "每日全部数据"),
        Text(
            "Every figure of every date that Prometheus has seen in the chosen time range, newest first; the "
            "date is WeChat's ref_date, whatever the zone. With history_days: 1 the newest date alone.",
            "所选时间范围内 Prometheus 见过的每个日期的全部数据，最新在前。日期即微信的 ref_date，"
            "与时区无关。"
            "history_days: 1 时仅有最新日期。",
        ),
    ),
}

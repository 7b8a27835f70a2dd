"""The words of the Fleet dashboard's overview."""

from typing import Final

from grafana.wording import PanelText, Text

_CHANGES: Final = Text(
    " Each change compares the mini programs that have both dates, so that one that is late moves none; that "
    "against 30 days before needs the shipped recording rules and a month of them.",
    "各项变化仅计两个日期均有数据的小程序，因此不受延迟影响；较 30 天前需加载内置记录规则满一个月。",
)
_TREND: Final = Text(
    " Pale: fewer mini programs have the date than the one before, so more is to come. Dates that are no longer on "
    "show come from the shipped recording rules.",
    "浅色表示该日数据尚未到齐（少于前一日的小程序数）。不再展示的日期来自内置记录规则。",
)


def _sum(en: str, zh: str) -> Text:
    return Text(en + _CHANGES.en, zh + _CHANGES.zh)


def _trend(en: str, zh: str) -> Text:
    return Text(en + _TREND.en, zh + _TREND.zh)


TOTALS_WORDS: Final = {
    "with_data": Text("with data", "已有数据"),
    "share": Text("share", "占比"),
    "configured": Text("configured", "已配置"),
    "total": Text("total", "合计"),
    "month_on_month": Text("Against 30 days before", "较 30 天前"),
    "earlier": Text("no longer on show", "不再展示"),
    "complete": Text("as many mini programs as the day before, or more", "小程序数不少于前一日"),
    "incomplete": Text("fewer mini programs than the day before", "小程序数少于前一日"),
    "no_dates": Text(
        "No date is known; with history_days: 1 none is.", "没有已知的日期；history_days: 1 时均无。"
    ),
}

TOTALS_PANELS: Final = {
    "totals_arrived": PanelText(
        Text("The newest date has arrived", "最新日期数据已到"),
        Text(
            "Of how many mini programs the totals below are: those that have the newest date. In the morning "
            "the others are usually still to come.",
            "下方合计所含的小程序：已有最新日期数据者。上午其余小程序的数据通常尚未发布。",
        ),
    ),
    "sum_session_cnt": PanelText(
        Text("Opens", "打开次数"),
        _sum("Opens of the newest date.", "最新日期的打开次数合计。"),
    ),
    "sum_visit_pv": PanelText(
        Text("Page views", "访问次数"),
        _sum("Page views of the newest date.", "最新日期的访问次数合计。"),
    ),
    "sum_visit_uv_new": PanelText(
        Text("New visitors", "新用户数"),
        _sum(
            "New visitors of the newest date; one person new to two mini programs counts twice.",
            "最新日期的新用户数合计，同一人对两个小程序均为新用户时计两次。",
        ),
    ),
    "mean_stay": PanelText(
        Text("Stay per open", "次均停留时长"),
        Text(
            "The mean stay per open over the mini programs that have the newest date, weighted by their opens.",
            "已有最新日期数据的小程序的次均停留时长，按打开次数加权。",
        ),
    ),
    "trend_session_cnt": PanelText(
        Text("Opens per date", "每日打开次数"),
        _trend("Opens of all mini programs on each date.", "全部小程序各日的打开次数。"),
    ),
    "trend_visit_pv": PanelText(
        Text("Page views per date", "每日访问次数"),
        _trend("Page views of all mini programs on each date.", "全部小程序各日的访问次数。"),
    ),
    "trend_visit_uv_new": PanelText(
        Text("New visitors per date", "每日新用户数"),
        _trend("New visitors of all mini programs on each date.", "全部小程序各日的新用户数。"),
    ),
    "trend_apps": PanelText(
        Text("Mini programs with data per date", "每日已有数据的小程序数"),
        _trend(
            "How many mini programs have each date: those that the totals beside are of.",
            "各日已有数据的小程序数量，即其他图表合计所含的小程序。",
        ),
    ),
}

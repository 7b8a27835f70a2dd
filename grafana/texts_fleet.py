"""The words of the Fleet dashboard."""

from typing import Final

from grafana.wording import PanelText, Text

FLEET_WORDS: Final = {
    "fleet": Text("WeChat Mini Programs / Fleet", "微信小程序 / 总览"),
    "fleet_about": Text(
        "All mini programs: what is here, what is missing and why, totals, ranking, risers and fallers.",
        "全部小程序：数据是否到齐、缺失原因、合计、排行、涨跌与分布。",
    ),
    "fleet_now": Text("Now", "当前状态"),
    "fleet_totals": Text("Overview: totals of the newest date", "概况：最新日期合计"),
    "fleet_troubles": Text("Needs attention", "需要处理"),
    "fleet_ranking": Text("Ranking", "排行"),
    "fleet_spread": Text("Risers, fallers and distribution", "涨跌与分布"),
    "nothing_waits": Text(
        "None is known to be without yesterday's figures.", "没有已知缺少昨日数据的小程序。"
    ),
    "no_change": Text(
        "No such change: it takes a date a week before, with 100 visitors or more.",
        "没有这样的变化：需要上周同日的数据，且至少 100 人。",
    ),
    "reason": Text("Reason", "原因"),
    "errcode": Text("errcode", "错误码"),
    "advice": Text("What to do", "处理建议"),
    "newest_date": Text("Newest date", "最新日期"),
    "trend": Text("Visitors, last dates", "访问人数走势"),
    "state": Text("State", "状态"),
    "state_failing": Text("failing", "失败"),
    "state_never": Text("never any", "从未有数据"),
    "state_late": Text("late", "延迟"),
    "state_fine": Text("fine", "正常"),
    "state_unasked": Text("not asked yet", "尚未请求"),
    "apps": Text("Apps", "小程序数"),
    "size_0": Text("no visitor", "0"),
    "size_1": Text("1 to 99", "1–99"),
    "size_100": Text("100 to 999", "100–999"),
    "size_1000": Text("1,000 to 9,999", "1,000–9,999"),
    "size_10000": Text("10,000 to 99,999", "1万–10万"),
    "size_100000": Text("100,000 and more", "10万以上"),
}

FLEET_PANELS: Final = {
    "fleet_scraped": PanelText(
        Text("Exporters scraped", "可抓取的 Exporter"),
        Text(
            "How many exporters Prometheus can scrape, and how many it no longer can: what is on this page is without "
            "their mini programs, unless another exporter has them too. At 0 scraped all else is unknown, which is grey.",
            "可正常抓取与已无法抓取的 Exporter 数量：本页不含后者的小程序，除非另有 Exporter 负责。可抓取为 0 时其余内容均未知，"
            "以灰色表示。",
        ),
    ),
    "arrived": PanelText(
        Text("Yesterday has arrived", "昨日数据已到"),
        Text(
            "How many mini programs have yesterday's figures (Beijing), and their share. In the morning the "
            "others are usually still to come.",
            "已有昨日（北京时间）数据的小程序数量与占比。上午其余小程序的数据通常尚未发布。",
        ),
    ),
    "firing": PanelText(
        Text("Alerts firing", "触发中的告警"),
        Text(
            "How many of the shipped alerts fire. Grey: the shipped rules are not loaded.",
            "内置告警中正在触发的数量。灰色表示未加载内置规则。",
        ),
    ),
    "apps_total": PanelText(
        Text("Mini programs", "小程序数"),
        Text("How many mini programs are configured.", "已配置的小程序数量。"),
    ),
    "newest": PanelText(
        Text("Newest date", "最新日期"),
        Text(
            "The newest date of which at least one mini program has figures, as yyyymmdd (Beijing). Normally "
            "yesterday; before WeChat has published it, the day before.",
            "至少一个小程序已有数据的最新日期（北京时间，yyyymmdd）。通常为昨天，微信发布之前为前天。",
        ),
    ),
    "late": PanelText(
        Text("Late", "延迟"),
        Text(
            "Mini programs whose figures of yesterday were not here at 12:00 in Beijing, or are older still.",
            "北京时间 12:00 仍无昨日数据（或更旧）的小程序数量。",
        ),
    ),
    "failing": PanelText(
        Text("Failing", "失败"),
        Text(
            "Mini programs whose last refresh failed; the table below says why and what to do.",
            "最近一次刷新失败的小程序数量，原因与处理建议见下表。",
        ),
    ),
    "never": PanelText(
        Text("Never any figures", "从未有数据"),
        Text(
            "Mini programs for which WeChat answers, but of which not one date is held: new or unused.",
            "微信正常应答但尚未取得任何日期数据的小程序数量：新建或无人使用。",
        ),
    ),
    "failing_table": PanelText(
        Text("Failing mini programs and what to do", "失败的小程序与处理建议"),
        Text(
            "The mini programs whose last refresh failed: the reason, WeChat's errcode and the "
            "exporter's advice. "
            "Their last good figures stay on show.",
            "最近一次刷新失败的小程序：原因、微信错误码与处理建议。上次正确的数据仍保留展示。",
        ),
    ),
    "waiting_table": PanelText(
        Text("Mini programs without yesterday's figures", "尚无昨日数据的小程序"),
        Text(
            "WeChat answers for them but has not given yesterday's row: the newest date held, and how "
            "many days ago it began. 3 and more is late (orange, then vermilion); no date means that there never was one.",
            "微信正常应答但尚无昨日数据的小程序：已有的最新日期及距今天数，3 起为延迟（橙色，其后朱红）。"
            "日期为空表示从未有数据。",
        ),
    ),
    "ranking": PanelText(
        Text("All mini programs by visitors", "全部小程序（按访问人数）"),
        Text(
            "The newest figures of every mini program, their date, the change of its visitors against the day "
            "before and against the same weekday a week before, and the course of the dates on show. State: "
            "failing, never any figures, late (yesterday's were not here at 12:00 in Beijing) or fine; grey: not "
            "asked yet. A click on the name opens the mini program. The table can be filtered.",
            "每个小程序的最新数据、所属日期、访问人数日环比与周同比，以及展示范围内的走势。状态：失败、从未有数据、"
            "延迟（北京时间 12:00 仍无昨日数据）或正常，灰色表示尚未请求。点击名称查看该小程序，表格可筛选。",
        ),
    ),
    "risers": PanelText(
        Text("Top risers, week on week", "周同比涨幅榜"),
        Text(
            "Visitors of the newest date against the same weekday a week before, largest change first; mini "
            "programs with 100 visitors or more then.",
            "最新日期访问人数与上周同日相比升幅最大的小程序（上周同日至少 100 人）。",
        ),
    ),
    "fallers": PanelText(
        Text("Top fallers, week on week", "周同比跌幅榜"),
        Text(
            "Mini programs that lost visitors, largest loss first. Below -50 % the alert VisitorsDropped fires.",
            "访问人数下降的小程序，降幅最大的在前。低于 -50% 时触发 VisitorsDropped 告警。",
        ),
    ),
    "sizes": PanelText(
        Text("Mini programs by visitors a day", "按日访问人数分布"),
        Text(
            "How many mini programs have so many visitors on their newest date.",
            "各访问人数区间的小程序数量（各自最新日期）。",
        ),
    ),
    "changes": PanelText(
        Text("Mini programs by change, week on week", "按周同比分布"),
        Text(
            "How many mini programs changed by so many percent against the same weekday a week before, in "
            "classes of 10 %; those with 100 visitors or more then.",
            "各周同比变化区间的小程序数量，每 10% 一档（上周同日至少 100 人）。",
        ),
    ),
}

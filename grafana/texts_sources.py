"""The words of the Sources dashboard."""

from typing import Final

from grafana.wording import Text, panel_text

SOURCES_WORDS: Final = {
    "sources": Text("WeChat Mini Programs / Sources", "微信小程序 / 访问来源"),
    "sources_about": Text(
        "Where opens come from, how long they stay and how deep they go.",
        "打开来源、停留时长与访问深度的分布。",
    ),
    "source": Text("Source", "来源"),
    "source_key": Text("Key", "编号"),
    "opens": Text("Opens", "打开次数"),
}
SOURCES_PANELS: Final = {
    "all_sources": panel_text(
        ("Sources of all opens", "全部打开来源"),
        (
            (
                "Opens by source over all mini programs on their newest dates, the share of each, and the change against "
                "the same weekday a week before, on the mini programs that have both."
            ),
            "全部小程序最新日期的打开次数（按来源）、占比，以及与上周同日相比的变化（仅计两日均有数据的小程序）。",
        ),
    ),
    "source_shares": panel_text(
        ("Share of opens by source", "各来源打开次数占比"),
        (
            "Each date's opens by source, together 100 %. A source that WeChat has not documented has its key, #62.",
            "各日打开次数按来源的占比，合计 100%。微信未公布名称的来源显示编号，如 #62。",
        ),
    ),
    "app_sources": panel_text(
        ("Sources, week on week", "来源与周同比"),
        (
            (
                "Opens and visitors by source on the newest date, and the change against the same weekday a week before. "
                "Do not add visitors up over sources: a person may come from several."
            ),
            "最新日期各来源的打开次数与人数，以及与上周同日相比的变化。人数不可跨来源相加：同一人可能来自多个来源。",
        ),
    ),
    "buckets_staytime": panel_text(
        ("Opens by stay", "停留时长分布"),
        ("The share of opens that stayed so long, newest date.", "最新日期各停留时长区间的打开次数占比。"),
    ),
    "buckets_depth": panel_text(
        ("Opens by depth", "访问深度分布"),
        ("The share of opens that saw so many pages, newest date.", "最新日期各访问页数区间的打开次数占比。"),
    ),
}

"""The words of the Pages dashboard."""

from typing import Final

from grafana.wording import Text, panel_text

VISIT_PAGES_WORDS: Final = {
    "pages": Text("WeChat Mini Programs / Pages", "微信小程序 / 访问页面"),
    "pages_about": Text(
        "Views, visitors, stay, entries, exits and shares of each page, and which pages rise and fall.",
        "各页面的访问、停留、进入、退出与转发，以及涨跌。",
    ),
    "no_page_change": Text(
        "No such change: it takes the dataset {} and a date a week before, with 100 views or more.",
        "没有这样的变化：需要数据集 {} 与上周同日的数据，且至少 100 次。",
    ),
    "page": Text("Page", "页面"),
    "stay_per_view": Text("Stay per view", "次均停留时长"),
    "entries": Text("Entries", "进入页次数"),
    "exits": Text("Exits", "退出页次数"),
    "exit_rate": Text("Exit rate", "退出率"),
    "shares": Text("Shares", "转发次数"),
    "sharers": Text("Sharers", "转发人数"),
}
VISIT_PAGES_PANELS: Final = {
    "top_pages": panel_text(
        ("The fifty pages with the most views", "访问次数前五十的页面"),
        (
            "Over all mini programs, on their newest dates; the exit rate is the share of views with which a visit ended.",
            "全部小程序最新日期。退出率为退出次数占访问次数的比例。",
        ),
    ),
    "pages_table": panel_text(
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
    "page_risers": panel_text(
        ("Top risers, week on week", "周同比涨幅榜"),
        (
            "Views against the same weekday a week before, pages with 100 views or more then.",
            "与上周同日相比的访问次数，上周同日至少 100 次的页面。",
        ),
    ),
    "page_fallers": panel_text(
        ("Top fallers, week on week", "周同比跌幅榜"),
        (
            "Pages that lost views, largest loss first; 100 views or more a week before.",
            "访问次数下降的页面，降幅最大的在前，上周同日至少 100 次。",
        ),
    ),
}

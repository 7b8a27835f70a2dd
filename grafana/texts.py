"""The dashboards' words in both languages: one table, and the reader of it."""

from enum import StrEnum
from typing import Final, NamedTuple

from exporter.datasets.daily_trend import FIELDS
from grafana.texts_audience import AUDIENCE_PANELS, AUDIENCE_WORDS
from grafana.texts_exporter import EXPORTER_PANELS, EXPORTER_WORDS
from grafana.texts_fleet import FLEET_PANELS, FLEET_WORDS
from grafana.texts_mini_program import MINI_PROGRAM_PANELS, MINI_PROGRAM_WORDS
from grafana.texts_retention import RETENTION_PANELS, RETENTION_WORDS
from grafana.texts_sources import SOURCES_PANELS, SOURCES_WORDS
from grafana.texts_totals import TOTALS_PANELS, TOTALS_WORDS
from grafana.texts_visit_pages import VISIT_PAGES_PANELS, VISIT_PAGES_WORDS
from grafana.wording import PanelText, Text, panel_text


class Language(StrEnum):
    """The languages that the dashboards are made in; the value is the folder's name."""

    EN = "en"
    ZH = "zh"


class FieldText(NamedTuple):
    """A figure's heading in English (the Chinese is in FIELDS) and its unit in Grafana."""

    en: str
    unit: str


_FIELDS: Final = {
    "session_cnt": FieldText("Opens", "locale"),
    "visit_pv": FieldText("Page views", "locale"),
    "visit_uv": FieldText("Visitors", "locale"),
    "visit_uv_new": FieldText("New visitors", "locale"),
    "stay_time_uv": FieldText("Stay per visitor", "s"),
    "stay_time_session": FieldText("Stay per open", "s"),
    "visit_depth": FieldText("Depth", "none"),
}
_CHINESE: Final = {field.name: field.chinese for field in FIELDS}
WORDS: Final = {
    "datasource": Text("Prometheus", "数据源"),
    "no_value": Text("—", "—"),
    "nothing_fails": Text("No failure is known.", "没有已知的失败。"),
    "app": Text("Mini program", "小程序"),
    "appid": Text("AppID", "AppID"),
    "date": Text("Date", "日期"),
    "newest": Text("newest", "最新"),
    "seconds": Text("suffix: s", "suffix: 秒"),
    "minutes": Text("suffix: min", "suffix: 分钟"),
    "hours": Text("suffix: h", "suffix: 小时"),
    "job": Text("Job", "任务"),
    "revised": Text("WeChat corrected a row", "微信更正了数据"),
    "reloaded": Text("Configuration reloaded", "重新加载配置"),
    "label": Text("Filter by label", "按标签筛选"),
    "label_value": Text("Value", "取值"),
    "needs": Text("No figures: switch on the dataset {}", "无数据：请启用数据集 {}"),
    "instance": Text("Exporter", "实例"),
    "week_on_week": Text("Week on week", "周同比"),
    "day_on_day": Text("Day on day", "日环比"),
    "scraped": Text("scraped", "可抓取"),
    "down": Text("down", "无法抓取"),
    "change_colours": Text(
        "A loss of 20 % is orange, one of 50 % vermilion.", "下降 20% 为橙色，下降 50% 为朱红。"
    ),
    "all_apps": Text("All mini programs of the filter", "筛选范围内的全部小程序"),
    "links": Text("WeChat mini programs", "微信小程序"),
    **FLEET_WORDS,
    **TOTALS_WORDS,
    **MINI_PROGRAM_WORDS,
    **EXPORTER_WORDS,
    **AUDIENCE_WORDS,
    **RETENTION_WORDS,
    **SOURCES_WORDS,
    **VISIT_PAGES_WORDS,
}
PANELS: Final = {
    **FLEET_PANELS,
    **TOTALS_PANELS,
    **MINI_PROGRAM_PANELS,
    **EXPORTER_PANELS,
    "datasets_on": panel_text(
        ("Mini programs with the dataset", "启用数据集的小程序数"),
        (
            (
                "How many mini programs of the filter have each dataset that this page needs. Grey: none; switch it "
                "on in the exporter's configuration under `datasets`."
            ),
            "筛选范围内启用了本页所需数据集的小程序数量。灰色表示没有：请在 Exporter 配置的 `datasets` 中启用。",
        ),
    ),
    **AUDIENCE_PANELS,
    **RETENTION_PANELS,
    **SOURCES_PANELS,
    **VISIT_PAGES_PANELS,
}


class Words:
    """The words of one language; `used` keeps what was asked for, for the test on left-overs."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.used: set[str] = set()

    def panel(self, key: str) -> tuple[str, str]:
        """Return a panel's title and description."""
        self.used.add(key)
        text: PanelText = PANELS[key]
        return self._of(text.title), self._of(text.description)

    def word(self, key: str) -> str:
        """Return any other text."""
        self.used.add(key)
        return self._of(WORDS[key])

    def field(self, name: str) -> str:
        """Return the heading of a figure of FIELDS."""
        return _FIELDS[name].en if self.language is Language.EN else _CHINESE[name]

    def _of(self, text: Text) -> str:
        return text.en if self.language is Language.EN else text.zh


def field_unit(name: str, words: Words) -> str:
    """Name Grafana's unit of a figure of FIELDS; stays in seconds throughout, so that they compare."""
    unit = _FIELDS[name].unit
    return words.word("seconds") if unit == "s" else unit

"""The section `datasets`: WeChat's tables beside the daily trend, each switched on by its key."""

from dataclasses import dataclass, replace
from typing import Any, Final

from exporter.config.lists import ListRule
from exporter.config.problems import Problems
from exporter.config.rules import DurationRule, NotAllowedError, NumberRule, TextRule, filled
from exporter.config.sections import Key, Section, Switch

MOST_PAGES: Final = 200
"""The most pages of a day that WeChat gives, and that a row keeps."""

_ALWAYS_ON: Final = "daily_trend"
_AS_REFRESH: Final = -1  # the file sets no history
_DAY: Final = NumberRule(1, 30, "a day of WeChat's (1 to 7, 14, 30)", only=(1, 2, 3, 4, 5, 6, 7, 14, 30))
_GLOB: Final = TextRule("a pattern of paths such as pages/pay/*", filled)


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """A dataset that is switched on, with its settings.

    `history`: periods in the by-period family, 0 for no such family. `days`: days of retention. `top`: number
    of pages shown. `allow`: patterns of paths always shown. `interval`: seconds.
    """

    name: str
    history: int = 0
    days: tuple[int, ...] = ()
    top: int = 0
    allow: tuple[str, ...] = ()
    interval: float = 0.0

    def with_history(self, history_days: int) -> "DatasetSettings":
        """Return the settings; without a history in the file, with that of the daily trend (1: none)."""
        if self.history != _AS_REFRESH:
            return self
        return replace(self, history=history_days if history_days > 1 else 0)


def _switch(name: str, meaning: str, **keys: Key) -> Key:
    """Return the key of a dataset, which may be empty or a mapping of settings."""

    def build(**values: Any) -> DatasetSettings:  # noqa: ANN401 - each has the type that its rule gives
        lists = {key: tuple(sorted(set(value))) for key, value in values.items() if isinstance(value, tuple)}
        is_open = {key: _AS_REFRESH for key, value in values.items() if value is None}
        return DatasetSettings(name, **(values | lists | is_open))

    return Key(Switch(build, keys), meaning, default=None)


_KEYS: Final = {
    "weekly_trend": _switch(
        "weekly_trend",
        "The visit figures of weeks, Monday to Sunday: weekly active users.",
        history=Key(
            NumberRule(0, 104), "Weeks shown by the by-week metrics; 0 switches those metrics off.", default=5
        ),
    ),
    "monthly_trend": _switch(
        "monthly_trend",
        "The visit figures of calendar months: monthly active users.",
        history=Key(
            NumberRule(0, 36),
            "Months shown by the by-month metrics; 0 switches those metrics off.",
            default=3,
        ),
    ),
    "daily_summary": _switch(
        "daily_summary",
        "All users so far, and the day's shares.",
        history=Key(
            NumberRule(0, 400),
            "Dates shown by its by-date metrics; 0 switches those metrics off. Without it: as "
            "refresh.history_days.",
            default=None,
        ),
    ),
    "daily_retention": _switch(
        "daily_retention",
        "How many of a day's visitors came back on certain later days.",
        days=Key(
            ListRule(_DAY, "a list of days of WeChat's (1 to 7, 14, 30)", fewest=1),
            "The days after a visit whose retention is shown; each one is a call per app and day.",
            default=(1, 7, 30),
        ),
    ),
    "visit_distribution": _switch(
        "visit_distribution", "A day's opens by source, by length of stay and by depth."
    ),
    "visit_pages": _switch(
        "visit_pages",
        "Views, visitors, stay, entries, exits and shares of each page.",
        top=Key(
            NumberRule(0, MOST_PAGES),
            "Pages shown, those with the most views first; the others are added up as (other).",
            default=10,
        ),
        allow=Key(
            ListRule(_GLOB, "a list of paths and patterns"),
            "Pages that are always shown, as paths or patterns (pages/pay/*).",
            default=(),
        ),
    ),
    "quota": _switch(
        "quota",
        "WeChat's own count of the calls to each interface: limit, used, left.",
        interval=Key(
            DurationRule(1, 86_400),
            "Time between two calls for the quota of an interface.",
            default=21_600.0,
        ),
    ),
}


def _switched_on(**found: DatasetSettings | None) -> tuple[DatasetSettings, ...]:
    return tuple(each for each in found.values() if each is not None)


DATASETS: Final = Section(_switched_on, _KEYS)


def usual_settings(name: str) -> DatasetSettings:
    """Return the settings of a dataset whose key has no value; the daily trend has no settings."""
    if name == _ALWAYS_ON:
        return DatasetSettings(name)
    (found,) = DATASETS.read({name: {}}, (), Problems("")) or ()
    return found.with_history(0)


def _dataset(text: str) -> str:
    if text == _ALWAYS_ON:
        raise NotAllowedError(f"{_ALWAYS_ON} is always on: leave it out")
    if text not in _KEYS:
        raise ValueError(text)
    return text


DATASET_NAMES: Final = ListRule(
    TextRule(f"a dataset (allowed: {', '.join(sorted(_KEYS))})", _dataset), "a list of names of datasets"
)

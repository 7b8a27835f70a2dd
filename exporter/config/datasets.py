"""The section `datasets`: WeChat's tables beside the daily trend, each switched on by its key."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from exporter.config import texts
from exporter.config.entries import Entry
from exporter.config.problems import KeyPath, Problem, shown
from exporter.config.rules import DurationRule, NumberRule, RefusedError, Rule
from exporter.config.scalars import Kind, Scalar
from exporter.config.settings import App, DatasetSettings

_ALWAYS_ON: Final = "daily_trend"
_RETENTION_DAYS: Final = (1, 2, 3, 4, 5, 6, 7, 14, 30)

Day = Annotated[int, NumberRule("a day of WeChat's (1 to 7, 14, 30)", 1, 30, only=_RETENTION_DAYS)]
Glob = Annotated[str, Rule("a pattern of paths such as pages/pay/*", texts.filled)]


class DatasetEntry(Entry):
    """One key of `datasets`, whose own keys are named as in DatasetSettings."""

    def settings(self, name: str, history_days: int) -> DatasetSettings:
        """The dataset as the program uses it; where it leaves its history open, that is `history_days`."""
        values: dict[str, Any] = {key: history_days if value is None else value for key, value in self}
        lists: dict[str, Any] = {
            key: tuple(sorted(set(value))) for key, value in values.items() if isinstance(value, list)
        }
        return DatasetSettings(name, **(values | lists))


class WeeklyTrendEntry(DatasetEntry):
    """`datasets: {weekly_trend: …}`."""

    history: Annotated[int, NumberRule("a whole number from 0 to 104", 0, 104)] = Field(
        default=5, description="Weeks shown by the by-week metrics; 0 switches those metrics off."
    )


class MonthlyTrendEntry(DatasetEntry):
    """`datasets: {monthly_trend: …}`."""

    history: Annotated[int, NumberRule("a whole number from 0 to 36", 0, 36)] = Field(
        default=3, description="Months shown by the by-month metrics; 0 switches those metrics off."
    )


class DailySummaryEntry(DatasetEntry):
    """`datasets: {daily_summary: …}`."""

    history: Annotated[int, NumberRule("a whole number from 0 to 400", 0, 400)] | None = Field(
        default=None,
        description="Dates shown by its by-date metrics; 0 switches those metrics off. Without it: as "
        "refresh.history_days.",
    )


class DailyRetentionEntry(DatasetEntry):
    """`datasets: {daily_retention: …}`."""

    days: Annotated[list[Day], Field(min_length=1)] = Field(
        default=[1, 7, 30],
        description="The days after a visit whose retention is shown; each one is a call per app and day.",
    )


class VisitDistributionEntry(DatasetEntry):
    """`datasets: {visit_distribution: …}`, which has no settings."""


class VisitPagesEntry(DatasetEntry):
    """`datasets: {visit_pages: …}`."""

    top: Annotated[int, NumberRule("a whole number from 0 to 200", 0, 200)] = Field(
        default=10,
        description="Pages shown, those with the most views first; the others are added up as (other).",
    )
    allow: list[Glob] = Field(
        default_factory=list, description="Pages that are always shown, as paths or patterns (pages/pay/*)."
    )


class QuotaEntry(DatasetEntry):
    """`datasets: {quota: …}`."""

    interval: Annotated[float, DurationRule(1, 86_400)] = Field(
        default=21_600.0, description="Time between two questions about the quota of an interface."
    )


class DatasetsEntry(Entry):
    """The section `datasets`: a key that is there is switched on, also without a value."""

    weekly_trend: WeeklyTrendEntry | None = Field(
        default=None, description="The visit figures of weeks, Monday to Sunday: weekly active users."
    )
    monthly_trend: MonthlyTrendEntry | None = Field(
        default=None, description="The visit figures of calendar months: monthly active users."
    )
    daily_summary: DailySummaryEntry | None = Field(
        default=None, description="All users so far, and the day's shares."
    )
    daily_retention: DailyRetentionEntry | None = Field(
        default=None, description="How many of a day's visitors came back after so many days."
    )
    visit_distribution: VisitDistributionEntry | None = Field(
        default=None, description="Where opens came from, how long and how deep they went."
    )
    visit_pages: VisitPagesEntry | None = Field(
        default=None, description="Views, visitors, stay, entries, exits and shares of each page."
    )
    quota: QuotaEntry | None = Field(
        default=None, description="WeChat's own count of the calls to each interface: limit, used, left."
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:  # noqa: ANN401 - what the file holds
        """A key without a value has the defaults."""
        if not isinstance(data, dict):
            return data
        return {
            key: {} if key in cls.model_fields and _is_nothing(value) else value
            for key, value in data.items()
        }

    def settings(self, history_days: int) -> tuple[DatasetSettings, ...]:
        """The datasets that are switched on, in the order of the schema.

        Args:
            history_days: dates on show of the daily trend; 1 means that it has no by-date family.
        """
        dated = history_days if history_days > 1 else 0
        found = ((name, getattr(self, name)) for name in type(self).model_fields)
        return tuple(entry.settings(name, dated) for name, entry in found if entry is not None)


def usual_settings(name: str) -> DatasetSettings:
    """A dataset as it is where its key has no value; the daily trend has no settings."""
    if name == _ALWAYS_ON:
        return DatasetSettings(name)
    return DatasetsEntry.model_validate({name: {}}).settings(1)[0]


def _dataset(text: str) -> str:
    if text == _ALWAYS_ON:
        raise RefusedError(f"{_ALWAYS_ON} is always on: leave it out")
    if text not in DatasetsEntry.model_fields:
        raise ValueError(text)
    return text


DatasetName = Annotated[
    str, Rule(f"a dataset (allowed: {', '.join(sorted(DatasetsEntry.model_fields))})", _dataset)
]


def switched_off(apps: Iterable[tuple[App, KeyPath]], on: Sequence[str]) -> Iterator[Problem]:
    """The datasets of apps that the section `datasets` does not have, each with its place."""
    for app, path in apps:
        for index, name in enumerate(app.datasets or ()):
            if name not in on:
                allowed = ", ".join(on) or "none"
                what = f"{shown(name)} is not switched on by the section datasets (there are: {allowed})"
                yield Problem((*path, "datasets", index), what)


def _is_nothing(value: object) -> bool:
    return isinstance(value, Scalar) and value.kind is Kind.NOTHING

"""PromQL about the datasets beside the daily trend: newest rows, and rows that were newest at another time.

As in `expressions`, a figure is always joined with the date beside it, so that it is right or absent.
`by` names the labels that a row's figures have beside appid and name.
"""

from dataclasses import dataclass
from typing import Final

from exporter.beijing import DAY_SECONDS
from exporter.exposition.app_families import DATASET_LAST_SUCCESS, DATASET_REF_DATE, DATASET_UP
from exporter.exposition.family import NAMESPACE
from prometheus.dated import braces, space
from prometheus.expressions import HELD_AFTER, OFFSETS, date_at_point

_AFTER: Final = tuple(int(after.removesuffix("h")) for after in HELD_AFTER)


@dataclass(frozen=True, slots=True)
class Latest:
    """Families that show a dataset's newest rows.

    Attributes:
        dataset: its name.
        prefix: of its metrics.
        by: the labels of its figures beside appid and name.
        ref_date: its own metric of dates, where each of its labels has one.
        only: which of the labels' values count; empty for all.
    """

    dataset: str
    prefix: str
    by: str = ""
    ref_date: str = ""
    only: str = ""

    def select(self, figure: str, where: str = "", when: str = "") -> str:
        """Select a figure."""
        chosen = ", ".join(filter(None, (self.only, where)))
        return f"{NAMESPACE}_{self.prefix}_{figure}{braces(chosen)}{space(when)}"

    def of_dataset(self, family: str, where: str, when: str = "") -> str:
        """Select one of the dataset's own health families, without its label `dataset`."""
        chosen = ", ".join(filter(None, (f'dataset="{self.dataset}"', where)))
        return f"max without (dataset) ({family}{{{chosen}}}{space(when)})"

    def dates(self, where: str, when: str = "") -> str:
        """Select the dates of the rows."""
        if self.ref_date:
            return self.select(self.ref_date, where, when)
        return self.of_dataset(DATASET_REF_DATE.metric, where, when)

    def matching(self) -> str:
        """Match figures with what has one series per app and exporter."""
        return f" ignoring ({self.by})" if self.by else ""

    def matching_dates(self) -> str:
        """Match figures with their dates."""
        return "" if self.ref_date else self.matching()


WEEKLY: Final = Latest("weekly_trend", "weekly")
MONTHLY: Final = Latest("monthly_trend", "monthly")
SUMMARY: Final = Latest("daily_summary", "daily")
PAGES: Final = Latest("visit_pages", "daily", "page_path")


def retention(day: int | None = None) -> Latest:
    """Return the retention after `day` days; None for all days."""
    only = "" if day is None else f'day="{day}"'
    return Latest("daily_retention", "daily", "day", "retain_ref_date_timestamp_seconds", only)


def distribution(label: str, value: str = "") -> Latest:
    """Return the distribution of visits over sources, stay times or depths, or one of its values."""
    return Latest("visit_distribution", "daily", label, only=f'{label}="{value}"' if value else "")


def switched_on(rows: Latest, where: str) -> str:
    """Select the apps that have the dataset, by appid: 1 where its last call was answered, else 0."""
    return f"max by (appid) ({rows.of_dataset(DATASET_UP.metric, where)})"


def leading(rows: Latest, where: str) -> str:
    """Select the exporter of each app with the newest date, then the latest answer: one series per app."""
    dates = rows.of_dataset(DATASET_REF_DATE.metric, where)
    answers = rows.of_dataset(DATASET_LAST_SUCCESS.metric, where)
    return f"topk by (appid) (1, {dates} + {answers} / 1e5 or {dates})"


def newest_row(rows: Latest, figure: str, where: str) -> str:
    """Take a figure of each app's newest row, from the exporter with the newest date and answer."""
    return f"""\
max by (appid, name{_also(rows.by)}) (
  {rows.select(figure, where)}
  and{rows.matching()} {leading(rows, where)}
)"""


def row_before(rows: Latest, figure: str, days: int, where: str) -> str:
    """Take a figure of the row `days` (1 or 7) before each app's newest, from the past of the newest rows."""
    wanted = is_before(rows, days, where)
    return "\nor\n".join(
        held_row(rows, figure, where, f"offset {offset}", wanted) for offset in OFFSETS[days]
    )


def is_before(rows: Latest, days: int, where: str) -> str:
    """Compare dates with the one so many days before the app's newest."""
    newest = f"max by (appid) ({rows.of_dataset(DATASET_REF_DATE.metric, where)})"
    return f"== on (appid) group_left () ({newest} - {days * DAY_SECONDS})"


def row_per_date(rows: Latest, figure: str, where: str, *also: str, later: int = 0) -> str:
    """Make a point per date for a step of one day on any grid: right, or absent.

    Args:
        rows: the dataset's newest rows.
        figure: one of theirs.
        where: what stands between the braces of each selector.
        also: times to look at first, such as `@ end()`, where the newest row is neither late nor uncorrected.
        later: by how many days more than the daily trend's a row comes after its date.
    """
    times = (*also, *(f"offset -{after + 24 * later}h" for after in _AFTER))
    return "\nor\n".join(held_row(rows, figure, where, when, f"== {date_at_point()}") for when in times)


def sum_per_date(rows: Latest, figure: str, where: str, apps: str, *also: str, later: int = 0) -> str:
    """Sum a figure per date over the apps that have its row 40 hours after the point: 16:00 in Beijing.

    `apps` selects the apps that count. Divide only by another sum of the same rows, as several exporters
    of an app count each.
    """
    times = (*also, f"offset -{40 + 24 * later}h")
    held = (
        f"{rows.select(figure, where, when)} and {rows.dates(where, when)} == {date_at_point()}"
        for when in times
    )
    return "\nor\n".join(f"sum(({each}) and on (appid) {apps})" for each in held)


def held_row(rows: Latest, figure: str, where: str, when: str, wanted: str) -> str:
    """Take a figure of the row that was the newest at another time, if it was of the date wanted."""
    return f"""\
max by (appid{_also(rows.by)}) (
  {rows.select(figure, where, when)}
  and{rows.matching_dates()} ({holding(rows, where, when, wanted)})
)"""


def holding(rows: Latest, where: str, when: str, wanted: str) -> str:
    """Select each app's exporter with the latest answer at another time, if its row was of that date."""
    answers = rows.of_dataset(DATASET_LAST_SUCCESS.metric, where, when)
    dates = rows.of_dataset(DATASET_REF_DATE.metric, where, when)
    matching = rows.matching() if rows.ref_date else ""
    return f"{rows.dates(where, when)} {wanted} and{matching} topk by (appid) (1, {answers} or {dates})"


def _also(labels: str) -> str:
    return f", {labels}" if labels else ""

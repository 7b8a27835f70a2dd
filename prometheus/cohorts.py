"""Retention over all mini programs: totals that recording rules keep, for lines over many dates.

Whoever looks back over two months of a thousand mini programs reads a hundred million samples; of the
totals it is a few thousand.
"""

from collections.abc import Iterator
from typing import Final

from exporter.exposition.family import NAMESPACE
from prometheus.datasets import leading, retention
from prometheus.expressions import REF_DATE, date_at_point

FIGURES: Final = (
    "retain_visit_uv_new",
    "retain_cohort_visit_uv_new",
    "retain_visit_uv",
    "retain_cohort_visit_uv",
)
_HELD_AFTER: Final = (40, 34, 28, 24)
"""Hours after a point of a date, and a day more for each of the cohort's: the later, the more have arrived.

40 hours end at 16:00 of the day after on Beijing's grid, at 05:00 on New York's: before the next row.
"""


def total(figure: str) -> str:
    """Name the recorded sum of a figure over the apps that have the newest cohort, by job and day."""
    return f"job:{NAMESPACE}_{figure}:sum"


def newest_totals() -> Iterator[tuple[str, str]]:
    """Make the rules' names and expressions: the date of the newest cohorts, then their sums."""
    rows = retention()
    dates = rows.dates("")
    newest = f"max by (job, day) ({dates})"
    yield _date(), newest
    for figure in FIGURES:
        yield (
            total(figure),
            f"""\
sum by (job, day) (
  {rows.select(figure)}
  and ({dates} == on (job, day) group_left () {newest})
  and{rows.matching()} {leading(rows, "")}
)""",
        )


def total_per_date(figure: str, day: int, where: str, *also: str) -> str:
    """Make a point per cohort's date for a step of one day on any grid: right, or absent.

    `also`: times to look at first, such as `@ end()`.
    """
    chosen = f'{{day="{day}", {where}}}'
    held = (
        f"sum({total(figure)}{chosen} {when} and on (job, day) {_date()}{chosen} {when} == {date_at_point()})"
        for when in (*also, *(f"offset -{after + 24 * day}h" for after in _HELD_AFTER))
    )
    return "\nor\n".join(held)


def _date() -> str:
    return f"job:{NAMESPACE}_retain_{REF_DATE}:max"

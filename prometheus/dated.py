"""The families with one series per date, week or month, and how their past is looked at."""

from dataclasses import dataclass
from typing import Final

from exporter.exposition.app_families import DATASET_LAST_SUCCESS, LAST_SUCCESS
from exporter.exposition.family import NAMESPACE


@dataclass(frozen=True, slots=True)
class Dated:
    """A family with one series per date, week or month, and how its past is looked at.

    Attributes:
        prefix: of its metrics.
        days: how long after its first midnight a period is looked for.
        step: how often the past is looked at for what was shown then.
        dataset: whose answers rank the exporters; empty for the daily trend.
    """

    prefix: str
    days: int
    step: str
    dataset: str = ""

    def metric(self, figure: str) -> str:
        """Name a figure in this family."""
        return f"{NAMESPACE}_{self.prefix}_{figure}"

    def answered(self, where: str, when: str) -> str:
        """Select when each exporter had its last answer."""
        if not self.dataset:
            return f"{LAST_SUCCESS.metric}{braces(where)}{space(when)}"
        chosen = ", ".join(filter(None, (f'dataset="{self.dataset}"', where)))
        return f"max without (dataset) ({DATASET_LAST_SUCCESS.metric}{braces(chosen)}{space(when)})"


DATES: Final = Dated("by_date", days=10, step="10m")
"""A day more than the default `history_days`."""
WEEKS: Final = Dated("by_week", days=14, step="1h", dataset="weekly_trend")
MONTHS: Final = Dated("by_month", days=45, step="1h", dataset="monthly_trend")


def braces(where: str) -> str:
    """Put what chooses series between braces."""
    return f"{{{where}}}" if where else ""


def space(text: str) -> str:
    """Set off an offset or `@` that may be empty."""
    return f" {text}" if text else ""

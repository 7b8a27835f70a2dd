"""The fleets that benchmarks measure: numbers of apps, with their datasets."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Case:
    """A fleet: its apps, the dates of the daily trend of each, and datasets with their defaults."""

    apps: int
    history_days: int
    datasets: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.apps} apps, {self.history_days} dates" + "".join(f", {each}" for each in self.datasets)


TREND: Final = ("weekly_trend", "monthly_trend", "daily_summary", "daily_retention")
EVERY: Final = (*TREND, "visit_distribution", "visit_pages")
CASES: Final = (
    Case(1_000, 9),
    Case(1_000, 9, EVERY),
    Case(10_000, 9),
    Case(10_000, 9, TREND),
    Case(100_000, 1),
)


def case_words(port: int, case: Case) -> list[str]:
    """Return the arguments of `benchmarks.filled_exporter` for a case."""
    return [str(port), str(case.apps), str(case.history_days), f"--datasets={','.join(case.datasets)}"]

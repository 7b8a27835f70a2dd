"""The fleets that benchmarks measure: how many apps, with which tables."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Case:
    """So many apps, each with so many dates of the daily trend, and these datasets with their defaults."""

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
    """What `benchmarks.filled_exporter` is started with."""
    return [str(port), str(case.apps), str(case.history_days), f"--datasets={','.join(case.datasets)}"]

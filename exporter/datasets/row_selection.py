"""The selection of datasets that show their newest row, and a history of rows where there is one."""

from collections.abc import Iterable, Sequence
from typing import Final

from exporter.config.datasets import DatasetSettings
from exporter.datasets.dataset import Point, Row
from exporter.datasets.period import Period

_FEWEST: Final = 2
"""Until WeChat has the newest period, the one before it is shown."""


class NewestRow:
    """Shows the newest row held, whole."""

    def backs(self, settings: DatasetSettings) -> Iterable[int]:
        """Return the periods of the history, the newest one first."""
        return range(max(settings.history, _FEWEST))

    def known(self, row: Row, asked_at: float) -> Row:
        """Return the whole row: its period was over."""
        del asked_at
        return row

    def held(self, rows: Sequence[Row], settings: DatasetSettings) -> tuple[Row, ...]:
        """Return as many of the newest rows as there are periods in the history."""
        return tuple(rows[: max(settings.history, _FEWEST)])

    def shown(
        self, rows: Sequence[Row], settings: DatasetSettings
    ) -> Iterable[tuple[Period, Sequence[Point]]]:
        """Return the points of the newest row."""
        del settings  # nothing of it matters here
        return [(row.period, row.points) for row in rows[:1]]

"""The selection for datasets that show their newest row and, with a history, several rows."""

from collections.abc import Iterable, Sequence
from typing import Final

from exporter.config.datasets import DatasetSettings
from exporter.datasets.dataset import Point, Row
from exporter.datasets.period import Period

_FEWEST: Final = 2
"""Without a history two rows are needed: the last one is shown until WeChat has the newest."""


class NewestRow:
    """Shows the newest held row, whole."""

    def backs(self, settings: DatasetSettings) -> Iterable[int]:
        """Return the periods of the history, newest first."""
        return range(max(settings.history, _FEWEST))

    def known(self, row: Row, asked_at: float) -> Row:
        """Return the whole row: its period was over."""
        del asked_at
        return row

    def held(self, rows: Sequence[Row], settings: DatasetSettings) -> tuple[Row, ...]:
        """Return the newest rows, as many as the history has periods."""
        return tuple(rows[: max(settings.history, _FEWEST)])

    def shown(
        self, rows: Sequence[Row], settings: DatasetSettings
    ) -> Iterable[tuple[Period, Sequence[Point]]]:
        """Return the points of the newest row."""
        del settings  # nothing of it matters here
        return [(row.period, row.points) for row in rows[:1]]

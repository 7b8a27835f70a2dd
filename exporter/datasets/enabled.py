"""The datasets that the configuration switches on beside the daily trend."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from exporter.beijing import yesterday
from exporter.config.datasets import DatasetSettings
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.dataset import Dataset

_SPARE: Final = 2  # periods stored beyond those shown, as WeChat may be late


@dataclass(frozen=True, slots=True)
class EnabledDataset:
    """A dataset with its settings."""

    dataset: Dataset
    settings: DatasetSettings

    @property
    def name(self) -> str:
        """Return the dataset's name."""
        return self.dataset.name

    @property
    def keep_days(self) -> int:
        """Return the number of days before the newest row for which a storage keeps rows."""
        newest = self.dataset.calendar.newest(date(2000, 1, 1))
        backs = max(self.dataset.selection.backs(self.settings))
        return (newest.first - self.dataset.calendar.earlier(newest, backs + _SPARE).first).days

    def window(self, now: float) -> tuple[date, ...]:
        """Return the first days of the periods in the by-period families at the Unix time `now`."""
        if self.dataset.dated is None:
            return ()
        newest = self.dataset.calendar.newest(yesterday(now))
        return tuple(
            self.dataset.calendar.earlier(newest, back).first for back in range(self.settings.history)
        )


def enabled(settings: Iterable[DatasetSettings]) -> tuple[EnabledDataset, ...]:
    """Return the datasets of these settings, without the quota, which has no periods."""
    return tuple(EnabledDataset(BY_NAME[each.name], each) for each in settings if each.name in BY_NAME)

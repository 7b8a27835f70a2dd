"""The settings of the rounds: the access to each app, its dates and datasets, and the pace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from exporter.config.datasets import DatasetSettings
from exporter.config.settings import Config
from exporter.datasets.enabled import EnabledDataset, enabled
from exporter.datasets.quota import QUOTA
from exporter.wechat.access import Access
from exporter.wechat.endpoints import server_name

_CALLS: Final = 4  # calls per ask: token, data, and both again after a refused token
_MARGIN_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class RoundSettings:
    """The settings of the rounds, which a reload replaces as a whole.

    `history_days`: dates of the daily trend on the page. `revisit_days`: recent dates to ask for again once a
    day. `accesses`: by appid. `datasets`: those beside the daily trend. `interval`: seconds between rounds.
    `hangs_after`: seconds after which a call counts as hanging beyond its deadline.
    """

    history_days: int
    revisit_days: int
    accesses: Mapping[str, Access] = field(default_factory=dict)
    server: str = ""
    interval: float = 3600.0
    datasets: Mapping[str, EnabledDataset] = field(default_factory=dict)
    quota: DatasetSettings | None = None
    concurrency: int = 1
    hangs_after: float = 300.0

    @property
    def trend_days(self) -> int:
        """Return the number of dates of the daily trend to hold, back from the newest row."""
        return max(self.history_days, self.revisit_days)

    def keep_days(self, dataset: str) -> int:
        """Return the number of days to hold a dataset's rows, back from the newest."""
        return self.datasets[dataset].keep_days if dataset in self.datasets else self.trend_days


def round_settings(config: Config, accesses: Mapping[str, Access], token_waits: float) -> RoundSettings:
    """Return the settings for a configuration; `token_waits`: seconds that a shared token may take."""
    refresh = config.refresh
    return RoundSettings(
        history_days=refresh.history_days,
        revisit_days=refresh.revisit_days,
        accesses=accesses,
        server=server_name(config.wechat.base_url),
        interval=refresh.interval,
        datasets={each.name: each for each in enabled(config.datasets)},
        quota=next((each for each in config.datasets if each.name == QUOTA), None),
        concurrency=refresh.concurrency,
        hangs_after=_CALLS * config.longest_call + _MARGIN_SECONDS + token_waits,
    )

"""What the rounds work by: how to reach each app, which dates and datasets it should have, how fast."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from exporter.config.datasets import DatasetSettings
from exporter.config.settings import Config
from exporter.datasets.enabled import EnabledDataset, enabled
from exporter.datasets.quota import QUOTA
from exporter.wechat.access import Access
from exporter.wechat.endpoints import server_name

_CALLS: Final = 4  # token, data, and both again after a refused token
_MARGIN_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class RoundSettings:
    """Replaced as a whole by a reload.

    `history_days` dates of the daily trend are on show, `revisit_days` are asked for again once a day.
    `accesses` has one for each app, by appid; `datasets` are those beside the daily trend. `interval`:
    seconds between rounds. `hangs_after`: seconds after which a call hangs where no deadline reaches it.
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
        """How many dates of the daily trend are held, back from the newest row."""
        return max(self.history_days, self.revisit_days)

    def keep_days(self, dataset: str) -> int:
        """Return how many days back from its newest row a dataset's rows are held."""
        return self.datasets[dataset].keep_days if dataset in self.datasets else self.trend_days


def round_settings(config: Config, accesses: Mapping[str, Access], token_waits: float) -> RoundSettings:
    """Return what a configuration asks for; `token_waits`: the seconds that shared tokens may take."""
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

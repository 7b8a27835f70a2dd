"""All datasets: a new one needs a module beside this one and a line here.

Its configuration key is in config/datasets.py, its simulated figures in simulator/dataset_bodies.py.
"""

from types import MappingProxyType
from typing import Final

from exporter.datasets.daily_retention import DAILY_RETENTION
from exporter.datasets.daily_summary import DAILY_SUMMARY
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.monthly_trend import MONTHLY_TREND
from exporter.datasets.visit_distribution import VISIT_DISTRIBUTION
from exporter.datasets.visit_pages import VISIT_PAGES
from exporter.datasets.weekly_trend import WEEKLY_TREND

CATALOGUE: Final = (
    DAILY_TREND,
    WEEKLY_TREND,
    MONTHLY_TREND,
    DAILY_SUMMARY,
    DAILY_RETENTION,
    VISIT_DISTRIBUTION,
    VISIT_PAGES,
)
BY_NAME: Final = MappingProxyType({dataset.name: dataset for dataset in CATALOGUE})
BY_PATH: Final = MappingProxyType({dataset.path: dataset for dataset in CATALOGUE})
BY_INTERFACE: Final = MappingProxyType({dataset.interface: dataset for dataset in CATALOGUE})

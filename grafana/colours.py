"""Colours that are distinct for any colour vision, and the values that take them.

Source: Okabe and Ito, "Color Universal Design", 2008; sky and orange darker, so that they stand out from
white too (3:1, WCAG 2.1 success criterion 1.4.11), and vermilion darker, so that it stays apart from orange.
"""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode

BLUE: Final = "#0072B2"
SKY: Final = "#2F9CDB"
GREEN: Final = "#009E73"
ORANGE: Final = "#C98500"
VERMILION: Final = "#B84A00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#8E8E8E"
UNKNOWN: Final = GREY
"""The colour of what is not known: no figure came, or the exporter does not answer."""
SERIES: Final = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
"""The colours in the order of a panel's queries."""

Steps = tuple[tuple[float | None, str], ...]
"""The lowest value (None: any) of each colour."""
PLAIN: Final[Steps] = ((None, BLUE),)
NONE_IS_GOOD: Final[Steps] = ((None, GREEN), (1, VERMILION))
NONE_IS_BEST: Final[Steps] = ((None, GREEN), (1, ORANGE))
ALL_IS_GOOD: Final[Steps] = ((None, VERMILION), (1, GREEN))
DAYS_OLD: Final[Steps] = ((None, BLUE), (3, ORANGE), (4, VERMILION))
"""A newest date of the day before yesterday is usual in the morning."""
CHANGE: Final[Steps] = ((None, VERMILION), (-0.5, ORANGE), (-0.2, GREY), (0.2, SKY))
"""For relative changes: a loss of half is what VisitorsDropped looks for."""


def thresholds(steps: Steps) -> ThresholdsConfig:
    """Return the steps as Grafana's absolute thresholds."""
    return (
        ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=colour) for value, colour in steps])
    )

"""The times of a period that some datasets show as metrics of their own."""

from operator import attrgetter
from typing import Final

from exporter.datasets.dataset import Moment

DAY_REF_DATE: Final = Moment(
    "ref_date_timestamp_seconds",
    "ref_date 日期: 00:00 Asia/Shanghai of the day that the figures are of, Unix time.",
    attrgetter("start"),
)


def first_and_end(period: str) -> tuple[Moment, Moment]:
    """When a `period` (week, month) began, and when it was over."""
    return (
        Moment(
            "ref_date_timestamp_seconds",
            f"ref_date 日期: 00:00 Asia/Shanghai of the {period}'s first day, Unix time.",
            attrgetter("start"),
        ),
        Moment(
            "end_timestamp_seconds",
            f"End of the {period}: 00:00 Asia/Shanghai of the day after its last day, Unix time.",
            attrgetter("end"),
        ),
    )

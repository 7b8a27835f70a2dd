"""The recording rules: newest, day before and week before of every figure, app by app; exporters by shard."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exporter.datasets.daily_trend import FIELDS
from exporter.exposition.family import NAMESPACE
from prometheus.expressions import REF_DATE, before, named, newest, usual
from prometheus.shards import OWN, present

_USUAL_FOR: Final = "visit_uv"  # the figure that the alert on spikes looks at


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule: the series it makes, and from what."""

    record: str
    expr: str


def recorded(metric: str, when: str) -> str:
    """The name of a recorded series; `when` is newest, day_before, week_before or usual."""
    return f"app:{NAMESPACE}_{metric}:{when}"


def recordings() -> Iterator[Recording]:
    """All of them, in the order in which they are evaluated."""
    yield Recording(recorded(REF_DATE, "newest"), newest(REF_DATE))
    for field in FIELDS:
        yield Recording(recorded(field.metric, "newest"), newest(field.metric))
        yield Recording(recorded(field.metric, "day_before"), named(before(field.metric, 1)))
        yield Recording(recorded(field.metric, "week_before"), named(before(field.metric, 7)))
    yield Recording(recorded(_USUAL_FOR, "usual"), named(usual(_USUAL_FOR)))


def shard_recordings() -> Iterator[Recording]:
    """How many exporters of each shard answer."""
    yield Recording(f"shard:{OWN}:count", present())

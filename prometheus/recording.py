"""The recording rules: each app's newest figures and what they are compared with; cohorts; exporters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exporter.datasets.daily_trend import FIELDS
from exporter.exposition.family import NAMESPACE
from prometheus.cohorts import newest_totals
from prometheus.expressions import REF_DATE, before, by_date, date_at_point, named, newest, on_show, usual
from prometheus.shards import OWN, present

SETTLED_AFTER: Final = 5
"""Days after which a date's row is settled: a late one has come, and WeChat's corrections are in."""
_SETTLED: Final = ("session_cnt", "visit_pv", "visit_uv_new")  # the figures that dashboards add up
_USUAL_FOR: Final = "visit_uv"  # the figure that the alert on spikes looks at


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule: the series it makes, and from what."""

    record: str
    expr: str


def recorded(metric: str, when: str) -> str:
    """Return the name of a recorded series; `when` is newest, day_before, week_before, usual or settled."""
    return f"app:{NAMESPACE}_{metric}:{when}"


def recordings() -> Iterator[Recording]:
    """Yield all recording rules, in the order of evaluation."""
    yield Recording(recorded(REF_DATE, "newest"), newest(REF_DATE))
    for field in FIELDS:
        yield Recording(recorded(field.metric, "newest"), newest(field.metric))
        yield Recording(recorded(field.metric, "day_before"), named(before(field.metric, 1)))
        yield Recording(recorded(field.metric, "week_before"), named(before(field.metric, 7)))
    yield Recording(recorded(_USUAL_FOR, "usual"), named(usual(_USUAL_FOR)))


def settled_recordings() -> Iterator[Recording]:
    """Yield the figures of the newest date that is settled."""
    for metric in (REF_DATE, *_SETTLED):
        yield Recording(recorded(metric, "settled"), settled(metric))


def settled(metric: str) -> str:
    """Take the figure of the date of `SETTLED_AFTER` days ago, by appid."""
    wanted = f"({by_date(REF_DATE)} == {date_at_point(SETTLED_AFTER)})"
    return f"max by (appid) (\n  (\n{on_show(metric)}\n  )\n  and on (appid, ref_date) {wanted}\n)"


def cohort_recordings() -> Iterator[Recording]:
    """Yield the rules for totals of retention."""
    return (Recording(name, expr) for name, expr in newest_totals())


def shard_recordings() -> Iterator[Recording]:
    """Yield the rule that counts the answering exporters of each shard."""
    yield Recording(f"shard:{OWN}:count", present())

"""The metric families of WeChat's count of calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporter.datasets.quota import QUOTA, QUOTA_FIELDS, QUOTA_LABELS
from exporter.exposition.family import Family, escape, samples
from exporter.store.entry import Entry


@dataclass(frozen=True, slots=True)
class QuotaFamilies:
    """The families of the quotas of all interfaces in use.

    `since`: the Unix time at which WeChat's counts of today began; older counts are hidden.
    """

    since: float
    name: str = QUOTA

    def families(self) -> tuple[Family, ...]:
        """Return the families, in the order of `render`."""
        return tuple(
            Family(field.metric, f"WeChat's own count, {field.help}", field.unit) for field in QUOTA_FIELDS
        )

    def render(self, apps: Sequence[tuple[str, Entry]]) -> Iterator[str]:
        """Yield the sample lines of apps, one text per family."""
        held = [
            (f'{labels},{QUOTA_LABELS[0]}="{escape(path)}"', quota.figures)
            for labels, entry in apps
            if entry.app.has(self.name)
            for path, quota in entry.quotas.items()
            if quota.asked_at >= self.since
        ]
        for position, family in enumerate(self.families()):
            yield samples(family, [(labels, figures[position]) for labels, figures in held])

"""The families of WeChat's own count of calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporter.datasets.quota import QUOTA, QUOTA_FIELDS, QUOTA_LABELS
from exporter.exposition.family import Family, escape, samples
from exporter.store.entry import Entry


@dataclass(frozen=True, slots=True)
class QuotaFamilies:
    """Those of the quota of every interface in use.

    `since`: when WeChat's counts of today began (Unix time); an older count is not shown as today's.
    """

    since: float
    name: str = QUOTA

    def families(self) -> tuple[Family, ...]:
        """The families, in the order in which `render` gives their lines."""
        return tuple(
            Family(field.metric, f"WeChat's own count, {field.help}", field.unit) for field in QUOTA_FIELDS
        )

    def render(self, apps: Sequence[tuple[str, Entry]]) -> Iterator[str]:
        """The sample lines of these apps, a text per family."""
        held = [
            (f'{labels},{QUOTA_LABELS[0]}="{escape(path)}"', quota.figures)
            for labels, entry in apps
            if entry.app.has(self.name)
            for path, quota in entry.quotas.items()
            if quota.asked_at >= self.since
        ]
        for position, family in enumerate(self.families()):
            yield samples(family, [(labels, figures[position]) for labels, figures in held])

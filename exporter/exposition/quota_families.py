"""The families of WeChat's own count of calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporter.config.settings import App
from exporter.datasets.quota import QUOTA, QUOTA_FIELDS, QUOTA_LABELS
from exporter.exposition.family import Family, escape
from exporter.store.entry import Entry


@dataclass(frozen=True, slots=True)
class ShownQuotas:
    """The quotas on show."""

    name: str = QUOTA

    def belongs_to(self, app: App) -> bool:
        """Whether the app has them."""
        return app.has(self.name)

    def families(self) -> tuple[Family, ...]:
        """The families, in the order in which `render` gives their lines."""
        return tuple(
            Family(field.metric, f"WeChat's own count, {field.help}", field.unit) for field in QUOTA_FIELDS
        )

    def render(self, apps: Sequence[tuple[str, Entry]]) -> Iterator[str]:
        """The sample lines of these apps, a text per family."""
        held = [
            (f'{labels},{QUOTA_LABELS[0]}="{escape(path)}"}}', quota.figures)
            for labels, entry in apps
            if self.belongs_to(entry.app)
            for path, quota in entry.quotas.items()
        ]
        for position, family in enumerate(self.families()):
            values = [(labels, figures[position]) for labels, figures in held]
            yield "".join(
                [f"{family.metric}{{{labels} {value}\n" for labels, value in values if value is not None]
            )

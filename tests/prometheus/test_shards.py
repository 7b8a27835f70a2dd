"""The expressions about shards in real Prometheus and VictoriaMetrics, with equal results."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus.rulefiles import groups
from prometheus.shards import INFO, TOTAL, present
from prometheus.thresholds import shipped
from tests.prometheus.databases import in_prometheus, in_victoria_metrics
from tests.prometheus.history import History
from tests.prometheus.servers import Database

START = 1_764_000_000
MINUTE = 60
END = START + 60 * MINUTE
"""The moment that is asked about."""
LABELS = ("instance", "shard", "total_shards")


@dataclass(frozen=True)
class Exporter:
    """An exporter: its shard, and the minute after which it does not answer."""

    instance: str
    shard: int
    total: int
    dead_after: int = 1000

    def lines(self, job: str) -> Iterator[tuple[str, float, int]]:
        at = f'{{job="{job}",instance="{self.instance}"}}'
        for minute in range(61):
            lives = minute <= self.dead_after
            when = START + minute * MINUTE
            yield f"up{at}", int(lives), when
            if lives:
                yield f"{TOTAL}{at}", self.total, when
                info = f'{at[:-1]},shard="{self.shard}",total_shards="{self.total}"}}'
                yield f"{INFO}{info}", 1, when


WELL = (
    Exporter("a0", 0, 2),
    Exporter("b0", 0, 2),
    Exporter("a1", 1, 2),
    Exporter("b1", 1, 2),
)
FLEETS: Mapping[str, tuple[tuple[Exporter, ...], Mapping[str, set[tuple[str, ...]]]]] = {
    "well": (WELL, {}),
    "one dead": (
        (Exporter("a0", 0, 2, dead_after=30), Exporter("b0", 0, 2), *WELL[2:]),
        {"ReplicaDown": {("a0", "", "")}},
    ),
    "both of a shard dead": (
        (*WELL[:2], Exporter("a1", 1, 2, dead_after=30), Exporter("b1", 1, 2, dead_after=30)),
        {"ExporterDown": {("a1", "", ""), ("b1", "", "")}},
    ),
    "one shard never there": (
        (Exporter("a0", 0, 3), Exporter("a2", 2, 3)),
        {"ShardMissing": {("", "", "")}},
    ),
    "two numbers of shards": (
        (Exporter("a0", 0, 2), Exporter("b0", 0, 3)),
        {"ShardsDisagree": {("", "", "")}},
    ),
    "two replicas without shards, one dead": (
        (Exporter("a", 0, 1), Exporter("b", 0, 1, dead_after=30)),
        {"ReplicaDown": {("b", "", "")}},
    ),
    "ten shards and more": (
        tuple(Exporter(f"a{number}", number, 12) for number in range(12)),
        {},
    ),
}
ABOUT_FLEETS = ("ExporterDown", "ReplicaDown", "ShardMissing", "ShardsDisagree")


def job_of(fleet: str) -> str:
    return f"wechat-miniprogram-{fleet.replace(' ', '-')}"


def all_fleets() -> History:
    """Return each fleet is a job of its own."""
    return History(
        lines=[
            line
            for fleet, (exporters, _) in FLEETS.items()
            for exporter in exporters
            for line in exporter.lines(job_of(fleet))
        ]
    )


def check(database: Database) -> None:
    """Check that each fleet's trouble raises only its alert, and count the shards."""
    found: dict[str, dict[str, set[tuple[str, ...]]]] = {job_of(fleet): {} for fleet in FLEETS}
    for alert in (each for alerts in groups(shipped()).values() for each in alerts):
        if alert.name in ABOUT_FLEETS:
            for series in database.instant(alert.expr, END):
                labels = series["metric"]
                named = found[labels["job"]].setdefault(alert.name, set())
                named.add(tuple(labels.get(label, "") for label in LABELS))
    assert found == {job_of(fleet): alerts for fleet, (_, alerts) in FLEETS.items()}
    shards = {
        (series["metric"]["shard"], series["metric"]["total_shards"], series["value"][1])
        for series in database.instant(present(), END)
        if series["metric"]["job"] == job_of("well")
    }
    assert shards == {("0", "2", "2"), ("1", "2", "2")}


def test_prometheus_names_each_trouble_of_a_fleet(
    program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    with in_prometheus(program, free_port, all_fleets(), tmp_path) as database:
        check(database)


def test_victoria_metrics_names_each_trouble_of_a_fleet(
    program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    with in_victoria_metrics(program, free_port, all_fleets(), tmp_path) as database:
        check(database)

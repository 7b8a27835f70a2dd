"""PromQL about the exporters of a fleet: which shard each one is, and which shards nobody is."""

from typing import Final

from exporter.exposition.family import NAMESPACE

OWN: Final = f"{NAMESPACE}_exporter"
FLEET: Final = "cluster, namespace, job"
"""What distinguishes one fleet from another; labels that are not there count as empty."""
TARGET: Final = f"{FLEET}, instance"
SHARD: Final = f"{FLEET}, shard, total_shards"
INFO: Final = f"{OWN}_shard_info"
TOTAL: Final = f"{OWN}_total_shards"
MEMORY: Final = "1d"
"""How long a target that does not answer any more is known by its shard."""


def replaced() -> str:
    """Select the targets, known by their shard, of whose shard an exporter answers."""
    return f"last_over_time({INFO}[{MEMORY}]) and on ({SHARD}) {INFO}"


def disagreeing() -> str:
    """Select the fleets whose exporters name different numbers of shards; the value is how many."""
    return f"count by ({FLEET}) (count by ({FLEET}, total_shards) ({INFO})) > 1"


def incomplete() -> str:
    """Select the fleets with a shard that no target is known to be; the value is how many shards have one.

    A target that does not answer now counts, as ExporterDown is about it; one that is gone does not.
    """
    return f"""\
count by ({FLEET}) (
  count by ({FLEET}, shard) (
    last_over_time({INFO}[{MEMORY}])
    and on ({FLEET}, total_shards) {INFO}
    and on ({TARGET}) up
  )
)
< on ({FLEET}) max by ({FLEET}) ({TOTAL})
unless on ({FLEET}) {disagreeing()}"""


def present(where: str = "") -> str:
    """Count the exporters of each shard that answer."""
    return f"count by ({SHARD}) ({INFO}{f'{{{where}}}' if where else ''})"

"""PromQL about the exporters of a fleet: which shard each one is, which of them asks WeChat.

Shard numbers are values. Here they become the labels `shard` (from 0) and `shards` (of how many), which
`count_values` writes as a number's shortest form, in Prometheus and in VictoriaMetrics alike.
"""

from typing import Final

from exporter.exposition.families import NAMESPACE

OWN: Final = f"{NAMESPACE}_exporter"
FLEET: Final = "cluster, namespace, job"
"""What tells one fleet from another; labels that are not there count as empty."""
TARGET: Final = f"{FLEET}, instance"
SHARD: Final = f"{FLEET}, shard, shards"
_NUMBER: Final = f"{OWN}_shard"
TOTAL: Final = f"{OWN}_total_shards"
LEADER: Final = f"{OWN}_leader"
MEMORY: Final = "1d"
"""How long a target that does not answer any more is known by its shard."""


def placed(where: str = "") -> str:
    """Each exporter that answers, labelled with its shard; the value is 1."""
    at = f"{{{where}}}" if where else ""
    return _placed(f"{_NUMBER}{at}", f"{TOTAL}{at}")


def placed_lately() -> str:
    """The same of each one that has answered within MEMORY, as it was then."""
    return _placed(f"last_over_time({_NUMBER}[{MEMORY}])", f"last_over_time({TOTAL}[{MEMORY}])")


def asking(where: str = "") -> str:
    """By shard: how many of its exporters ask WeChat. 1 is right, 0 is nobody."""
    at = f"{{{where}}}" if where else ""
    return f"sum by ({SHARD}) (\n{_deeper(placed(where))}\n  * on ({TARGET}) group_left ()\n  {LEADER}{at}\n)"


def present(where: str = "") -> str:
    """By shard: how many exporters of it answer."""
    return f"count by ({SHARD}) (\n{_deeper(placed(where))}\n)"


def standing_by(where: str = "") -> str:
    """The exporters that show what another one finds: what they tell of rounds is of the past."""
    return f"({LEADER}{{{where}}} == 0)" if where else f"({LEADER} == 0)"


def fleets() -> str:
    """The jobs whose exporters belong together: divided into shards, or one of them has stood by.

    Exporters that have nothing to do with each other may share a job, each being shard 0 of 1.
    """
    return f"""\
(
  max by ({FLEET}) ({TOTAL}) > 1
or
  min by ({FLEET}) (min_over_time({LEADER}[{MEMORY}])) == 0
)"""


def replaced() -> str:
    """The exporters known by their shard of which another one answers."""
    return f"""\
{placed_lately()}
  and on ({SHARD})
{present()}
  and on ({FLEET})
{fleets()}"""


def disagreeing() -> str:
    """The fleets whose exporters do not name the same number of shards; the value is how many they name."""
    return f'count by ({FLEET}) (count_values by ({FLEET}) ("shards", {TOTAL})) > 1'


def incomplete() -> str:
    """The fleets with a shard that no target is known to be; the value is how many shards have one.

    A target that does not answer now counts, as ExporterDown tells of it; one that is gone does not.
    """
    return f"""\
count by ({FLEET}) (
  count_values by ({FLEET}) ("shard",
      max by ({TARGET}) (last_over_time({_NUMBER}[{MEMORY}]))
      < on ({FLEET}) group_left ()
      max by ({FLEET}) ({TOTAL})
    and on ({TARGET})
      up
  )
)
< on ({FLEET})
  max by ({FLEET}) ({TOTAL})
unless on ({FLEET})
  {disagreeing()}"""


def _placed(number: str, total: str) -> str:
    """A target has one number, also where its other labels have changed in between."""
    return f"""\
count_values by ({TARGET}) ("shard", max by ({TARGET}) ({number}))
* on ({TARGET}) group_left (shards)
count_values by ({TARGET}) ("shards", max by ({TARGET}) ({total}))"""


def _deeper(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

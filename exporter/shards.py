"""The division of the apps among several exporters.

Rendezvous hashing: an app goes to the shard that draws the highest number for its appid, so that one more
shard takes over 1/N of the apps and moves no other.
Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998.
"""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

AUTO: Final = "auto"
MOST_SHARDS: Final = 1000
_POD_NAME: Final = "POD_NAME"
_DRAW_BYTES: Final = 8


class ShardError(ValueError):
    """The flags do not name a shard; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard `number`, from 0, of `total`; by default the only one."""

    number: int = 0
    total: int = 1

    def __str__(self) -> str:
        return f"{self.number} of {self.total}"

    def owns(self, appid: str) -> bool:
        """Return whether an app is this shard's."""
        return owner(appid, self.total) == self.number


THE_WHOLE: Final = Shard()
"""The shard of an exporter that runs alone."""


def owner(appid: str, total: int) -> int:
    """Return the number of the app's shard among `total`, ignoring the appid's case."""
    if total == 1:
        return 0
    start = blake2b(appid.lower().encode(), digest_size=_DRAW_BYTES)

    def draw(number: int) -> bytes:
        drawn = start.copy()
        drawn.update(b"/%d" % number)
        return drawn.digest()

    return max(range(total), key=draw)


def choose_shard(number: str, total: int, environ: Mapping[str, str]) -> Shard:
    """Return the shard that the flags name.

    `number`: from 0 up to total - 1; or `auto`: the number at the end of the pod's name in a StatefulSet,
    modulo `total`, so that twice as many pods as shards make two replicas of each. The pod's name is
    `POD_NAME` of the environment, by default the host's name.

    Raises:
        ShardError: the number is not below `total`, or no pod's name has a number.
    """
    if number != AUTO:
        if int(number) >= total:
            raise ShardError(
                f"--shard={number}: with --total-shards={total} shards count from 0 to {total - 1}"
            )
        return Shard(int(number), total)
    name = environ.get(_POD_NAME) or socket.gethostname()
    ordinal = re.search(r"-([0-9]{1,9})$", name)
    if ordinal is None:
        raise ShardError(
            f"--shard=auto: the name {name!r} does not end in a number as a StatefulSet's pods do (such as "
            f"exporter-0); set {_POD_NAME}, or give the number"
        )
    return Shard(int(ordinal[1]) % total, total)

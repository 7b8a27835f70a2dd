"""What came of encrypting a storage with its newest key."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many texts were encrypted again, how many no key opens, and how many older keys are configured."""

    changed: int = 0
    lost: int = 0
    old_keys: int = 0

    @property
    def old_keys_can_go(self) -> bool:
        """Whether there are older keys, and nothing needs them any more."""
        return self.old_keys > 0 and self.lost == 0

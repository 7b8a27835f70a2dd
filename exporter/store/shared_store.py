"""What a storage offers besides where several exporters use it at once."""

import os
import secrets
import socket
from collections.abc import Callable
from typing import Final, Protocol, TypeGuard

from exporter.store.interface import Store, StoreError
from exporter.wechat.tokens.shared import TokenPool

_TURN_SECONDS: Final = 180.0  # a list of many pages takes less


class SharedStore(Store, Protocol):
    """A store that several exporters use at once; safe to use from many threads. `tokens`: used by all."""

    tokens: TokenPool

    def take(self, duty: str, holder: str, seconds: float) -> bool:
        """Take a duty for that long, or go on having it; False where another holder has it.

        Raises:
            StoreError: the storage does not answer.
        """


def turns(store: Store) -> Callable[[str], bool] | None:
    """Whether this exporter may do some work of which one of all is enough, for the next minutes.

    None where nobody else uses the storage.
    """
    if not is_shared(store):
        return None
    holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"

    def takes(work: str) -> bool:
        try:
            return store.take(work, holder, _TURN_SECONDS)
        except StoreError:
            return False  # what is found could not be shared: what is known has to do

    return takes


def is_shared(store: Store) -> TypeGuard[SharedStore]:
    """Whether several exporters can use it at once."""
    return hasattr(store, "tokens")

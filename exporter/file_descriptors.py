"""How many files and connections the process may have open, and whether these are enough."""

import resource
from contextlib import suppress
from typing import Final

_BESIDES: Final = 300  # clients of the page, the storage, files, one lookup of a name per call that begins


def raise_limit() -> None:
    """Raise this process' limit to what the system allows it; many systems begin with 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS takes no "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def shortage(concurrency: int) -> str | None:
    """What to say where so many calls at a time do not fit the raised limit; None where they do."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = concurrency + _BESIDES
    if hard == resource.RLIM_INFINITY or needed <= hard:
        return None
    return (
        f"refresh.concurrency {concurrency} needs about {needed} file descriptors, the limit is {hard}: "
        "raise it (ulimit -n, LimitNOFILE=, --ulimit nofile) or lower refresh.concurrency"
    )

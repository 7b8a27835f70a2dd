"""The number of files and connections that the process may open, and whether it suffices."""

import resource
from contextlib import suppress
from typing import Final

_BESIDES: Final = 300  # HTTP clients, storage, files, a DNS lookup per starting call


def raise_limit() -> None:
    """Raise this process' limit to the system's hard limit; many systems begin with 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS refuses "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def shortage(concurrency: int) -> str | None:
    """Return a warning if the raised limit is too low for `concurrency` calls at a time, else None."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = concurrency + _BESIDES
    if hard == resource.RLIM_INFINITY or needed <= hard:
        return None
    return (
        f"refresh.concurrency {concurrency} needs about {needed} file descriptors, the limit is {hard}: "
        "raise it (ulimit -n, LimitNOFILE=, --ulimit nofile) or lower refresh.concurrency"
    )

"""When apps are asked next, in words for the operator."""

from collections.abc import Iterable

from exporter.beijing import beijing_text
from exporter.store.entry import Entry


def reload_summary(entries: Iterable[Entry], now: float) -> str:
    """Return what a reload leads to: how many apps are asked now, until when others wait; '' for neither."""
    known = list(entries)
    asked = sum(entry.health.is_awaited(now) for entry in known)
    waits = [
        entry.health.resume_at
        for entry in known
        if entry.health.paused(now) and entry.health.resume_at is not None
    ]
    parts = []
    if asked:
        parts.append(f"{_apps(asked)} asked now")
    if waits:
        until = "until" if len(set(map(beijing_text, waits))) == 1 else "until at least"
        verb = "waits" if len(waits) == 1 else "wait"
        parts.append(
            f"{len(waits)}{'' if asked else ' app' + 's' * (len(waits) > 1)} {verb} {until} "
            f"{beijing_text(min(waits))}"
        )
    return ", ".join(parts)


def _apps(count: int) -> str:
    return "1 app is" if count == 1 else f"{count:,} apps are"

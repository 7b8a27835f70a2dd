"""The effect of a reload in words: what went on or off, who is asked now, and who waits."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from exporter.beijing import beijing_text
from exporter.refresh.plan import asks_before_the_round, dataset_names, is_refused
from exporter.refresh.round_settings import RoundSettings
from exporter.store.entry import Entry, Health


def reload_summary(entries: Iterable[Entry], now: float, settings: RoundSettings) -> str:
    """Describe what is asked now and until when the rest waits; '' if nothing is or does.

    A dataset counts only if its app as a whole is neither asked now nor waiting.
    """
    asked: Counter[str] = Counter()
    waits: dict[str, list[float]] = {"app": [], "dataset": []}
    for entry in entries:
        asks = list(asks_before_the_round(entry, now, settings))
        if any(ask.starts_app for ask in asks):
            asked["app"] += 1
            continue
        asked["dataset"] += len({ask.dataset for ask in asks})
        waits["app"] += _waits(entry.health, now)
        if not is_refused(entry, now):
            for name in dataset_names(entry, settings):
                waits["dataset"] += _waits(entry.table(name).health, now)
    return "; ".join(filter(None, (_outlook(kind, asked[kind], waits[kind]) for kind in waits)))


def switched(before: Mapping[str, Collection[str]], after: Mapping[str, Collection[str]]) -> str:
    """Describe the datasets that remaining apps have gained and lost, as in `quota is on for 3 apps`.

    Both mappings have the names of each app's datasets, by appid.
    """
    stay = before.keys() & after.keys()
    gained = Counter(name for appid in stay for name in after[appid] if name not in before[appid])
    lost = Counter(name for appid in stay for name in before[appid] if name not in after[appid])
    return ", ".join(
        f"{name} is {word} for {_count(number, 'app')}"
        for word, names in (("on", gained), ("off", lost))
        for name, number in sorted(names.items())
    )


def _waits(health: Health, now: float) -> list[float]:
    """Return the Unix time of the end of a pause in a list, which is empty without a pause."""
    return [health.resume_at] if health.paused(now) and health.resume_at is not None else []


def _outlook(kind: str, asked: int, waits: list[float]) -> str:
    parts = []
    if asked:
        parts.append(f"{_count(asked, kind)} {'is' if asked == 1 else 'are'} asked now")
    if waits:
        until = "until" if len(set(map(beijing_text, waits))) == 1 else "until at least"
        waiting = f"{len(waits):,}" if asked else _count(len(waits), kind)
        verb = "waits" if len(waits) == 1 else "wait"
        parts.append(f"{waiting} {verb} {until} {beijing_text(min(waits))}")
    return ", ".join(parts)


def _count(number: int, kind: str) -> str:
    return f"{number:,} {kind}{'' if number == 1 else 's'}"

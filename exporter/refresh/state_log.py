"""What the operator reads of how apps fare: a log line for each change, and what a reload leads to."""

from collections.abc import Iterable

from structlog.typing import FilteringBoundLogger

from exporter.beijing import beijing_text
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.store.entry import Entry
from exporter.wechat.failures.failure import Failure


class StateLog:
    """Writes a line when a dataset's state has changed, or is known for the first time."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._known: set[tuple[str, str]] = set()  # appids and datasets

    def answered(self, before: Entry, after: Entry, dataset: str, failure: Failure | None) -> None:
        """Compare an app's entry before and after an answer about a dataset."""
        old, health = before.table(dataset).health, after.table(dataset).health
        key = after.app.appid, dataset
        if (old.reason, old.errcode) == (health.reason, health.errcode) and key in self._known:
            return
        self._known.add(key)
        about = about_dataset(after, dataset)
        what = "app" if dataset == DAILY_TREND.name else "dataset"
        if failure is not None and not health.up:
            until = {} if health.next_try is None else {"next_try": beijing_text(health.next_try.at)}
            pause = {"paused_until": beijing_text(health.resume_at)} if health.resume_at else until
            self._log.warning(
                f"{what} failing",
                **about,
                reason=health.reason,
                detail=health.detail,
                advice=failure.outlook,
                **pause,
            )
        elif not old.up:
            self._log.info(f"{what} recovered", **about, was=old.reason)
        else:
            self._log.debug(f"{what} state", **about, state=health.reason or "ok")


def about_dataset(entry: Entry, dataset: str) -> dict[str, str]:
    """Return what a log line names: the app, and the dataset unless it is the daily trend."""
    named = {} if dataset == DAILY_TREND.name else {"dataset": dataset}
    return {"appid": entry.app.appid, "name": entry.app.name, **named}


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

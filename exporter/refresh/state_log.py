"""Log lines about the state of apps: one for each change."""

from structlog.typing import FilteringBoundLogger

from exporter.beijing import beijing_text
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.store.entry import Entry
from exporter.wechat.failures.failure import Failure


class StateLog:
    """Writes a line when a dataset's state changes or first becomes known."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._known: set[tuple[str, str]] = set()  # pairs of appid and dataset

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
    """Return a log line's fields: the app, and the dataset unless it is the daily trend."""
    named = {} if dataset == DAILY_TREND.name else {"dataset": dataset}
    return {"appid": entry.app.appid, "name": entry.app.name, **named}

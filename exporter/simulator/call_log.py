"""The log of calls to the simulator: counts by endpoint, app and outcome, and the latest calls."""

from collections import deque
from datetime import date
from typing import Final, NamedTuple

from exporter.beijing import yesterday

_KEPT_CALLS: Final = 10_000


class CallRecord(NamedTuple):
    """A call; `date` is the request's text; `outcome` is ok, an errcode, or a fault's name."""

    at: float
    endpoint: str
    appid: str
    date: str
    outcome: str


class CallLog:
    """The log, written by the server's thread, read by any: each step is one operation on a dict."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}
        self._used: dict[tuple[str, str, date], int] = {}
        self._forced: dict[str, int] = {}
        self._recent: deque[CallRecord] = deque(maxlen=_KEPT_CALLS)
        self.in_flight = 0  # calls that wait for their reply

    def record(self, call: CallRecord) -> None:
        """Record an answered call."""
        key = (call.endpoint, call.appid, call.outcome)
        self._counts[key] = self._counts.get(key, 0) + 1
        day = (call.endpoint, call.appid, yesterday(call.at))
        self._used[day] = self._used.get(day, 0) + 1
        self._recent.append(call)

    def record_forced(self, appid: str) -> None:
        """Count a stable_token call with force_refresh=true."""
        self._forced[appid] = self._forced.get(appid, 0) + 1

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Return all counts since the last `clear`, by endpoint, appid ('' if unknown) and outcome."""
        return self._counts.copy()

    def used(self, endpoint: str, appid: str, now: float) -> int:
        """Return the app's calls to an endpoint since the last midnight (Beijing), unaffected by `clear`."""
        return self._used.get((endpoint, appid, yesterday(now)), 0)

    def forced(self) -> dict[str, int]:
        """Return the forced refreshes by appid since the last `clear`."""
        return self._forced.copy()

    def recent(self) -> list[CallRecord]:
        """Return the latest calls, oldest first."""
        return list(self._recent.copy())

    def clear(self) -> None:
        """Forget all calls, except those in flight."""
        self._counts.clear()
        self._forced.clear()
        self._recent.clear()

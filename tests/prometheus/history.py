"""Sixty dates as an exporter would have shown them: late, missing, corrected, zero, with scrape gaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from exporter.beijing import DAY_SECONDS, midnight

FIRST = date(2025, 1, 6)
DATES = tuple(FIRST + timedelta(days=number) for number in range(60))
APPS = ("wxa", "wxb", "wxc")
HISTORY_DAYS = 9
HOUR = 3600
NEVER = 10_000
_LATEST_STEP = 1200
_DATED_STEP = HOUR  # mostly ranges of days are asked of it
STALE_AFTER = 1500
"""Seconds: as far behind the step as Prometheus' five minutes are behind a scrape of every four.

With those there would be five times as many samples, and nothing more to find out.
"""
# Hours after its own midnight at which a date comes; 24 is the end of the day itself.
_PUBLICATION = (30, 32, 35, 33, 32, 47.5, 32, 34, 53, 32, 31, 60, 33, 30, 35, 97, 32, 31, NEVER, 34, 33)
_GAPS = ((5, 10, 3), (23, 2, 36), (37, 23, 2))  # on which date's number, from which hour, for how long


@dataclass(frozen=True)
class Replica:
    """An exporter: how many seconds it is behind, when it is away, and which dates it has (by number)."""

    labels: str = ""
    behind: int = 0
    away: range = range(0)
    first: int = 0


RENAMED_AT = midnight(DATES[30]) + 60 * HOUR
CORRECTED_AT = midnight(DATES[30]) + 63 * HOUR
"""The first app has another name when WeChat corrects its date: down, so no `max` is right by chance."""
ALONE = (Replica(',job="j",instance="a"'),)
REPLICAS = (
    Replica(',job="j",instance="a-1"', away=range(32, 100)),
    Replica(',job="j",instance="a-2"', away=range(32)),
    Replica(',job="j",instance="b"', behind=2 * HOUR, away=range(12, 16)),
    Replica(',job="j",instance="c"', first=47),
)
"""Of the same apps: one pod takes another's place, one learns everything two hours later, one is new."""


@dataclass
class History:
    """What was shown, as lines without their timestamps' unit, and what can be known of each date."""

    lines: list[tuple[str, float, int]] = field(default_factory=list)
    known: dict[tuple[str, date], float] = field(default_factory=dict)
    latest: dict[tuple[str, int], date] = field(default_factory=dict)
    """The date that the latest family held, by app and time."""
    asked: dict[tuple[str, date], float] = field(default_factory=dict)
    """When what is known of each date was asked for."""

    def openmetrics(self) -> Iterator[str]:
        """Yield the lines, one family after the other, with timestamps in seconds."""
        current = ""
        for series, value, at in sorted(self.lines, key=lambda line: (line[0], line[2])):
            name = series.partition("{")[0]
            if name != current:
                current = name
                yield f"# TYPE {name} gauge\n"
            yield f"{series} {value} {at}\n"
        yield "# EOF\n"

    def prometheus_text(self) -> Iterator[str]:
        """Yield the lines for VictoriaMetrics' import, with timestamps in milliseconds."""
        return (f"{series} {value} {at * 1000}\n" for series, value, at in self.lines)


def published(app: int, number: int) -> float:
    """Return the Unix time at which a date comes."""
    hours = _PUBLICATION[(number + 8 * app) % len(_PUBLICATION)]
    return midnight(DATES[number]) + hours * HOUR


def figure(app: int, number: int, at: float) -> float:
    """Return WeChat's page views of a date at a time: up and down, different for all dates."""
    if (app, number) == (1, 20):
        return 0
    corrected = (app, number) == (0, 30) and at >= CORRECTED_AT
    return 1000 * (app + 1) + 7 * (37 * number % 61) - (500 if corrected else 0)


def name_at(app: int, at: float) -> str:
    return "renamed" if app == 0 and at >= RENAMED_AT else APPS[app]


def history(replicas: Sequence[Replica] = ALONE) -> History:
    """Return both families for APPS, and for copies named with an `l` the newest family alone."""
    past = History()
    start, end = midnight(DATES[0]) + DAY_SECONDS, midnight(DATES[-1]) + 8 * DAY_SECONDS
    for at in range(start, end, _LATEST_STEP):
        if any(
            midnight(DATES[day]) + hour * HOUR <= at < midnight(DATES[day]) + (hour + length) * HOUR
            for day, hour, length in _GAPS
        ):
            continue
        today = (at - midnight(DATES[0])) // DAY_SECONDS
        for replica in replicas:
            if today not in replica.away:
                _show(past, replica, today, at, dated=(at - start) % _DATED_STEP == 0)
    return past


def _show(past: History, replica: Replica, today: int, at: int, *, dated: bool) -> None:
    on_show = range(max(replica.first, today - HISTORY_DAYS), min(len(DATES), today))
    for app, appid in enumerate(APPS):
        held = [number for number in on_show if published(app, number) + replica.behind <= at]
        if held:
            _show_latest(past, app, appid, held[-1], at, replica)
        if dated:
            for number in held:
                _show_dated(past, app, appid, number, at, replica)


def _show_latest(past: History, app: int, appid: str, number: int, at: int, replica: Replica) -> None:
    for suffix in ("", "l"):
        labels = f'{{appid="{appid}{suffix}",name="{name_at(app, at)}"{replica.labels}}}'
        value = figure(app, number, at - replica.behind)
        past.lines.append((f"wechat_miniprogram_daily_visit_pv{labels}", value, at))
        stamp = midnight(DATES[number])
        past.lines.append((f"wechat_miniprogram_daily_ref_date_timestamp_seconds{labels}", stamp, at))
        success = f"wechat_miniprogram_last_success_timestamp_seconds{labels}"
        past.lines.append((success, at - replica.behind, at))
        key = f"{appid}{suffix}", at
        past.latest[key] = max(past.latest.get(key, FIRST), DATES[number])


def _show_dated(past: History, app: int, appid: str, number: int, at: int, replica: Replica) -> None:
    day = DATES[number]
    labels = f'{{appid="{appid}",name="{name_at(app, at)}",ref_date="{day}"{replica.labels}}}'
    value = figure(app, number, at - replica.behind)
    if at - replica.behind >= past.asked.get((appid, day), 0):
        past.known[appid, day] = value
        past.asked[appid, day] = at - replica.behind
    past.lines.append((f"wechat_miniprogram_by_date_visit_pv{labels}", value, at))
    stamp = midnight(day)
    past.lines.append((f"wechat_miniprogram_by_date_ref_date_timestamp_seconds{labels}", stamp, at))

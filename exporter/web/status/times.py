"""Times for people: Beijing time, with the distance from now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from exporter.beijing import BEIJING
from exporter.web.status.language import Language

_LATEST: Final = 253_402_272_000  # 10000-01-01 in Beijing, after the last datetime
_SPANS: Final = ((86_400, 36 * 3600, "d"), (3600, 90 * 60, "h"), (60, 90, "min"), (1, 1, "s"))


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time for the page: `short` omits the date of today."""

    iso: str
    full: str
    short: str
    relative: str
    ahead: bool


def local_time(at: float | None, now: float, language: Language) -> LocalTime | None:
    """Return the Unix time `at` as seen from `now`; None if it is unknown or no date."""
    if at is None or not 0 <= at < _LATEST:
        return None
    then, today = datetime.fromtimestamp(at, BEIJING), datetime.fromtimestamp(now, BEIJING)
    short = f"{then:%H:%M}"
    if then.date() != today.date():
        short = f"{then:%m-%d %H:%M}" if then.year == today.year else f"{then:%Y-%m-%d %H:%M}"
    return LocalTime(
        iso=then.isoformat(timespec="seconds"),
        full=f"{then:%Y-%m-%d %H:%M:%S}",
        short=short,
        relative=_relative(at - now, language),
        ahead=at > now,
    )


def span(seconds: float, language: Language) -> str:
    """Write a length of time in seconds in words: `1 h 30 min`, `1 小时 30 分钟`."""
    rest, parts = round(seconds), []
    for size, _, name in _SPANS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(language.text(f"span.{name}", count=f"{count:,}"))
    return " ".join(parts) or language.text("span.s", count=f"{seconds:g}")


def _relative(seconds: float, language: Language) -> str:
    distance = abs(seconds)
    for size, least, name in _SPANS:
        if distance >= least:
            length = language.text(f"span.{name}", count=f"{distance / size:,.0f}")
            return language.text("ahead" if seconds > 0 else "ago", span=length)
    return language.text("now")

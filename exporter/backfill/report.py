"""The report of a backfill: a table with a line per app, the exit code, and advice on missing dates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TextIO
from unicodedata import east_asian_width

from exporter.backfill.fetching import AppOutcome
from exporter.backfill.journal import DateCounts
from exporter.beijing import beijing_text
from exporter.wechat.failures.failure import Action, Failure, Reason

ALL, FAILED, SOME_MISSING = 0, 1, 3
"""The exit codes; the command line uses 2 for bad usage or a bad configuration."""

_HEAD: Final = ("app", "appid", "fetched", "empty", "missing", "why")
_QUOTA: Final = frozenset({Action.NEXT_DAY, Action.NEXT_MONTH})


@dataclass(frozen=True, slots=True)
class AppSummary:
    """An app's line: its answered dates, of `days` in all, and the outcome of fetching the rest."""

    appid: str
    days: int
    count: DateCounts
    outcome: AppOutcome

    @property
    def missing(self) -> int:
        """Return the number of dates without an answer."""
        return self.days - self.count.rows - self.count.empty

    @property
    def waits_till(self) -> float | None:
        """Return the Unix time at which the app's spent quota refills; None where no quota is spent."""
        ended_by = self.outcome.ended_by
        return self.outcome.health.resume_at if ended_by is not None and ended_by.action in _QUOTA else None

    @property
    def why(self) -> str:
        """Say why dates are missing: the failure that ended fetching, or the number of dates per reason."""
        if not self.missing:
            return ""
        if (ended_by := self.outcome.ended_by) is not None:
            return f"{ended_by.reason}: {ended_by.detail}"
        words = (f"{reason} {count}" for reason, count in sorted(self.outcome.missed.items()))
        return ", ".join(words) or "not asked for"

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the cells of the table's line."""
        figures = (f"{self.count.rows}", f"{self.count.empty}", f"{self.missing}")
        return tuple(_printable(each) for each in (self.outcome.name, self.appid, *figures, self.why))


def exit_code(summaries: Sequence[AppSummary], unlisted: Sequence[tuple[str, Failure]] = ()) -> int:
    """Return 0 if every date has an answer, 3 if some are missing, 1 if none came and no quota explains it.

    `unlisted`: platforms whose accounts could not be listed, so that their dates may be missing.
    """
    if not unlisted and not any(summary.missing for summary in summaries):
        return ALL
    came = any(summary.count.rows or summary.count.empty for summary in summaries)
    states = any(reason.is_state for summary in summaries for reason in summary.outcome.missed)
    waits = any(summary.waits_till is not None for summary in summaries)
    return SOME_MISSING if came or states or waits else FAILED


def advice(
    summaries: Sequence[AppSummary],
    unlisted: Sequence[tuple[str, Failure]] = (),
    noun: str = "date",
    language: str = "en",
    *,
    out_of_reach: bool,
) -> list[str]:
    """Return sentences on what to do about missing dates; `noun` is date, week or month."""
    words = [
        f"platform {name}, accounts not listed: {problem.reason}: {problem.detail}. "
        f"{problem.advice.text(language)}"
        for name, problem in unlisted
    ]
    missing = sum(summary.missing for summary in summaries)
    if not missing:
        return words
    verb = "is" if missing == 1 else "are"
    text = "The same command goes on here and asks for nothing twice."
    words.append(f"{counted(missing, noun)} {verb} missing. {text}")
    if out_of_reach:
        words.append("WeChat was out of reach: see to the network, then go on.")
    waits = [summary.waits_till for summary in summaries if summary.waits_till is not None]
    if waits:
        spent = "has spent its quota" if len(waits) == 1 else "have spent their quota"
        words.append(f"{counted(len(waits), 'app')} {spent}: go on after {beijing_text(max(waits) + 60)}.")
    advised = {
        ended_by.advice.text(language): ended_by.reason
        for summary in summaries
        if (ended_by := summary.outcome.ended_by) is not None and summary.waits_till is None
    }
    words += (f"{reason}: {text}" for text, reason in advised.items())
    if any(Reason.NOT_READY in summary.outcome.missed for summary in summaries):
        words.append(f"{noun.capitalize()}s that are not ready yet come later in the day.")
    return words


def write_table(summaries: Iterable[AppSummary], stream: TextIO) -> None:
    """Write the table in columns, in which Chinese characters take two places."""
    lines = [_HEAD, *(summary.cells for summary in summaries)]
    widths = [max(map(_width, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        stream.write("  ".join(padded).rstrip() + "\n")


def _width(cell: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in cell)


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: `1 date`, `2 dates`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _printable(text: str) -> str:
    """Replace characters that would break the table, such as line breaks."""
    return "".join(each if each.isprintable() else " " for each in text)

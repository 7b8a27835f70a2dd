"""The apps' part of /metrics, compressed: a changed entry renders its block of apps, not the whole page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from exporter.exposition import gzipped
from exporter.exposition.app_families import FAMILIES, OptionalFamilies, families_of, render
from exporter.exposition.dataset_families import ACCESS_SOURCE_INFO, source_lines
from exporter.exposition.family import Family, headers
from exporter.exposition.gzipped import Checksum, Piece
from exporter.store.entry import Entry

BLOCK_SIZE: Final = 128
"""Apps rendered and compressed together: a change of one app costs the work for a block."""


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """The page in one format, compressed, without the exporter's own metrics; formats share the samples."""

    pieces: tuple[Piece, ...]
    checksum: Checksum


@dataclass(frozen=True, slots=True)
class Page:
    """The page in both formats, with its sources: the entries in order, the dates and the datasets."""

    text: EncodedPage
    openmetrics: EncodedPage
    entries: Mapping[str, Entry]
    dates: tuple[date, ...] = ()
    shown: tuple[OptionalFamilies, ...] = ()

    @property
    def ready(self) -> bool:
        """Return whether every app has been asked for, or its rows restored."""
        return all(entry.tried for entry in self.entries.values())


def excerpt(page: Page, appids: Iterable[str], *, openmetrics: bool) -> bytes | None:
    """Return a whole page of some apps, without the exporter's own metrics; None if it lacks one."""
    entries = [page.entries.get(appid) for appid in appids]
    found = [entry for entry in entries if entry is not None]
    if len(found) < len(entries):
        return None
    parts = [
        headers(family, openmetrics=openmetrics) + lines.encode()
        for family, rendered in zip(
            families_of(page.shown), render(found, page.dates, page.shown), strict=True
        )
        if (lines := rendered or _without_app(family))
    ]
    return b"".join((*parts, b"# EOF\n" if openmetrics else b""))


def _without_app(family: Family) -> str:
    """Return the lines of a family that belongs to no app."""
    return source_lines() if family == ACCESS_SOURCE_INFO else ""


_Block = tuple[Piece | None, ...]
"""A block's lines, a piece per family; None for no lines."""


class PageRenderer:
    """Renders pages, in one thread."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._place: dict[str, int] = {}  # appid -> number of the app's block
        self._members: list[list[str]] = []
        self._blocks: list[_Block] = []
        self.dates: tuple[date, ...] = ()
        self.shown: tuple[OptionalFamilies, ...] = ()
        self._families = FAMILIES

    def replace_all(
        self, entries: Mapping[str, Entry], dates: tuple[date, ...], shown: tuple[OptionalFamilies, ...] = ()
    ) -> Page:
        """Return a page of exactly these apps, in order, with `dates` in the by-date families."""
        self._entries = dict(entries)
        self.dates, self.shown = dates, shown
        self._families = families_of(shown)
        appids = list(entries)
        self._members = [appids[at : at + BLOCK_SIZE] for at in range(0, len(appids), BLOCK_SIZE)]
        self._place = {appid: number for number, members in enumerate(self._members) for appid in members}
        self._blocks = [self._block(members) for members in self._members]
        return self._page()

    def update(
        self, entries: Mapping[str, Entry], dates: tuple[date, ...], shown: tuple[OptionalFamilies, ...] = ()
    ) -> Page:
        """Return the page with some entries replaced, ignoring apps that it does not have."""
        self._entries.update((appid, entry) for appid, entry in entries.items() if appid in self._entries)
        touched: Iterable[int] = {self._place[appid] for appid in entries if appid in self._place}
        if (dates, shown) != (self.dates, self.shown):
            self.dates, self.shown = dates, shown
            self._families = families_of(shown)
            touched = range(len(self._members))
        for number in touched:
            self._blocks[number] = self._block(self._members[number])
        return self._page()

    def _block(self, members: Sequence[str]) -> _Block:
        texts = render((self._entries[appid] for appid in members), self.dates, self.shown)
        return tuple(gzipped.piece(lines.encode()) if lines else None for lines in texts)

    def _page(self) -> Page:
        filled = []
        for position, family in enumerate(self._families):
            pieces = [piece for block in self._blocks if (piece := block[position]) is not None]
            if once := _without_app(family):
                pieces = [gzipped.piece(once.encode())]
            if pieces:
                checksum = sum((piece.checksum for piece in pieces), Checksum())
                filled.append((family, pieces, checksum))
        text, openmetrics = (_encoded(filled, openmetrics=openmetrics) for openmetrics in (False, True))
        return Page(text, openmetrics, dict(self._entries), self.dates, self.shown)


def _encoded(filled: Iterable[tuple[Family, list[Piece], Checksum]], *, openmetrics: bool) -> EncodedPage:
    """Join the page in one format from families, each with its samples and their checksum."""
    pieces: list[Piece] = []
    whole = Checksum()
    for family, samples, checksum in filled:
        header = _header(family, openmetrics=openmetrics)
        pieces += header, *samples
        whole = whole + header.checksum + checksum
    return EncodedPage(tuple(pieces), whole)


@cache
def _header(family: Family, *, openmetrics: bool) -> Piece:
    return gzipped.piece(headers(family, openmetrics=openmetrics))

"""The status page of a few apps, parsed, and what stands in it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bs4 import BeautifulSoup, Tag

from exporter.not_before import NotBefore
from exporter.store.entry import Entry, Health
from exporter.web.status.html import StatusData, StatusHtml
from exporter.web.status.language import Language
from exporter.web.status.query import Query
from exporter.wechat.failures.errcodes import errcode_failure
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, YESTERDAY, make_entry, make_failure, make_row

HTML = StatusHtml()
DAY = timedelta(days=1)
OK = Health(last_refresh=NOON - 60, last_success=NOON - 60)
REFUSED = Health(
    last_refresh=NOON - 60,
    failure=errcode_failure(40164, "invalid ip 203.0.113.7"),
    next_try=NotBefore.until(NOON + 7200, NOON),
    fingerprint=b"of the refused secret",
)
HELD = make_entry(1, [make_row(YESTERDAY - days * DAY, 2 - bool(days)) for days in range(9)], OK, "coffee")
FAILING = make_entry(2, [make_row(YESTERDAY - 3 * DAY)], REFUSED, "tea")
LATE = make_entry(3, [make_row(YESTERDAY - DAY)], replace(OK, failure=make_failure(Reason.EMPTY)), "museum")
NEW = make_entry(4, name="new")
MIXED = (HELD, FAILING, LATE, NEW)


def rendered(data: StatusData, language: Language = Language.EN, **query: str) -> BeautifulSoup:
    return BeautifulSoup(HTML.render(data, Query.read(query), language), "html.parser")


def page(
    entries: Sequence[Entry] = MIXED,
    language: Language = Language.EN,
    next_round_at: float | None = NOON + 600,
    telemetry_path: str = "/metrics",
    **query: str,
) -> BeautifulSoup:
    return rendered(StatusData(entries, NOON, next_round_at, 3600.0, telemetry_path), language, **query)


def one(soup: Tag, selector: str) -> Tag:
    found = soup.select(selector)
    assert len(found) == 1, selector
    return found[0]


def text(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split())


def names(soup: Tag) -> list[str]:
    return [text(tag) for tag in soup.select("tbody .called")]


def row(soup: Tag, name: str) -> Tag:
    return next(body for body in soup.select("tbody") if text(one(body, ".called")) == name)


def cell(soup: Tag, name: str, label: str) -> str:
    return text(one(row(soup, name), f'td.figure[data-label="{label}"]'))

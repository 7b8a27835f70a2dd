import asyncio
import gzip
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
from starlette.requests import Request
from starlette.responses import Response

from exporter.service import Exporter
from exporter.shards import THE_WHOLE
from exporter.store.entry import Entry, Health
from exporter.web.status.page import STYLESHEET, StatusPage
from exporter.web.status.query import State
from tests.building import NOON, make_entry, make_row

Ask = Callable[..., Response]


def status_page(*entries: Entry) -> StatusPage:
    exporter = SimpleNamespace(
        publisher=SimpleNamespace(
            page=SimpleNamespace(entries={entry.app.appid: entry for entry in entries}), trouble=""
        ),
        rounds=SimpleNamespace(next_round_at=NOON + 600),
        shard=THE_WHOLE,
        watch=SimpleNamespace(states=list),
        ledger=SimpleNamespace(names=()),
        reconfiguration=SimpleNamespace(config=SimpleNamespace(refresh=SimpleNamespace(interval=3600.0))),
    )
    return StatusPage(cast("Exporter", exporter), "/metrics", tuple, lambda: NOON)


def ask(page: StatusPage, query: str = "", *languages: str) -> Response:
    headers = [(b"accept-language", each.encode()) for each in languages]
    request = Request(
        {"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": headers}
    )
    return asyncio.run(page.answer(request))


@pytest.fixture
def page() -> StatusPage:
    return status_page(make_entry(1, [make_row()], Health(last_refresh=NOON), "coffee"))


def test_the_answer_is_html_that_no_cache_keeps(page: StatusPage) -> None:
    response = ask(page)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert b"coffee" in bytes(response.body)


@pytest.mark.parametrize(
    ("query", "languages", "expected"),
    [
        ("", (), "en"),
        ("", ("zh-CN",), "zh-CN"),
        ("", ("fr", "zh;q=0.5"), "zh-CN"),
        ("lang=en", ("zh-CN",), "en"),
        ("lang=zh", ("en",), "zh-CN"),
        ("lang=klingon", ("zh",), "zh-CN"),
    ],
)
def test_the_language_is_the_links_else_the_browsers_else_english(
    page: StatusPage, query: str, languages: tuple[str, ...], expected: str
) -> None:
    response = ask(page, query, *languages)
    assert response.headers["content-language"] == expected
    assert response.headers["vary"] == "Accept-Language, Accept-Encoding"
    assert f'<html lang="{expected}">'.encode() in bytes(response.body)


def test_the_page_is_sent_with_gzip_to_whom_it_is_welcome(page: StatusPage) -> None:
    request = Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [(b"accept-encoding", b"gzip, br")],
        }
    )
    response = asyncio.run(page.answer(request))
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-length"] == str(len(response.body))
    assert gzip.decompress(bytes(response.body)) == bytes(ask(page).body)
    assert "content-encoding" not in ask(page).headers


@pytest.mark.parametrize(
    "query",
    [
        "page=-1&size=x&sort=%00&order=&state=%FF&chart=../../etc&lang=%F0%9F",
        "page=1&page=2&q=%ED%A0%80",
        "q=" + "%27" * 5000,
        "&&&===",
        "page=" + "9" * 6000,
    ],
)
def test_bad_parameters_are_answered_with_a_page(page: StatusPage, query: str) -> None:
    assert ask(page, query).status_code == 200


def test_half_a_surrogate_pair_does_not_break_the_page() -> None:
    response = ask(status_page(make_entry(1, name="broken \ud83d name")))
    assert "broken ? name" in bytes(response.body).decode()


def test_the_stylesheet_fetches_nothing_and_knows_every_class_of_the_states() -> None:
    sheet = STYLESHEET.read_text()
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert set(State) <= set(re.findall(r"^\.(\w+) \{ --state", sheet, re.MULTILINE))


def test_light_and_dark_have_the_same_colours_to_set() -> None:
    light, dark = STYLESHEET.read_text().split("@media (prefers-color-scheme: dark)")[:2]
    dark = dark.split("*, ::before")[0]
    assert set(re.findall(r"(--[\w-]+):", light)) == set(re.findall(r"(--[\w-]+):", dark))

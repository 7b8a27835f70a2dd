import gc
import gzip
import time

import pytest

from exporter.exposition.page import Page, PageRenderer
from exporter.exposition.telemetry import Telemetry
from exporter.web.scrape import OWN_SECONDS, Scrapes, _negotiate
from tests.building import YESTERDAY, make_entry, make_row
from tests.web.asking import ask

GZIP = ((b"accept-encoding", b"gzip"),)
OPENMETRICS = ((b"accept", b"application/openmetrics-text"),)


class Stage:
    def __init__(self) -> None:
        self.now = 0.0
        self.telemetry = Telemetry(time.time)
        self.maker = PageRenderer()
        self.page = self.maker.replace_all({"wx0000000000000001": make_entry(1, [make_row()])}, (YESTERDAY,))
        self.scrapes = Scrapes(lambda: self.page, self.telemetry, lambda: self.now)

    def body(self, *headers: tuple[bytes, bytes]) -> bytes:
        return b"".join(self.scrapes.answer(headers).parts())


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_changed_page_is_in_the_next_answer(stage: Stage) -> None:
    before = stage.body()
    changed = make_entry(1, [make_row(scale=1000)])
    stage.page = stage.maker.update({changed.app.appid: changed}, (YESTERDAY,))
    assert b" 40000\n" not in before
    assert b" 40000\n" in stage.body()


def test_the_exporters_own_metrics_are_rendered_once_for_many_scrapers(stage: Stage) -> None:
    first = stage.body()
    stage.telemetry.row_revised()
    assert stage.body() == first
    stage.now += OWN_SECONDS
    assert b"rows_revised_total 1.0\n" in stage.body()


def test_a_round_or_a_reload_is_in_the_next_answer(stage: Stage) -> None:
    stage.body()
    stage.telemetry.round_finished(1.5)
    assert b"round_duration_seconds 1.5\n" in stage.body()
    stage.telemetry.reload_failed()
    assert b"config_last_reload_successful 0.0\n" in stage.body()


def test_each_form_is_kept_by_itself(stage: Stage) -> None:
    plain, strict = stage.body(), stage.body(*OPENMETRICS)
    apps = slice(stage.page.text.checksum.size)  # the exporter's own part moves on
    assert gzip.decompress(stage.body(*GZIP))[apps] == plain[apps]
    apps = slice(stage.page.openmetrics.checksum.size)
    assert gzip.decompress(stage.body(*GZIP, *OPENMETRICS))[apps] == strict[apps]
    assert strict.endswith(b"# EOF\n")
    assert b"# EOF" not in plain


def test_no_page_that_is_over_is_kept_for_who_asked_once(stage: Stage) -> None:
    stage.body(*GZIP)
    over = id(stage.page)
    stage.page = stage.maker.replace_all({}, ())
    stage.body(*OPENMETRICS)
    assert over not in {id(each) for each in gc.get_objects() if isinstance(each, Page)}


def test_headers_given_twice_count_together(stage: Stage) -> None:
    twice = ((b"accept", b"text/plain;q=0.1"), (b"accept", b"application/openmetrics-text"))
    assert stage.body(*twice).endswith(b"# EOF\n")


def test_no_number_of_different_headers_fills_the_memory(stage: Stage) -> None:
    for number in range(1000):
        stage.scrapes.answer(((b"accept", b"text/%d" % number),))
    assert _negotiate.cache_info().currsize <= 64


def test_one_app_has_a_page_of_its_own_in_every_form(stage: Stage) -> None:
    other = make_entry(2, [make_row(scale=2)])
    one = stage.page.entries["wx0000000000000001"]
    stage.page = stage.maker.replace_all({one.app.appid: one, other.app.appid: other}, (YESTERDAY,))
    plain, strict, packed = (
        stage.scrapes.excerpt(headers, [one.app.appid]) for headers in ((), OPENMETRICS, GZIP)
    )
    assert plain is not None
    assert strict is not None
    assert packed is not None
    (text,) = plain.body
    assert b'daily_visit_pv{appid="wx0000000000000001"' in text
    assert b'by_date_visit_pv{appid="wx0000000000000001"' in text
    assert b"wx0000000000000002" not in text
    assert b"wechat_miniprogram_exporter_" not in text  # else every app's target had them
    assert gzip.decompress(packed.body[0]) == text
    assert strict.body[0].endswith(b"# EOF\n")
    for answer in (plain, strict, packed):
        assert dict(answer.headers)[b"content-length"] == b"%d" % len(answer.body[0])


def test_an_app_that_is_not_here_has_no_page(stage: Stage) -> None:
    assert stage.scrapes.excerpt((), ["wx0000000000000009"]) is None


@pytest.mark.parametrize("query", ["appid=", "appid", "appid=&appid=", "appid=wx0000000000000001&appid="])
def test_a_blank_appid_is_no_app_and_not_all_of_them(stage: Stage, query: str) -> None:
    answer = ask(stage.scrapes, "GET", "/metrics", query)
    assert (answer.status, b"wechat_miniprogram_daily" in answer.body) == (404, False)


def test_an_excerpt_has_at_most_a_hundred_apps(stage: Stage) -> None:
    entries = {
        entry.app.appid: entry for entry in (make_entry(number, [make_row()]) for number in range(101))
    }
    stage.page = stage.maker.replace_all(entries, (YESTERDAY,))
    queries = ["&".join(f"appid={appid}" for appid in list(entries)[:number]) for number in (100, 101)]
    few, many = (ask(stage.scrapes, "GET", "/metrics", query) for query in queries)
    assert (few.status, many.status) == (200, 400)
    assert b"At most 100 mini programs by appid" in many.body

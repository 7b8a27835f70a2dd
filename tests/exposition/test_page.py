import gzip
from datetime import timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from exporter.beijing import window
from exporter.exposition import gzipped
from exporter.exposition.page import BLOCK_SIZE, EncodedPage, PageRenderer
from exporter.store.entry import Entry, Health
from tests.building import NOON, YESTERDAY, make_entry, make_row, text_of

DATES = window(YESTERDAY, 3)
FINE = Health(last_refresh=NOON, last_success=NOON)


def fleet(count: int) -> dict[str, Entry]:
    made = (make_entry(number, [make_row(scale=number)], FINE) for number in range(1, count + 1))
    return {entry.app.appid: entry for entry in made}


def unpacked(form: EncodedPage) -> bytes:
    return gzip.decompress(gzipped.start(form.pieces) + gzipped.end(b"", form.checksum))


@pytest.mark.parametrize("count", [0, 1, BLOCK_SIZE, BLOCK_SIZE + 1, 3 * BLOCK_SIZE])
def test_all_forms_hold_the_same_samples(count: int) -> None:
    page = PageRenderer().replace_all(fleet(count), DATES)
    assert unpacked(page.text) == text_of(page.text)
    assert unpacked(page.openmetrics) == text_of(page.openmetrics)
    samples = [line for line in text_of(page.text).splitlines() if not line.startswith(b"#")]
    assert samples == [line for line in text_of(page.openmetrics).splitlines() if not line.startswith(b"#")]
    assert len(samples) == count * (8 + 8 + 4 + 3)


def test_the_page_is_strict_openmetrics() -> None:
    page = PageRenderer().replace_all(fleet(3), DATES)
    families = {family.name for family in parse_openmetrics(text_of(page.openmetrics).decode() + "# EOF\n")}
    assert "wechat_miniprogram_by_date_stay_time_uv_seconds" in families


def test_families_without_samples_have_no_header() -> None:
    page = PageRenderer().replace_all({"wx0000000000000001": make_entry(1)}, DATES)
    assert text_of(page.text).splitlines()[-1].startswith(b"wechat_miniprogram_info{")
    assert text_of(page.text).count(b"# TYPE") == 1


def test_a_changed_page_equals_a_new_one() -> None:
    entries = fleet(2 * BLOCK_SIZE)
    maker = PageRenderer()
    maker.replace_all(entries, DATES)
    changed = make_entry(BLOCK_SIZE + 7, [make_row(scale=10_000)], FINE)
    after = maker.update({changed.app.appid: changed}, DATES)
    assert after == PageRenderer().replace_all(entries | {changed.app.appid: changed}, DATES)
    assert b" 400000\n" in text_of(after.text)


def test_a_page_once_made_does_not_change() -> None:
    maker = PageRenderer()
    before = maker.replace_all(fleet(2), DATES)
    plain, entry = text_of(before.text), before.entries["wx0000000000000001"]
    changed = make_entry(1, [make_row(scale=99)], FINE)
    maker.update({changed.app.appid: changed}, DATES)
    assert text_of(before.text) == plain
    assert before.entries["wx0000000000000001"] is entry


def test_at_midnight_the_oldest_date_leaves_all_blocks() -> None:
    rows = [make_row(day) for day in DATES]
    entries = {
        entry.app.appid: entry
        for entry in (make_entry(number, rows, FINE) for number in range(1, BLOCK_SIZE + 2))
    }
    maker = PageRenderer()
    before = maker.replace_all(entries, DATES)
    after = maker.update({}, window(YESTERDAY + timedelta(days=1), 3))
    oldest = f'visit_pv{{appid="wx{BLOCK_SIZE + 1:016x}",name="wx{BLOCK_SIZE + 1:016x}",ref_date="2026-11-21"'
    assert oldest.encode() in text_of(before.text)
    assert b"2026-11-21" not in text_of(after.text)
    assert b"2026-11-22" in text_of(after.text)


def test_news_of_an_app_that_is_gone_is_left_out() -> None:
    maker = PageRenderer()
    maker.replace_all(fleet(1), DATES)
    page = maker.update({"wx0000000000000002": make_entry(2)}, DATES)
    assert list(page.entries) == ["wx0000000000000001"]
    assert b"wx0000000000000002" not in text_of(page.text)


def test_ready_once_there_is_something_of_every_app() -> None:
    maker = PageRenderer()
    assert not maker.replace_all(fleet(2) | {"wx0000000000000003": make_entry(3)}, DATES).ready
    failed = make_entry(3, health=Health(last_refresh=NOON))
    assert maker.update({failed.app.appid: failed}, DATES).ready

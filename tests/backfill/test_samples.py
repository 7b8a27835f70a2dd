from collections.abc import Iterable
from datetime import timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.backfill.journal import Journal
from exporter.backfill.samples import Shape, openmetrics, prometheus, row_lines
from exporter.backfill.span import Span
from exporter.exposition.families import BY_DATE, DAILY, escape
from exporter.trend import DAY_SECONDS, Row, midnight
from tests.building import NOON, YESTERDAY, bare_row, make_app, make_row

BEFORE = YESTERDAY - timedelta(days=1)
SPAN = Span(BEFORE, YESTERDAY)
EIGHT = midnight(YESTERDAY) + 8 * 3600
"""08:00 on the day after BEFORE."""
SHOP = make_app(1, "coffee-shop")
PLAIN = Shape({}, None, int(NOON))


def kept(*rows: Row, number: int = 1) -> Journal:
    journal = Journal("")
    journal.keep([(make_app(number).appid, row.ref_date, row, NOON) for row in rows])
    return journal


def text(pieces: Iterable[str]) -> str:
    return "".join(pieces)


def test_one_sample_per_date_at_eight_the_next_morning() -> None:
    page = text(openmetrics(kept(make_row(BEFORE), make_row(YESTERDAY, 2)), [SHOP], SPAN, PLAIN))
    identity = f'appid="{SHOP.appid}",name="coffee-shop"'
    assert (
        "# TYPE wechat_miniprogram_by_date_visit_pv gauge\n"
        f'wechat_miniprogram_by_date_visit_pv{{{identity},ref_date="2026-11-22"}} 40 {EIGHT}\n'
        f'wechat_miniprogram_by_date_visit_pv{{{identity},ref_date="2026-11-23"}} 80 {EIGHT + DAY_SECONDS}\n'
    ) in page
    assert f'ref_date="2026-11-22"}} {midnight(BEFORE)} {EIGHT}\n' in page
    assert page.endswith("# EOF\n")
    assert [family.name for family in text_string_to_metric_families(page)] == [
        family.metric for family in BY_DATE
    ]


def test_a_figure_that_wechat_left_out_has_no_sample() -> None:
    page = text(openmetrics(kept(bare_row(BEFORE, visit_pv=0)), [SHOP], SPAN, PLAIN))
    lines = [line for line in page.splitlines() if not line.startswith("#")]
    assert len(lines) == 2
    assert " 0 " in lines[0]


def test_nothing_is_stamped_later_than_now() -> None:
    early = Shape({}, 300, EIGHT + DAY_SECONDS - 3600)  # 07:00, and yesterday's row is there already
    page = text(openmetrics(kept(make_row(BEFORE), make_row(YESTERDAY)), [SHOP], SPAN, early))
    stamps = [int(line.rpartition(" ")[2]) for line in page.splitlines() if not line.startswith("#")]
    assert max(stamps) == early.until
    assert len(stamps) == 8 * (2 + 23 * 12 + 1)


def test_the_latest_family_is_replayed_from_eight_to_eight() -> None:
    shape = Shape({}, 300, int(NOON) + 10 * DAY_SECONDS)
    rows = [make_row(BEFORE), make_row(YESTERDAY, 2)]
    families = list(text_string_to_metric_families(text(openmetrics(kept(*rows), [SHOP], SPAN, shape))))
    assert [family.name for family in families] == [family.metric for family in (*DAILY, *BY_DATE)]
    samples = {float(sample.timestamp): sample.value for sample in families[1].samples}
    assert samples == {
        **{EIGHT + 300.0 * n: 40 for n in range(288)},
        **{EIGHT + DAY_SECONDS + 300.0 * n: 80 for n in range(288)},
    }
    refs = {sample.value for sample in families[7].samples}
    assert refs == {midnight(BEFORE), midnight(YESTERDAY)}


@pytest.mark.parametrize("name", ['he said "hi"', "back\\slash\\n", "two\nlines", "奶茶小铺", "{a=b},"])
def test_names_and_labels_survive(name: str) -> None:
    app = make_app(1, name)
    shape = Shape({"job": name, "instance": "exporter:10950"}, None, int(NOON))
    journal = kept(make_row(BEFORE))
    expected = {
        "appid": app.appid,
        "name": name,
        "job": name,
        "instance": "exporter:10950",
        "ref_date": "2026-11-22",
    }
    strict = text_string_to_metric_families(text(openmetrics(journal, [app], SPAN, shape)))
    loose = parse_text(text(prometheus(journal, [app], SPAN, shape)))
    for families in (strict, loose):
        assert [sample.labels for family in families for sample in family.samples] == [expected] * 8
    assert f'name="{escape(name)}"' in row_lines(app, make_row(BEFORE), shape)


def test_both_formats_hold_the_same_samples() -> None:
    shape = Shape({"job": "wechat"}, 3600, int(NOON) + 10 * DAY_SECONDS)
    apps = [SHOP, make_app(2, "tea")]
    journal = kept(make_row(BEFORE), bare_row(YESTERDAY, visit_depth=1.5))
    journal.keep([(apps[1].appid, BEFORE, make_row(BEFORE, 3), NOON)])
    strict, loose = (
        {
            (sample.name, *sorted(sample.labels.items()), sample.value, float(str(sample.timestamp)))
            for family in families
            for sample in family.samples
        }
        for families in (
            text_string_to_metric_families(text(openmetrics(journal, apps, SPAN, shape))),
            parse_text(text(prometheus(journal, apps, SPAN, shape))),
        )
    )
    assert strict == loose
    assert len(strict) == (8 + 2 + 8) * (1 + 24)


def test_only_chosen_apps_and_dates_are_written() -> None:
    journal = kept(make_row(BEFORE), make_row(YESTERDAY))
    page = text(prometheus(journal, [SHOP, make_app(3)], Span(YESTERDAY, YESTERDAY), PLAIN))
    assert page.count("\n") == 8
    assert "2026-11-22" not in page

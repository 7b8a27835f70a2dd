from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.backfill.journal import Journal
from exporter.backfill.periods import Span
from exporter.backfill.samples import SampleShape, newest_moment, openmetrics, prometheus, row_lines
from exporter.beijing import DAY_SECONDS, midnight
from exporter.config.datasets import usual_settings
from exporter.datasets.daily_retention import DAILY_RETENTION
from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.dataset import Row as DatasetRow
from exporter.datasets.period import DAY, WEEK
from exporter.datasets.visit_pages import VISIT_PAGES
from exporter.datasets.weekly_trend import WEEKLY_TREND
from exporter.exposition.app_families import BY_DATE, DAILY
from exporter.exposition.family import escape
from tests.building import NOON, YESTERDAY, bare_row, make_app, make_row

BEFORE = YESTERDAY - timedelta(days=1)
SPAN = Span(BEFORE, YESTERDAY)
EIGHT = midnight(YESTERDAY) + 8 * 3600
"""08:00 on the day after BEFORE."""
SHOP = make_app(1, "coffee-shop")
PLAIN = SampleShape({}, None, int(NOON))


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
    early = SampleShape({}, 300, EIGHT + DAY_SECONDS - 3600)  # 07:00, and yesterday's row is there already
    page = text(openmetrics(kept(make_row(BEFORE), make_row(YESTERDAY)), [SHOP], SPAN, early))
    stamps = [int(line.rpartition(" ")[2]) for line in page.splitlines() if not line.startswith("#")]
    assert max(stamps) == early.until
    assert len(stamps) == 8 * (2 + 23 * 12 + 1)


def test_the_latest_family_is_replayed_from_eight_to_eight() -> None:
    shape = SampleShape({}, 300, int(NOON) + 10 * DAY_SECONDS)
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
    shape = SampleShape({"job": name, "instance": "exporter:10950"}, None, int(NOON))
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
    shape = SampleShape({"job": "wechat"}, 3600, int(NOON) + 10 * DAY_SECONDS)
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


# Other datasets

LATER = int(NOON) + 100 * DAY_SECONDS
WEEKS = Span(date(2026, 11, 9), date(2026, 11, 22), WEEK)


def shape_of(name: str, step: int | None = None) -> SampleShape:
    return SampleShape({}, step, LATER, usual_settings(name))


def kept_of(dataset: Dataset, *rows: DatasetRow) -> Journal:
    journal = Journal("", dataset=dataset)
    journal.keep([(SHOP.appid, row.period.first, row, NOON) for row in rows])
    return journal


def lines_of(page: str, metric: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith(f"wechat_miniprogram_{metric}{{")]


def week(first: date, pv: int) -> DatasetRow:
    return DatasetRow(WEEK.starting(first), (Point((), (1, pv, 8, 3, None, 50, 1.5)),))


def test_a_week_is_dated_at_eight_after_its_sunday_with_its_monday_as_label() -> None:
    journal = kept_of(WEEKLY_TREND, week(date(2026, 11, 9), 40), week(date(2026, 11, 16), 80))
    page = text(openmetrics(journal, [SHOP], WEEKS, shape_of("weekly_trend")))
    identity = f'appid="{SHOP.appid}",name="coffee-shop"'
    monday = midnight(date(2026, 11, 16)) + 8 * 3600
    start = f"wechat_miniprogram_by_week_visit_pv{{{identity},ref_date="
    assert lines_of(page, "by_week_visit_pv") == [
        f'{start}"2026-11-09"}} 40 {monday}',
        f'{start}"2026-11-16"}} 80 {monday + 7 * DAY_SECONDS}',
    ]
    (first, _) = lines_of(page, "by_week_end_timestamp_seconds")
    assert first.endswith(f" {midnight(date(2026, 11, 16))} {monday}")
    assert lines_of(page, "by_week_stay_time_uv_seconds") == []
    assert list(text_string_to_metric_families(page))


def test_the_latest_week_is_replayed_till_the_next_one() -> None:
    journal = kept_of(WEEKLY_TREND, week(date(2026, 11, 9), 40), week(date(2026, 11, 16), 80))
    page = text(openmetrics(journal, [SHOP], WEEKS, shape_of("weekly_trend", 3600)))
    found = [line.rsplit(" ", 2)[1:] for line in lines_of(page, "weekly_visit_pv")]
    start = midnight(date(2026, 11, 16)) + 8 * 3600
    assert [int(at) for _, at in found] == [start + 3600 * n for n in range(2 * 7 * 24)]
    assert [value for value, _ in found] == ["40"] * 168 + ["80"] * 168


def test_each_day_of_a_cohort_is_dated_when_it_was_first_known() -> None:
    points = (Point(("0",), (9, 4, 9, 4)), Point(("1",), (5, 2, 9, 4)), Point(("7",), (5, 2, 9, 4)))
    cohort = DatasetRow(DAY.starting(BEFORE), points)
    journal = kept_of(DAILY_RETENTION, cohort)
    page = text(openmetrics(journal, [SHOP], SPAN, shape_of("daily_retention")))
    found = {
        line.partition('day="')[2].partition('"')[0]: int(line.rpartition(" ")[2])
        for line in lines_of(page, "daily_retain_visit_uv_new")
    }
    assert found == {"1": EIGHT + DAY_SECONDS, "7": EIGHT + 7 * DAY_SECONDS}
    assert len(lines_of(page, "daily_retain_ref_date_timestamp_seconds")) == 2


def test_pages_are_shown_as_serve_shows_them_each_series_in_one_piece() -> None:
    def row(day: date) -> DatasetRow:
        points = [Point((f"pages/{number}",), (99 - number, 8, 2.5, 3, 2, 1, 1)) for number in range(12)]
        return DatasetRow(DAY.starting(day), tuple(points))

    journal = kept_of(VISIT_PAGES, row(BEFORE), row(YESTERDAY))
    page = text(openmetrics(journal, [SHOP], SPAN, shape_of("visit_pages")))
    views = lines_of(page, "daily_page_visit_pv")
    assert len(views) == 2 * 11
    assert [line.partition('page_path="')[2].partition('"')[0] for line in views[:4]] == [
        "pages/0",
        "pages/0",
        "pages/1",
        "pages/1",
    ]
    assert 'page_path="(other)"} 177 ' in page
    assert len(lines_of(page, "daily_page_visit_uv")) == 2 * 10
    loose = text(prometheus(journal, [SHOP], SPAN, shape_of("visit_pages")))
    assert loose.count("\n") == len([line for line in page.splitlines() if not line.startswith("#")])


@pytest.mark.parametrize("seconds", [0, 1, 599])
def test_the_newest_sample_stands_where_dashboards_look(seconds: int) -> None:
    head = 1_700_000_400 - 3 * 3600
    assert head % 600 == 0
    assert newest_moment(1_700_000_400 + seconds) == head

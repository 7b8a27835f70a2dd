import itertools
import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from exporter.datasets.daily_trend import FIELDS
from exporter.datasets.dataset import Row
from exporter.web.status.chart import HEIGHT, MOST_DAYS, WIDTH, Chart, chart, days_shown
from exporter.web.status.language import Language
from tests.building import YESTERDAY, bare_row, make_entry

PV = next(field for field in FIELDS if field.name == "visit_pv")
BAR = re.compile(r"M(?P<left>[\d.]+) 32v-(?P<height>[\d.]+)h(?P<width>[\d.]+)v[\d.]+z")


def row(days: int, pv: float) -> Row:
    return bare_row(YESTERDAY - timedelta(days=days), visit_pv=pv)


def drawn(*rows: Row, days: int | None = None) -> Chart:
    entry = make_entry(rows=rows)
    found = chart(entry, PV, days or days_shown([entry]), Language.EN)
    assert found is not None
    return found


def bars(found: Chart) -> list[tuple[float, float, float]]:
    return [
        (float(bar["left"]), float(bar["height"]), float(bar["width"]))
        for bar in BAR.finditer(found.bars + found.newest)
    ]


def test_bars_are_as_high_as_their_values() -> None:
    assert [height for _, height, _ in bars(drawn(row(0, 50), row(1, 100), row(2, 25)))] == [8, 32, 16]


def test_a_missing_date_is_a_gap() -> None:
    found = drawn(row(0, 10), row(1, 10), row(3, 10))
    lefts = [left for left, _, _ in bars(found)]
    assert len(lefts) == 3
    assert lefts[1] - lefts[0] == 2 * (lefts[2] - lefts[1])
    assert "2026-11-21: not held" in found.values.splitlines()


def test_a_figure_that_wechat_left_out_is_a_gap_too() -> None:
    omitted = bare_row(YESTERDAY - timedelta(days=1), visit_uv=3)
    found = drawn(row(0, 10), omitted, row(2, 10))
    assert len(bars(found)) == 2
    assert "2026-11-22: –" in found.values.splitlines()


def test_a_zero_is_a_thin_bar_and_no_gap() -> None:
    assert [height for _, height, _ in bars(drawn(row(0, 100), row(1, 0)))] == [1, 32]
    assert [height for _, height, _ in bars(drawn(row(0, 0), row(1, 0)))] == [1, 1]


def test_the_newest_date_stands_out() -> None:
    found = drawn(row(0, 10), row(1, 10))
    assert len(BAR.findall(found.bars)) == len(BAR.findall(found.newest)) == 1


def test_a_newest_row_without_the_figure_has_no_bar() -> None:
    found = drawn(bare_row(YESTERDAY, visit_uv=3), row(1, 10))
    assert found.newest == ""
    assert len(bars(found)) == 1


def test_it_is_described_in_words() -> None:
    entry = make_entry(rows=[row(0, 1234), row(1, 10)])
    found = [chart(entry, PV, 2, language) for language in Language]
    assert [each.label for each in found if each] == [
        "Page views, 2026-11-22 to 2026-11-23",
        "访问次数，2026-11-22 至 2026-11-23",
    ]
    assert found[0]
    assert found[0].values == "2026-11-22: 10\n2026-11-23: 1,234"


def test_no_rows_no_chart() -> None:
    assert chart(make_entry(), PV, 9, Language.EN) is None
    assert days_shown([]) == days_shown([make_entry()]) == 1


def test_all_charts_span_as_many_dates_as_the_longest_up_to_a_limit() -> None:
    short, long = make_entry(rows=[row(0, 1)]), make_entry(rows=[row(0, 1), row(8, 1)])
    assert days_shown([short, make_entry(), long]) == 9
    assert days_shown([make_entry(rows=[row(0, 1), row(399, 1)])]) == MOST_DAYS


@given(st.dictionaries(st.integers(0, 60), st.integers(0, 2**53), min_size=1))
def test_bars_stay_in_the_box_and_do_not_overlap(values: dict[int, int]) -> None:
    shift = min(values)
    found = bars(drawn(*(row(days - shift, values[days]) for days in sorted(values))))
    assert len(found) == sum(days - shift < MOST_DAYS for days in values)
    for left, height, width in found:
        assert 0 <= left < left + width <= WIDTH
        assert 0 < height <= HEIGHT
    assert all(one[0] + one[2] < other[0] for one, other in itertools.pairwise(found))

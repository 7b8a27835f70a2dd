from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from exporter.datasets.daily_trend import DAILY_TREND, FIELDS
from exporter.datasets.period import DAY
from exporter.simulator.daily_figures import row

APPIDS = st.from_regex(r"wx[0-9a-f]{16}", fullmatch=True)
SIZES = st.integers(0, 3_000_000)


@given(APPIDS, st.dates(), SIZES)
def test_every_row_is_one_that_the_exporter_takes_whole(appid: str, day: date, size: int) -> None:
    parsed = DAILY_TREND.read({"list": [row(appid, day, size)]}, DAY.starting(day))
    assert parsed is not None
    assert None not in parsed.values


@given(APPIDS, st.dates(), SIZES)
def test_counts_are_in_their_order(appid: str, day: date, size: int) -> None:
    r: dict[str, float] = {name: float(value) for name, value in row(appid, day, size).items()}
    assert 0 <= r["visit_uv_new"] <= r["visit_uv"] <= r["session_cnt"] <= r["visit_pv"]
    assert r["visit_depth"] * r["session_cnt"] <= r["visit_pv"]


@given(APPIDS, st.dates(), SIZES)
def test_both_stay_times_have_the_same_whole_seconds(appid: str, day: date, size: int) -> None:
    r: dict[str, float] = {name: float(value) for name, value in row(appid, day, size).items()}
    half_a_last_digit = 0.000_050_1
    by_visitor, by_open = r["stay_time_uv"] * r["visit_uv"], r["stay_time_session"] * r["session_cnt"]
    assert abs(by_visitor - by_open) <= half_a_last_digit * (r["visit_uv"] + r["session_cnt"])
    for total, count in (
        (by_open, r["session_cnt"]),
        (r["visit_depth"] * r["session_cnt"], r["session_cnt"]),
    ):
        assert abs(total - round(total)) <= half_a_last_digit * count


@given(APPIDS, st.dates(), SIZES)
def test_means_have_four_decimals_at_most_and_whole_ones_none(appid: str, day: date, size: int) -> None:
    r = row(appid, day, size)
    for field in FIELDS:
        value = r[field.name]
        if field.integral:
            assert isinstance(value, int)
        assert not isinstance(value, str)
        assert value == round(value, 4)
        assert isinstance(value, int) or value != int(value)


def test_a_figure_is_the_same_in_every_process() -> None:
    assert row("wxfa4e000000000001", date(2026, 3, 1), 1000) == {
        "ref_date": "20260301",
        "session_cnt": 2536,
        "visit_pv": 7623,
        "visit_uv": 1605,
        "visit_uv_new": 148,
        "stay_time_uv": 55.9227,
        "stay_time_session": 35.3927,
        "visit_depth": 2.1416,
    }

"""Durations: what Prometheus writes, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("500ms", 0.5),
        ("30s", 30),
        ("90s", 90),
        ("1h30m", 5400),
        ("1m1ms", 60.001),
        ("1y2w3d4h5m6s7ms", 31_536_000 + 14 * 86_400 + 3 * 86_400 + 4 * 3600 + 5 * 60 + 6.007),
    ],
)
def test_the_units_of_a_duration_add_up(text: str, seconds: float) -> None:
    assert durations.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "1", "s", "1.5h", "-1s", "1m1h", "1s1s", "1 s", "1S", "1s\n", "١s", "1us"]
)
def test_a_text_in_another_form_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        durations.parse(text)


@given(st.integers(min_value=1, max_value=10**12))
def test_what_is_written_is_parsed_to_the_same(milliseconds: int) -> None:
    assert durations.parse(durations.written(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


def test_nothing_is_zero_seconds() -> None:
    assert durations.written(0) == "0s"

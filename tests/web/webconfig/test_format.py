import pytest

from exporter.web.webconfig.format import IntervalRule


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1.5s", 1.5),
        ("500us", 0.0005),
        ("500µs", 0.0005),
        ("250ns", 2.5e-7),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("1m500ms", 60.5),
        ("1d", 86_400),
        ("0s", 0),
    ],
)
def test_durations_of_go_and_of_prometheus_are_read(text: str, seconds: float) -> None:
    assert IntervalRule(0, 86_400).parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1.5", "-1s", "+1s", "1 s", ".s", "1e3s", "1S"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        IntervalRule(0, 86_400).parse(text)

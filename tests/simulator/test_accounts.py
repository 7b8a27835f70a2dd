from datetime import date, datetime, time

from exporter.beijing import BEIJING
from exporter.simulator.accounts import SimApp


def test_a_row_is_published_the_day_after_at_the_apps_hour_in_beijing() -> None:
    app = SimApp("wx1", "not-a-real-secret", "one", published_at=time(10, 30, 15))
    at = datetime(2026, 11, 24, 10, 30, 15, tzinfo=BEIJING)
    assert app.publication(date(2026, 11, 23)) == at.timestamp()


def test_the_usual_hour_is_five_past_eight() -> None:
    app = SimApp("wx1", "not-a-real-secret", "one")
    at = datetime(2027, 1, 1, 8, 5, tzinfo=BEIJING)
    assert app.publication(date(2026, 12, 31)) == at.timestamp()


def test_a_secret_is_not_shown() -> None:
    assert "not-a-real-secret" not in repr(SimApp("wx1", "not-a-real-secret", "one"))

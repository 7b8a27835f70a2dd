"""Builders of values that many tests need."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from exporter.config.apps import App
from exporter.config.secret import Secret
from exporter.config.token_types import StableToken
from exporter.datasets.daily_trend import DAILY_TREND, FIELDS
from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.period import DAY, Period
from exporter.exposition.page import EncodedPage
from exporter.not_before import NotBefore
from exporter.store.entry import Entry, Health, HeldRow
from exporter.wechat.datacube import Figures
from exporter.wechat.failures.advice import WAIT
from exporter.wechat.failures.failure import Action, Failure, Reason

YESTERDAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC).timestamp()
"""12:00 in Beijing on the day after YESTERDAY."""


def make_app(number: int = 1, name: str | None = None, labels: tuple[tuple[str, str], ...] = ()) -> App:
    appid = f"wx{number:016x}"
    return App(appid, appid if name is None else name, labels, StableToken(Secret(value="not-a-real-secret")))


def trend_row(day: date, values: tuple[int | float | None, ...]) -> Row:
    """Return a day's row of the daily trend; `values` are in the order of FIELDS."""
    return Row(DAY.starting(day), (Point((), values),))


def make_row(day: date = YESTERDAY, scale: int = 1) -> Row:
    """Return a row whose figures all differ, so that swapped ones show."""
    return trend_row(day, (10 * scale, 40 * scale, 8 * scale, 3 * scale, 62.5, 50, 1.9838))


def make_entry(
    number: int = 1, rows: Iterable[Row] = (), health: Health | None = None, name: str | None = None
) -> Entry:
    held = tuple(HeldRow(row, NOON - 3600) for row in rows)
    return Entry(make_app(number, name), "stable_token", held, health or Health())


def make_failure(reason: Reason, errcode: int | None = None, action: Action = Action.NEXT_ROUND) -> Failure:
    return Failure(reason, action, WAIT, "what WeChat said", errcode)


def paused_until(at: float, reason: Reason = Reason.QUOTA_DAILY) -> Health:
    """Return the health of an app that failed at NOON and is paused until `at`."""
    failed = make_failure(reason, action=Action.NEXT_DAY)
    return Health(last_refresh=NOON, failure=failed, next_try=NotBefore.until(at, NOON))


def bare_row(day: date, **figures: float) -> Row:
    """Return a row with only the given figures, as if WeChat had left the others out."""
    return trend_row(day, tuple(figures.get(field.name) for field in FIELDS))


class TrendAccess:
    """An access to the daily trend alone, which a test's subclass implements by `daily_trend`."""

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        assert dataset is DAILY_TREND
        return self.daily_trend(period.first)

    def daily_trend(self, day: date) -> Row:
        raise NotImplementedError

    def quota(self, cgi_path: str) -> Figures:
        raise NotImplementedError


def text_of(page: EncodedPage) -> bytes:
    """Return the text of a page in one format."""
    return b"".join(piece.plain() for piece in page.pieces)

import shutil
import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest

from exporter.backfill.journal import DateCounts, Journal, JournalError
from exporter.backfill.periods import Span
from exporter.beijing import DAY_SECONDS, midnight
from exporter.datasets.daily_retention import DAILY_RETENTION
from exporter.datasets.daily_summary import DAILY_SUMMARY
from exporter.datasets.dataset import Point, Row
from exporter.datasets.period import DAY
from exporter.datasets.weekly_trend import WEEKLY_TREND
from tests.building import NOON, YESTERDAY, bare_row, make_row

OLD = YESTERDAY - timedelta(days=30)
TARGET = "http://127.0.0.1:8428/api/v1/import"
WEEK = Span(YESTERDAY - timedelta(days=6), YESTERDAY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.om.journal"


def test_an_answer_outlives_the_journal_that_kept_it(path: Path) -> None:
    row = make_row(OLD)
    with Journal(path) as journal:
        journal.keep([("wx1", OLD, row, NOON)])
    with Journal(path) as journal:
        assert journal.knows("wx1", OLD, NOON)
        assert not journal.knows("wx2", OLD, NOON)
        assert list(journal.rows("wx1", Span(OLD, OLD))) == [row]


def test_what_was_kept_is_there_without_closing(path: Path, tmp_path: Path) -> None:
    with Journal(path) as journal:
        journal.keep([("wx1", OLD, None, NOON)])
        left = tmp_path / "left"
        left.mkdir()  # the files as kill -9 would leave them
        for file in tmp_path.glob(f"{path.name}*"):
            shutil.copy(file, left)
    with Journal(left / path.name) as again:
        assert again.knows("wx1", OLD, NOON)


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    Journal(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_second_backfill_is_refused(path: Path) -> None:
    with Journal(path), pytest.raises(JournalError, match="another backfill is using journal"):
        Journal(path)


def test_unknown_dates_come_newest_first_and_only_when_wanted(path: Path) -> None:
    with Journal(path) as journal:
        known = YESTERDAY - timedelta(days=1)
        journal.keep([("wx1", known, make_row(known), NOON)])
        unknown = journal.unknown("wx1", WEEK, NOON)
        assert next(unknown) == YESTERDAY
        assert next(unknown) == YESTERDAY - timedelta(days=2)
        later = YESTERDAY - timedelta(days=3)
        journal.keep([("wx1", later, make_row(later), NOON)])
        assert next(unknown) == YESTERDAY - timedelta(days=4)


@pytest.mark.parametrize(
    ("back", "days_later", "known"),
    [
        (0, 0, True),  # the same day's run does not ask again
        (0, 1, False),  # yesterday's row may only have been late
        (2, 1, False),
        (3, 1, True),
        (300, 100, True),
    ],
)
def test_no_row_is_the_last_word_unless_the_date_was_young(
    back: int, days_later: int, *, known: bool
) -> None:
    day = YESTERDAY - timedelta(days=back)
    with Journal("") as journal:
        journal.keep([("wx1", day, None, NOON)])
        now = NOON + days_later * DAY_SECONDS
        assert journal.knows("wx1", day, now) is known
        assert journal.count("wx1", Span(day, day), now) == DateCounts(0, int(known))


def test_counts_are_of_the_span() -> None:
    with Journal("") as journal:
        journal.keep([("wx1", day, make_row(day), NOON) for day in WEEK.newest_first()])
        journal.keep([("wx1", OLD, make_row(OLD), NOON), ("wx1", OLD - timedelta(days=1), None, NOON)])
        assert journal.count("wx1", WEEK, NOON) == DateCounts(7, 0)
        assert journal.count("wx1", Span(OLD - timedelta(days=1), YESTERDAY), NOON) == DateCounts(8, 1)
        assert journal.count("wx2", WEEK, NOON) == DateCounts(0, 0)


def test_rows_come_oldest_first_without_the_dates_that_have_none() -> None:
    second = YESTERDAY - timedelta(days=1)
    with Journal("") as journal:
        journal.keep(
            [
                ("wx1", YESTERDAY, make_row(YESTERDAY), NOON),
                ("wx1", second, bare_row(second, visit_pv=0), NOON),
                ("wx1", WEEK.first, None, NOON),
            ]
        )
        assert list(journal.rows("wx1", WEEK)) == [bare_row(second, visit_pv=0), make_row(YESTERDAY)]


def test_a_target_remembers_what_it_took() -> None:
    with Journal("") as journal:
        journal.pushed("here", [("wx1", OLD)])
        assert journal.is_pushed("here", "wx1", OLD)
        assert not journal.is_pushed("there", "wx1", OLD)
        assert not journal.is_pushed("here", "wx1", YESTERDAY)


def test_a_copy_leaves_no_trace(path: Path) -> None:
    with Journal(path) as journal:
        journal.keep([("wx1", OLD, None, NOON)])
        with journal.copy() as copy:
            copy.keep([("wx2", OLD, None, NOON)])
            assert copy.knows("wx1", OLD, NOON)
        assert not journal.knows("wx2", OLD, NOON)


def test_a_half_written_batch_is_undone() -> None:
    with Journal("") as journal:
        with pytest.raises(JournalError, match="cannot write journal"):
            journal.keep([("wx1", OLD, None, NOON), (None, OLD, None, NOON)])  # type: ignore[list-item]
        assert not journal.knows("wx1", OLD, NOON)


@pytest.mark.parametrize("content", [b"not a database, and long enough to be read as one" * 100])
def test_a_damaged_journal_is_reported_with_what_to_do(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"cannot open journal .*damaged journal can be moved away"):
        Journal(path)


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file or directory"):
        Journal(tmp_path / "nowhere" / "journal")


def test_a_newer_version_s_journal_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(JournalError, match="newer version"):
        Journal(path)


def test_an_old_date_can_be_any_date() -> None:
    with Journal("") as journal:
        day = date(1, 1, 1)
        journal.keep([("wx1", day, make_row(day), NOON)])
        assert journal.knows("wx1", day, NOON)


# Files of other versions

OLD_FILE = Path(__file__).parent.parent / "store" / "old" / "schema-1.journal"
SPAN = Span(YESTERDAY - timedelta(days=9), YESTERDAY)
FIRST, SECOND = "wx0000000000000001", "wx0000000000000002"


def test_a_journal_of_an_earlier_version_opens_with_all_that_it_knew(path: Path) -> None:
    shutil.copy(OLD_FILE, path)
    for _ in range(2):  # at the second opening nothing is left to be done
        with Journal(path, "here") as journal:
            assert list(journal.rows(FIRST, SPAN)) == [
                bare_row(YESTERDAY - timedelta(days=2), visit_pv=0, visit_depth=1.25),
                make_row(YESTERDAY - timedelta(days=1), 2),
                make_row(),
            ]
            assert list(journal.rows(SECOND, SPAN)) == [make_row(scale=3)]
            assert journal.count(SECOND, SPAN, NOON) == DateCounts(1, 1)
            assert journal.knows(SECOND, YESTERDAY - timedelta(days=5), NOON)
            assert journal.is_pushed(TARGET, FIRST, YESTERDAY - timedelta(days=1))
            assert not journal.is_pushed(TARGET, FIRST, YESTERDAY)


def test_answers_of_one_server_are_none_of_another(path: Path) -> None:
    with Journal(path, "here") as journal:
        journal.keep([("wx1", OLD, make_row(OLD), NOON)])
        journal.pushed(TARGET, [("wx1", OLD)])
    with Journal(path, "there") as journal:
        assert not journal.knows("wx1", OLD, NOON)
        assert not journal.is_pushed(TARGET, "wx1", OLD)
        assert list(journal.rows("wx1", Span(OLD, OLD))) == []
        journal.keep([("wx1", OLD, make_row(OLD, 2), NOON)])
    with Journal(path, "here") as journal:
        assert list(journal.rows("wx1", Span(OLD, OLD))) == [make_row(OLD)]


@pytest.mark.parametrize("value", ["-5", "'text'", "9e999", "x'00ff'"])
def test_a_damaged_figure_of_an_old_journal_is_asked_for_again_and_never_shown(
    path: Path, value: str
) -> None:
    shutil.copy(OLD_FILE, path)
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE answers SET visit_pv = {value} WHERE ref_date = '{YESTERDAY}'")
    db.close()
    with Journal(path, "here") as journal:
        assert list(journal.rows(SECOND, SPAN)) == []
        assert not journal.knows(SECOND, YESTERDAY, NOON)
        journal.keep([(SECOND, YESTERDAY, make_row(), NOON)])
        assert list(journal.rows(SECOND, SPAN)) == [make_row()]


# Other datasets


def test_answers_of_one_dataset_are_not_those_of_another(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.keep([("wx1", YESTERDAY, make_row(), NOON)])
    with Journal(path, dataset=DAILY_SUMMARY) as journal:
        assert not journal.knows("wx1", YESTERDAY, NOON)
        journal.keep([("wx1", YESTERDAY, None, NOON)])
        assert list(journal.rows("wx1", WEEK)) == []
    with Journal(path) as journal:
        assert list(journal.rows("wx1", WEEK)) == [make_row()]


def test_a_cohort_is_asked_for_again_once_another_day_of_it_is_due() -> None:
    cohort = Row(DAY.starting(YESTERDAY), (Point(("0",), (5, 9, 5, 9)),))
    span = Span(YESTERDAY, YESTERDAY)
    over = midnight(YESTERDAY) + DAY_SECONDS
    with Journal("", dataset=DAILY_RETENTION) as journal:
        journal.keep([("wx1", YESTERDAY, cohort, NOON)])
        known = {
            back: journal.knows("wx1", YESTERDAY, over + back * DAY_SECONDS) for back in (0, 1, 7, 14, 30)
        }
        assert known == {0: True, 1: False, 7: False, 14: False, 30: False}
        assert journal.count("wx1", span, NOON).rows == 1
        assert journal.count("wx1", span, NOON + DAY_SECONDS).rows == 0
        journal.keep([("wx1", YESTERDAY, cohort, over + 7 * DAY_SECONDS)])
        assert journal.knows("wx1", YESTERDAY, over + 13 * DAY_SECONDS)
        assert not journal.knows("wx1", YESTERDAY, over + 14 * DAY_SECONDS)


def test_an_empty_answer_for_a_week_that_is_just_over_is_asked_for_again() -> None:
    monday, sunday = date(2026, 11, 16), date(2026, 11, 22)
    morning = midnight(sunday) + DAY_SECONDS + 3600
    with Journal("", dataset=WEEKLY_TREND) as journal:
        journal.keep([("wx1", monday, None, morning)])
        assert journal.knows("wx1", monday, morning)
        assert not journal.knows("wx1", monday, morning + DAY_SECONDS)

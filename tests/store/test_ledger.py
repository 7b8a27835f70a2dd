import threading
import time
from dataclasses import replace

import pytest

from exporter.config.secret import Secret
from exporter.config.token_types import StableToken
from exporter.not_before import NotBefore
from exporter.refresh.retries import after_failure
from exporter.store.entry import Health, HeldRow
from exporter.store.ledger import Ledger
from exporter.store.pause_ends import FRESH_REFUSAL_SECONDS
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, make_app, make_row, paused_until

FIRST, SECOND = make_app(1, "coffee-shop"), make_app(2, "tea")
ROW = HeldRow(make_row(), NOON)
FINE = Health(last_refresh=NOON, last_success=NOON)
PAUSED = paused_until(NOON + 3600)
REFUSED = Health(
    last_refresh=NOON,
    failure=errcode_failure(40125, "invalid appsecret"),
    failing_since=NOON,
    next_try=NotBefore.until(NOON + 3600, NOON),
    strikes=1,
    fingerprint=b"x",
)
LATER = NOON + FRESH_REFUSAL_SECONDS


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(9)
    ledger.configure([(FIRST, "stable_token"), (SECOND, "stable_token")], 9, LATER)
    ledger.take_changes()
    return ledger


def record(ledger: Ledger, appid: str, health: Health, held: HeldRow | None = None) -> None:
    ledger.update(appid, lambda entry: replace(entry, health=health), held)


def test_what_is_new_is_given_out_once(ledger: Ledger) -> None:
    assert not ledger.take_changes()
    record(ledger, FIRST.appid, FINE, ROW)
    changes = ledger.take_changes()
    assert changes
    assert changes.rows == ((FIRST.appid, "daily_trend", ROW),)
    assert [entry.rows for entry in changes.entries.values()] == [(ROW,)]
    assert not ledger.take_changes()


def test_what_comes_after_taking_is_not_in_what_was_taken(ledger: Ledger) -> None:
    record(ledger, FIRST.appid, FINE, ROW)
    taken = ledger.take_changes()
    record(ledger, FIRST.appid, FINE, HeldRow(make_row(scale=2), NOON))
    assert taken.entries[FIRST.appid].rows == (ROW,)


def test_a_failure_alone_is_shown_and_needs_no_storing(ledger: Ledger) -> None:
    record(ledger, FIRST.appid, PAUSED)
    changes = ledger.take_changes()
    assert changes.rows == ()
    assert changes.entries[FIRST.appid].health == PAUSED


def test_a_corrected_app_is_asked_at_once_and_shown_as_failing_till_then(ledger: Ledger) -> None:
    record(ledger, FIRST.appid, REFUSED, ROW)
    ledger.ask_again([FIRST.appid, "wxffffffffffffffff"])
    entry = ledger.get(FIRST.appid)
    assert entry is not None
    assert (entry.health.is_awaited(NOON), entry.health.paused(NOON), entry.health.strikes) == (
        True,
        False,
        0,
    )
    assert (entry.health.last_refresh, entry.health.reason) == (REFUSED.last_refresh, REFUSED.reason)
    assert entry.tried


def test_a_reload_keeps_the_rows_and_health_of_apps_that_stay(ledger: Ledger) -> None:
    record(ledger, FIRST.appid, PAUSED, ROW)
    renamed = replace(FIRST, name="coffee-house")
    ledger.configure([(SECOND, "stable_token"), (renamed, "stable_token")], 9, LATER)
    changes = ledger.take_changes()
    assert changes.complete
    assert list(changes.entries) == [SECOND.appid, FIRST.appid]
    kept = changes.entries[FIRST.appid]
    assert (kept.app.name, kept.rows, kept.health) == ("coffee-house", (ROW,), PAUSED)


def test_a_reload_forgets_apps_that_go_and_what_still_comes_for_them(ledger: Ledger) -> None:
    ledger.configure([(SECOND, "stable_token")], 9, LATER)
    record(ledger, FIRST.appid, FINE, ROW)
    assert ledger.get(FIRST.appid) is None
    changes = ledger.take_changes()
    assert (changes.rows, list(changes.entries)) == ((), [SECOND.appid])


def test_a_reload_lifts_the_pause_after_a_refusal_but_not_that_of_a_spent_quota(ledger: Ledger) -> None:
    record(ledger, FIRST.appid, REFUSED)
    record(ledger, SECOND.appid, PAUSED)
    ledger.configure([(FIRST, "stable_token"), (SECOND, "stable_token")], 9, LATER)
    refused, spent = ledger.entries()
    assert (refused.health.strikes, refused.health.is_awaited(LATER)) == (1, True)
    assert (spent.health, spent.health.is_awaited(LATER)) == (PAUSED, False)


def test_a_changed_credential_ends_the_pause_and_keeps_the_rows(ledger: Ledger) -> None:
    record(ledger, FIRST.appid, replace(PAUSED, last_success=NOON - 60), ROW)
    changed = replace(FIRST, token=StableToken(Secret(value="another-fake-secret")))
    ledger.configure([(changed, "stable_token")], 9, LATER)
    entry = ledger.get(FIRST.appid)
    assert entry is not None
    assert (entry.rows, entry.health) == ((ROW,), Health(last_success=NOON - 60))


def test_restored_rows_are_shown_with_the_time_they_were_fetched(ledger: Ledger) -> None:
    ledger.restore([(FIRST.appid, (ROW,)), ("wxffffffffffffffff", (ROW,))])
    changes = ledger.take_changes()
    assert changes.rows == ()  # they are stored already
    assert changes.entries[FIRST.appid].rows == (ROW,)
    assert changes.entries[FIRST.appid].health == Health(last_success=NOON)
    assert list(changes.entries) == [FIRST.appid, SECOND.appid]


def test_restoring_does_not_overwrite_newer_rows(ledger: Ledger) -> None:
    newer = HeldRow(make_row(scale=2), NOON)
    record(ledger, FIRST.appid, FINE, newer)
    ledger.restore([(FIRST.appid, (ROW,))])
    assert ledger.entries()[0].rows == (newer,)


def test_waiting_ends_with_news_with_the_end_and_with_the_time(ledger: Ledger) -> None:
    start = time.monotonic()
    ledger.wait(0.05)
    assert time.monotonic() - start >= 0.05
    threading.Timer(0.05, record, (ledger, FIRST.appid, FINE)).start()
    ledger.wait(5)
    ledger.take_changes()
    threading.Timer(0.05, ledger.close).start()
    ledger.wait(5)
    assert time.monotonic() - start < 4


def test_a_refusal_just_now_outlasts_a_reload_for_five_minutes(ledger: Ledger) -> None:
    record(ledger, FIRST.appid, REFUSED)
    for _ in range(3):
        ledger.configure([(FIRST, "stable_token")], 9, LATER - 1)
        health = ledger.entries()[0].health
        assert (health.paused(LATER - 1), health.is_awaited(LATER), health.strikes) == (True, True, 1)


def test_a_reload_asks_at_once_with_another_credential_than_the_refused_one(ledger: Ledger) -> None:
    record(ledger, FIRST.appid, REFUSED)
    ledger.configure([(FIRST, "stable_token")], 9, NOON + 3, renewed={(FIRST.appid, "daily_trend")})
    health = ledger.entries()[0].health
    assert (health.is_awaited(NOON + 3), health.strikes) == (True, 0)


def test_a_reload_asks_at_once_for_what_the_operator_may_have_corrected(ledger: Ledger) -> None:
    failing = after_failure(Health(), failure(Reason.NETWORK, "no route"), NOON, NOON, lambda: 0.0)
    record(ledger, FIRST.appid, failing)
    ledger.configure([(FIRST, "stable_token")], 9, NOON + 3)
    assert ledger.entries()[0].health.is_awaited(NOON + 3)


def test_a_reload_leaves_apps_that_are_well_in_their_rhythm(ledger: Ledger) -> None:
    record(ledger, FIRST.appid, FINE)
    ledger.configure([(FIRST, "stable_token")], 9, NOON + 3)
    assert not ledger.entries()[0].health.is_awaited(NOON + 3)


def test_an_update_returns_the_entries_before_and_after(ledger: Ledger) -> None:
    changed = ledger.update(FIRST.appid, lambda entry: replace(entry, health=FINE), ROW)
    assert changed is not None
    before, after = changed
    assert (before.rows, after.rows, after.health) == ((), (ROW,), FINE)
    assert ledger.update("wxffffffffffffffff", lambda entry: entry) is None


# The server that answers


def test_another_server_begins_with_nothing_and_late_answers_of_the_old_one_change_nothing() -> None:
    ledger = Ledger(9, lambda: NOON)
    ledger.configure([(make_app(1), "stable_token")], 9, NOON, "test")
    appid = make_app(1).appid
    fine = Health(last_refresh=NOON, last_success=NOON)
    ledger.update(appid, lambda entry: replace(entry, health=fine), HeldRow(make_row(), NOON), "test")
    ledger.configure([(make_app(1), "stable_token")], 9, NOON, "wechat")
    assert ledger.update(appid, lambda entry: entry, HeldRow(make_row(), NOON), "test") is None
    entry = ledger.get(appid)
    assert entry is not None
    assert (entry.rows, entry.health) == ((), Health())
    changes = ledger.take_changes()
    assert (changes.server, changes.rows) == ("wechat", ())
    assert ledger.update(appid, lambda entry: entry, HeldRow(make_row(), NOON), "wechat") is not None


def test_an_answer_to_an_earlier_question_replaces_no_later_one() -> None:
    ledger = Ledger(9, lambda: NOON)
    ledger.configure([(make_app(1), "stable_token")], 9, NOON)
    appid = make_app(1).appid
    later, earlier = HeldRow(make_row(scale=2), NOON - 1), HeldRow(make_row(scale=1), NOON - 2)
    for held in (later, earlier):
        ledger.update(appid, lambda entry: entry, held)
    entry = ledger.get(appid)
    assert entry is not None
    assert entry.rows == (later,)
    assert ledger.take_changes().rows == ((appid, "daily_trend", later),)  # nor in the storage

"""The early ends of pauses: by a reload, by a changed credential, by an operator's request.

How long a pause is without them: refresh/retries.py.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from exporter.config.apps import App
from exporter.not_before import AT_ONCE, NotBefore
from exporter.store.entry import EmptyDate, Entry, Health, Table

FRESH_REFUSAL_SECONDS: Final = 300
"""Seconds after a refusal in which a reload does not repeat the call with the same credential."""
FRESH_ROW_SECONDS: Final = 60
"""Seconds after an answer in which a refresh of all apps skips the app."""


def configured(
    known: Entry | None, app: App, kind: str, now: float, renewed: Collection[tuple[str, str]]
) -> Entry:
    """Return an app's entry after a reload, given the one before it; None for a new app.

    With other token settings the app counts as not yet asked, but keeps its rows. `renewed`: datasets, by
    appid and name, whose credential has changed since WeChat refused it.
    """
    if known is None:
        return Entry(app, kind)
    health = known.health
    if known.app.token != app.token:
        tables = {
            name: Table(table.rows, Health(last_success=table.health.last_success))
            for name, table in known.tables.items()
        }
        return Entry(app, kind, known.rows, Health(last_success=health.last_success), tables=tables)
    return _reloaded(replace(known, app=app), now, renewed)


def refreshed(entry: Entry, now: float) -> Entry:
    """Return the entry with the daily trend due at once, unless a reload would leave it paused."""
    entry, answered_at = _reloaded(entry, now), entry.health.last_refresh
    if not entry.health.up or (answered_at is not None and 0 <= now - answered_at < FRESH_ROW_SECONDS):
        return entry
    return replace(entry, health=replace(entry.health, next_try=AT_ONCE))


def freed(entry: Entry) -> Entry:
    """Return the entry without pauses and records of empty dates, and with the daily trend due at once."""
    health = replace(entry.health, next_try=AT_ONCE, strikes=0)
    entry = replace(entry, health=health)
    for name, table in entry.tables.items():
        health = table.health if table.health.up else replace(table.health, next_try=AT_ONCE, strikes=0)
        entry = entry.with_table(name, replace(table, health=health, empty_dates=()))
    return entry


def _reloaded(entry: Entry, now: float, renewed: Collection[tuple[str, str]] = ()) -> Entry:
    """Return the entry with failed datasets due at once, as the operator may have corrected something.

    A credential that WeChat refused a moment ago, and that has not changed, waits a little. Pauses of spent
    quotas stay.
    """
    for name in entry.names:
        table, renews = entry.table(name), (entry.app.appid, name) in renewed
        health = _after_reload(table.health, now, renewed=renews)
        if health is not table.health:
            entry = entry.with_table(
                name, replace(table, health=health, empty_dates=_but_newest(table.empty_dates))
            )
    return entry


def _but_newest(empty_dates: tuple[EmptyDate, ...]) -> tuple[EmptyDate, ...]:
    """Return the dates without a row, except the newest, which is due at once."""
    newest = max((each.day for each in empty_dates), default=None)
    return tuple(each for each in empty_dates if each.day != newest)


def _after_reload(health: Health, now: float, *, renewed: bool) -> Health:
    if renewed:
        return replace(health, next_try=AT_ONCE, strikes=0, fingerprint=None)
    if health.up or (health.fingerprint is None and health.paused(now)):
        return health
    refused_at = health.last_refresh if health.fingerprint is not None else None
    if refused_at is None:
        return replace(health, next_try=AT_ONCE)
    wait = NotBefore(refused_at + FRESH_REFUSAL_SECONDS, FRESH_REFUSAL_SECONDS)
    left = 0.0 if health.next_try is None else health.next_try.left(now)
    return replace(health, next_try=wait) if wait.left(now) < left else health

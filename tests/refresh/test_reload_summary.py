from dataclasses import replace

import pytest

from exporter.not_before import AT_ONCE
from exporter.refresh.state_log import reload_summary
from exporter.store.entry import Entry, Health
from tests.building import NOON, make_entry, paused_until

FINE = make_entry(health=Health(last_refresh=NOON, last_success=NOON))
NEW = make_entry()
MENDED = make_entry(health=replace(paused_until(NOON + 60), next_try=AT_ONCE))
SOON, LATE = make_entry(health=paused_until(NOON + 300)), make_entry(health=paused_until(NOON + 7200))


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([], ""),
        ([FINE], ""),
        ([FINE, NEW], "1 app is asked now"),
        ([NEW, MENDED, NEW], "3 apps are asked now"),
        ([FINE, SOON], "1 app waits until 2026-11-24 12:05 (Beijing)"),
        ([NEW, SOON], "1 app is asked now, 1 waits until 2026-11-24 12:05 (Beijing)"),
        ([SOON, LATE], "2 apps wait until at least 2026-11-24 12:05 (Beijing)"),
    ],
)
def test_a_reload_says_who_is_asked_now_and_who_waits(entries: list[Entry], text: str) -> None:
    assert reload_summary(entries, NOON) == text

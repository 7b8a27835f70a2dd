from exporter.simulator.ledger import CallCount, CallRecord, Ledger


def test_calls_are_counted_by_endpoint_app_and_outcome() -> None:
    ledger = Ledger()
    for outcome in ("ok", "ok", "40001"):
        ledger.record(CallRecord(1.0, "daily_visit_trend", "wx1", "20261123", outcome))
    assert ledger.counts() == [
        CallCount("daily_visit_trend", "wx1", "ok", 2),
        CallCount("daily_visit_trend", "wx1", "40001", 1),
    ]
    assert [record.outcome for record in ledger.recent()] == ["ok", "ok", "40001"]


def test_a_clear_forgets_all_but_what_is_in_flight() -> None:
    ledger = Ledger()
    ledger.record(CallRecord(1.0, "token", "wx1", "", "ok"))
    ledger.record_forced("wx1")
    ledger.in_flight += 1
    ledger.clear()
    assert (ledger.counts(), ledger.forced(), ledger.recent()) == ([], {}, [])
    assert ledger.in_flight == 1

from exporter.heartbeat import GRACE_SECONDS, Heartbeat


def test_a_thread_is_late_once_it_should_have_been_heard_of() -> None:
    heartbeat = Heartbeat()
    assert not heartbeat.late(1e9)  # not begun yet
    heartbeat.expect(100.0, 5.0)
    assert not heartbeat.late(105.0 + GRACE_SECONDS)
    assert heartbeat.late(106.0 + GRACE_SECONDS)
    heartbeat.expect(200.0, 5.0)
    assert not heartbeat.late(201.0)

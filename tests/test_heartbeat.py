from exporter.heartbeat import GRACE_SECONDS, Heart


def test_a_thread_is_late_once_it_should_have_been_heard_of() -> None:
    heart = Heart()
    assert not heart.late(1e9)  # not begun yet
    heart.expect(100.0, 5.0)
    assert not heart.late(105.0 + GRACE_SECONDS)
    assert heart.late(106.0 + GRACE_SECONDS)
    heart.expect(200.0, 5.0)
    assert not heart.late(201.0)

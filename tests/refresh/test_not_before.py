from exporter.refresh.not_before import NotBefore


def test_a_moment_further_ahead_than_it_was_set_has_come() -> None:
    moment = NotBefore()
    assert moment.left(5.0) == 0
    moment.set(1000.0, 60.0)
    assert [moment.left(now) for now in (999.0, 1000.0, 1059.0, 1060.0)] == [0, 60, 1, 0]

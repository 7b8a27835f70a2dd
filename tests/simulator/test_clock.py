from exporter.simulator.clock import Clock


def test_a_clock_follows_its_source() -> None:
    times = iter([10.0, 11.5])
    clock = Clock(lambda: next(times))
    assert [clock.now(), clock.now()] == [10.0, 11.5]


def test_a_set_clock_goes_on_from_there() -> None:
    times = iter([10.0, 12.0])
    clock = Clock(lambda: next(times))
    clock.set(1000.0)
    assert clock.now() == 1002.0


def test_a_clock_moves_both_ways() -> None:
    clock = Clock(lambda: 100.0)
    clock.advance(60)
    assert clock.now() == 160.0
    clock.advance(-100)
    assert clock.now() == 60.0

from prometheus_client import Gauge

from exporter.exposition.cached_registry import CachedRegistry


def test_a_part_is_rendered_again_only_after_a_change() -> None:
    part = CachedRegistry()
    gauge = Gauge("some_gauge", "Some.", registry=part.registry)
    gauge.set(1)
    assert b"some_gauge 1.0" in part.render(openmetrics=False)
    gauge.set(2)
    assert b"some_gauge 1.0" in part.render(openmetrics=False)
    part.touch()
    assert b"some_gauge 2.0" in part.render(openmetrics=False)
    assert b"some_gauge 2.0" in part.render(openmetrics=True)


def test_parts_can_be_put_behind_each_other() -> None:
    part = CachedRegistry()
    Gauge("some_gauge", "Some.", registry=part.registry)
    assert b"EOF" not in part.render(openmetrics=True)

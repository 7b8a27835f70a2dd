import resource

import pytest

from exporter.web.connection_limit import CONNECTION_LIMIT, connection_limit


@pytest.mark.parametrize(
    ("descriptors", "connections"),
    [(200, 100), (256, 128), (1024, CONNECTION_LIMIT), (resource.RLIM_INFINITY, CONNECTION_LIMIT)],
)
def test_connections_leave_descriptors_for_everything_else(
    monkeypatch: pytest.MonkeyPatch, descriptors: int, connections: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert connection_limit() == connections

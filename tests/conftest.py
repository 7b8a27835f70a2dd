"""Fixtures that several tests share: real programs, free ports, a log that keeps its events."""

import os
import shutil
import socket
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from hypothesis import settings
from structlog.testing import LogCapture
from structlog.typing import FilteringBoundLogger

from tests.prometheus.databases import ShownIn, in_prometheus, in_victoria_metrics

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
settings.register_profile("fast", settings.get_profile("untimed"), max_examples=15)  # make test-fast
settings.load_profile("untimed")


_REAL = {"e2e", "test_distribution.py"}
"""Folders and files of tests that run the exporter, or another program, in a process of its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make test-fast` leaves out: those that start real programs.

    They come first: they take long and often wait, which the others can fill up.
    """
    for item in items:
        if _REAL.intersection(item.path.parts) or "program" in getattr(item, "fixturenames", ()):
            item.add_marker("real")
    items.sort(key=lambda item: item.get_closest_marker("real") is None)


@pytest.fixture(scope="session", autouse=True)
def unmeasured_programs() -> None:
    """Run the programs that tests start without coverage, which would double the time of each."""
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Return a function that finds a program, and skips or fails the test if it is missing."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None and os.environ.get("WECHAT_EXPORTER_REQUIRE_REAL") == "1":
            pytest.fail(f"{name} is required and not installed")
        if path is None:
            pytest.skip(f"{name} is not installed")
        return path

    return find


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a function that finds a free port on loopback."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            return port

    return find


@pytest.fixture
def events() -> list[Any]:
    """Return the events that `log` was given, in order."""
    return []


@pytest.fixture
def log(events: list[Any]) -> FilteringBoundLogger:
    """Return a logger that keeps its events instead of writing them."""
    capture = LogCapture()
    capture.entries = events
    logger: FilteringBoundLogger = structlog.wrap_logger(
        None, processors=[capture], wrapper_class=structlog.make_filtering_bound_logger("debug")
    )
    return logger


@pytest.fixture(
    scope="module", params=[in_prometheus, in_victoria_metrics], ids=["prometheus", "victoria-metrics"]
)
def shown_in(request: pytest.FixtureRequest) -> ShownIn:
    found: ShownIn = request.param
    return found

import resource
import subprocess
import sys

import pytest

from exporter import file_descriptors

RAISED = """
import resource
from exporter.file_descriptors import raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))
raise_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    ran = subprocess.run([sys.executable, "-c", RAISED], capture_output=True, check=True, text=True)
    assert ran.stdout.split() == ["128", "128"]


@pytest.mark.parametrize(
    ("concurrency", "hard"), [(600, 1024), (724, 1024), (1024, 4096), (1024, resource.RLIM_INFINITY)]
)
def test_a_concurrency_that_fits_the_hard_limit_needs_no_warning(
    concurrency: int, hard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, hard))
    assert file_descriptors.shortage(concurrency) is None


@pytest.mark.parametrize(("concurrency", "hard"), [(725, 1024), (16, 256)])
def test_a_concurrency_that_does_not_fit_is_reported_with_numbers(
    concurrency: int, hard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, hard))
    report = file_descriptors.shortage(concurrency) or ""
    assert f"refresh.concurrency {concurrency} needs about {concurrency + 300} file descriptors" in report
    assert f"the limit is {hard}" in report

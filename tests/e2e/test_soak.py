"""A short run of `benchmarks/soak.py`: faults switch at random, and healthy apps do not notice."""

from collections.abc import Callable

from benchmarks.soak import soak

SECONDS = 12


def test_healthy_apps_have_no_gap_and_no_wrong_value_while_others_are_in_trouble(
    program: Callable[[str], str],
) -> None:
    program("prometheus")
    report = soak(SECONDS, apps=100, seed=11)
    assert report.scrapes >= SECONDS - 3
    assert (report.missing, report.wrong, report.faults_of_ours) == (0, 0, 0)
    assert report.gaps == 0
    assert report.slowest < 1
    half = len(report.usage) // 2
    assert max(use.threads for use in report.usage) < 60
    assert max(use.descriptors for use in report.usage) < 150
    early, late = (max(use.memory for use in part) for part in (report.usage[:half], report.usage[half:]))
    assert late - early < 16 * 1024 * 1024

from typing import Any

import pytest

from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.quota import quota_due, quota_request, read_quota, written_quota
from tests.datasets.rows import sample


@pytest.mark.parametrize(
    ("name", "values"),
    [("quota_get__doc", (0, 0, 0)), ("quota_get__edited_with_rate_limits", (100000, 120, 99880))],
)
def test_wechats_examples_give_limit_used_and_left(name: str, values: tuple[int, ...]) -> None:
    assert read_quota(sample(name)) == values


def test_what_the_simulator_writes_is_read() -> None:
    assert read_quota(written_quota(100, 7)) == (100, 7, 93)
    assert read_quota(written_quota(100, 101)) == (100, 101, 0)


def test_an_interface_is_asked_for_by_its_path() -> None:
    path = "/datacube/getweanalysisappiddailyvisittrend"
    assert quota_request(path) == sample("quota_get__request_edited") == {"cgi_path": path}


def test_each_interface_has_its_own_moment_of_the_interval() -> None:
    interval, asked = 6 * 3600.0, dict.fromkeys(range(7), 0.0)
    rounds = []
    for hour in range(1, 4 * 24):
        now = hour * 3600.0
        due = [place for place in asked if quota_due(place, 7, now, interval, asked[place])]
        asked.update(dict.fromkeys(due, now))
        rounds.append(len(due))
    assert max(rounds) <= 2
    assert sum(rounds) == pytest.approx(7 * len(rounds) / 6, abs=7)
    assert all(quota_due(place, 7, 0.0, interval, None) for place in range(7))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "there is no 'quota'"),
        ({"quota": []}, "'quota' is a list, not an object"),
        ({"quota": {}}, "the quota has none of the documented figures"),
        ({"quota": {"used": -1}}, "used is -1, not a number from 0 up"),
        ({"quota": {"used": True}}, "used is True, not a number from 0 up"),
        ({"quota": {"remain": 1.5}}, "remain is 1.5, not a whole number"),
    ],
)
def test_what_cannot_be_trusted_is_refused(body: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedRowError, match=f"^{message.replace('.', '[.]')}$"):
        read_quota(body)

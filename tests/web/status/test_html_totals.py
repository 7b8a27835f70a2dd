import pytest

from tests.building import NOON
from tests.web.status.rendered import HELD, names, one, page, row, text


def test_totals_say_how_many_apps_they_are_of() -> None:
    tiles = [text(tile) for tile in page().select(".tile")]
    assert tiles[0] == "Failing 1 of 4 apps Dataset failing 0 Not ready yet 1 Not yet asked 1 OK 1"
    assert tiles[1:5] == [
        "Newest date 2026-11-23 1 of 4 apps have this date",
        "Opens 20 1 of 4 apps",
        "Page views 80 1 of 4 apps",
        "New visitors 6 1 of 4 apps",
    ]


def test_totals_stay_those_of_all_apps_when_the_table_is_filtered() -> None:
    assert [text(tile) for tile in page(q="tea").select(".tile")] == [
        text(tile) for tile in page().select(".tile")
    ]


def test_the_counts_lead_to_the_apps_of_that_state() -> None:
    assert one(page(), ".states .value a")["href"] == "?state=failing"
    assert {str(link["href"]) for link in page().select(".states ul a")} == {
        "?state=dataset_failing",
        "?state=not_ready",
        "?state=untried",
        "?state=ok",
    }
    assert names(page(state="failing")) == ["tea"]
    assert text(one(page(state="failing"), ".states [aria-current]")) == "1"
    assert "OK" in text(one(page(state="ok"), ".states [aria-current]"))


def test_the_tile_of_failing_apps_stands_out_only_while_there_are_some() -> None:
    assert page().select(".tile.alarm")
    assert not page([HELD]).select(".tile.alarm")


def test_the_next_refresh_is_shown_with_the_interval() -> None:
    assert text(page().select(".tile")[-1]) == "Next refresh 12:10 in 10 min · every 1 h"


@pytest.mark.parametrize("next_round_at", [None, NOON - 5])
def test_a_round_under_way_is_shown(next_round_at: float | None) -> None:
    soup = page(next_round_at=next_round_at)
    assert text(soup.select(".tile")[-1]) == "Next refresh under way every 1 h"
    assert "refresh under way" in text(one(row(soup, "coffee"), "td.state"))

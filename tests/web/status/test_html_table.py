from exporter.web.status.columns import COLUMNS
from tests.building import make_entry
from tests.web.status.rendered import OK, names, one, page, text


def test_the_form_keeps_what_it_does_not_ask_for() -> None:
    soup = page(
        lang="en",
        q="e",
        state="failing",
        sort="visit_pv",
        order="asc",
        chart="visit_uv",
        size="200",
        page="2",
    )
    hidden = {str(each["name"]): each["value"] for each in soup.select("form input[type=hidden]")}
    assert hidden == {"lang": "en", "sort": "visit_pv", "order": "asc"}
    assert one(soup, 'input[name="q"]')["value"] == "e"
    chosen = [str(each["value"]) for each in soup.select("option[selected]")]
    assert chosen == ["failing", "visit_uv", "200"]
    assert one(soup, "form a.button")["href"] == "?lang=en&chart=visit_uv&size=200"


def test_columns_are_sorted_by_their_headers() -> None:
    soup = page(sort="visit_pv")
    assert names(soup) == ["coffee", "tea", "museum", "new"]
    sorted_by = one(soup, "th[aria-sort]")
    assert (sorted_by["aria-sort"], text(sorted_by)) == ("descending", "Page views")
    assert one(sorted_by, "a")["href"] == "?sort=visit_pv&order=asc"
    assert one(page(sort="visit_pv", order="asc"), "th[aria-sort]")["aria-sort"] == "ascending"
    assert len(soup.select("thead a")) == len(COLUMNS)
    assert not page().select("[aria-sort]")


def test_many_apps_are_cut_into_pages() -> None:
    entries = [make_entry(number, (), OK, f"shop-{number:03}") for number in range(120)]
    soup = page(entries, page="2")
    assert names(soup) == [f"shop-{number:03}" for number in range(50, 100)]
    assert text(one(soup, ".shown")) == "51–100 of 120"
    above, below = soup.select(".pager")
    for pager in (above, below):
        links = [(text(link), link["href"]) for link in pager.select("a")]
        assert links == [
            ("Previous", "?"),
            ("1", "?"),
            ("2", "?page=2"),
            ("3", "?page=3"),
            ("Next", "?page=3"),
        ]
        assert text(one(pager, "[aria-current=page]")) == "2"
    assert above["aria-label"] != below["aria-label"]


def test_the_ends_of_the_pages_lead_nowhere() -> None:
    entries = [make_entry(number, (), OK) for number in range(60)]
    assert [text(step) for step in page(entries).select(".pager .off")] == ["Previous"] * 2
    assert [text(step) for step in page(entries, page="77").select(".pager .off")] == ["Next"] * 2


def test_one_page_needs_no_pager() -> None:
    assert not page().select(".pager")


def test_an_empty_table_says_why() -> None:
    assert text(one(page(q="nobody"), ".nothing")) == "No app matches this filter."
    soup = page(())
    assert text(one(soup, ".nothing")) == "No app is configured."
    assert text(soup.select(".tile")[1]) == "Newest date – No figures yet"

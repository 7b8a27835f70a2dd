from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from exporter import __version__
from exporter.shards import Shard
from exporter.web.status.html import StatusData
from exporter.web.status.language import TEXTS, Language
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, make_app, make_entry, make_failure
from tests.web.status.rendered import FAILING, MIXED, OK, REFUSED, names, one, page, rendered, text

NAMES = (
    "<script>alert(1)</script>",
    "\"quotes\" & 'apostrophes'",
    '"><img src=x onerror=alert(1)>',
    "two\nlines",
    "\u202eright to left",
    "长" * 200,
    "{{ 7 * 7 }}",
    "%s {name} {0}",
)


def test_all_times_are_said_to_be_beijings() -> None:
    assert "As of 2026-11-24 12:00:00 · All times are Beijing time (UTC+8)." in text(one(page(), "header"))
    assert "北京时间（UTC+8）" in text(one(page(language=Language.ZH), "header"))


def test_the_page_says_its_language() -> None:
    for language in Language:
        soup = page(language=language)
        assert one(soup, "html")["lang"] == language.tag
        assert text(one(soup, "h1")).startswith(language.text("title"))
        assert one(soup, ".languages [aria-current]")["lang"] == language.tag


def test_the_chinese_page_has_no_english_texts() -> None:
    soup = page(language=Language.ZH)
    found = {" ".join(string.split()) for string in soup.stripped_strings}
    assert not found & {each["en"] for each in TEXTS.values() if each["en"] != each["zh"]}


def test_the_language_chosen_is_kept_in_every_link_and_in_the_form() -> None:
    entries = [make_entry(number, (), OK) for number in range(60)]
    soup = page(entries, Language.ZH, lang="zh", q="wx", state="ok", sort="name")
    links = [
        str(link["href"])
        for link in soup.select("a[href^='?']")
        if link.find_parent(class_="languages") is None
    ]
    assert len(links) > 15
    assert {parse_qs(urlsplit(link).query).get("lang", [""])[0] for link in links} == {"zh"}
    assert one(soup, 'form input[name="lang"]')["value"] == "zh"


@pytest.mark.parametrize("name", NAMES)
def test_names_labels_and_wechats_words_are_text_whatever_they_hold(name: str) -> None:
    app = make_app(1, name, (("label", name),))
    failing = replace(REFUSED, failure=replace(make_failure(Reason.NETWORK), detail=name))
    entry = replace(FAILING, app=app, health=failing, token_kind=name)
    expected = " ".join(name.split())
    soup = page([entry], q=name)
    assert names(page([entry])) == [expected]
    assert text(one(page([entry]), ".labels li")) == f"label={expected}"
    assert text(one(page([entry]), ".detail")) == expected
    assert one(soup, 'input[name="q"]')["value"] == expected
    assert not soup.select("script, img, iframe, [onerror]")
    assert soup.select("tbody bdi")


def test_nothing_on_the_page_needs_more_than_the_security_policy_allows() -> None:
    for soup in (page(), page((), Language.ZH), page(q="tea", sort="name", lang="zh")):
        assert not soup.select("script, style, [style], img, iframe, object, base")
        assert not [name for tag in soup.select("*") for name in tag.attrs if name.startswith("on")]
        loaded = [str(tag["href"]) for tag in soup.select("link[href], use[href]")]
        assert all(href.startswith(("data:,", "#", "./style.css")) for href in loaded)
        assert not [
            link for link in soup.select("a[href], form[action]") if "//" in str(link.get("href", ""))
        ]


def test_links_stay_below_the_path_that_the_page_is_served_at() -> None:
    links = {text(link): link["href"] for link in page(telemetry_path="/own/metrics").select("nav a")}
    assert links["Metrics"] == "./own/metrics"
    assert links["Health"] == "./-/healthy"
    assert links["Readiness"] == "./-/ready"


def test_the_stylesheet_of_another_version_is_not_taken_from_the_cache() -> None:
    assert one(page(), "link[rel=stylesheet]")["href"] == f"./style.css?{__version__}"
    assert __version__ in text(one(page(), "h1"))


def test_ids_are_unique_and_the_skip_link_leads_to_the_apps() -> None:
    for soup in (page(), page(())):
        ids = [tag["id"] for tag in soup.select("[id]")]
        assert len(ids) == len(set(ids))
        assert one(soup, "a.skip")["href"] == "#apps"
        assert "apps" in ids


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (Language.EN, "shard 1 of 4, from 0"),
        (Language.ZH, "分片 1，共 4 个（从 0 起）"),
    ],
)
def test_one_of_several_exporters_says_which_it_is(language: Language, words: str) -> None:
    data = StatusData(MIXED, NOON, None, 3600.0, "/metrics", Shard(1, 4))
    soup = rendered(data, language)
    assert words in text(one(soup, ".overview"))


def test_an_exporter_alone_says_nothing_of_others() -> None:
    assert "shard" not in text(page())


@pytest.mark.parametrize(
    ("language", "words"),
    [(Language.EN, "The storage fails: what is on show comes from memory."), (Language.ZH, "存储出错")],
)
def test_a_storage_that_fails_is_shown_at_the_top_with_its_reason(language: Language, words: str) -> None:
    why = "cannot write storage redis://cache/0: <Connection refused>"
    data = StatusData(MIXED, NOON, None, 3600.0, "/metrics", storage_trouble=why)
    soup = rendered(data, language)
    banner = text(one(soup, "main > .banner"))
    assert words in banner
    assert why in banner
    assert not page().select("main > .banner")


def test_a_refused_configuration_is_shown_at_the_top() -> None:
    data = StatusData(MIXED, NOON, None, 3600.0, "/metrics", refused=("config.yaml:3: <no>",))
    soup = rendered(data)
    banner = text(one(soup, "main > .banner"))
    assert banner == "A new configuration was refused: the old one stays in force. config.yaml:3: <no>"


def test_the_page_asks_for_itself_again_only_by_choice() -> None:
    assert not page().select('meta[http-equiv="refresh"]')
    soup = page(refresh="60", q="tea")
    assert one(soup, 'meta[http-equiv="refresh"]')["content"] == "60"
    assert {text(link): link["href"] for link in soup.select(".refresh a")} == {
        "off": "?q=tea",
        "1 min": "?q=tea&refresh=60",
        "5 min": "?q=tea&refresh=300",
    }
    assert one(soup, 'form input[name="refresh"]')["value"] == "60"
    assert not page(refresh="1").select('meta[http-equiv="refresh"]')

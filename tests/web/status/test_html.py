from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from exporter import __version__
from exporter.config.datasets import DatasetSettings
from exporter.datasets.enabled import enabled
from exporter.datasets.period import WEEK
from exporter.discovery.platform_state import PlatformState
from exporter.not_before import NotBefore
from exporter.shards import Shard
from exporter.store.entry import Entry, Health, HeldQuota, HeldRow, Table
from exporter.web.status.html import Situation, StatusHtml
from exporter.web.status.language import TEXTS, Language
from exporter.web.status.query import COLUMNS, Query
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, YESTERDAY, bare_row, make_app, make_entry, make_failure, make_row

HTML = StatusHtml()
DAY = timedelta(days=1)
OK = Health(last_refresh=NOON - 60, last_success=NOON - 60)
REFUSED = Health(
    last_refresh=NOON - 60,
    failure=errcode_failure(40164, "invalid ip 203.0.113.7"),
    next_try=NotBefore.until(NOON + 7200, NOON),
    fingerprint=b"of the refused secret",
)
HELD = make_entry(1, [make_row(YESTERDAY - days * DAY, 2 - bool(days)) for days in range(9)], OK, "coffee")
FAILING = make_entry(2, [make_row(YESTERDAY - 3 * DAY)], REFUSED, "tea")
LATE = make_entry(3, [make_row(YESTERDAY - DAY)], replace(OK, failure=make_failure(Reason.EMPTY)), "museum")
NEW = make_entry(4, name="new")
MIXED = (HELD, FAILING, LATE, NEW)
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


def page(
    entries: Sequence[Entry] = MIXED,
    language: Language = Language.EN,
    next_round_at: float | None = NOON + 600,
    telemetry_path: str = "/metrics",
    **query: str,
) -> BeautifulSoup:
    situation = Situation(entries, NOON, next_round_at, 3600.0, telemetry_path)
    return BeautifulSoup(HTML.render(situation, Query.read(query), language), "html.parser")


def one(soup: Tag, selector: str) -> Tag:
    found = soup.select(selector)
    assert len(found) == 1, selector
    return found[0]


def text(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split())


def names(soup: Tag) -> list[str]:
    return [text(tag) for tag in soup.select("tbody .called")]


def row(soup: Tag, name: str) -> Tag:
    return next(body for body in soup.select("tbody") if text(one(body, ".called")) == name)


def cell(soup: Tag, name: str, label: str) -> str:
    return text(one(row(soup, name), f'td.figure[data-label="{label}"]'))


def test_each_app_has_its_name_appid_date_state_and_figures() -> None:
    soup = page()
    assert names(soup) == ["tea", "museum", "new", "coffee"]
    assert text(one(row(soup, "coffee"), "code")) == HELD.app.appid
    assert text(one(row(soup, "coffee"), "td.date")) == "2026-11-23"
    assert text(one(row(soup, "coffee"), ".badge")) == "OK"
    assert cell(soup, "coffee", "Page views") == "80 1d +100% 7d +100%"
    assert cell(soup, "coffee", "Stay per visitor") == "1:02 1d 0.0% 7d 0.0%"


def test_late_figures_say_so() -> None:
    soup = page()
    assert text(one(row(soup, "museum"), "td.date")) == "2026-11-22 1 day late"
    assert text(one(row(soup, "tea"), "td.date")) == "2026-11-20 3 days late"


def test_what_is_not_held_is_a_dash_and_never_a_zero() -> None:
    omitted = make_entry(5, [bare_row(YESTERDAY, visit_uv=0)], OK, "omitted")
    soup = page((omitted, NEW))
    assert cell(soup, "omitted", "Page views") == "– 1d – 7d –"
    assert cell(soup, "omitted", "Visitors") == "0 1d – 7d –"
    assert text(one(row(soup, "new"), "td.empty")) == "No figures yet"


def test_a_state_has_a_text_and_a_shape_beside_its_colour() -> None:
    soup = page()
    badges = [one(body, ".badge") for body in soup.select("tbody")]
    assert [text(badge) for badge in badges] == ["Failing", "Not ready yet", "Not yet asked", "OK"]
    shapes = [one(badge, "use")["href"] for badge in badges]
    assert len(set(shapes)) == 4
    assert all(soup.select(f"symbol{shape}") for shape in shapes)


@pytest.mark.parametrize(("language", "words"), [(Language.EN, advice.IP.en), (Language.ZH, advice.IP.zh)])
def test_a_failing_app_shows_reason_detail_advice_and_pause(language: Language, words: str) -> None:
    trouble = text(one(page(language=language), "tr.trouble"))
    assert TEXTS["reason.ip_not_allowed"][language] in trouble
    assert "errcode 40164: invalid ip 203.0.113.7" in trouble
    assert words in trouble
    assert ("paused until 14:00" if language == "en" else "暂停至 14:00") in trouble


def test_a_failure_without_detail_or_pause_has_only_reason_and_advice() -> None:
    bare = make_entry(health=Health(last_refresh=NOON, failure=failure(Reason.NETWORK, "")))
    expected = (
        f"Network error What to do: {advice.NETWORK.en} no figures yet "
        "asked at once when the configuration is reloaded (SIGHUP or POST /-/reload)"
    )
    assert text(one(page([bare]), "td.empty .cause")) == expected


def test_a_failing_app_says_since_when_and_how_old_its_figures_are() -> None:
    health = replace(REFUSED, failing_since=NOON - 7200, last_success=NOON - 90_000)
    words = text(one(page([replace(FAILING, health=health)]), ".times"))
    assert words.startswith(
        "failing since 10:00 (2 h ago) last figures 11-23 11:00 paused until 14:00 (in 2 h)"
    )
    assert "SIGHUP or POST /-/reload" in words
    chinese = text(one(page([replace(FAILING, health=health)], Language.ZH), ".times"))
    assert "10:00 起失败 （2 小时前）" in chinese


def test_a_spent_quota_does_not_come_back_with_a_reload() -> None:
    spent = replace(
        REFUSED, failure=errcode_failure(45009, "reach max api daily quota limit"), fingerprint=None
    )
    words = text(one(page([replace(FAILING, health=spent)]), ".times"))
    assert "paused until 14:00" in words
    assert "reload" not in words


def test_a_failing_app_without_figures_takes_no_row_of_dashes() -> None:
    bare = replace(FAILING, rows=())
    soup = page([bare])
    assert not soup.select("td.figure, td.date, tr.trouble")
    assert "IP not allowed" in text(one(soup, "td.empty"))


@pytest.mark.parametrize(
    ("pause", "next_time"), [(None, "12:10"), (7200, "14:00"), (300, "12:05"), (-5, "12:10")]
)
def test_an_app_is_asked_next_in_the_next_round_or_when_its_pause_is_over(
    pause: float | None, next_time: str
) -> None:
    again = None if pause is None else NotBefore.until(NOON + pause, NOON - 60)
    soup = page([replace(FAILING, health=replace(REFUSED, next_try=again))])
    assert text(one(soup, "td.state")) == f"Failing asked 60 s ago next {next_time}"
    assert ("paused until" in text(one(soup, ".times"))) == (pause is not None and pause > 0)


@pytest.mark.parametrize("reason", [None, Reason.NOT_READY, Reason.EMPTY])
def test_an_app_that_does_not_fail_has_no_cause(reason: Reason | None) -> None:
    health = replace(OK, failure=None if reason is None else make_failure(reason))
    soup = page([make_entry(health=health)])
    assert not soup.select(".cause")
    assert ("Empty answer" in text(one(soup, "td.state"))) == (reason is Reason.EMPTY)


def test_a_chart_has_a_bar_per_date_held_and_words_beside_it() -> None:
    chart = one(row(page(), "coffee"), "svg.chart")
    assert chart["role"] == "img"
    assert chart["aria-label"] == "Page views, 2026-11-15 to 2026-11-23"
    assert sum(str(bars["d"]).count("M") for bars in chart.select(".bars")) == 9
    assert one(chart, "title").get_text().splitlines()[-1] == "2026-11-23: 80"


def test_the_chart_is_of_the_figure_asked_for() -> None:
    soup = page(chart="visit_depth")
    assert text(one(soup, "thead .charted")) == "Visit depth"
    assert str(one(row(soup, "coffee"), "svg.chart")["aria-label"]).startswith("Visit depth,")


def test_a_chart_without_any_bar_has_only_its_ground() -> None:
    soup = page([make_entry(1, [bare_row(YESTERDAY, visit_uv=3)], OK)])
    assert [path["class"] for path in soup.select("svg.chart path")] == [["ground"]]


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


@pytest.mark.parametrize(
    ("expires_at", "expected"),
    [
        (NOON + 3600, "stable_token expires in 60 min 13:00"),
        (NOON - 120, "stable_token expired 2 min ago 11:58"),
        (None, "stable_token expiry unknown"),
    ],
)
def test_the_tokens_source_and_expiry_are_shown(expires_at: float | None, expected: str) -> None:
    soup = page([replace(HELD, token_expires_at=expires_at)])
    assert text(one(soup, "td.token")) == expected


def test_all_times_are_said_to_be_beijings() -> None:
    assert "As of 2026-11-24 12:00:00 · All times are Beijing time (UTC+8)." in text(one(page(), "header"))
    assert "北京时间（UTC+8）" in text(one(page(language=Language.ZH), "header"))


def test_labels_are_shown() -> None:
    labelled = replace(HELD, app=make_app(1, "coffee", (("team", "retail"), ("tier", "1"))))
    assert [text(chip) for chip in page([labelled]).select(".labels li")] == ["team=retail", "tier=1"]


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


def test_every_row_has_as_many_cells_as_the_header() -> None:
    soup = page()
    columns = len(soup.select("thead th"))
    for body in soup.select("tbody"):
        cells = body.select("tr:first-child > th, tr:first-child > td")
        assert sum(int(str(each.get("colspan", "1"))) for each in cells) == columns
    assert one(soup, "tr.trouble td")["colspan"] == str(columns)
    assert {header.get("scope") for header in soup.select("thead th")} == {"col"}
    assert {header.get("scope") for header in soup.select("tbody th")} == {"row"}


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
    situation = Situation(MIXED, NOON, None, 3600.0, "/metrics", Shard(1, 4))
    soup = BeautifulSoup(HTML.render(situation, Query.read({}), language), "html.parser")
    assert words in text(one(soup, ".overview"))


def test_an_exporter_alone_says_nothing_of_others() -> None:
    assert "shard" not in text(page())


@pytest.mark.parametrize(
    ("language", "words"),
    [(Language.EN, "The storage fails: what is on show comes from memory."), (Language.ZH, "存储出错")],
)
def test_a_storage_that_fails_is_shown_at_the_top_with_its_reason(language: Language, words: str) -> None:
    why = "cannot write storage redis://cache/0: <Connection refused>"
    situation = Situation(MIXED, NOON, None, 3600.0, "/metrics", storage_trouble=why)
    soup = BeautifulSoup(HTML.render(situation, Query.read({}), language), "html.parser")
    banner = text(one(soup, "main > .banner"))
    assert words in banner
    assert why in banner
    assert not page().select("main > .banner")


def test_a_refused_configuration_is_shown_at_the_top() -> None:
    situation = Situation(MIXED, NOON, None, 3600.0, "/metrics", refused=("config.yaml:3: <no>",))
    soup = BeautifulSoup(HTML.render(situation, Query.read({}), Language.EN), "html.parser")
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


def platforms(*states: PlatformState, language: Language = Language.EN) -> BeautifulSoup:
    situation = Situation((), NOON, None, 3600.0, "/metrics", platforms=states)
    return BeautifulSoup(HTML.render(situation, Query.read({}), language), "html.parser")


def test_each_platform_has_a_row_with_its_ticket_and_its_accounts() -> None:
    soup = platforms(
        PlatformState(
            "main",
            None,
            None,
            NOON - 300,
            discovers=True,
            apps=120,
            others=8,
            unknown=3,
            without_token=2,
            listed_at=NOON - 900,
        ),
        PlatformState("other", ticket_at=NOON - 300),
    )
    assert [text(body) for body in soup.select(".platforms tbody")] == [
        (
            "main OK 5 min ago mini programs 120 · without refresh token 2 · other accounts 8 · "
            "not known yet 3 looked up 15 min ago"
        ),
        "other OK 5 min ago not looked up",
    ]
    assert not page().select(".platforms")


@pytest.mark.parametrize(("language", "words"), [(Language.EN, advice.IP.en), (Language.ZH, advice.IP.zh)])
def test_a_platform_in_trouble_says_why_since_when_and_what_to_do(language: Language, words: str) -> None:
    refused = errcode_failure(40164, "<invalid ip>")
    soup = platforms(PlatformState("main", refused, NOON - 7200, discovers=True), language=language)
    trouble = text(one(soup, ".platforms .trouble"))
    assert words in trouble
    assert "errcode 40164: <invalid ip>" in trouble
    assert "10:00" in trouble
    assert one(soup, ".platforms tbody")["class"] == ["app", "failing"]
    assert text(one(soup, ".nothing")) == language.text("none_discovered")


# Datasets

WEEK_ROW = replace(make_row(scale=50), period=WEEK.starting(date(2026, 11, 16)))
PERMISSION = replace(OK, failure=errcode_failure(48001, "<api unauthorized>"))
DATASETS = enabled([DatasetSettings("weekly_trend", history=5), DatasetSettings("daily_summary", history=9)])
WITH_DATASETS = replace(
    HELD,
    tables={
        "weekly_trend": Table((HeldRow(WEEK_ROW, NOON),), OK),
        "daily_summary": Table((), PERMISSION),
    },
    quotas={"/datacube/getweanalysisappidvisitpage": HeldQuota((100_000, 1234, None), NOON - 120)},
)


def dataset_page(entry: Entry, language: Language = Language.EN) -> BeautifulSoup:
    situation = Situation([entry], NOON, None, 3600.0, "/metrics", datasets=DATASETS)
    return BeautifulSoup(HTML.render(situation, Query.read({}), language), "html.parser")


@pytest.mark.parametrize(
    ("language", "summary", "week"),
    [
        (
            Language.EN,
            "Datasets Weekly trend 2026-11-16 Daily summary – Quota",
            "Weekly trend weekly_trend OK 2026-11-16 – 2026-11-22 last figures 11:59",
        ),
        (
            Language.ZH,
            "数据集 周趋势 2026-11-16 概况趋势 – 额度",
            "周趋势 weekly_trend 正常 2026-11-16 – 2026-11-22 最近一次取得数据 11:59",
        ),
    ],
)
def test_each_dataset_of_an_app_has_its_state_and_date(language: Language, summary: str, week: str) -> None:
    soup = dataset_page(WITH_DATASETS, language)
    assert text(one(soup, ".datasets summary")) == summary
    assert [use["href"] for use in soup.select(".datasets summary use")] == ["#mark-ok", "#mark-failing"]
    assert one(soup, "tbody")["class"] == ["app", "dataset_failing"]
    assert text(soup.select(".datasets li")[0]) == week


@pytest.mark.parametrize(
    ("language", "words"),
    [(Language.EN, "1,234 more than are kept"), (Language.ZH, "另有 1,234 项超出上限，未保留")],
)
def test_what_a_row_has_over_the_cap_is_said(language: Language, words: str) -> None:
    cut = Table((HeldRow(replace(WEEK_ROW, dropped=1234), NOON),), OK)
    soup = dataset_page(replace(WITH_DATASETS, tables={"weekly_trend": cut}), language)
    assert words in text(soup.select(".datasets li")[0])


def test_a_failing_dataset_is_open_and_has_its_cause_and_advice() -> None:
    soup = dataset_page(WITH_DATASETS)
    assert one(soup, ".datasets details").has_attr("open")
    item = soup.select(".datasets li")[1]
    assert text(one(item, ".cause b")) == "No permission"
    assert text(one(item, ".detail")) == "errcode 48001: <api unauthorized>"
    assert advice.PERMISSION.en in text(one(item, ".cause"))
    assert not soup.select("tr.trouble")


def test_datasets_stay_closed_where_all_is_well_or_the_app_itself_fails() -> None:
    well = replace(WITH_DATASETS, tables={"weekly_trend": WITH_DATASETS.tables["weekly_trend"]})
    for entry in (well, replace(WITH_DATASETS, health=REFUSED)):
        assert not one(dataset_page(entry), ".datasets details").has_attr("open")


def test_weekly_visitors_stand_beside_the_days() -> None:
    soup = dataset_page(WITH_DATASETS)
    assert cell(soup, "coffee", "Visitors") == "16 1d +100% 7d +100% WAU 400"
    assert one(soup, 'td.figure [title="2026-11-16 – 2026-11-22"]')
    assert "WAU and MAU are the distinct visitors" in text(one(soup, "footer"))


def test_wechats_own_count_of_calls_is_shown() -> None:
    assert text(dataset_page(WITH_DATASETS).select(".datasets li")[-1]) == (
        "Quota /datacube/getweanalysisappidvisitpage 1,234 of 100,000 calls used asked 2 min ago"
    )


def test_an_app_without_datasets_has_no_line_for_them() -> None:
    none = replace(HELD, app=replace(HELD.app, datasets=()))
    soup = dataset_page(replace(WITH_DATASETS, app=none.app, quotas={}))
    assert not soup.select(".datasets")
    assert "WAU" not in cell(soup, "coffee", "Visitors")
    assert not page().select(".datasets")

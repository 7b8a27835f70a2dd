from dataclasses import replace

import pytest

from exporter.not_before import NotBefore
from exporter.store.entry import Health
from exporter.web.status.language import TEXTS, Language
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, YESTERDAY, bare_row, make_app, make_entry, make_failure
from tests.web.status.rendered import FAILING, HELD, NEW, OK, REFUSED, cell, names, one, page, row, text


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
        "asked at once when the configuration is reloaded "
        "(SIGHUP, or POST /-/reload with --web.enable-lifecycle)"
    )
    assert text(one(page([bare]), "td.empty .cause")) == expected


def test_a_failing_app_says_since_when_and_how_old_its_figures_are() -> None:
    health = replace(REFUSED, failing_since=NOON - 7200, last_success=NOON - 90_000)
    words = text(one(page([replace(FAILING, health=health)]), ".times"))
    assert words.startswith(
        "failing since 10:00 (2 h ago) last figures 11-23 11:00 paused until 14:00 (in 2 h)"
    )
    assert "SIGHUP, or POST /-/reload with" in words
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


def test_each_label_of_an_app_is_a_chip() -> None:
    labelled = replace(HELD, app=make_app(1, "coffee", (("team", "retail"), ("tier", "1"))))
    assert [text(chip) for chip in page([labelled]).select(".labels li")] == ["team=retail", "tier=1"]


def test_every_row_has_as_many_cells_as_the_header() -> None:
    soup = page()
    columns = len(soup.select("thead th"))
    for body in soup.select("tbody"):
        cells = body.select("tr:first-child > th, tr:first-child > td")
        assert sum(int(str(each.get("colspan", "1"))) for each in cells) == columns
    assert one(soup, "tr.trouble td")["colspan"] == str(columns)
    assert {header.get("scope") for header in soup.select("thead th")} == {"col"}
    assert {header.get("scope") for header in soup.select("tbody th")} == {"row"}

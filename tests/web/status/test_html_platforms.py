import pytest
from bs4 import BeautifulSoup

from exporter.discovery.platform_state import PlatformState
from exporter.web.status.html import StatusData
from exporter.web.status.language import Language
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure
from tests.building import NOON
from tests.web.status.rendered import one, page, rendered, text


def platforms(*states: PlatformState, language: Language = Language.EN) -> BeautifulSoup:
    data = StatusData((), NOON, None, 3600.0, "/metrics", platforms=states)
    return rendered(data, language)


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

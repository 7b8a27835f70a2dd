from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exporter.simulator import pushes
from exporter.simulator.pushes import PushRequest
from exporter.wechat.platform.pushes import PlatformPush, PushReader, RefusedPushError
from tests.wechat.conftest import PLATFORM

READER = PushReader(PLATFORM.component_appid, PLATFORM.token, PLATFORM.aes_key)
NOW = 1_795_500_000.0
TICKET = "ticket@@@not-a-real-ticket"
FIELDS = {"ComponentVerifyTicket": TICKET}
GOOD = pushes.push(PLATFORM, NOW, "component_verify_ticket", FIELDS)


def read(request: PushRequest, now: float = NOW) -> PlatformPush:
    return READER.read(request.query, request.body, now)


def refusal(request: PushRequest, now: float = NOW) -> str:
    with pytest.raises(RefusedPushError) as caught:
        read(request, now)
    return str(caught.value)


def sealed(text: bytes, appid: str = PLATFORM.component_appid) -> PushRequest:
    """Return a push whose signature and encryption are right, whatever is inside."""
    return pushes.signed(PLATFORM, pushes.encrypt(PLATFORM, text, appid), str(int(NOW)), "n")


def test_a_ticket_is_read_with_its_time() -> None:
    push = read(GOOD, NOW + 3)
    assert push.ticket is not None
    assert (push.kind, push.ticket.value) == ("component_verify_ticket", TICKET)
    assert push.created_at == push.ticket.received_at == NOW


@pytest.mark.parametrize("kind", ["authorized", "updateauthorized", "unauthorized", "something_new"])
def test_an_event_is_read_without_a_ticket(kind: str) -> None:
    request = pushes.push(PLATFORM, NOW, kind, {"AuthorizerAppid": "wx0123456789abcdef"})
    assert read(request) == PlatformPush(kind, NOW)


@pytest.mark.parametrize(
    ("age", "good"), [(299, True), (300, True), (301, False), (-300, True), (-301, False)]
)
def test_a_push_is_good_for_five_minutes(age: float, good: bool) -> None:  # noqa: FBT001 - a table
    if good:
        assert read(GOOD, NOW + age).ticket is not None
    else:
        assert refusal(GOOD, NOW + age).startswith("more than five minutes")


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<xml><AppId>&b;</AppId><Encrypt>&b;</Encrypt></xml>"
)
OTHER = replace(PLATFORM, component_appid="wxfa4ec00000000002")
REFUSED = {
    "another platform's push": (pushes.push(OTHER, NOW, "component_verify_ticket", FIELDS), "another AppId"),
    "another token": (
        pushes.push(replace(PLATFORM, token="another-token"), NOW, "component_verify_ticket", FIELDS),
        "signature",
    ),
    "another key": (
        pushes.push(replace(PLATFORM, aes_key="0" * 43), NOW, "component_verify_ticket", FIELDS),
        "cannot be decrypted|AppId",
    ),
    "no signature": (PushRequest({}, GOOD.body), "signature"),
    "an odd signature": (PushRequest({**GOOD.query, "msg_signature": "\udc80é"}, GOOD.body), "signature"),
    "another nonce": (PushRequest({**GOOD.query, "nonce": "x"}, GOOD.body), "signature"),
    "another AppId inside": (sealed(b"<xml/>", "wx0"), "another AppId"),
    "another AppId in the text": (sealed(b"<xml><AppId>wx0</AppId></xml>"), "another AppId"),
    "no XML inside": (sealed(b"ticket"), "not the XML"),
    "a bomb inside": (sealed(BOMB), "not the XML"),
    "a bomb": (PushRequest(GOOD.query, BOMB), "not the XML"),
    "an encoding nobody knows": (
        PushRequest(GOOD.query, b'<?xml version="1.0" encoding="x"?><a/>'),
        "not the",
    ),
    "nothing": (PushRequest(GOOD.query, b""), "not the XML"),
    "no Encrypt": (PushRequest(GOOD.query, b"<xml><AppId>wx0</AppId></xml>"), "there is no Encrypt"),
    "no base64": (pushes.signed(PLATFORM, "%%%", str(int(NOW)), "n"), "cannot be decrypted"),
    "half a block": (pushes.signed(PLATFORM, "QUJD", str(int(NOW)), "n"), "cannot be decrypted"),
    "no time": (pushes.signed(PLATFORM, "QUJD", "soon", "n"), "no time"),
    "no time inside": (
        pushes.push(PLATFORM, NOW, "component_verify_ticket", {**FIELDS, "CreateTime": "soon"}),
        "CreateTime",
    ),
    "no ticket": (pushes.push(PLATFORM, NOW, "component_verify_ticket", {}), "ComponentVerifyTicket"),
    "no ticket that could be one": (
        pushes.push(PLATFORM, NOW, "component_verify_ticket", {"ComponentVerifyTicket": "a b"}),
        "no ticket",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_push_that_is_not_as_it_must_be_is_refused(name: str) -> None:
    request, why = REFUSED[name]
    with pytest.raises(RefusedPushError, match=why) as caught:
        read(request)
    assert TICKET not in str(caught.value)


@st.composite
def mutations(draw: st.DrawFn) -> PushRequest:
    """Return a good push in which something is changed: bytes of the body, or a parameter."""
    if draw(st.booleans()):
        name = draw(st.sampled_from(["timestamp", "nonce", "msg_signature"]))
        return PushRequest({**GOOD.query, name: draw(st.text(max_size=50))}, GOOD.body)
    start = draw(st.integers(0, len(GOOD.body)))
    end = draw(st.integers(start, min(start + 40, len(GOOD.body))))
    return PushRequest(GOOD.query, GOOD.body[:start] + draw(st.binary(max_size=40)) + GOOD.body[end:])


@given(request=mutations())
def test_a_changed_push_is_refused_or_means_the_same(request: PushRequest) -> None:
    assume(request != GOOD)
    try:
        push = read(request)
    except RefusedPushError:
        return
    assert push == read(GOOD)  # white space, comments and the like carry nothing


@given(st.dictionaries(st.text(), st.text()), st.binary())
def test_an_arbitrary_request_is_no_push(query: dict[str, str], body: bytes) -> None:
    refusal(PushRequest(query, body))


@given(text=st.binary(max_size=300))
def test_arbitrary_texts_inside_are_refused(text: bytes) -> None:
    refusal(sealed(text))


def test_what_shows_a_reader_shows_no_secret() -> None:
    shown: Any = repr(READER) + repr(read(GOOD))
    assert PLATFORM.token not in shown
    assert PLATFORM.aes_key not in shown
    assert TICKET not in shown

import json
import re

import pytest

from exporter.simulator.messages import refusal

SEEN = {
    -1: "system error hint: [g5u0vA00031504]",
    40001: "invalid credential, access_token is invalid or not latest rid: 5f38a263-3d4c3ccd-01e705f7",
    40013: "invalid appid, rid: 6541aa7d-47a2b14d-1fd6afad",
    40125: "invalid appsecret, rid: 66b5fb8f-5e3c0071-3d7f539a",
    40164: "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: 611740a4-27f9a8ba-065da01b",
    42001: "access_token expired rid: 68aeabxx-21ea79xx-3a4424xx",
    45009: "reach max api daily quota limit rid: 60f122a9-1e75bb93-72c2a616",
    45011: "api minute-quota reach limit, must slower, retry next minute rid: 5f8a8d3f-23481cad-4cebf21e",
    48001: "api unauthorized, rid: xxx",
    50002: "user limited rid: 63a9522d-64c13f1f-55312924",
    61004: "access clientip is not registered requestIP: 203.0.113.9 rid: 63b7eb39-39d66421-259c5cd5",
    61007: "api is unauthorized to component rid: xxxxxxxx-xxxxxxxx-xxxxxxxx",
    61023: "refresh_token is invalid rid: 6351110b-3677a1ed-080b10ce",
    61501: "date range error rid: 613f14c0-1b1ad127-7d3cab45",
    61502: "this is game miniprogram, data api is not supported hint: [_36I7a00981504]",
    61503: "data not ready, please try later rid: 5fba12c0-09b4034b-4972ba1f",
    61504: "system busy now , please try later rid: 664d5470-0a0948dd-05f92fd4",
}
"""Texts as WeChat has really sent them, by errcode; callers' addresses are masked as 203.0.113.9."""
_TAIL = re.compile(r" (rid: [0-9a-fx-]+|hint: \[.*\])$")


@pytest.mark.parametrize(("errcode", "seen"), SEEN.items())
def test_a_refusal_reads_as_wechats_but_for_its_tail(errcode: int, seen: str) -> None:
    body = refusal(errcode, "203.0.113.9", 0x6541AA7D, 1).decode()
    assert body.startswith(f'{{"errcode":{errcode},"errmsg":"')
    assert _TAIL.sub("", json.loads(body)["errmsg"]) == _TAIL.sub("", seen)


def test_a_rid_starts_with_the_time_and_is_unique() -> None:
    first, second = (json.loads(refusal(-1, "127.0.0.1", 0x6541AA7D, serial))["errmsg"] for serial in (1, 2))
    assert re.fullmatch(r"system error rid: 6541aa7d-[0-9a-f]{8}-[0-9a-f]{8}", first)
    assert first != second


def test_an_ipv6_caller_is_shown_as_it_is() -> None:
    assert b"invalid ip ::1 ipv6 ::1, not" in refusal(40164, "::1", 0, 1)


def test_a_code_without_a_text_is_still_answered() -> None:
    assert json.loads(refusal(99001, "127.0.0.1", 0, 1))["errmsg"].startswith("unknown error rid: ")

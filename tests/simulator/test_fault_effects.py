import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests

from exporter.datasets.daily_trend import FIELDS
from exporter.simulator.faults import CallKind, Fault

if TYPE_CHECKING:
    from tests.simulator.conftest import Client

ROW_FAULTS: dict[Fault, Callable[[Any, Any], bool]] = {
    Fault.WRONG_DATE: lambda row, _: row["ref_date"] == "20261122",
    Fault.NULL_FIGURE: lambda row, _: row["visit_uv"] is None,
    Fault.NEGATIVE: lambda row, _: row["visit_pv"] < 0,
    Fault.BOOL_FIGURE: lambda row, _: row["session_cnt"] is True,
    Fault.NAN: lambda row, _: math.isnan(row["visit_depth"]),
    Fault.FRACTIONAL_COUNT: lambda row, _: row["session_cnt"] == 12.5,
    Fault.CAMEL_CASE: lambda row, right: (
        row == {"refDate": "20261123", **{field.camel: right[field.name] for field in FIELDS}}
    ),
    Fault.STRINGS: lambda row, right: row == {name: str(value) for name, value in right.items()},
}
LIST_FAULTS: dict[Fault, Callable[[Any, Any], bool]] = {
    Fault.OBJECT_LIST: lambda found, right: found == right,
    Fault.TWO_ROWS: lambda found, right: found == [right, right],
    Fault.EMPTY: lambda found, _: found == [],
}
BODY_FAULTS: dict[Fault, tuple[int, Callable[[bytes, bytes], bool]]] = {
    Fault.MALFORMED_JSON: (200, lambda body, _: body == b'{"list": [}'),
    Fault.TRUNCATED_JSON: (200, lambda body, right: body == right[: len(right) // 2]),
    Fault.NOT_AN_OBJECT: (200, lambda body, _: body == b"[]"),
    Fault.HTML_200: (200, lambda body, _: body.startswith(b"<html>")),
    Fault.HTTP_502: (502, lambda body, _: body.startswith(b"<html>")),
    Fault.REDIRECT: (307, lambda body, _: body == b""),
    Fault.GIANT: (200, lambda body, right: len(body) == 2**22 and body.rstrip() == right),
    Fault.GZIP_BOMB: (200, lambda body, right: len(body) == 2**25 and body.rstrip() == right),
    Fault.DIRTY_TEXT: (200, lambda body, right: body == right[:-1] + b',"note":"\x01\xff"}'),
    Fault.SLOW: (200, lambda body, right: body == right),
    Fault.DRIP: (200, lambda body, right: body == right),
}
ERRCODE_FAULTS = [fault for fault in Fault if fault.errcode is not None]
WIRE_FAULTS = [Fault.HANG, Fault.RESET, Fault.CUT_SHORT]


def test_every_fault_is_tested_here() -> None:
    tested = [
        Fault.NONE,
        Fault.ABOVE_COHORT,
        *ROW_FAULTS,
        *LIST_FAULTS,
        *BODY_FAULTS,
        *ERRCODE_FAULTS,
        *WIRE_FAULTS,
    ]
    assert sorted(tested) == sorted(Fault)


@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_a_row_fault_changes_the_row(client: "Client", fault: Fault) -> None:
    right = client.trend().json()["list"][0]
    client.sim.faults.switch(client.appid, fault)
    answer = client.trend().json()
    assert ROW_FAULTS[fault](answer["list"][0], right)
    assert ("errMsg" in answer) == (fault is Fault.CAMEL_CASE)


@pytest.mark.parametrize("fault", LIST_FAULTS)
def test_a_list_fault_changes_the_list(client: "Client", fault: Fault) -> None:
    right = client.trend().json()["list"][0]
    client.sim.faults.switch(client.appid, fault)
    assert LIST_FAULTS[fault](client.trend().json()["list"], right)


@pytest.mark.parametrize("fault", BODY_FAULTS)
def test_a_body_is_changed_on_the_data_call(client: "Client", fault: Fault) -> None:
    token = client.token()
    right = client.trend(token=token).content
    client.sim.faults.switch(client.appid, fault)
    answer = client.trend(token=token, timeout=10)
    status, holds = BODY_FAULTS[fault]
    assert answer.status_code == status
    assert holds(answer.content, right)
    assert client.sim.calls("daily_visit_trend", outcome=fault.value) == 1


@pytest.mark.parametrize("fault", [f for f in BODY_FAULTS if f not in (Fault.SLOW, Fault.DRIP)])
def test_a_body_is_changed_on_the_token_call(client: "Client", fault: Fault) -> None:
    right = client.stable().content
    client.sim.faults.switch(client.appid, fault, on=CallKind.TOKEN)
    answer = client.stable()
    status, holds = BODY_FAULTS[fault]
    assert answer.status_code == status
    assert holds(answer.content, right)


@pytest.mark.parametrize("fault", ERRCODE_FAULTS)
def test_an_errcode_is_answered_wherever_the_fault_can_be(client: "Client", fault: Fault) -> None:
    token = client.token()
    for call in fault.calls:
        client.sim.faults.switch(client.appid, fault, on=call)
        answer = client.stable() if call is CallKind.TOKEN else client.trend(token=token)
        assert answer.status_code == 200
        assert answer.json()["errcode"] == fault.errcode
        client.sim.faults.switch(client.appid, Fault.NONE)


def test_a_fault_of_one_call_is_over_after_it(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.TOKEN_REJECTED_ONCE)
    assert "errcode" in client.trend().json()
    assert "list" in client.trend().json()


def test_a_refused_ip_is_the_callers(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.IP)
    assert "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in" in client.stable().json()["errmsg"]


def test_a_fault_touches_no_other_app(client: "Client") -> None:
    client.sim.faults.switch(client.sim.apps[1].appid, Fault.FROZEN)
    assert "list" in client.trend().json()


def test_a_hanging_call_gets_nothing(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.HANG)
    with pytest.raises(requests.ReadTimeout):
        client.trend(timeout=0.2)


def test_a_reset_and_a_cut_are_connection_errors(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.RESET)
    with pytest.raises(requests.ConnectionError, match="reset"):
        client.trend()
    client.sim.faults.switch(client.appid, Fault.CUT_SHORT)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="more expected"):
        client.trend()


def test_a_slow_answer_is_late(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.SLOW)
    token, before = client.token(), time.monotonic()
    client.trend(token=token)
    assert time.monotonic() - before > 0.29


def test_a_drip_never_lets_a_read_time_out_but_takes_long(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.DRIP)
    token, before = client.token(), time.monotonic()
    answer = client.trend(token=token, timeout=0.5)
    assert time.monotonic() - before > 0.001 * len(answer.content)


def test_a_redirect_that_is_followed_is_seen(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.REDIRECT)
    answer = client.trend()
    assert answer.headers["Location"] == "/redirected"
    client.post(answer.headers["Location"], json={})
    assert client.sim.calls("other") == 1


def test_a_bomb_is_small_on_the_wire(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.GZIP_BOMB)
    answer = client.trend()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) < 2**17

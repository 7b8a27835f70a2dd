import json

from exporter.commands.call_details import CallDetails
from exporter.wechat.endpoints import DAILY_VISIT_TREND, STABLE_ACCESS_TOKEN
from exporter.wechat.failures.failure import Reason
from exporter.wechat.network.transport import Answer

TOKEN = "not-a-real-token-0123456789"


def report(*calls: tuple[object, Reason | None], secret: str = "") -> str:
    lines: list[str] = []
    details = CallDetails(lines.append)
    for body, reason in calls:
        details.answered(
            Answer(200, body if isinstance(body, bytes) else json.dumps(body).encode()), [secret]
        )
        details(STABLE_ACCESS_TOKEN if reason is None else DAILY_VISIT_TREND, 0.1234, reason)
    return "".join(lines)


def test_a_call_is_shown_with_time_status_errcode_rid_and_body() -> None:
    body = {"errcode": 40164, "errmsg": "invalid ip 203.0.113.7, not in whitelist rid: 6b0b-5491"}
    shown = report((body, Reason.IP_NOT_ALLOWED))
    first, second = shown.splitlines()
    assert first.endswith(": 0.123 s, ip_not_allowed, HTTP 200, errcode 40164, rid 6b0b-5491")
    assert json.loads(second) == body


def test_a_token_is_hidden_there_and_wherever_it_stands_later() -> None:
    shown = report(
        ({"access_token": TOKEN, "expires_in": 7200}, None),
        ({"errcode": 40001, "errmsg": f"invalid credential {TOKEN}"}, Reason.TOKEN_REJECTED),
    )
    assert TOKEN not in shown
    assert '"expires_in": 7200' in shown
    assert "invalid credential <secret>" in shown


def test_the_request_s_own_secret_is_hidden() -> None:
    body = {"errcode": 40125, "errmsg": "invalid appsecret not-a-real-secret"}
    assert "not-a-real-secret" not in report((body, Reason.INVALID_SECRET), secret="not-a-real-secret")


def test_what_is_no_json_is_shown_on_one_printable_line_and_cut() -> None:
    shown = report((b"<html>\n\x1b[2Jno" + b"x" * 9000, Reason.MALFORMED)).splitlines()
    assert shown[1].startswith("    <html>  [2Jnoxxx")
    assert shown[1].endswith("characters)")


def test_a_call_without_an_answer_has_no_body() -> None:
    lines: list[str] = []
    CallDetails(lines.append)(DAILY_VISIT_TREND, 5, Reason.TIMEOUT)
    assert len(lines) == 1
    assert "timeout" in lines[0]

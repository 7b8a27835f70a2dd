import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.wechat.failures.failure import Action, Failure, Reason
from exporter.wechat.network.transport import Answer
from exporter.wechat.verdict import read_json
from tests.wechat.lines import failure_of, outcome
from tests.wechat.peers import json_body


def judged(body: bytes, status: int = 200) -> dict[str, object] | Failure:
    return outcome(lambda: read_json(Answer(status, body)))


def refused(body: bytes, status: int = 200) -> Failure:
    return failure_of(lambda: read_json(Answer(status, body)))


@pytest.mark.parametrize(
    ("status", "action"),
    [(status, Action.RETRY) for status in (408, 425, 429, 500, 502, 503)]
    + [(status, Action.NEXT_ROUND) for status in (302, 304, 401, 403, 404)],
)
@pytest.mark.parametrize("body", [b"<html>502 Bad Gateway</html>", b"", b'{"list":[]}', b"{}"])
def test_a_status_that_is_no_success_has_its_action(body: bytes, status: int, action: Action) -> None:
    problem = refused(body, status)
    assert (problem.reason, problem.action, problem.errcode) == (Reason.HTTP_STATUS, action, None)
    assert ("not followed" in problem.detail) == (300 <= status < 400)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>welcome to the hotel</html>",
        b"",
        b"[]",
        b'"text"',
        b'{"list":[}',
        b'{"list":[]',
        b'{"list":[{"visit_depth":NaN}]}',
        b'{"list":[{"visit_depth":-Infinity}]}',
        b'{"list":[{"visit_pv":' + b"9" * 5000 + b"}]}",
        b'{"list":[{"visit_pv":1,"visit_pv":999}]}',
        b'{"list":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"list":' * 100_000,
        '{"list":[]}'.encode("utf-16"),
    ],
    ids=lambda each: repr(each)[:40],
)
def test_what_is_no_answer_of_wechats_is_malformed(body: bytes) -> None:
    problem = refused(body)
    assert (problem.reason, problem.action, problem.errcode) == (Reason.MALFORMED, Action.RETRY, None)


@pytest.mark.parametrize("status", [200, 400, 401, 404, 500, 502, 302])
def test_an_errcode_counts_more_than_the_http_status(status: int) -> None:
    problem = refused(b'{"errcode":61503,"errmsg":"data not ready, please try later"}', status)
    assert (problem.reason, problem.errcode) == (Reason.NOT_READY, 61503)


@pytest.mark.parametrize("status", [200, 201, 299])
@pytest.mark.parametrize(
    "body",
    [
        b'{"list":[]}',
        b'\xef\xbb\xbf{"list":[]}',
        b' \r\n{"list":[]}\r\n',
        b'{"list":[],"errcode":0,"errmsg":"ok"}',
        b'{"list":[],"errcode":"0"}',
        b'{"list":[],"errCode":0,"errMsg":"openapi.analysis.getDailyVisitTrend:ok"}',
        b'{"list":[],"note":"\x00\x1f\xff\xfe"}',
    ],
)
def test_an_answer_is_read_with_mark_dirt_and_code_zero(body: bytes, status: int) -> None:
    answer = judged(body, status)
    assert isinstance(answer, dict)
    assert answer["list"] == []


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        ({"errcode": 40001}, 40001, "errcode 40001: (no errmsg)"),
        ({"errcode": "40001", "errmsg": "x"}, 40001, "errcode 40001: x"),
        ({"errcode": "-1", "errmsg": "x"}, -1, "errcode -1: x"),
        ({"errCode": -604101, "errMsg": "no permission"}, -604101, "errcode -604101: no permission"),
        ({"errcode": 48001, "errmsg": {"deep": []}}, 48001, "errcode 48001: (no errmsg)"),
        ({"errcode": 48001, "errmsg": None}, 48001, "errcode 48001: (no errmsg)"),
        ({"errcode": 48001, "list": []}, 48001, "errcode 48001: (no errmsg)"),
        ({"errcode": 48001, "errmsg": " 接口\n\t未\u202e授权\x00 "}, 48001, "errcode 48001: 接口 未 授权"),
    ],
    ids=repr,
)
def test_errcodes_are_read_in_both_shapes_as_numbers_or_texts(
    body: dict[str, object], code: int, detail: str
) -> None:
    problem = refused(json_body(body))
    assert (problem.errcode, problem.detail) == (code, detail)


ODD = (True, None, 40001.0, "", "x", "40001x", " 40001", "４０００１", "9" * 5000, 10**12, -(10**400), ())


@pytest.mark.parametrize("code", ODD, ids=lambda each: repr(each)[:20])
def test_an_errcode_that_cannot_be_one_is_malformed(code: object) -> None:
    assert refused(json_body({"errcode": code, "errmsg": "x", "list": []})).reason is Reason.MALFORMED


def test_bad_bytes_and_half_characters_in_a_text_do_not_reach_its_readers() -> None:
    problem = refused(b'{"errcode":-1,"errmsg":"\xffbusy\\ud800 \xe5\xbf \x07now\\u2028"}')
    assert problem.detail == "errcode -1: busy now"
    problem.detail.encode()


@given(body=st.binary(max_size=40) | st.text(max_size=40).map(str.encode), status=st.integers(100, 599))
def test_any_bytes_are_an_object_or_a_failure(body: bytes, status: int) -> None:
    assert isinstance(judged(body, status), dict | Failure)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(code=json_values, message=json_values, names=st.sampled_from(["errcode errmsg", "errCode errMsg"]))
def test_any_errcode_and_errmsg_are_an_object_or_a_failure(code: object, message: object, names: str) -> None:
    problem = judged(json.dumps(dict(zip(names.split(), (code, message), strict=True))).encode())
    if isinstance(problem, Failure):
        assert problem.detail.isprintable()
    else:
        assert code in (0, "0", "-0")

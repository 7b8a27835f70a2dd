import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import ERRCODES, errcode_failure, failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.network.transport import Answer
from exporter.wechat.verdict import read_json

SAMPLES = Path(__file__).parents[2] / "samples"
CLOSED_LIST = """
    network timeout http_status malformed busy not_ready empty quota_daily quota_minute token_rejected
    invalid_appid invalid_secret ip_not_allowed permission account third_party_ticket
    third_party_refresh_token date_range unknown_errcode internal
"""
LETTERS = {
    "R": Action.RETRY,
    "T": Action.RENEW_TOKEN,
    "L": Action.NEXT_ROUND,
    "C": Action.SUSPEND,
    "day": Action.SUSPEND_DAY,
    "Q": Action.NEXT_DAY,
    "minute": Action.RETRY_NEXT_MINUTE,
    "month": Action.NEXT_MONTH,
    "date": Action.NEXT_ROUND,  # this date is given up, the account's others are not
}
DOCUMENTED = """
    -1 R
    -604101 C  -504002 L  -501000 C  -1000 R
    40001 T  40002 C  40013 C  40014 T  40066 C  40097 C  40101 C  40125 C  40164 C  40234 C  40243 C
    41001 T  41002 C  41004 C  41018 C
    42001 T  42002 C  42007 C
    43002 C  43003 C  44002 C
    45009 Q  45011 minute  45035 C  45040 month
    47001 C
    48001 C  48004 C
    50001 C  50002 C  50004 C  50007 C
    61000 C  61001 C  61003 C  61004 C  61005 L  61006 L  61007 C  61009 C  61010 C  61011 C
    61014 C  61015 C  61016 C  61017 C  61023 C  61024 C  61061 C
    61500 C  61501 date  61502 C  61503 L  61504 R
    76003 C  76021 C  76022 C
    85088 C
    89501 C  89503 C  89506 day  89507 C
"""
WORDS = DOCUMENTED.split()
ACTIONS = {int(code): LETTERS[letter] for code, letter in zip(WORDS[::2], WORDS[1::2], strict=True)}


def test_the_reasons_are_the_closed_list_and_only_not_ready_and_empty_are_states() -> None:
    assert [reason.value for reason in Reason] == CLOSED_LIST.split()
    assert [reason for reason in Reason if reason.is_state] == [Reason.NOT_READY, Reason.EMPTY]


def test_the_table_has_every_documented_code_once_with_its_action() -> None:
    assert {code: row.action for code, row in ERRCODES.items()} == ACTIONS
    text = files("exporter.wechat.failures").joinpath("errcodes.yaml").read_text("utf-8")
    assert sorted(map(int, re.findall(r"^ +(-?\d+):", text, re.MULTILINE))) == sorted(ACTIONS)


EXPECTED = {
    -1: (Reason.BUSY, advice.WAIT),
    40001: (Reason.TOKEN_REJECTED, advice.TOKEN),
    40013: (Reason.INVALID_APPID, advice.APPID),
    40125: (Reason.INVALID_SECRET, advice.SECRET),
    40164: (Reason.IP_NOT_ALLOWED, advice.IP),
    42001: (Reason.TOKEN_REJECTED, advice.TOKEN),
    45009: (Reason.QUOTA_DAILY, advice.QUOTA_DAY),
    45011: (Reason.QUOTA_MINUTE, advice.QUOTA_MINUTE),
    48001: (Reason.PERMISSION, advice.PERMISSION),
    50002: (Reason.ACCOUNT, advice.ACCOUNT),
    61004: (Reason.IP_NOT_ALLOWED, advice.IP_PLATFORM),
    61007: (Reason.PERMISSION, advice.PERMISSION),
    61023: (Reason.THIRD_PARTY_REFRESH_TOKEN, advice.REFRESH_TOKEN),
    61501: (Reason.DATE_RANGE, advice.CLOCK),
    61502: (Reason.ACCOUNT, advice.GAME),
    61503: (Reason.NOT_READY, advice.NOT_READY),
    61504: (Reason.BUSY, advice.WAIT),
}


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("error__*.json")), ids=lambda path: path.stem)
def test_an_error_as_wechat_really_sends_it_has_its_reason_action_and_advice(path: Path) -> None:
    code = int(path.stem.removeprefix("error__").partition("_")[0])
    reason, expected = EXPECTED[code]
    with pytest.raises(CallError) as caught:
        read_json(Answer(200, path.read_bytes()))
    detail = f"errcode {code}: {json.loads(path.read_text())['errmsg']}"
    assert caught.value.failure == Failure(reason, ACTIONS[code], expected, detail, code)
    assert (str(caught.value), caught.value.args) == (detail, ())


@pytest.mark.parametrize("code", ACTIONS)
def test_on_the_token_call_a_code_about_the_token_means_a_wrong_secret(code: int) -> None:
    expected = errcode_failure(code, "x")
    if ACTIONS[code] is Action.RENEW_TOKEN:
        expected = Failure(Reason.INVALID_SECRET, Action.SUSPEND, advice.SECRET, expected.detail, code)
    assert errcode_failure(code, "x", asking_for_token=True) == expected


@given(code=st.integers().filter(lambda code: code not in ACTIONS))
def test_a_code_that_is_not_in_the_table_is_unknown_and_asked_again_next_round(code: int) -> None:
    expected = Failure(Reason.UNKNOWN_ERRCODE, Action.NEXT_ROUND, advice.UNKNOWN, f"errcode {code}: x", code)
    assert errcode_failure(code, "x") == expected
    assert errcode_failure(code, "x", asking_for_token=True) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Error: errCode: -604101 | errMsg: has no permission to call this API",
        'functions execute fail: {"errCode":-604101,"errMsg":"openapi.analysis.getDailyVisitTrend:fail"}',
        "errcode=61503 then errCode: -604101",
    ],
)
def test_what_a_cloud_function_threw_is_found_in_its_text(text: str) -> None:
    problem = errcode_failure(-504002, text)
    assert (problem.reason, problem.errcode) == (Reason.PERMISSION, -604101)
    assert problem.detail.startswith("errcode -504002: ")
    assert errcode_failure(45009, text).errcode == 45009


@given(text=st.text())
def test_any_text_becomes_one_printable_line(text: str) -> None:
    detail = errcode_failure(48001, text).detail
    assert detail.isprintable()
    detail.encode()


WITHOUT_ERRCODE = {
    Reason.NETWORK: (Action.RETRY, advice.NETWORK),
    Reason.TIMEOUT: (Action.RETRY, advice.TIMEOUT),
    Reason.HTTP_STATUS: (Action.RETRY, advice.GATEWAY),
    Reason.MALFORMED: (Action.RETRY, advice.MALFORMED),
    Reason.EMPTY: (Action.NEXT_ROUND, advice.EMPTY),
    Reason.TOKEN_REJECTED: (Action.NEXT_ROUND, advice.TOKEN_KEEPER),
    Reason.INVALID_SECRET: (Action.SUSPEND, advice.SECRET_FILE),
    Reason.THIRD_PARTY_TICKET: (Action.NEXT_ROUND, advice.NO_TICKET),
    Reason.THIRD_PARTY_REFRESH_TOKEN: (Action.SUSPEND, advice.NO_REFRESH_TOKEN),
    Reason.INTERNAL: (Action.NEXT_ROUND, advice.INTERNAL),
}


@pytest.mark.parametrize("reason", WITHOUT_ERRCODE)
def test_a_failure_without_an_errcode_has_its_usual_action(reason: Reason) -> None:
    action, usual = WITHOUT_ERRCODE[reason]
    assert failure(reason, "why") == Failure(reason, action, usual, "why")
    assert failure(reason, "why", Action.NEXT_DAY) == Failure(reason, Action.NEXT_DAY, usual, "why")


@pytest.mark.parametrize("code", ACTIONS)
def test_the_outlook_of_a_pause_says_what_is_paused_and_how_to_end_it(code: int) -> None:
    problem = errcode_failure(code, "x")
    paused = problem.action in (Action.SUSPEND, Action.SUSPEND_DAY)
    meanwhile = advice.PAUSED if problem.refuses_account else advice.PAUSED_DATASET
    assert problem.outlook == (problem.advice.then(meanwhile) if paused else problem.advice)
    assert ("reload" in problem.outlook.en.lower()) == paused
    assert ("pauses the app" in problem.outlook.en) == (paused and problem.refuses_account)


@pytest.mark.parametrize(
    ("code", "of_account"), [(40164, True), (40125, True), (50007, True), (48001, False), (61502, False)]
)
def test_a_refusal_concerns_the_app_or_one_interface(code: int, of_account: bool) -> None:  # noqa: FBT001
    assert errcode_failure(code, "x").refuses_account == of_account

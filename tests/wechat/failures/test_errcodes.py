import json
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


def test_the_table_has_every_documented_code_with_its_action() -> None:
    assert {code: row.action for code, row in ERRCODES.items()} == ACTIONS


def test_no_code_stands_twice_in_the_table() -> None:
    assert all(code == row.code for code, row in ERRCODES.items())
    assert len({row.code for row in ERRCODES.values()}) == len(ACTIONS)


@pytest.mark.parametrize("code", ACTIONS)
def test_every_code_has_a_cause_and_advice_in_both_languages(code: int) -> None:
    row = ERRCODES[code]
    assert row.cause
    assert row.advice.en
    assert row.advice.zh


EXPECTED = {
    "-1_hint": (Reason.BUSY, advice.WAIT),
    "40001_hint": (Reason.TOKEN_REJECTED, advice.TOKEN),
    "40001_rid": (Reason.TOKEN_REJECTED, advice.TOKEN),
    "40013_rid": (Reason.INVALID_APPID, advice.APPID),
    "40125_rid": (Reason.INVALID_SECRET, advice.SECRET),
    "40164_hint": (Reason.IP_NOT_ALLOWED, advice.IP),
    "40164_rid": (Reason.IP_NOT_ALLOWED, advice.IP),
    "42001_hint": (Reason.TOKEN_REJECTED, advice.TOKEN),
    "42001_rid": (Reason.TOKEN_REJECTED, advice.TOKEN),
    "45009_plain": (Reason.QUOTA_DAILY, advice.QUOTA_DAY),
    "45009_rid": (Reason.QUOTA_DAILY, advice.QUOTA_DAY),
    "45011_rid": (Reason.QUOTA_MINUTE, advice.QUOTA_MINUTE),
    "48001": (Reason.PERMISSION, advice.PERMISSION),
    "50002_rid": (Reason.ACCOUNT, advice.ACCOUNT),
    "61004_rid": (Reason.IP_NOT_ALLOWED, advice.IP_PLATFORM),
    "61007": (Reason.PERMISSION, advice.PERMISSION),
    "61023_rid": (Reason.THIRD_PARTY_REFRESH_TOKEN, advice.REFRESH_TOKEN),
    "61501_hint": (Reason.DATE_RANGE, advice.CLOCK),
    "61501_rid": (Reason.DATE_RANGE, advice.CLOCK),
    "61502_hint": (Reason.ACCOUNT, advice.GAME),
    "61503_hint": (Reason.NOT_READY, advice.NOT_READY),
    "61503_rid": (Reason.NOT_READY, advice.NOT_READY),
    "61504_rid": (Reason.BUSY, advice.WAIT),
}


def sample_failure(name: str, *, asking_for_token: bool = False) -> Failure:
    body = (SAMPLES / f"error__{name}.json").read_bytes()
    with pytest.raises(CallError) as caught:
        read_json(Answer(200, body), asking_for_token=asking_for_token)
    return caught.value.failure


def test_every_sample_of_an_error_is_expected() -> None:
    assert {path.stem.removeprefix("error__") for path in SAMPLES.glob("error__*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_error_as_wechat_really_sends_it_has_its_reason_action_and_advice(name: str) -> None:
    reason, said = EXPECTED[name]
    code = int(name.partition("_")[0])
    problem = sample_failure(name)
    text = json.loads((SAMPLES / f"error__{name}.json").read_text())["errmsg"]
    assert problem == Failure(reason, ACTIONS[code], said, f"errcode {code}: {text}", code)


@pytest.mark.parametrize(("old", "new"), [("40001_hint", "40001_rid"), ("61503_hint", "61503_rid")])
def test_both_tails_mean_the_same(old: str, new: str) -> None:
    one, other = sample_failure(old), sample_failure(new)
    assert (one.reason, one.action, one.advice) == (other.reason, other.action, other.advice)


@pytest.mark.parametrize("code", [code for code, action in ACTIONS.items() if action is Action.RENEW_TOKEN])
def test_on_the_token_call_a_code_about_the_token_means_a_wrong_secret(code: int) -> None:
    problem = errcode_failure(code, "invalid credential", asking_for_token=True)
    assert (problem.reason, problem.action) == (Reason.INVALID_SECRET, Action.SUSPEND)
    assert (problem.advice, problem.errcode) == (advice.SECRET, code)


@pytest.mark.parametrize(
    "code", [code for code, action in ACTIONS.items() if action is not Action.RENEW_TOKEN]
)
def test_on_the_token_call_other_codes_mean_what_they_mean_elsewhere(code: int) -> None:
    assert errcode_failure(code, "x", asking_for_token=True) == errcode_failure(code, "x")


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


def test_a_token_that_was_refused_inside_a_cloud_function_is_not_the_one_we_sent() -> None:
    problem = errcode_failure(-504002, "Error: errCode: 40001 | errMsg: invalid credential")
    assert (problem.reason, problem.errcode) == (Reason.TOKEN_REJECTED, 40001)
    assert (problem.action, problem.advice) == (Action.NEXT_ROUND, advice.CLOUD_FUNCTION)


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
    action, said = WITHOUT_ERRCODE[reason]
    assert failure(reason, "told") == Failure(reason, action, said, "told")
    assert failure(reason, "told", Action.NEXT_DAY) == Failure(reason, Action.NEXT_DAY, said, "told")


@pytest.mark.parametrize("code", ACTIONS)
def test_the_outlook_of_a_pause_tells_how_to_end_it(code: int) -> None:
    problem = errcode_failure(code, "x")
    paused = problem.action in (Action.SUSPEND, Action.SUSPEND_DAY)
    assert problem.outlook == (problem.advice.then(advice.PAUSED) if paused else problem.advice)
    assert ("reload" in problem.outlook.en.lower()) == paused

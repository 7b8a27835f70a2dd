from exporter.wechat.failures.advice import WAIT
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason

CLOSED_LIST = """
    network timeout http_status malformed busy not_ready empty quota_daily quota_minute token_rejected
    invalid_appid invalid_secret ip_not_allowed permission account third_party_ticket
    third_party_refresh_token date_range unknown_errcode internal
"""


def test_the_reasons_are_the_closed_list() -> None:
    assert [reason.value for reason in Reason] == CLOSED_LIST.split()


def test_only_not_ready_and_empty_are_states() -> None:
    assert [reason for reason in Reason if reason.is_state] == [Reason.NOT_READY, Reason.EMPTY]


def test_an_error_says_its_failures_detail_and_nothing_else() -> None:
    error = CallError(Failure(Reason.BUSY, Action.RETRY, WAIT, "errcode -1: system error", -1))
    assert str(error) == "errcode -1: system error"
    assert error.args == ()

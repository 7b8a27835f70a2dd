"""The failures of calls to WeChat, in the words that metrics, alerts and pages share.

CallError       a call failed; carries one `Failure`
`Reason`        the closed list of reasons
`Action`        what the exporter does next
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from exporter.wechat.failures.advice import PAUSED, PAUSED_DATASET, Advice


class Reason(StrEnum):
    """The reason why an app's last refresh brought no row; the value is the metrics' label `reason`."""

    NETWORK = "network"
    TIMEOUT = "timeout"
    HTTP_STATUS = "http_status"
    MALFORMED = "malformed"
    BUSY = "busy"
    NOT_READY = "not_ready"
    EMPTY = "empty"
    QUOTA_DAILY = "quota_daily"
    QUOTA_MINUTE = "quota_minute"
    TOKEN_REJECTED = "token_rejected"  # noqa: S105
    INVALID_APPID = "invalid_appid"
    INVALID_SECRET = "invalid_secret"  # noqa: S105
    IP_NOT_ALLOWED = "ip_not_allowed"
    PERMISSION = "permission"
    ACCOUNT = "account"
    THIRD_PARTY_TICKET = "third_party_ticket"
    THIRD_PARTY_REFRESH_TOKEN = "third_party_refresh_token"  # noqa: S105
    DATE_RANGE = "date_range"
    UNKNOWN_ERRCODE = "unknown_errcode"
    INTERNAL = "internal"

    @property
    def is_state(self) -> bool:
        """Return whether WeChat answered and only has no row yet, so that `up` stays 1."""
        return self in (Reason.NOT_READY, Reason.EMPTY)

    @property
    def is_of_account(self) -> bool:
        """Return whether it concerns the app as a whole, not one of its datasets."""
        return self in _OF_ACCOUNT


_OF_ACCOUNT: Final = frozenset(
    {
        Reason.TOKEN_REJECTED,
        Reason.INVALID_APPID,
        Reason.INVALID_SECRET,
        Reason.IP_NOT_ALLOWED,
        Reason.ACCOUNT,
        Reason.THIRD_PARTY_TICKET,
        Reason.THIRD_PARTY_REFRESH_TOKEN,
    }
)
_OF_ONE_INTERFACE: Final = frozenset({61502})  # a mini game has quotas but no figures


class Action(StrEnum):
    """The exporter's action after a failure."""

    RETRY = "retry"  # a few times in this round, after growing random pauses; then in the next round
    RETRY_NEXT_MINUTE = "retry_next_minute"  # once the minute is over
    RENEW_TOKEN = "renew_token"  # drop the token, fetch another, repeat the call once  # noqa: S105
    NEXT_ROUND = "next_round"
    NEXT_DAY = "next_day"  # not before the next Beijing midnight
    NEXT_MONTH = "next_month"
    SUSPEND = "suspend"  # an hour, growing to a day, or until the configuration changes
    SUSPEND_DAY = "suspend_day"  # a day from the first time on, or until the configuration changes

    @property
    def refuses(self) -> bool:
        """Return whether WeChat refused the credential, so that pauses grow."""
        return self in (Action.SUSPEND, Action.SUSPEND_DAY, Action.RENEW_TOKEN)

    @property
    def pauses(self) -> bool:
        """Return whether rounds skip the app until its next try."""
        return self.refuses or self in (Action.RETRY_NEXT_MINUTE, Action.NEXT_DAY, Action.NEXT_MONTH)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call.

    `detail` is safe to show (no token, no secret). `retry_after`: seconds that the server asks to wait before
    the next call, if any. `credential`: fingerprint of the call's credential, empty if that could not be
    read. `unsent`: the request has certainly not left.
    """

    reason: Reason
    action: Action
    advice: Advice
    detail: str
    errcode: int | None = None
    retry_after: float | None = None
    credential: bytes | None = field(default=None, repr=False, compare=False)
    unsent: bool = False

    @property
    def refuses_account(self) -> bool:
        """Return whether WeChat refuses all of the app's datasets, not only the one of the call."""
        return self.reason.is_of_account and self.errcode not in _OF_ONE_INTERFACE

    @property
    def outlook(self) -> Advice:
        """Return the advice, and what a running exporter pauses meanwhile: the app, or one dataset of it."""
        if self.action not in (Action.SUSPEND, Action.SUSPEND_DAY):
            return self.advice
        return self.advice.then(PAUSED if self.refuses_account else PAUSED_DATASET)


class CallError(Exception):
    """A call to WeChat, or to a token service, has brought no usable answer."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure

    def __str__(self) -> str:
        return self.failure.detail

"""The data calls: a dataset's period, or a quota, with an access token."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.period import DAY, Period
from exporter.datasets.quota import quota_request, read_quota
from exporter.wechat.client import AuthorizedClient, Client, FailureConversion
from exporter.wechat.endpoints import API_QUOTA, endpoint_of
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.tokens.cache import Token, TokenCache, TokenSource
from exporter.wechat.tokens.duplicates import TokenOwners

Figures = tuple[int | float | None, ...]
_Result = TypeVar("_Result")
_DATE_RANGE: Final = 61501
_READY_SECONDS: Final = 12 * 3600  # after this a week or month without figures is a failure


def failure_conversion(dataset: Dataset, period: Period, clock: Callable[[], float]) -> FailureConversion:
    """Return the conversion of failures for a dataset: 61501 for a week or month just over is not_ready."""
    ready_by = 0.0 if dataset.calendar is DAY else period.end + _READY_SECONDS

    def convert(problem: Failure) -> Failure:
        if problem.errcode == _DATE_RANGE and clock() < ready_by:
            problem = replace(problem, reason=Reason.NOT_READY, advice=advice.NOT_READY)
        return _about(dataset.interface, problem)

    return convert


def _about(interface: str, problem: Failure) -> Failure:
    return replace(problem, advice=problem.advice.about(interface))


def read_row(dataset: Dataset, period: Period, body: Mapping[str, Any]) -> Row:
    """Return an answer's row; raise CallError for no row (`empty`) or an untrustworthy one (`malformed`)."""
    row = _trusted(lambda answer: dataset.read(answer, period), body)
    if row is None:
        raise CallError(failure(Reason.EMPTY, f"WeChat has no row for {period}"))
    return row


def _trusted(read: Callable[[Mapping[str, Any]], _Result], body: Mapping[str, Any]) -> _Result:
    try:
        return read(body)
    except MalformedRowError as error:
        problem = failure(Reason.MALFORMED, str(error), Action.NEXT_ROUND)
    raise CallError(problem)  # Outside the handler: the error would become the context, with what it shows.


class DirectAccess(AuthorizedClient):
    """Access by HTTPS with the account's access token, or with one that it has granted to a platform."""

    def __init__(self, client: Client, appid: str, source: TokenSource, owners: TokenOwners) -> None:
        """Compare tokens that another program keeps with those of other apps, given `owners`."""
        super().__init__(client, TokenCache(source, client.clock))
        self._appid = appid
        self._owners = owners
        if source.kept_elsewhere:
            owners.join(appid, self.tokens)

    @property
    def kind(self) -> str:
        """Return the token type, as in the configuration."""
        return self.tokens.source.kind

    @property
    def token_expires_at(self) -> float | None:
        """Return the Unix time at which the held token expires; None if unknown."""
        return self.tokens.expires_at

    def token(self) -> Token:
        """Return a token that is not another app's; raise CallError."""
        token = super().token()
        self._owners.claim(self._appid, token)
        return token

    def fingerprint(self) -> bytes:
        """Return a hash that changes when the operator changes the credential; empty if that is unknown."""
        return self.tokens.source.fingerprint()

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Ask for the row of a period of the dataset's calendar, as WeChat gives one at a time."""
        return self.ask(
            endpoint_of(dataset),
            partial(read_row, dataset, period),
            body=dataset.request(period),
            convert=failure_conversion(dataset, period, self.client.clock),
        )

    def quota(self, cgi_path: str) -> Figures:
        """Ask for limit, used and left calls of an interface today, in the order of QUOTA_FIELDS."""
        return self.ask(
            API_QUOTA,
            partial(_trusted, read_quota),
            body=quota_request(cgi_path),
            convert=partial(_about, API_QUOTA.name),
        )

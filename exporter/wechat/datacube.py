"""The data calls: any dataset by its period, and quotas; and how they are made with an access token."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Generic, TypeVar

from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.period import DAY, Period
from exporter.datasets.quota import quota_request, read_quota
from exporter.wechat.client import Client
from exporter.wechat.endpoints import API_QUOTA, Endpoint, endpoint_of
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.tokens.cache import Token, TokenCache, TokenSource
from exporter.wechat.tokens.ownership import TokenOwners

Figures = tuple[int | float | None, ...]
_Result = TypeVar("_Result")
_DATE_RANGE: Final = 61501
_READY_SECONDS: Final = 12 * 3600  # after its end a week or a month has figures, or something is wrong


@dataclass(frozen=True, slots=True)
class DataCall(Generic[_Result]):
    """A call for an app's data, without the credential.

    `interface`: which of WeChat's the data come from. `read` makes the result of the answer's JSON object.
    `ready_by`: Unix time until which WeChat may have no figures yet of a week or a month that is over.
    """

    interface: str
    endpoint: Endpoint
    body: Mapping[str, object]
    read: Callable[[dict[str, Any]], _Result]
    params: Mapping[str, str] = field(default_factory=dict)
    ready_by: float = 0.0

    def ask(
        self,
        client: Client,
        credential: Mapping[str, str],
        secrets: Iterable[str],
        base_url: str | None = None,
    ) -> _Result:
        """Make the call; its failure says what to do about this interface of WeChat's."""
        return client.ask(
            self.endpoint,
            self.read,
            secrets=secrets,
            judged=lambda problem: self._judged(problem, client.clock()),
            base_url=base_url,
            params={**credential, **self.params},
            body=self.body,
        )

    def _judged(self, problem: Failure, now: float) -> Failure:
        """Take a refusal of the dates of a period that has just ended for what it is: not ready yet."""
        if problem.errcode == _DATE_RANGE and now < self.ready_by:
            problem = replace(problem, reason=Reason.NOT_READY, advice=advice.NOT_READY)
        return replace(problem, advice=problem.advice.about(self.interface))


def row_call(dataset: Dataset, period: Period) -> DataCall[Row]:
    """Ask for the dataset's row of one period of its calendar; WeChat gives one at a time."""
    read = partial(read_row, dataset, period)
    ready_by = ready(dataset, period)
    return DataCall(dataset.interface, endpoint_of(dataset), dataset.request(period), read, ready_by=ready_by)


def ready(dataset: Dataset, period: Period) -> float:
    """Return the Unix time until which 61501 means that a week's or a month's figures are not ready yet."""
    return 0.0 if dataset.calendar is DAY else period.end + _READY_SECONDS


def quota_call(cgi_path: str) -> DataCall[Figures]:
    """Ask for limit, used and left calls of an interface today, in the order of QUOTA_FIELDS."""
    return DataCall(API_QUOTA.name, API_QUOTA, quota_request(cgi_path), partial(_trusted, read_quota))


def read_row(dataset: Dataset, period: Period, body: Mapping[str, Any]) -> Row:
    """Read an answer; no row and an untrustworthy row are CallErrors of their own reasons."""
    row = _trusted(lambda answer: dataset.read(answer, period), body)
    if row is None:
        raise CallError(failure(Reason.EMPTY, f"WeChat has no row for {period}"))
    return row


def _trusted(read: Callable[[Mapping[str, Any]], _Result], body: Mapping[str, Any]) -> _Result:
    try:
        return read(body)
    except MalformedRowError as error:
        problem = failure(Reason.MALFORMED, str(error), Action.NEXT_ROUND)
    raise CallError(problem)  # out here: in the handler the error would come along with what it shows


@dataclass(slots=True, eq=False)
class DirectAccess:
    """HTTPS with the account's own access token, or with the one that it has granted to a platform."""

    client: Client
    appid: str
    source: TokenSource
    owners: TokenOwners
    _tokens: TokenCache = field(init=False)

    parameter = "access_token"

    def __post_init__(self) -> None:
        """Have the tokens compared with those of other apps, where another program keeps them."""
        self._tokens = TokenCache(self.source, self.client.clock)
        if self.source.kept_elsewhere:
            self.owners.join(self.appid, self._tokens)

    @property
    def kind(self) -> str:
        """The token type as the configuration names it."""
        return self.source.kind

    @property
    def token_expires_at(self) -> float | None:
        """Unix time at which the token held ends."""
        return self._tokens.expires_at

    def fingerprint(self) -> bytes:
        """Return a hash that changes when the operator changes the credential."""
        return self.source.fingerprint()

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Ask with the token held; one that WeChat refuses is renewed once, and the call made once more."""
        return self._tokens.use(partial(self._ask, row_call(dataset, period)))

    def quota(self, cgi_path: str) -> Figures:
        """Ask as for a row."""
        return self._tokens.use(partial(self._ask, quota_call(cgi_path)))

    def _ask(self, call: DataCall[_Result], token: Token) -> _Result:
        self.owners.claim(self.appid, token)
        return call.ask(self.client, {self.parameter: token.value}, [token.value])

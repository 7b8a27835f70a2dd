"""The ways in which an app's trend can be asked for; one `Way` per app, chosen by its token settings."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final, Protocol, assert_never

from structlog.typing import FilteringBoundLogger

from exporter.config.settings import AccessToken, App, FileToken, HttpToken, StableToken
from exporter.trend import MalformedRowError, Row, parse_trend, wire_date
from exporter.wechat.errcodes import failure
from exporter.wechat.errors import Action, CallError, Failure, Reason
from exporter.wechat.line import Endpoint, Line
from exporter.wechat.token_sources import (
    AccessTokenSource,
    FileTokenSource,
    HttpTokenSource,
    StableTokenSource,
)
from exporter.wechat.tokens import Token, TokenKeeper, TokenSource

TREND_PATH: Final = "/datacube/getweanalysisappiddailyvisittrend"


class Way(Protocol):
    """How one app's trend is asked for."""

    @property
    def kind(self) -> str:
        """The token type as the configuration names it."""

    @property
    def token_expires_at(self) -> float | None:
        """Unix time at which the token held ends; None where there is none or its end is unknown."""

    def daily_trend(self, day: date) -> Row:
        """The app's row of that day; raises CallError, also where WeChat has no row (yet)."""

    def fingerprint(self) -> bytes:
        """Changes when the operator changes the credential."""


class DirectWay:
    """HTTPS with the account's own access token."""

    __slots__ = ("_keeper", "_line")

    def __init__(self, line: Line, source: TokenSource) -> None:
        self._line = line
        self._keeper = TokenKeeper(source, line.clock)

    @property
    def kind(self) -> str:
        """The token type as the configuration names it."""
        return self._keeper.source.kind

    @property
    def token_expires_at(self) -> float | None:
        """Unix time at which the token held ends."""
        return self._keeper.expires_at

    def fingerprint(self) -> bytes:
        """Changes when the operator changes the credential."""
        return self._keeper.source.fingerprint()

    def daily_trend(self, day: date) -> Row:
        """Ask with the token held; one that WeChat refuses is renewed once, and the call made once more."""
        token = self._keeper.get()
        try:
            return self._ask(token, day)
        except CallError as error:
            if error.failure.action is not Action.RENEW_TOKEN:
                raise
        self._keeper.drop(token)
        return self._ask(self._keeper.get(), day)

    def _ask(self, token: Token, day: date) -> Row:
        return self._line.ask(
            Endpoint.DAILY_VISIT_TREND,
            "POST",
            TREND_PATH,
            row_reader(day),
            params={"access_token": token.value},
            body={"begin_date": wire_date(day), "end_date": wire_date(day)},
            secrets=[token.value],
        )


def row_reader(day: date) -> Callable[[dict[str, Any]], Row]:
    """Reads a trend's answer; no row and an untrustworthy row are CallErrors of their own reasons."""

    def read(body: dict[str, Any]) -> Row:
        try:
            row = parse_trend(body, day)
        except MalformedRowError as error:
            problem = failure(Reason.MALFORMED, str(error), Action.NEXT_ROUND)
        else:
            if row is not None:
                return row
            problem = failure(Reason.EMPTY, f"WeChat has no row for {day}")
        raise CallError(problem)  # out here: in the handler the error would come along with what it shows

    return read


def choose_way(app: App, line: Line) -> Way:
    """The way that the app's settings ask for."""
    match app.token:
        case StableToken():
            return DirectWay(line, StableTokenSource(app.appid, app.token, line))
        case AccessToken():
            return DirectWay(line, AccessTokenSource(app.appid, app.token, line))
        case FileToken():
            return DirectWay(line, FileTokenSource(app.token))
        case HttpToken():
            return DirectWay(line, HttpTokenSource(app.token, line))
        case _:  # pragma: no cover - mypy proves that there is no other
            assert_never(app.token)


def ask_for_row(way: Way, day: date, log: FilteringBoundLogger) -> Row | Failure:
    """Ask once; whatever goes wrong is a failure, so that one app's trouble stays its own."""
    try:
        return way.daily_trend(day)
    except CallError as error:
        return error.failure
    except Exception as error:
        log.exception("internal fault", error=type(error).__name__)
        return failure(Reason.INTERNAL, f"internal fault ({type(error).__name__}), see the log")

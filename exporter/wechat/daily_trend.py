"""The data call, getDailyVisitTrend: how it is sent, and how its answer becomes a row."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from exporter.trend import MalformedRowError, Row, parse_trend, wire_date
from exporter.wechat.errcodes import failure
from exporter.wechat.errors import Action, CallError, Reason
from exporter.wechat.line import Endpoint, Line

TREND_PATH: Final = "/datacube/getweanalysisappiddailyvisittrend"


def ask_trend(
    line: Line, day: date, params: Mapping[str, str], secrets: Iterable[str], *, base_url: str = ""
) -> Row:
    """The row of that day.

    Args:
        line: where to ask.
        day: the date; WeChat gives one at a time.
        params: URL parameters, which say who asks.
        secrets: what is secret in them.
        base_url: where WeChat answers this kind of call, if not where the line leads.

    Raises:
        CallError: there is no row (yet), or WeChat refuses.
    """
    return line.ask(
        Endpoint.DAILY_VISIT_TREND,
        "POST",
        base_url + TREND_PATH,
        row_reader(day),
        params=params,
        body={"begin_date": wire_date(day), "end_date": wire_date(day)},
        secrets=secrets,
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

"""How a fault changes an answer: rows, bodies, and the way out to the wire."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from exporter.simulator.faults import Fault
from exporter.simulator.messages import HTML, Answer, Delivery
from exporter.trend import FIELDS, wire_date

Row = dict[str, str | int | float]
_GIANT_BYTES: Final = 4 * 2**20
_BOMB_BYTES: Final = 32 * 2**20
_PAGE: Final = (
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_CAMEL: Final = {"ref_date": "refDate", **{field.name: field.camel for field in FIELDS}}


def trend_payload(row: Row, day: date, fault: Fault) -> object:
    """The JSON value of a trend answer for `day`, changed if the fault is one of rows."""
    return _ROWS.get(fault, _as_it_is)(row, day)


def compact_json(payload: object) -> bytes:
    """JSON as WeChat writes it, without spaces; NaN becomes the bare word NaN."""
    return _ENCODER.encode(payload).encode()


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds: `latency` before every answer, `slow` before a slow one, `drip` between dripped bytes."""

    latency: float
    slow: float
    drip: float


def delivered(body: bytes, fault: Fault, waits: Waits) -> Answer:
    """The answer that carries `body`, changed if the fault is one of bodies or of the wire."""
    if fault in _BODIES:
        return _BODIES[fault](body, waits)
    return Answer(body, seconds=waits.latency)


def _as_it_is(row: Row, _: date) -> object:
    return {"list": [row]}


def _changed(name: str, value: object) -> Callable[[Row, date], object]:
    return lambda row, _: {"list": [{**row, name: value}]}


def _another_date(row: Row, day: date) -> object:
    return {"list": [{**row, "ref_date": wire_date(day - timedelta(days=1))}]}


def _camel_case(row: Row, _: date) -> object:
    renamed = {_CAMEL[name]: value for name, value in row.items()}
    return {"list": [renamed], "errMsg": "openapi.analysis.getDailyVisitTrend:ok"}


def _strings(row: Row, _: date) -> object:
    return {"list": [{name: str(value) for name, value in row.items()}]}


_ROWS: Final[Mapping[Fault, Callable[[Row, date], object]]] = {
    Fault.WRONG_DATE: _another_date,
    Fault.NULL_FIGURE: _changed("visit_uv", None),
    Fault.NEGATIVE: _changed("visit_pv", -7),
    Fault.BOOL_FIGURE: _changed("session_cnt", value=True),
    Fault.NAN: _changed("visit_depth", float("nan")),
    Fault.FRACTIONAL_COUNT: _changed("session_cnt", 12.5),
    Fault.OBJECT_LIST: lambda row, _: {"list": row},
    Fault.TWO_ROWS: lambda row, _: {"list": [row, row]},
    Fault.EMPTY: lambda _, __: {"list": []},
    Fault.CAMEL_CASE: _camel_case,
    Fault.STRINGS: _strings,
}


def _padded(body: bytes, size: int) -> bytes:
    """The same JSON value, made long by spaces: a client without a limit would read it."""
    return body + b" " * (size - len(body))


def _dirty(body: bytes) -> bytes:
    return body[:-1] + b',"note":"\x01\xff"}'


def _on_the_wire(delivery: Delivery) -> Callable[[bytes, Waits], Answer]:
    return lambda body, waits: Answer(body, seconds=waits.latency, delivery=delivery)


_BODIES: Final[Mapping[Fault, Callable[[bytes, Waits], Answer]]] = {
    Fault.HANG: _on_the_wire(Delivery.HANG),
    Fault.RESET: _on_the_wire(Delivery.RESET),
    Fault.CUT_SHORT: _on_the_wire(Delivery.CUT_SHORT),
    Fault.DRIP: lambda body, waits: Answer(body, seconds=waits.drip, delivery=Delivery.DRIP),
    Fault.SLOW: lambda body, waits: Answer(body, seconds=waits.latency + waits.slow),
    Fault.HTTP_502: lambda _, waits: Answer(_PAGE, 502, HTML, seconds=waits.latency),
    Fault.HTML_200: lambda _, waits: Answer(_PAGE, 200, HTML, seconds=waits.latency),
    Fault.REDIRECT: lambda _, waits: Answer(
        b"", 307, HTML, headers=(("Location", "/redirected"),), seconds=waits.latency
    ),
    Fault.MALFORMED_JSON: lambda _, waits: Answer(b'{"list": [}', seconds=waits.latency),
    Fault.TRUNCATED_JSON: lambda body, waits: Answer(body[: len(body) // 2], seconds=waits.latency),
    Fault.NOT_AN_OBJECT: lambda _, waits: Answer(b"[]", seconds=waits.latency),
    Fault.GIANT: lambda body, waits: Answer(_padded(body, _GIANT_BYTES), seconds=waits.latency),
    Fault.GZIP_BOMB: lambda body, waits: Answer(
        gzip.compress(_padded(body, _BOMB_BYTES)),
        headers=(("Content-Encoding", "gzip"),),
        seconds=waits.latency,
    ),
    Fault.DIRTY_TEXT: lambda body, waits: Answer(_dirty(body), seconds=waits.latency),
}

"""The effects of faults on answers: on rows, bodies and delivery."""

import copy
import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from exporter.datasets.dataset import Dataset
from exporter.datasets.field import camel
from exporter.datasets.period import Period
from exporter.simulator.conditions import Conditions
from exporter.simulator.faults import Fault
from exporter.simulator.messages import HTML, Delivery, Reply

Body = dict[str, Any]
Change = Callable[[Body, Dataset, Period], object]
_GIANT_BYTES: Final = 4 * 2**20
_BOMB_BYTES: Final = 32 * 2**20
_PAGE: Final = (
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def distorted(body: Body, dataset: Dataset, period: Period, fault: Fault) -> object:
    """Return the JSON value of a dataset's answer, changed if the fault affects rows."""
    change = _ROWS.get(fault)
    return body if change is None else change(copy.deepcopy(body), dataset, period)


def compact_json(payload: object) -> bytes:
    """Encode JSON as WeChat does, without spaces; NaN becomes the bare word NaN."""
    return _ENCODER.encode(payload).encode()


def delivered(body: bytes, fault: Fault, conditions: Conditions) -> Reply:
    """Return the reply with `body`, changed if the fault affects bodies or delivery."""
    if fault in _BODIES:
        return _BODIES[fault](body, conditions)
    return Reply(body, seconds=conditions.latency_seconds)


def _lists(body: Body) -> list[list[Any]]:
    return [value for value in body.values() if isinstance(value, list)]


def _first_figures(body: Body) -> dict[str, Any]:
    """Return the innermost object with the body's first figures; an empty one if there are none."""
    for items in _lists(body):
        if items:
            item: dict[str, Any] = items[0]
            return _first_figures(item) if _lists(item) else item
    return {}


def _changed(name: str, value: object) -> Change:
    """Return a change of the figure `name`, or of the first one if there is none, to `value`."""

    def change(body: Body, dataset: Dataset, _: Period) -> object:
        item = _first_figures(body)
        names = [name, "value", *(field.name for field in dataset.fields)]
        item.update({next(each for each in names if each in item): value} if item else {})
        return body

    return change


def _another_period(body: Body, dataset: Dataset, period: Period) -> object:
    item = body if "ref_date" in body else _first_figures(body)
    item["ref_date"] = dataset.calendar.written(dataset.calendar.earlier(period))
    return body


def _twice(body: Body, _: Dataset, __: Period) -> object:
    for items in _lists(body):
        items[:] = [*items, *items[:1]]
    return body


def _renamed(found: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(found, dict):
        return {camel(key): _renamed(value) for key, value in found.items()}
    return [_renamed(item) for item in found] if isinstance(found, list) else found


def _as_texts(found: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(found, dict):
        return {key: _as_texts(value) for key, value in found.items()}
    return [_as_texts(item) for item in found] if isinstance(found, list) else str(found)


def _above_cohort(body: Body, _: Dataset, __: Period) -> object:
    for items in _lists(body):
        if len(items) > 1 and "key" in items[1]:
            items[1]["value"] = items[0]["value"] + 1
    return body


_ROWS: Final[Mapping[Fault, Change]] = {
    Fault.WRONG_DATE: _another_period,
    Fault.NULL_FIGURE: _changed("visit_uv", None),
    Fault.NEGATIVE: _changed("visit_pv", -7),
    Fault.BOOL_FIGURE: _changed("session_cnt", value=True),
    Fault.NAN: _changed("visit_depth", float("nan")),
    Fault.FRACTIONAL_COUNT: _changed("session_cnt", 12.5),
    Fault.ABOVE_COHORT: _above_cohort,
    Fault.OBJECT_LIST: lambda body, *_: {
        key: found[0] if isinstance(found, list) and found else found for key, found in body.items()
    },
    Fault.TWO_ROWS: _twice,
    Fault.EMPTY: lambda body, *_: {
        key: [] if isinstance(found, list) else found for key, found in body.items()
    },
    Fault.CAMEL_CASE: lambda body, dataset, _: {
        **_renamed(body),
        "errMsg": f"openapi.analysis.{dataset.interface}:ok",
    },
    Fault.STRINGS: lambda body, *_: _as_texts(body),
}


def _padded(body: bytes, size: int) -> bytes:
    """Pad a JSON text with spaces to `size` bytes, which a client without a limit would read."""
    return body + b" " * (size - len(body))


def _on_the_wire(delivery: Delivery) -> Callable[[bytes, Conditions], Reply]:
    return lambda body, at: Reply(body, seconds=at.latency_seconds, delivery=delivery)


_BODIES: Final[Mapping[Fault, Callable[[bytes, Conditions], Reply]]] = {
    Fault.HANG: _on_the_wire(Delivery.HANG),
    Fault.RESET: _on_the_wire(Delivery.RESET),
    Fault.CUT_SHORT: _on_the_wire(Delivery.CUT_SHORT),
    Fault.DRIP: lambda body, at: Reply(body, seconds=at.drip_seconds, delivery=Delivery.DRIP),
    Fault.SLOW: lambda body, at: Reply(body, seconds=at.latency_seconds + at.slow_seconds),
    Fault.HTTP_502: lambda _, at: Reply(_PAGE, 502, HTML, seconds=at.latency_seconds),
    Fault.HTML_200: lambda _, at: Reply(_PAGE, 200, HTML, seconds=at.latency_seconds),
    Fault.REDIRECT: lambda _, at: Reply(
        b"", 307, HTML, headers=(("Location", "/redirected"),), seconds=at.latency_seconds
    ),
    Fault.MALFORMED_JSON: lambda _, at: Reply(b'{"list": [}', seconds=at.latency_seconds),
    Fault.TRUNCATED_JSON: lambda body, at: Reply(body[: len(body) // 2], seconds=at.latency_seconds),
    Fault.NOT_AN_OBJECT: lambda _, at: Reply(b"[]", seconds=at.latency_seconds),
    Fault.GIANT: lambda body, at: Reply(_padded(body, _GIANT_BYTES), seconds=at.latency_seconds),
    Fault.GZIP_BOMB: lambda body, at: Reply(
        gzip.compress(_padded(body, _BOMB_BYTES)),
        headers=(("Content-Encoding", "gzip"),),
        seconds=at.latency_seconds,
    ),
    Fault.DIRTY_TEXT: lambda body, at: Reply(body[:-1] + b',"note":"\x01\xff"}', seconds=at.latency_seconds),
}

"""The messages between wire and rules: requests, replies, and facts about the present call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from exporter.simulator.refusals import RefusedError

JSON: Final = "application/json; encoding=utf-8"  # WeChat writes `encoding`, not `charset`
PLAIN: Final = "text/plain"  # WeChat has sent errors so; clients must accept it
HTML: Final = "text/html; charset=utf-8"
_FORM: Final = "application/x-www-form-urlencoded"


class Delivery(Enum):
    """The way to send a reply."""

    WHOLE = auto()
    HANG = auto()  # nothing is sent, the connection stays open
    DRIP = auto()  # the head, then single bytes, `seconds` apart
    RESET = auto()  # the connection is reset
    CUT_SHORT = auto()  # half of the body, then the connection is closed


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; `path` and `query` are as in the request line."""

    method: str
    path: str
    query: str
    content_type: str
    body: bytes
    client_ip: str
    keep_alive: bool

    def parameter(self, name: str) -> str:
        """Return the first value of a URL parameter; empty if there is none."""
        return parse_qs(self.query).get(name, [""])[0]

    def json_object(self, form_errcode: int = 47001) -> Mapping[str, object]:
        """Return the decoded body of a POST; refuse a form-encoded one with `form_errcode`."""
        if self.method != "POST":
            raise RefusedError(43002)
        if not self.body:
            raise RefusedError(44002)
        if self.content_type.startswith(_FORM):
            raise RefusedError(form_errcode)
        try:
            asked = json.loads(self.body)
        except ValueError:
            raise RefusedError(47001) from None
        if not isinstance(asked, dict):
            raise RefusedError(47001)
        return asked


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply; `seconds` is the wait before it, or the interval of a drip."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = Delivery.WHOLE
    seconds: float = 0.0
    counted: bool = True  # False for the simulator's controls, which are no calls to WeChat

    @property
    def is_plain(self) -> bool:
        """Return whether it is sent whole, with status 200 and without extra headers."""
        return (self.delivery, self.status, self.headers) == (Delivery.WHOLE, HTTPStatus.OK, ())


@dataclass(slots=True)
class CallInfo:
    """The facts known about a call so far, for the log."""

    appid: str = ""
    date: str = ""
    outcome: str = "ok"

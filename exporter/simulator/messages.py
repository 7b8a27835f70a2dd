"""The messages between wire and rules: requests, replies, refusals, and facts about the present call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import blake2b
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from exporter.package_data import read_table

JSON: Final = "application/json; encoding=utf-8"  # WeChat writes `encoding`, not `charset`
PLAIN: Final = "text/plain"  # WeChat has sent errors so; clients must accept it
HTML: Final = "text/html; charset=utf-8"
_ERRMSGS: Final[Mapping[int, str]] = read_table(__package__, "errmsgs.yaml")
_FORM: Final = "application/x-www-form-urlencoded"


class Delivery(Enum):
    """The way to send a reply."""

    WHOLE = auto()
    HANG = auto()  # nothing is sent, the connection stays open
    DRIP = auto()  # the head, then single bytes, `seconds` apart
    RESET = auto()  # the connection is reset
    CUT_SHORT = auto()  # half of the body, then the connection is closed


class RefusedError(Exception):
    """WeChat answers with an errcode."""

    def __init__(self, errcode: int) -> None:
        super().__init__(f"errcode {errcode}")
        self.errcode = errcode


def refusal(errcode: int, client_ip: str, now: float, serial: int) -> bytes:
    """Return the body of a refusal; a code without a known text has `unknown error`.

    Texts about IP allow-lists name the client's. The rid is made of the time and the request's number.
    """
    text = errmsg(errcode, client_ip)
    tail = blake2b(f"{now} {serial}".encode(), digest_size=8).hexdigest()
    rid = f"{int(now):08x}-{tail[:8]}-{tail[8:]}"
    return json.dumps({"errcode": errcode, "errmsg": f"{text} rid: {rid}"}, separators=(",", ":")).encode()


def errmsg(errcode: int, client_ip: str) -> str:
    """Return WeChat's text for a code, without the rid."""
    ipv6 = client_ip if ":" in client_ip else f"::ffff:{client_ip}"
    return _ERRMSGS.get(errcode, "unknown error").format(ip=client_ip, ipv6=ipv6)


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

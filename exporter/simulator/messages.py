"""A request and an answer between the wire and the rules."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

JSON: Final = "application/json; encoding=utf-8"  # as WeChat writes it: `encoding`, not `charset`
PLAIN: Final = "text/plain"  # WeChat has been seen to send errors so; a client must not mind
HTML: Final = "text/html; charset=utf-8"


class Delivery(Enum):
    """How an answer goes out."""

    WHOLE = auto()
    HANG = auto()  # not at all, the connection stays open
    DRIP = auto()  # the head, then byte by byte, `seconds` apart
    RESET = auto()  # the connection is reset
    CUT_SHORT = auto()  # half of the body, then the connection is closed


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `path` and `query` as they stood in the request line."""

    method: str
    path: str
    query: str
    content_type: str
    body: bytes
    client_ip: str
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; `seconds` is the wait before it, or the interval of a drip."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = Delivery.WHOLE
    seconds: float = 0.0
    counted: bool = True  # False for the simulator's own controls: no call of WeChat's

"""What every interface's rules need of a call: parameters, the body, and what is known of it so far."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from exporter.simulator.messages import Request
from exporter.simulator.refusals import RefusedError

_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Progress:
    """What is known of a call so far, for the ledger."""

    appid: str = ""
    date: str = ""
    outcome: str = "ok"


def first(query: str, name: str) -> str:
    """The first value of a URL parameter; empty where there is none."""
    return parse_qs(query).get(name, [""])[0]


def json_object(request: Request, form_errcode: int) -> Mapping[str, object]:
    """The decoded body of a POST; `form_errcode` refuses one that is form-encoded."""
    if request.method != "POST":
        raise RefusedError(43002)
    if not request.body:
        raise RefusedError(44002)
    if request.content_type.startswith(_FORM):
        raise RefusedError(form_errcode)
    try:
        asked = json.loads(request.body)
    except ValueError:
        raise RefusedError(47001) from None
    if not isinstance(asked, dict):
        raise RefusedError(47001)
    return asked

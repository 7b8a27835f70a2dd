"""The verdict on an answer: by WeChat's errcode, then the HTTP status, then whether it is a JSON object."""

import json
import re
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final, NoReturn

from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.network.transport import Answer

_ERRCODE: Final = re.compile(r"-?[0-9]{1,9}")
_LARGEST_ERRCODE: Final = 10**9  # WeChat's codes are far below; a code becomes a label value
_PASSING: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_WITH_RETRY_AFTER: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def read_json(answer: Answer, *, asking_for_token: bool = False) -> dict[str, Any]:
    """Return the body's JSON object; raise CallError for WeChat's error, or another server's answer."""
    body = decode(answer.body)
    if isinstance(body, dict):
        code, message = _errcode(body)
        if code:
            raise CallError(errcode_failure(code, message, asking_for_token=asking_for_token))
    if not 200 <= answer.status < 300:  # noqa: PLR2004
        raise CallError(status_failure(answer))
    if not isinstance(body, dict):
        raise CallError(failure(Reason.MALFORMED, "the answer is not a JSON object"))
    return body


def decode(body: bytes) -> object:
    """Return the value of a JSON text, parsed as leniently as WeChat's need; None for other texts."""
    try:
        # WeChat's texts have had control characters and bad UTF-8, outside of figures.
        text = body.decode("utf-8-sig", "replace")
        return json.loads(text, strict=False, parse_constant=_refuse, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):  # which of the two values would be right?
        raise ValueError("a key stands twice")
    return found


def _errcode(body: dict[str, Any]) -> tuple[int, str]:
    """Return WeChat's code and text in either spelling; code 0 if there is none."""
    code = body.get("errcode", body.get("errCode", 0))
    message = body.get("errmsg", body.get("errMsg"))
    if isinstance(code, str) and _ERRCODE.fullmatch(code):
        code = int(code)
    if isinstance(code, bool) or not isinstance(code, int) or abs(code) > _LARGEST_ERRCODE:
        raise CallError(failure(Reason.MALFORMED, "errcode is not a number that could be one"))
    return code, message if isinstance(message, str) else "(no errmsg)"


def status_failure(answer: Answer) -> Failure:
    """Return the failure for an HTTP status that is no success."""
    status = answer.status
    text = f"HTTP status {status}"
    if 300 <= status < 400:  # noqa: PLR2004
        text += ", a redirect: not followed, as it would carry the token elsewhere"
    closer = advice.PROXY if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED else None
    action = Action.RETRY if status >= 500 or status in _PASSING else Action.NEXT_ROUND  # noqa: PLR2004
    found = failure(Reason.HTTP_STATUS, text, action, closer)
    return replace(found, retry_after=answer.retry_after) if status in _WITH_RETRY_AFTER else found

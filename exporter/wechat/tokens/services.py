"""Tokens and tickets that another program keeps, in a file or at an address of the operator's own.

Not WeChat answers there: what comes is judged by the HTTP status, then by its text or the field named, and
whatever goes wrong leads to the advice about that program.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeGuard
from urllib.parse import parse_qsl, urlsplit

from exporter.config.settings import HttpToken, TicketHttp
from exporter.wechat import endpoints
from exporter.wechat.client import Client
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.network.transport import Answer
from exporter.wechat.verdict import decode, status_failure

_LONGEST: Final = 4096  # characters; WeChat's page asks to reserve 512 for a token
_LARGEST_FILE: Final = 64 * 1024  # bytes
_JSON_WORD: Final = "null"  # `decode` gives None for it, as for what is no JSON


@dataclass(frozen=True, slots=True)
class Kind:
    """What is kept: its name in texts, its usual key, and the reason of its failures."""

    name: str
    field: str
    reason: Reason
    endpoint: Endpoint

    def failure(self, detail: str) -> Failure:
        """A failure whose advice is about the program that keeps it."""
        return failure(self.reason, detail)


TOKEN: Final = Kind("token", "access_token", Reason.TOKEN_REJECTED, endpoints.HTTP_TOKEN)
TICKET: Final = Kind(
    "verify ticket", "component_verify_ticket", Reason.THIRD_PARTY_TICKET, endpoints.HTTP_TICKET
)


def is_token(found: object) -> TypeGuard[str]:
    """Whether it can be a token or ticket: not empty, no blanks."""
    return isinstance(found, str) and 0 < len(found) <= _LONGEST and found.isprintable() and " " not in found


def read_file(kind: Kind, path: Path, field: str | None = None) -> str:
    """The whole text of a file, or where a field is named the value under it in the file's JSON.

    Raises:
        CallError: there is none; the detail names the file.
    """
    origin = f"{kind.name} file {path}"
    try:
        text = content(path).decode("utf-8-sig").strip()
    except OSError as error:
        problem = f"{origin}: {error.strerror}"
    except ValueError:
        problem = f"{origin} is not a short text"
    else:
        body = decode(text.encode())
        if field is None and isinstance(body, dict):
            problem = f"{origin} holds a JSON object: name the {kind.name}'s key in it with `field`"
        elif field is not None and body is None:
            problem = f"{origin} is not JSON"
        elif is_token(value := text if field is None else dig(body, field)):
            return value
        else:
            problem = f"{origin} holds no usable {kind.name}{_under(field)}"
    raise CallError(kind.failure(problem))


def ask_keeper(
    kind: Kind,
    settings: HttpToken | TicketHttp,
    client: Client,
    *,
    method: str = "GET",
    body: Mapping[str, str] | None = None,
) -> tuple[str, Mapping[str, Any]]:
    """What an address of the operator's own hands out, and what stands beside it in its JSON.

    The answer is a JSON object that has it under the field named, else under its usual key; or, where no
    field is named, it is the whole answer.

    Raises:
        CallError: there is none; with the advice about the keeper, never one about WeChat.
    """
    try:
        return client.exchange(
            kind.endpoint,
            method,
            settings.url,
            _judge(kind, settings.field),
            body=body,
            headers=dict(settings.headers),
            secrets=[*_secrets(settings), *(body or {}).values()],
        )
    except CallError as error:
        error.failure = replace(error.failure, advice=kind.failure("").advice)
        raise


def _judge(kind: Kind, field: str | None) -> Callable[[Answer], tuple[str, Mapping[str, Any]]]:
    def judge(answer: Answer) -> tuple[str, Mapping[str, Any]]:
        if not 200 <= answer.status < 300:  # noqa: PLR2004
            raise CallError(status_failure(answer))
        body = decode(answer.body)
        if isinstance(body, dict):
            holder, _, name = (field or kind.field).rpartition(".")
            found = dig(body, holder) if holder else body
            beside = found if isinstance(found, dict) else {}
            value: object = beside.get(name)
        else:
            beside, value = {}, _whole(answer.body, body) if field is None else None
        if is_token(value):
            return value, beside
        under = _under(field or (kind.field if isinstance(body, dict) else None))
        raise CallError(
            kind.failure(f"the {kind.name}'s address gave no usable {kind.name}{under}{_refusal(body)}")
        )

    return judge


def _whole(body: bytes, decoded: object) -> object:
    """The answer as a plain text, or as a JSON text."""
    if decoded is not None:
        return decoded
    text = body.decode("utf-8-sig", "replace").strip()
    return None if text == _JSON_WORD else text


def _refusal(body: object) -> str:
    """WeChat's refusal, where the keeper hands it on."""
    code, message = (body.get("errcode"), body.get("errmsg")) if isinstance(body, dict) else (None, None)
    if isinstance(code, int) and code and isinstance(message, str):
        return f"; it answers {errcode_failure(code, message).detail}"
    return ""


def _under(field: str | None) -> str:
    return "" if field is None else f" under {field}"


def content(path: Path) -> bytes:
    """A short file's content; ValueError for a longer one: a wrong path, such as a log or a device."""
    with path.open("rb") as file:
        found = file.read(_LARGEST_FILE + 1)
    if len(found) > _LARGEST_FILE:
        raise ValueError("too large")
    return found


def dig(body: object, path: str) -> object:
    """The value at `a.b.c`, None where there is none."""
    for key in path.split("."):
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _secrets(settings: HttpToken | TicketHttp) -> list[str]:
    """What may be secret in a keeper's address and headers: `Bearer KEY`, `?key=KEY`, `user:KEY@`."""
    found = [word for _, value in settings.headers for word in value.split()]
    with suppress(ValueError):  # no address: it will not be sent either
        parts = urlsplit(settings.url)
        found += [parts.path, parts.password or "", *(value for _, value in parse_qsl(parts.query))]
    return found

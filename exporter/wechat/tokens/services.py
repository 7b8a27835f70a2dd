"""Tokens and tickets that another program keeps, in a file or at an address of the operator's.

The answers are not WeChat's: the HTTP status decides, then the text or the named field, and all failures have
the advice about that program.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeGuard
from urllib.parse import parse_qsl, urlsplit

from exporter.config.platforms import TicketHttp
from exporter.config.token_types import HttpToken
from exporter.wechat import endpoints
from exporter.wechat.client import Client
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.network.transport import Answer
from exporter.wechat.verdict import decode, status_failure

_LONGEST: Final = 4096  # characters; WeChat's page asks to reserve 512 for a token
_LARGEST_FILE: Final = 64 * 1024  # bytes
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_JSON_WORD: Final = "null"  # `decode` returns None for it, as for invalid JSON


@dataclass(frozen=True, slots=True)
class Credential:
    """A kind of kept credential: its name in texts, its usual key, and the reason of its failures.

    `only_reason`: all failures at the address have that reason; otherwise a timeout stays a timeout.
    """

    name: str
    field: str
    reason: Reason
    endpoint: Endpoint
    only_reason: bool = False

    def failure(self, detail: str) -> Failure:
        """Make a failure with the advice about the program that keeps the credential."""
        return failure(self.reason, detail)

    def convert(self, problem: Failure) -> Failure:
        """Convert a failure at the program's address, with the advice about that program."""
        if self.only_reason:
            return self.failure(problem.detail)
        return replace(problem, advice=self.failure("").advice)


TOKEN: Final = Credential("token", "access_token", Reason.TOKEN_REJECTED, endpoints.HTTP_TOKEN)
TICKET: Final = Credential(
    "verify ticket",
    "component_verify_ticket",
    Reason.THIRD_PARTY_TICKET,
    endpoints.HTTP_TICKET,
    only_reason=True,
)


def is_token(found: object) -> TypeGuard[str]:
    """Return whether a value can be a token or ticket: a text, not empty, without blanks."""
    return isinstance(found, str) and 0 < len(found) <= _LONGEST and found.isprintable() and " " not in found


def read_file(credential: Credential, path: Path, field: str | None = None) -> str:
    """Return the text of a file or, given a field, the value under it in the file's JSON; raise CallError."""
    try:
        text = content(path).decode("utf-8-sig").strip()
    except OSError as error:
        problem = f": {error.strerror}"
    except ValueError:
        problem = " is not a short text"
    else:
        body = decode(text.encode())
        value = text if field is None else dig(body, field)
        if field is None and isinstance(body, dict):
            problem = f" holds a JSON object: name the {credential.name}'s key in it with `field`"
        elif is_token(value):
            return value
        elif field is not None and body is None:
            problem = " is not JSON"
        else:
            problem = f" holds no usable {credential.name}{_under(field)}"
    raise CallError(credential.failure(f"{credential.name} file {path}{problem}"))


def ask_service(
    credential: Credential,
    settings: HttpToken | TicketHttp,
    client: Client,
    method: str = "GET",
    body: Mapping[str, str] = _NOTHING,
) -> tuple[str, Mapping[str, Any]]:
    """Ask an address of the operator's; return its token or ticket, and the JSON object around it.

    The answer is a JSON object with the named field, or else the usual key; without a named field it may be
    the bare text.

    Raises:
        CallError: there is no token or ticket; the advice is about the service, never about WeChat.
    """
    headers = dict(settings.headers)
    secrets = [*_secrets(settings), *body.values()]
    with client.observed(credential.endpoint, secrets, credential.convert):
        answer = client.transport.send(method, settings.url, body=body or None, headers=headers)
        return _handed_out(credential, settings.field, answer)


def _handed_out(credential: Credential, field: str | None, answer: Answer) -> tuple[str, Mapping[str, Any]]:
    if not 200 <= answer.status < 300:  # noqa: PLR2004
        raise CallError(status_failure(answer))
    body, beside, value = decode(answer.body), _NOTHING, None
    if isinstance(body, dict):
        field = field or credential.field
        holder, _, name = field.rpartition(".")
        found = dig(body, holder) if holder else body
        beside = found if isinstance(found, dict) else _NOTHING
        value = beside.get(name)
    elif field is None:
        text = answer.body.decode("utf-8-sig", "replace").strip()
        value = body if body is not None or text == _JSON_WORD else text
    if is_token(value):
        return value, beside
    name = credential.name
    detail = f"the {name}'s address gave no usable {name}{_under(field)}{_refusal(body)}"
    raise CallError(credential.failure(detail))


def _refusal(body: object) -> str:
    """Quote WeChat's refusal if the service passes it on; else return ''."""
    code, message = (body.get("errcode"), body.get("errmsg")) if isinstance(body, dict) else (None, None)
    if isinstance(code, int) and code and isinstance(message, str):
        return f"; it answers {errcode_failure(code, message).detail}"
    return ""


def _under(field: str | None) -> str:
    return "" if field is None else f" under {field}"


def content(path: Path) -> bytes:
    """Read a short file; raise ValueError for a long one, as a wrong path may be a log or a device."""
    with path.open("rb") as file:
        found = file.read(_LARGEST_FILE + 1)
    if len(found) > _LARGEST_FILE:
        raise ValueError("too large")
    return found


def dig(body: object, path: str) -> object:
    """Return the value at a path `a.b.c`, or None."""
    for key in path.split("."):
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _secrets(settings: HttpToken | TicketHttp) -> list[str]:
    """Return possible secrets in a service's address and headers: `Bearer KEY`, `?key=KEY`, `user:KEY@`."""
    found = [word for _, value in settings.headers for word in value.split()]
    with suppress(ValueError):  # not a URL: it will not be sent either
        parts = urlsplit(settings.url)
        found += [parts.path, parts.password or "", *(value for _, value in parse_qsl(parts.query))]
    return found

"""Where a platform's component_verify_ticket comes from: a file, an address, or WeChat's own pushes.

WeChat pushes a new one every ten minutes; each is good for twelve hours.
Source: https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/component_verify_ticket.html
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, assert_never

from exporter.config.settings import HttpToken, Platform, Secret, TicketCallback, TicketFile, TicketHttp
from exporter.wechat.errcodes import failure
from exporter.wechat.errors import CallError, Failure, Reason
from exporter.wechat.line import Endpoint, Line
from exporter.wechat.token_sources import dig, is_token, keeper_secrets
from exporter.wechat.vault import Vault, VaultError

_KEY: Final = "ticket/"
_ASK_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """A verify ticket and when it came (Unix time; None: not known)."""

    value: str = field(repr=False)
    received_at: float | None


class TicketSource(Protocol):
    """Where a platform's newest ticket is."""

    def ticket(self) -> Ticket:
        """The newest ticket; raises CallError where there is none."""


class FileTicket:
    """A file that another program keeps up to date; its change time is when the ticket came."""

    def __init__(self, settings: TicketFile) -> None:
        self._path = settings.path

    def ticket(self) -> Ticket:
        """Read the file again."""
        try:
            value = Secret(path=self._path).read()
            received_at = self._path.stat().st_mtime
        except OSError as error:
            problem = f"verify ticket file {self._path}: {error.strerror}"
        except ValueError as error:
            problem = f"verify ticket file {self._path}: {error}"
        else:
            if is_token(value):
                return Ticket(value, received_at)
            problem = f"verify ticket file {self._path} holds no usable ticket"
        raise CallError(failure(Reason.THIRD_PARTY_TICKET, problem))


class HttpTicket:
    """An address of the operator's own; a ticket came when it was first seen there."""

    def __init__(self, settings: TicketHttp, line: Line) -> None:
        self._settings = settings
        self._line = line
        self._newest: Ticket | None = None
        self._failure: Failure | None = None
        self._good_till = 0.0

    def ticket(self) -> Ticket:
        """GET the address again, unless it was asked in the last half minute: many accounts may want it."""
        if self._line.clock() >= self._good_till:
            try:
                self._newest, self._failure = self._ask(), None
            except CallError as error:
                self._failure = error.failure
            self._good_till = self._line.clock() + _ASK_SECONDS
        if self._failure is not None or self._newest is None:
            raise CallError(self._failure or failure(Reason.THIRD_PARTY_TICKET, "not asked yet"))
        return self._newest

    def _ask(self) -> Ticket:
        keeper = HttpToken(self._settings.url, self._settings.field, self._settings.headers)
        now = self._line.clock()
        value = self._line.ask(
            Endpoint.HTTP_TICKET,
            "GET",
            keeper.url,
            self._read,
            headers=dict(keeper.headers),
            secrets=keeper_secrets(keeper),
        )
        newest = self._newest
        return newest if newest is not None and newest.value == value else Ticket(value, now)

    def _read(self, body: dict[str, Any]) -> str:
        value = dig(body, self._settings.field)
        if not is_token(value):
            raise CallError(failure(Reason.THIRD_PARTY_TICKET, "the ticket's address gave no usable ticket"))
        return value


class PushedTicket:
    """The newest ticket that WeChat pushed to the exporter; kept in the vault, so over restarts."""

    def __init__(self, component_appid: str, vault: Vault) -> None:
        self._key = _KEY + component_appid
        self._vault = vault

    def ticket(self) -> Ticket:
        """The newest one."""
        try:
            held = self._held()
        except VaultError as error:
            problem = str(error)
        else:
            if held is not None:
                return held
            problem = "WeChat has not pushed a component_verify_ticket yet"
        raise CallError(failure(Reason.THIRD_PARTY_TICKET, problem))

    def keep(self, ticket: Ticket) -> None:
        """Store a ticket that was pushed, unless a newer one is there; raises VaultError."""
        held = self._held()
        if held is None or (held.received_at or 0) <= (ticket.received_at or 0):
            self._vault.save_credential(self._key, json.dumps([ticket.value, ticket.received_at]))

    def _held(self) -> Ticket | None:
        with suppress(ValueError, TypeError):
            value, received_at = json.loads(self._vault.credential(self._key) or "")
            return Ticket(str(value), float(received_at))
        return None


def choose_ticket(settings: Platform, line: Line, vault: Vault) -> TicketSource:
    """The source that a platform's settings ask for."""
    match settings.ticket:
        case TicketFile():
            return FileTicket(settings.ticket)
        case TicketHttp():
            return HttpTicket(settings.ticket, line)
        case TicketCallback():
            return PushedTicket(settings.component_appid, vault)
        case _:  # pragma: no cover - mypy proves that there is no other
            assert_never(settings.ticket)

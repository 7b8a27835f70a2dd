"""Where a platform's component_verify_ticket comes from: a file, an address, or WeChat's own pushes.

WeChat pushes a new one every ten minutes; each is good for twelve hours.
Source: https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/component_verify_ticket.html
"""

import json
import math
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol, assert_never

from exporter.config.settings import Platform, TicketCallback, TicketFile, TicketHttp
from exporter.wechat.client import Client
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.tokens.services import TICKET, ask_keeper, read_file
from exporter.wechat.vault import Vault, VaultError, put_newest

_KEY: Final = "ticket/"
_ASK_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 15.0  # after a failure


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
        value = read_file(TICKET, self._path)
        received_at = None
        with suppress(OSError):
            received_at = self._path.stat().st_mtime
        return Ticket(value, received_at)


class HttpTicket:
    """An address of the operator's own; a ticket came when it was first seen there."""

    def __init__(self, settings: TicketHttp, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._newest: Ticket | None = None
        self._failure: Failure | None = None
        self._asked_at = -math.inf

    def ticket(self) -> Ticket:
        """GET the address again, unless it was asked a moment ago: many accounts may want it."""
        now = self._client.clock()
        pause = _ASK_SECONDS if self._failure is None else _RETRY_SECONDS
        if not self._asked_at <= now < self._asked_at + pause:
            self._asked_at = now
            try:
                self._newest, self._failure = self._ask(now), None
            except CallError as error:  # whatever it is, there is no ticket
                self._failure = TICKET.failure(error.failure.detail)
        if self._failure is not None or self._newest is None:
            raise CallError(self._failure or TICKET.failure("not asked yet"))
        return self._newest

    def _ask(self, now: float) -> Ticket:
        value, _ = ask_keeper(TICKET, self._settings, self._client)
        newest = self._newest
        return newest if newest is not None and newest.value == value else Ticket(value, now)


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
        came_at = ticket.received_at or 0.0
        put_newest(
            self._vault,
            self._key,
            json.dumps([ticket.value, came_at]),
            lambda kept: (held := _read(kept)) is None or (held.received_at or 0.0) <= came_at,
        )

    def _held(self) -> Ticket | None:
        return _read(self._vault.credential(self._key))


def _read(kept: str | None) -> Ticket | None:
    with suppress(ValueError, TypeError):
        value, received_at = json.loads(kept or "")
        return Ticket(str(value), float(received_at))
    return None


def choose_ticket(settings: Platform, client: Client, vault: Vault) -> TicketSource:
    """The source that a platform's settings ask for."""
    match settings.ticket:
        case TicketFile():
            return FileTicket(settings.ticket)
        case TicketHttp():
            return HttpTicket(settings.ticket, client)
        case TicketCallback():
            return PushedTicket(settings.component_appid, vault)
        case _:  # pragma: no cover - mypy proves that there is no other
            assert_never(settings.ticket)

"""The sources of a platform's component_verify_ticket: a file, an address, or WeChat's pushes.

WeChat pushes a new one every ten minutes; each is good for twelve hours.
Source: https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/component_verify_ticket.html
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol, assert_never

from exporter.config.platforms import Platform, TicketCallback, TicketFile, TicketHttp
from exporter.not_before import AT_ONCE, NotBefore
from exporter.wechat.client import Client
from exporter.wechat.credential_vault import Record, Vault, VaultError
from exporter.wechat.failures.failure import CallError, Failure
from exporter.wechat.tokens.services import TICKET, ask_service, read_file

_ASK_SECONDS: Final = 60.0  # seconds between two calls to an address for all accounts
_RETRY_SECONDS: Final = 15.0  # seconds after a failure


@dataclass(frozen=True, slots=True)
class Ticket:
    """A verify ticket and the Unix time at which it came (None if unknown)."""

    value: str = field(repr=False)
    received_at: float | None


class TicketSource(Protocol):
    """The source of a platform's newest ticket."""

    def ticket(self) -> Ticket:
        """Return the newest ticket; raise CallError without one."""


class FileTicketSource:
    """A file that another program keeps up to date; its modification time is the ticket's."""

    def __init__(self, settings: TicketFile) -> None:
        self._path = settings.path

    def ticket(self) -> Ticket:
        """Read the file again."""
        value = read_file(TICKET, self._path)
        received_at = None
        with suppress(OSError):
            received_at = self._path.stat().st_mtime
        return Ticket(value, received_at)


class HttpTicketSource:
    """An address of the operator's; a ticket's time is that of its first appearance there."""

    def __init__(self, settings: TicketHttp, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._found: Ticket | Failure | None = None
        self._newest: Ticket | None = None
        self._ask_after = AT_ONCE

    def ticket(self) -> Ticket:
        """Ask the address again, unless the last call was a moment ago."""
        now, found = self._client.clock(), self._found
        if found is None or self._ask_after.reached(now):
            found = self._found = self._ask(now)
            pause = _RETRY_SECONDS if isinstance(found, Failure) else _ASK_SECONDS
            self._ask_after = NotBefore.after(pause, now)
        if isinstance(found, Failure):
            raise CallError(found)
        return found

    def _ask(self, now: float) -> Ticket | Failure:
        try:
            value, _ = ask_service(TICKET, self._settings, self._client)
        except CallError as error:
            return error.failure
        if self._newest is None or self._newest.value != value:
            self._newest = Ticket(value, now)
        return self._newest


class PushedTicketSource:
    """The newest ticket that WeChat pushed to the exporter, kept in the vault across restarts."""

    def __init__(self, component_appid: str, vault: Vault) -> None:
        self._record = Record(
            vault,
            f"ticket/{component_appid}",
            lambda found: Ticket(str(found[0]), float(found[1])),
            lambda ticket: [ticket.value, ticket.received_at or 0.0],
        )

    def ticket(self) -> Ticket:
        """Return the newest ticket."""
        try:
            held = self._record.load()
        except VaultError as error:
            raise CallError(TICKET.failure(str(error))) from None
        if held is None:
            raise CallError(TICKET.failure("WeChat has not pushed a component_verify_ticket yet"))
        return held

    def keep(self, ticket: Ticket) -> None:
        """Store a pushed ticket, unless a newer one is stored; raise VaultError."""
        came_at = ticket.received_at or 0.0
        self._record.save(
            lambda kept: ticket if kept is None or (kept.received_at or 0.0) <= came_at else None
        )


def choose_ticket_source(settings: Platform, client: Client, vault: Vault) -> TicketSource:
    """Return the source for a platform's settings."""
    match settings.ticket:
        case TicketFile():
            return FileTicketSource(settings.ticket)
        case TicketHttp():
            return HttpTicketSource(settings.ticket, client)
        case TicketCallback():
            return PushedTicketSource(settings.component_appid, vault)
        case _:  # pragma: no cover - mypy proves that there is no other
            assert_never(settings.ticket)

"""A platform's own token, the component_access_token, and its list of authorised accounts.

Source: https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/ThirdParty/token/component_access_token.html
"""

import hashlib
import json
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from exporter.config.settings import Platform
from exporter.wechat.errcodes import failure
from exporter.wechat.errors import CallError, Failure, Reason
from exporter.wechat.keepers import is_token
from exporter.wechat.line import Endpoint, Line
from exporter.wechat.tickets import TicketSource
from exporter.wechat.token_sources import read_secret, token_reader
from exporter.wechat.tokens import Shelves, Token, TokenKeeper, own_shelves
from exporter.wechat.vault import Vault, VaultError

COMPONENT_PATH: Final = "/cgi-bin/component/"
PAGE_SIZE: Final = 500  # the most that api_get_authorizer_list gives at once
_MOST_ACCOUNTS: Final = 1_000_000  # a total_count beyond that is none
_PAUSE_AFTER_FAILURE: Final = 60.0  # seconds; ten thousand accounts must not repeat one failure
_BUDGET: Final = (5, 600.0)  # component tokens in so many seconds; WeChat allows 2,000 fetches a day
_LOOK_PAUSE: Final = 10.0  # seconds between two looks for a list that another exporter has read
_LIST_PAUSE: Final = 60.0  # seconds in which a list that did not help is not read again

_Result = TypeVar("_Result")


class ComponentTokenSource:
    """api_component_token: from appid, secret and verify ticket."""

    kind = "component_token"

    def __init__(self, settings: Platform, tickets: TicketSource, line: Line) -> None:
        self._settings = settings
        self._tickets = tickets
        self._line = line
        self._failed: tuple[Failure, bytes, float] | None = None  # with what, until when it is repeated
        self._fetched: deque[float] = deque(maxlen=_BUDGET[0])

    def fetch(self) -> Token:
        """Get a new component token; a failure is repeated for a minute unless secret or ticket change."""
        secret = read_secret(self._settings.component_appsecret)
        ticket = self._tickets.ticket().value
        now = self._line.clock()
        used = hashlib.sha256(f"{secret}\n{ticket}".encode()).digest()
        if self._failed is not None and self._failed[1] == used and now < self._failed[2]:
            raise CallError(self._failed[0])
        if len(self._fetched) == _BUDGET[0] and now - self._fetched[0] < _BUDGET[1]:
            problem = "component tokens are refused again and again: another one is asked for in some minutes"
            raise CallError(failure(Reason.TOKEN_REJECTED, problem))
        self._fetched.append(now)
        body = {
            "component_appid": self._settings.component_appid,
            "component_appsecret": secret,
            "component_verify_ticket": ticket,
        }
        try:
            token = self._line.ask(
                Endpoint.COMPONENT_TOKEN,
                "POST",
                f"{COMPONENT_PATH}api_component_token",
                token_reader(now, "component_access_token"),
                body=body,
                secrets=[secret, ticket],
            )
        except CallError as error:
            self._fetched.pop()
            self._failed = error.failure, used, now + _PAUSE_AFTER_FAILURE
            raise
        self._failed = None
        return token

    def fingerprint(self) -> bytes:
        """A hash of appid and secret."""
        with suppress(OSError, ValueError):
            written = f"{self._settings.component_appid}\n{self._settings.component_appsecret.read()}"
            return hashlib.sha256(written.encode()).digest()
        return b""


class GivenUpError(Exception):
    """A list was not read to its end, as the caller does not want it any more."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The accounts that have authorised a platform, with their refresh tokens ('' where WeChat has none).

    `asked_at`: Unix time before the first page was asked for.
    """

    refresh_tokens: Mapping[str, str] = field(repr=False)
    asked_at: float


class Component:
    """One platform: all its calls with the component token, which is kept once for all of its accounts."""

    def __init__(
        self,
        settings: Platform,
        tickets: TicketSource,
        line: Line,
        vault: Vault,
        shelves: Shelves = own_shelves,
    ) -> None:
        self.settings = settings
        self.tickets = tickets
        self.line = line
        source = ComponentTokenSource(settings, tickets, line)
        self.keeper = TokenKeeper(source, line.clock, shelves(source.kind, settings.component_appid))
        self._lock = threading.Lock()
        self._vault = vault
        self._listing: Listing | None = None
        self._looked_at = -math.inf
        self._unhelpful_until = 0.0

    def ask(
        self,
        endpoint: Endpoint,
        body: Mapping[str, object],
        read: Callable[[dict[str, Any]], _Result],
        secrets: tuple[str, ...] = (),
    ) -> _Result:
        """Make one call with the component token; a refused one is renewed once, for all accounts."""

        def call(token: Token) -> _Result:
            return self.line.ask(
                endpoint,
                "POST",
                f"{COMPONENT_PATH}{endpoint.value}",
                read,
                # old pages name it component_access_token, new ones access_token
                params={"access_token": token.value, "component_access_token": token.value},
                body={"component_appid": self.settings.component_appid, **body},
                secrets=[token.value, *secrets],
            )

        return self.keeper.use(call)

    def list_accounts(self, go_on: Callable[[], bool] = lambda: True) -> Listing:
        """Read the whole list of accounts, in pages of 500.

        `go_on`: asked after every page; 100,000 accounts have 200 of them.

        Raises:
            CallError: the list cannot be read.
            GivenUpError: `go_on` has said no; nothing is kept of the list.
        """
        with self._lock:
            return self._read_list(go_on)

    def held_listing(self) -> Listing | None:
        """The list as it was last read, by this exporter or another one with the same vault."""
        self._look_into_vault()
        return self._listing

    def newer_refresh_token(self, appid: str, refused: str, learned_at: float) -> str | None:
        """Another refresh token than the one that was refused, from WeChat's list; None where there is none.

        The list is read again, unless the one held is newer than `learned_at`, when the refused token came,
        and has another; or was read within the last minute without helping.

        Raises:
            CallError: the list cannot be read.
        """
        with self._lock:
            self._look_into_vault()
            listing = self._listing
            if listing is not None and listing.asked_at > learned_at:
                found = listing.refresh_tokens.get(appid)
                if found and found != refused:
                    return found
                if self.line.clock() < self._unhelpful_until:
                    return None
            found = self._read_list().refresh_tokens.get(appid)
            if found and found != refused:
                return found
            self._unhelpful_until = self.line.clock() + _LIST_PAUSE
            return None

    def _read_list(self, go_on: Callable[[], bool] = lambda: True) -> Listing:
        """The whole list; read once more where it changed meanwhile, as an account may have been skipped."""
        asked_at = self.line.clock()
        found, whole = self._read_pages(go_on)
        if not whole:
            found, _ = self._read_pages(go_on)
        self._listing = Listing(found, asked_at)
        with suppress(VaultError):  # it can be read again
            self._vault.save_credential(self._listing_key, json.dumps([asked_at, found]))
        return self._listing

    def _look_into_vault(self) -> None:
        """Take over a newer list that another exporter has read, or this one before a restart."""
        now = self.line.clock()
        if now - self._looked_at < _LOOK_PAUSE:
            return
        self._looked_at = now
        with suppress(VaultError, ValueError, TypeError):
            asked_at, found = json.loads(self._vault.credential(self._listing_key) or "")
            if self._listing is None or asked_at > self._listing.asked_at:
                self._listing = Listing(dict(found), float(asked_at))

    @property
    def _listing_key(self) -> str:
        return f"listing/{self.settings.component_appid}"

    def _read_pages(self, go_on: Callable[[], bool]) -> tuple[dict[str, str], bool]:
        """All pages, and whether they have as many accounts as each of them announced."""
        found: dict[str, str] = {}
        totals: set[int] = set()
        offset, total = 0, 1
        while offset < total:
            page, total = self.ask(Endpoint.AUTHORIZER_LIST, {"offset": offset, "count": PAGE_SIZE}, _page)
            if not go_on():
                raise GivenUpError
            totals.add(total)
            if not page:
                break
            found.update(page)
            offset += PAGE_SIZE
        return found, totals == {len(found)}


def _page(body: dict[str, Any]) -> tuple[dict[str, str], int]:
    """The accounts of one page, and how many there are in all."""
    total, items = body.get("total_count"), body.get("list")
    if isinstance(total, bool) or not isinstance(total, int) or not 0 <= total <= _MOST_ACCOUNTS:
        raise CallError(failure(Reason.MALFORMED, "the list of accounts has no usable total_count"))
    if not isinstance(items, list):
        raise CallError(failure(Reason.MALFORMED, "the list of accounts is no list"))
    return dict(_accounts(items)), total


def _accounts(items: list[Any]) -> Iterator[tuple[str, str]]:
    for item in items:
        if not isinstance(item, dict) or not is_token(item.get("authorizer_appid")):
            raise CallError(failure(Reason.MALFORMED, "the list of accounts has one without an appid"))
        refresh_token = item.get("refresh_token")  # missing where the code was never exchanged
        yield item["authorizer_appid"], refresh_token if is_token(refresh_token) else ""

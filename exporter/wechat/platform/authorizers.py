"""The list of the accounts that have authorised a platform (api_get_authorizer_list), with refresh tokens.

One thread reads the list for all; a round's threads wait for it only some seconds, as 17,000 accounts have 34
pages. The vault keeps the list for other exporters and for a restart.
"""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from exporter.not_before import AT_ONCE, NotBefore
from exporter.wechat import endpoints
from exporter.wechat.client import AuthorizedClient
from exporter.wechat.credential_vault import Record, Vault, VaultError, credible
from exporter.wechat.failures.advice import WAIT
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.tokens.services import is_token

PAGE_SIZE: Final = 500  # the largest page of api_get_authorizer_list
_MOST_ACCOUNTS: Final = 1_000_000  # a larger total_count is wrong
_WAIT_SECONDS: Final = 5.0  # seconds that an account's call waits for the list
_LOOK_SECONDS: Final = 10.0  # seconds between two looks for another exporter's list
_PAUSE_SECONDS: Final = 60.0  # seconds before a useless or failed list is read again
_UNREAD: Final = Failure(
    Reason.BUSY, Action.RETRY, WAIT, "the platform's list of accounts is still being read"
)

AccountsPage = tuple[Mapping[str, str], int]
"""Appids with their refresh tokens, and the number of accounts on all pages."""


@dataclass(frozen=True, slots=True)
class AuthorizedAccounts:
    """The accounts that have authorised a platform, with their refresh tokens ('' if WeChat has none).

    `asked_at`: Unix time before the call for the first page. `whole`: whether there are as many accounts as
    every page announced.
    """

    asked_at: float
    refresh_tokens: Mapping[str, str] = field(repr=False)
    whole: bool = True

    def other(self, appid: str, refused: str) -> str | None:
        """Return an account's refresh token, unless it is the refused one."""
        found = self.refresh_tokens.get(appid)
        return found if found and found != refused else None


class AuthorizerList:
    """The list of a platform's accounts, for use from many threads."""

    def __init__(self, component: AuthorizedClient, component_appid: str, vault: Vault) -> None:
        """Keep the list in a vault; `component` calls with the platform's token."""
        self._component = component
        self._component_appid = component_appid
        self._record = Record(
            vault,
            f"listing/{component_appid}",
            lambda found: AuthorizedAccounts(float(found[0]), dict(found[1])),
            lambda listing: [listing.asked_at, listing.refresh_tokens],
        )
        self._clock = component.client.clock
        self._lock = threading.Lock()
        self._reading: Future[AuthorizedAccounts] | None = None
        self._held: AuthorizedAccounts | None = None
        self._look_after = self._read_after = AT_ONCE
        self._failure: Failure | None = None  # of the last reading

    def read(self) -> AuthorizedAccounts:
        """Read the whole list, however long it is; raise CallError."""
        return _result(self._begin())

    def held(self) -> AuthorizedAccounts | None:
        """Return the list last read by any exporter with this vault; None if there is none."""
        now = self._clock()
        if self._look_after.reached(now):
            self._look_after = NotBefore.after(_LOOK_SECONDS, now)
            with suppress(VaultError):
                held_at = 0.0 if self._held is None else credible(self._held.asked_at, now)
                found = self._record.load()
                if found is not None and credible(found.asked_at, now) > held_at:
                    self._held = found
        return self._held

    def newer_refresh_token(self, appid: str, refused: str, learned_at: float) -> str | None:
        """Return a refresh token other than the refused one; None if the list has none.

        Read the list again, unless the held one is newer than the refused token and has another, or was read
        within the last minute without helping. `refused`: the token that WeChat refused, '' for none;
        `learned_at`: Unix time of the call that brought it. Raise CallError.
        """
        held = self.held()
        newer = held if held is not None and held.asked_at > learned_at + _PAUSE_SECONDS else None
        if newer is not None and (found := newer.other(appid, refused)):
            return found
        if not self._read_after.reached(self._clock()):
            if self._failure is not None:
                raise CallError(self._failure)  # not once per account
            if newer is not None:
                return None
        found = _result(self._begin(), _WAIT_SECONDS).other(appid, refused)
        if found is None:
            self._pause()
        return found

    def _begin(self) -> Future[AuthorizedAccounts]:
        """Start reading the list in a thread, unless one is reading it."""
        with self._lock:
            if self._reading is None or self._reading.done():
                reading: Future[AuthorizedAccounts] = Future()
                threading.Thread(target=self._read_into, args=(reading,), name="list", daemon=True).start()
                self._reading = reading  # set last: without a thread the next call tries again
            return self._reading

    def _read_into(self, reading: Future[AuthorizedAccounts]) -> None:
        try:
            self._component.token()  # a new ticket or secret ends this failure
            reading.set_result(self._read())
        except BaseException as error:  # noqa: BLE001 - raised again where the list is waited for
            reading.set_exception(error)

    def _read(self) -> AuthorizedAccounts:
        """Read the whole list, twice if it changed meanwhile, as an account may have been skipped."""
        now = self._clock()
        try:
            found, whole = self._read_pages()
            if not whole:
                found, whole = self._read_pages()
        except CallError as error:
            self._failure = error.failure
            self._pause()
            raise
        self._failure = None
        if not whole and self._held is not None:  # the accounts that it lacks may still exist
            found = {**self._held.refresh_tokens, **found}
        listing = self._held = AuthorizedAccounts(now, found, whole)
        with suppress(VaultError):  # the list can be read again
            self._record.save(
                lambda kept: listing if kept is None or credible(kept.asked_at, now) < now else None
            )
        return listing

    def _read_pages(self) -> tuple[dict[str, str], bool]:
        """Read all pages; return the accounts, and whether they are as many as each page announced."""
        found: dict[str, str] = {}
        totals: set[int] = set()
        offset, total = 0, 1
        while offset < total:
            body = {"component_appid": self._component_appid, "offset": offset, "count": PAGE_SIZE}
            page, total = self._component.ask(endpoints.AUTHORIZER_LIST, read_page, body=body)
            totals.add(total)
            if not page:
                break
            found.update(page)
            offset += PAGE_SIZE
        return found, totals == {len(found)}

    def _pause(self) -> None:
        self._read_after = NotBefore.after(_PAUSE_SECONDS, self._clock())


def _result(reading: Future[AuthorizedAccounts], seconds: float | None = None) -> AuthorizedAccounts:
    try:
        return reading.result(seconds)
    except TimeoutError:
        raise CallError(_UNREAD) from None
    except CallError as error:
        raise CallError(error.failure) from None  # a new exception for each waiting thread


def read_page(body: dict[str, Any]) -> AccountsPage:
    """Return the accounts of a page of api_get_authorizer_list and their total number; raise CallError."""
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
        refresh_token = item.get("refresh_token")  # absent if the authorisation code was never exchanged
        yield item["authorizer_appid"], refresh_token if is_token(refresh_token) else ""

"""The list of the accounts that have authorised a platform (api_get_authorizer_list), with refresh tokens.

One thread reads it, however many ask for it; a round's threads wait for seconds only, as 17,000 accounts have
34 pages. It is kept in the vault for other exporters and for a restart.
"""

import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from exporter.wechat.failures.advice import WAIT
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.tokens.services import is_token
from exporter.wechat.vault import Vault, VaultError, credible, put_newest

PAGE_SIZE: Final = 500  # the most that api_get_authorizer_list gives at once
_MOST_ACCOUNTS: Final = 1_000_000  # a total_count beyond that is none
_WAIT_SECONDS: Final = 5.0  # how long an account's call waits for a list that is being read
_LOOK_PAUSE: Final = 10.0  # seconds between two looks for a list that another exporter has read
_LIST_PAUSE: Final = 60.0  # seconds in which a list that did not help, or failed, is not read again
_UNREAD: Final = Failure(
    Reason.BUSY, Action.RETRY, WAIT, "the platform's list of accounts is still being read"
)

Page = tuple[Mapping[str, str], int]
"""Appids with their refresh tokens, and how many accounts there are on all pages."""


class AskPage(Protocol):
    """Asks for the accounts from a number on; raises CallError."""

    def __call__(self, offset: int) -> Page:
        """One page."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The accounts that have authorised a platform, with their refresh tokens ('' where WeChat has none).

    `asked_at`: Unix time before the first page was asked for. `whole`: as many as every page announced.
    """

    refresh_tokens: Mapping[str, str] = field(repr=False)
    asked_at: float
    whole: bool = True


class AuthorizerList:
    """Safe to use from many threads."""

    def __init__(
        self,
        get_token: Callable[[], object],
        ask_page: AskPage,
        vault: Vault,
        key: str,
        clock: Callable[[], float],
    ) -> None:
        """`get_token` fetches the platform's own token, if that is needed; raises CallError."""
        self._get_token = get_token
        self._ask_page = ask_page
        self._vault = vault
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._reading: Future[Listing | Failure] | None = None
        self._held: Listing | None = None
        self._looked_at = -math.inf
        self._paused_at = -math.inf  # when a list failed, or did not help
        self._failure: Failure | None = None  # of the last list

    def read(self, page_came: Callable[[], object] = lambda: None) -> Listing:
        """Read the whole list and wait for it, however long it is.

        `page_came` is called after every page.

        Raises:
            CallError: the list cannot be read.
        """
        return _listing(self._begin(page_came).result())

    def held(self) -> Listing | None:
        """The list as it was last read, by this exporter or another one with the same vault."""
        self._look_into_vault()
        return self._held

    def newer_refresh_token(self, appid: str, refused: str, learned_at: float) -> str | None:
        """Another refresh token than the one that was refused; None where the list has none.

        The list is read again, unless the one held is newer than the refused token, and has another; or it
        was read within the last minute without helping.

        Args:
            appid: the account.
            refused: its refresh token that WeChat refuses; '' where there is none.
            learned_at: when the call that brought it was made (Unix time).

        Raises:
            CallError: the list cannot be read, or not so soon.
        """
        self._look_into_vault()
        held = self._held
        if held is not None and held.asked_at > learned_at + _LIST_PAUSE:
            found = held.refresh_tokens.get(appid)
            if found and found != refused:
                return found
            if self._pausing():
                return None
        if self._failure is not None and self._pausing():
            raise CallError(self._failure)  # ten thousand accounts must not repeat it
        try:
            found = _listing(self._begin().result(_WAIT_SECONDS)).refresh_tokens.get(appid)
        except TimeoutError:
            raise CallError(_UNREAD) from None
        if found and found != refused:
            return found
        self._paused_at = self._clock()
        return None

    def _begin(self, page_came: Callable[[], object] = lambda: None) -> "Future[Listing | Failure]":
        """Have it read, unless it is being read."""
        with self._lock:
            if self._reading is not None and not self._reading.done():
                return self._reading
            reading: Future[Listing | Failure] = Future()
            given = reading, page_came
            threading.Thread(target=self._read_into, args=given, name="list", daemon=True).start()
            self._reading = reading  # not before: where no thread is to be had, the next call tries again
        return reading

    def _read_into(self, reading: "Future[Listing | Failure]", page_came: Callable[[], object]) -> None:
        outcome: Listing | Failure = failure(Reason.INTERNAL, "the list of accounts could not be read")
        try:
            self._get_token()  # a failure of this one ends when a ticket or a secret comes
            outcome = self._read_once(page_came)
        except CallError as error:
            outcome = error.failure
        finally:
            reading.set_result(outcome)

    def _read_once(self, page_came: Callable[[], object]) -> Listing:
        try:
            listing = self._read(page_came)
        except CallError as error:
            self._failure, self._paused_at = error.failure, self._clock()
            raise
        self._failure = None
        return listing

    def _pausing(self) -> bool:
        return self._paused_at <= self._clock() < self._paused_at + _LIST_PAUSE

    def _read(self, page_came: Callable[[], object]) -> Listing:
        """The whole list; read once more where it changed meanwhile, as an account may have been skipped."""
        now = self._clock()
        found, whole = self._read_pages(page_came)
        if not whole:
            found, whole = self._read_pages(page_came)
        if not whole and self._held is not None:  # what it lacks may be there all the same
            found = {**self._held.refresh_tokens, **found}
        listing = self._held = Listing(found, now, whole)
        with suppress(VaultError):  # it can be read again
            put_newest(
                self._vault,
                self._key,
                json.dumps([now, found]),
                lambda kept: credible(_asked_at(kept), now) < now,
            )
        return listing

    def _read_pages(self, page_came: Callable[[], object]) -> tuple[dict[str, str], bool]:
        """All pages, and whether they have as many accounts as each of them announced."""
        found: dict[str, str] = {}
        totals: set[int] = set()
        offset, total = 0, 1
        while offset < total:
            page, total = self._ask_page(offset)
            page_came()
            totals.add(total)
            if not page:
                break
            found.update(page)
            offset += PAGE_SIZE
        return found, totals == {len(found)}

    def _look_into_vault(self) -> None:
        """Take over a newer list that another exporter has read, or this one before a restart."""
        now = self._clock()
        if self._looked_at <= now < self._looked_at + _LOOK_PAUSE:
            return
        self._looked_at = now
        with suppress(VaultError, ValueError, TypeError):
            asked_at, found = json.loads(self._vault.credential(self._key) or "")
            held_at = 0.0 if self._held is None else credible(self._held.asked_at, now)
            if credible(float(asked_at), now) > held_at:
                self._held = Listing(dict(found), float(asked_at))


def read_page(body: dict[str, Any]) -> Page:
    """The accounts in an answer of api_get_authorizer_list, and how many there are in all."""
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


def _listing(outcome: Listing | Failure) -> Listing:
    if isinstance(outcome, Failure):
        raise CallError(outcome)
    return outcome


def _asked_at(kept: str | None) -> float:
    """When a list in the vault was asked for; 0 for none."""
    with suppress(ValueError, TypeError, LookupError):
        return float(json.loads(kept or "")[0])
    return 0.0

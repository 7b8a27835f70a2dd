"""The list of the accounts that have authorised a platform (api_get_authorizer_list), with refresh tokens.

One thread reads it, however many ask for it; a round's threads wait for seconds only, as 17,000 accounts have
34 pages. It is kept in the vault for other exporters and for a restart.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from exporter.not_before import AT_ONCE, NotBefore
from exporter.wechat.credential_vault import Record, Vault, VaultError, credible
from exporter.wechat.failures.advice import WAIT
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.tokens.services import is_token

PAGE_SIZE: Final = 500  # the most that api_get_authorizer_list gives at once
_MOST_ACCOUNTS: Final = 1_000_000  # a total_count beyond that is none
_WAIT_SECONDS: Final = 5.0  # how long an account's call waits for a list that is being read
_LOOK_SECONDS: Final = 10.0  # between two looks for a list that another exporter has read
_PAUSE_SECONDS: Final = 60.0  # in which a list that did not help, or failed, is not read again
_UNREAD: Final = Failure(
    Reason.BUSY, Action.RETRY, WAIT, "the platform's list of accounts is still being read"
)

Page = tuple[Mapping[str, str], int]
"""Appids with their refresh tokens, and how many accounts there are on all pages."""


@dataclass(frozen=True, slots=True)
class AuthorizedAccounts:
    """The accounts that have authorised a platform, with their refresh tokens ('' where WeChat has none).

    `asked_at`: Unix time before the first page was asked for. `whole`: as many as every page announced.
    """

    asked_at: float
    refresh_tokens: Mapping[str, str] = field(repr=False)
    whole: bool = True

    def other(self, appid: str, refused: str) -> str | None:
        """Return the account's refresh token if there is one, and another than that one."""
        found = self.refresh_tokens.get(appid)
        return found if found and found != refused else None


class AuthorizerList:
    """Safe to use from many threads."""

    def __init__(
        self,
        get_token: Callable[[], object],
        ask_page: Callable[[int], Page],
        vault: Vault,
        key: str,
        clock: Callable[[], float],
    ) -> None:
        """Both calls raise CallError.

        `get_token` fetches the platform's own token, if that is needed; `ask_page` asks for the accounts from
        a number on.
        """
        self._get_token = get_token
        self._ask_page = ask_page
        self._record = Record(
            vault,
            key,
            lambda found: AuthorizedAccounts(float(found[0]), dict(found[1])),
            lambda listing: [listing.asked_at, listing.refresh_tokens],
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._reading: Future[AuthorizedAccounts] | None = None
        self._held: AuthorizedAccounts | None = None
        self._look_after = self._read_after = AT_ONCE
        self._failure: Failure | None = None  # of the last list

    def read(self) -> AuthorizedAccounts:
        """Read the whole list, however long it is; raises CallError."""
        return _result(self._begin())

    def held(self) -> AuthorizedAccounts | None:
        """Return the list as it was last read, by this exporter or another one with the same vault."""
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
        """Return another refresh token than the one that was refused; None where the list has none.

        Read the list again, unless the one held is newer than the refused token, and has another; or it was
        read within the last minute without helping.

        Args:
            appid: the account.
            refused: its refresh token that WeChat refuses; '' where there is none.
            learned_at: when the call that brought it was made (Unix time).

        Raises:
            CallError: the list cannot be read, or not so soon.
        """
        held = self.held()
        newer = held if held is not None and held.asked_at > learned_at + _PAUSE_SECONDS else None
        if newer is not None and (found := newer.other(appid, refused)):
            return found
        if not self._read_after.reached(self._clock()):
            if self._failure is not None:
                raise CallError(self._failure)  # ten thousand accounts must not repeat it
            if newer is not None:
                return None
        found = _result(self._begin(), _WAIT_SECONDS).other(appid, refused)
        if found is None:
            self._pause()
        return found

    def _begin(self) -> Future[AuthorizedAccounts]:
        """Have it read, unless it is being read."""
        with self._lock:
            if self._reading is None or self._reading.done():
                reading: Future[AuthorizedAccounts] = Future()
                threading.Thread(target=self._read_into, args=(reading,), name="list", daemon=True).start()
                self._reading = reading  # not before: where no thread is to be had, the next call tries again
            return self._reading

    def _read_into(self, reading: Future[AuthorizedAccounts]) -> None:
        try:
            self._get_token()  # a failure of this one ends when a ticket or a secret comes
            reading.set_result(self._read())
        except BaseException as error:  # noqa: BLE001 - raised again where the list is waited for
            reading.set_exception(error)

    def _read(self) -> AuthorizedAccounts:
        """Read the whole list, twice where it changed meanwhile, as an account may have been skipped."""
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
        if not whole and self._held is not None:  # what it lacks may be there all the same
            found = {**self._held.refresh_tokens, **found}
        listing = self._held = AuthorizedAccounts(now, found, whole)
        with suppress(VaultError):  # it can be read again
            self._record.save(
                lambda kept: listing if kept is None or credible(kept.asked_at, now) < now else None
            )
        return listing

    def _read_pages(self) -> tuple[dict[str, str], bool]:
        """Read all pages; return also whether they have as many accounts as each of them announced."""
        found: dict[str, str] = {}
        totals: set[int] = set()
        offset, total = 0, 1
        while offset < total:
            page, total = self._ask_page(offset)
            totals.add(total)
            if not page:
                break
            found.update(page)
            offset += PAGE_SIZE
        return found, totals == {len(found)}

    def _pause(self) -> None:
        now = self._clock()
        self._read_after = NotBefore.after(_PAUSE_SECONDS, now)


def _result(reading: Future[AuthorizedAccounts], seconds: float | None = None) -> AuthorizedAccounts:
    try:
        return reading.result(seconds)
    except TimeoutError:
        raise CallError(_UNREAD) from None
    except CallError as error:
        raise CallError(error.failure) from None  # an error of its own for each thread that waits


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

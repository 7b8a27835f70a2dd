"""Tokens of accounts that have authorised a third-party platform.

An authorizer_access_token is bought with the account's authorizer_refresh_token, and a new refresh token
may come with it. "refresh token 一旦丢失只能重新授权": each one is stored durably before the access token
that came with it is used, so that no kill can lose it.
Source: https://developers.weixin.qq.com/doc/oplatform/developers/dev/AuthorizerAccessToken.html
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from exporter.config.settings import Platform, ThirdParty
from exporter.wechat import endpoints
from exporter.wechat.client import Client
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.component import Component
from exporter.wechat.platform.tickets import choose_ticket
from exporter.wechat.tokens.cache import Shelves, Token, own_shelves
from exporter.wechat.tokens.services import is_token
from exporter.wechat.tokens.sources import read_secret, token_reader
from exporter.wechat.vault import Vault, VaultError

_REFUSED: Final = 61023
_TRIES: Final = 10


@dataclass(frozen=True, slots=True)
class Kept:
    """An account's refresh token.

    `asked_at`: Unix time of the call that brought it. `start`: the hash of the configured one then.
    `spare`: another one, of a call at about the same time: WeChat alone knows which of the two is newer.
    """

    refresh_token: str = field(repr=False)
    asked_at: float
    start: str
    spare: str = field(default="", repr=False)

    def written(self) -> str:
        """The text that is stored."""
        spare = [self.spare] if self.spare else []
        return json.dumps([self.refresh_token, self.asked_at, self.start, *spare])

    def beside(self, other: "Kept | None") -> "Kept":
        """What to keep of both: the later one leads, the other one stays at hand."""
        if other is None:
            return self
        older, newer = sorted((other, self), key=lambda each: each.asked_at)
        spare = older.refresh_token if older.refresh_token != newer.refresh_token else newer.spare
        return replace(newer, spare=spare)


def _read(text: str | None) -> Kept | None:
    with suppress(ValueError, TypeError):
        refresh_token, asked_at, start, *spare = json.loads(text or "")
        return Kept(str(refresh_token), float(asked_at), str(start), str(spare[0]) if spare else "")
    return None


class RefreshTokens:
    """The refresh tokens of a platform's accounts, kept in a vault that other exporters may use too."""

    def __init__(self, component_appid: str, vault: Vault) -> None:
        self._prefix = f"refresh_token/{component_appid}/"
        self._vault = vault

    def get(self, appid: str) -> Kept | None:
        """What is kept for an account; raises CallError."""
        return self.stored(appid)[1]

    def stored(self, appid: str) -> tuple[str | None, Kept | None]:
        """What is kept for an account, as it is stored and as it is read; raises CallError."""
        with _explained():
            text = self._vault.credential(self._prefix + appid)
            return text, _read(text)

    def keep(self, appid: str, kept: Kept, before: str | None) -> Kept:
        """Keep it durably in place of the text that was stored when the call was made.

        Where another one is stored by now, both are kept, that of the later call first: an older one never
        replaces a newer one, and none is lost. Where nothing is stored any more, it is stored again.

        Returns:
            what is kept now.

        Raises:
            CallError: the storage does not answer.
        """
        key = self._prefix + appid
        with _explained():
            for _ in range(_TRIES):
                if self._vault.put(key, before, kept.written()):
                    return kept
                before = self._vault.credential(key)
                kept = kept.beside(_read(before))
            raise VaultError("the storage gives back another refresh token than it compares with")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except VaultError as error:
        problem = str(error)
    else:
        return
    raise CallError(failure(Reason.INTERNAL, problem))


class AuthorizerTokenSource:
    """api_authorizer_token for one account; its `fetch` is called under the lock of the account's keeper."""

    kind = "third_party"

    def __init__(
        self, appid: str, settings: ThirdParty, component: Component, refresh_tokens: RefreshTokens
    ) -> None:
        self._appid = appid
        self._start = settings.refresh_token
        self._component = component
        self._refresh_tokens = refresh_tokens
        self._kept: Kept | None = None  # the newest one that came here
        self._unsaved = False  # whether the storage did not work then

    def fetch(self) -> Token:
        """Get a token; where WeChat refuses the refresh token, its list of accounts is read again once."""
        if self._kept is not None and self._unsaved:
            self._keep(self._kept, None)
        refusal: Failure | None = None
        for used, stored in self._candidates():
            asked_at = self._component.client.clock()
            came: list[str] = []
            try:
                return self._ask(used.refresh_token, came.append)
            except CallError as error:
                if error.failure.errcode != _REFUSED:
                    raise
                refusal = refusal or error.failure
            finally:  # also where the access token beside it is unusable
                for refresh_token in came:
                    self._came(Kept(refresh_token, asked_at, used.start), stored)
        problem = "WeChat's list of the platform's accounts has no refresh token for this one"
        raise CallError(refusal or failure(Reason.THIRD_PARTY_REFRESH_TOKEN, problem))

    def fingerprint(self) -> bytes:
        """A hash of the platform's credential, the configured refresh token and the one in WeChat's list."""
        listing = self._component.accounts.held()
        listed = listing.refresh_tokens.get(self._appid, "") if listing is not None else ""
        written = self._component.keeper.source.fingerprint() + f"\n{self._start_hash()}\n{listed}".encode()
        return hashlib.sha256(written).digest()

    def _candidates(self) -> Iterator[tuple[Kept, str | None]]:
        """The refresh tokens to try until one is not refused, each with the text that is stored then."""
        stored, kept = self._refresh_tokens.stored(self._appid)
        start = self._start_hash()
        # A storage that came back empty, or older, has lost it; this exporter has not.
        first = kept.beside(self._kept) if kept is not None else self._kept
        if first is None or start not in (first.start, ""):
            first = self._configured(start)
        if first is not None:
            yield first, stored
            if first.spare:
                yield replace(first, refresh_token=first.spare, spare=""), stored
            stored, kept = self._refresh_tokens.stored(self._appid)
            if kept is not None and kept.refresh_token not in (first.refresh_token, first.spare):
                yield kept, stored  # another exporter was quicker
                first = kept
        refused, asked_at = (first.refresh_token, first.asked_at) if first is not None else ("", -math.inf)
        listed = self._component.accounts.newer_refresh_token(self._appid, refused, asked_at)
        if listed:
            yield Kept(listed, self._component.client.clock(), start), stored

    def _configured(self, start: str) -> Kept | None:
        """The configured one: never used yet, or written by the operator in place of another."""
        return None if self._start is None else Kept(read_secret(self._start), 0.0, start)

    def _ask(self, refresh_token: str, came: Callable[[str], object]) -> Token:
        """The access token; `came` gets the refresh token that is good from now on."""
        read_token = token_reader(self._component.client.clock(), "authorizer_access_token")

        def read(body: dict[str, Any]) -> Token:
            found = body.get("authorizer_refresh_token")
            came(found if is_token(found) else refresh_token)
            return read_token(body)

        body = {"authorizer_appid": self._appid, "authorizer_refresh_token": refresh_token}
        return self._component.ask(endpoints.AUTHORIZER_TOKEN, body, read, (refresh_token,))

    def _came(self, kept: Kept, stored: str | None) -> None:
        """Keep a refresh token that came, unless it is the one that is stored."""
        before = _read(stored)
        if before is None or (kept.refresh_token, kept.start) != (before.refresh_token, before.start):
            self._keep(kept, stored)

    def _keep(self, kept: Kept, stored: str | None) -> None:
        """Have it stored, now or before the next call: what WeChat has just given is never dropped."""
        self._kept, self._unsaved = kept, True
        self._kept = self._refresh_tokens.keep(self._appid, kept, stored)
        self._unsaved = False

    def _start_hash(self) -> str:
        """A hash of the configured refresh token; '' where there is none."""
        if self._start is None:
            return ""
        with suppress(OSError, ValueError):
            return hashlib.sha256(self._start.read().encode()).hexdigest()
        return ""


@dataclass(frozen=True, slots=True)
class OpenPlatform:
    """A platform that can be asked, and the refresh tokens of its accounts."""

    component: Component
    refresh_tokens: RefreshTokens

    @property
    def settings(self) -> Platform:
        """What the configuration says of it."""
        return self.component.settings

    def source(self, appid: str, settings: ThirdParty) -> AuthorizerTokenSource:
        """Where an account's token comes from."""
        return AuthorizerTokenSource(appid, settings, self.component, self.refresh_tokens)


def open_platforms(
    platforms: Iterable[Platform], client: Client, vault: Vault, shelves: Shelves = own_shelves
) -> dict[str, OpenPlatform]:
    """Each platform by its name, with a token of its own that all of its accounts share."""
    return {
        settings.name: OpenPlatform(
            Component(settings, choose_ticket(settings, client, vault), client, vault, shelves),
            RefreshTokens(settings.component_appid, vault),
        )
        for settings in platforms
    }

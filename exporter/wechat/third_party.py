"""Tokens of accounts that have authorised a third-party platform.

An authorizer_access_token is bought with the account's authorizer_refresh_token, and a new refresh token
may come with it. "refresh token 一旦丢失只能重新授权": each one is stored durably before the access token
that came with it is used, so that no kill can lose it.
Source: https://developers.weixin.qq.com/doc/oplatform/developers/dev/AuthorizerAccessToken.html
"""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from exporter.config.settings import Platform, ThirdParty
from exporter.wechat.component import Component
from exporter.wechat.errcodes import failure
from exporter.wechat.errors import CallError, Reason
from exporter.wechat.keepers import is_token
from exporter.wechat.line import Endpoint, Line
from exporter.wechat.tickets import choose_ticket
from exporter.wechat.token_sources import read_secret, token_reader
from exporter.wechat.tokens import Shelves, Token, own_shelves
from exporter.wechat.vault import Vault, VaultError

_REFUSED: Final = 61023


@dataclass(frozen=True, slots=True)
class Kept:
    """An account's refresh token, when it came (Unix time), and the hash of the configured one then."""

    refresh_token: str = field(repr=False)
    learned_at: float
    start: str


class RefreshTokens:
    """The refresh tokens of a platform's accounts, kept in a vault."""

    def __init__(self, component_appid: str, vault: Vault) -> None:
        self._prefix = f"refresh_token/{component_appid}/"
        self._vault = vault

    def get(self, appid: str) -> Kept | None:
        """What is kept for an account; raises CallError."""
        try:
            text = self._vault.credential(self._prefix + appid)
        except VaultError as error:
            problem = str(error)
        else:
            with suppress(ValueError, TypeError):
                refresh_token, learned_at, start = json.loads(text or "")
                return Kept(str(refresh_token), float(learned_at), str(start))
            return None
        raise CallError(failure(Reason.INTERNAL, problem))

    def save(self, appid: str, kept: Kept, before: Kept | None) -> None:
        """Keep it durably in place of what was there before; raises CallError.

        Where another exporter has put another one there meanwhile, that one stays: this one comes from a call
        that took longer than its right to make it lasted.
        """
        key = self._prefix + appid
        try:
            if before is None:
                self._vault.save_credential(key, _written(kept))
            else:
                self._vault.replace_credential(key, _written(before), _written(kept))
        except VaultError as error:
            problem = str(error)
        else:
            return
        raise CallError(failure(Reason.INTERNAL, problem))


def _written(kept: Kept) -> str:
    return json.dumps([kept.refresh_token, kept.learned_at, kept.start])


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
        self._unsaved: Kept | None = None  # came while the storage did not work

    def fetch(self) -> Token:
        """Get a token; where WeChat refuses the refresh token, its list of accounts is read again once."""
        if self._unsaved is not None:
            self._save_late(self._unsaved)
        used, stored = self._refresh_token()
        try:
            token, came = self._ask(used)
        except CallError as error:
            refusal = error.failure
            if refusal.errcode != _REFUSED:
                raise
        else:
            return self._stored(token, came, used, stored)
        newer = self._component.newer_refresh_token(self._appid, used.refresh_token, used.learned_at)
        if newer is None:
            raise CallError(refusal)
        again = Kept(newer, self._component.line.clock(), used.start)
        token, came = self._ask(again)
        return self._stored(token, came, again, stored)

    def fingerprint(self) -> bytes:
        """A hash of the platform's credential, the configured refresh token and the one in WeChat's list."""
        listing = self._component.held_listing()
        listed = listing.refresh_tokens.get(self._appid, "") if listing is not None else ""
        written = self._component.keeper.source.fingerprint() + f"\n{self._start_hash()}\n{listed}".encode()
        return hashlib.sha256(written).digest()

    def _refresh_token(self) -> tuple[Kept, Kept | None]:
        """The refresh token to use, and what the storage has."""
        stored = self._refresh_tokens.get(self._appid)
        start = self._start_hash()
        if stored is not None and start in (stored.start, ""):
            return stored, stored
        if self._start is not None:  # never used yet, or the operator has written another one
            return Kept(read_secret(self._start), 0.0, start), stored
        listing = self._component.held_listing()
        listed = listing.refresh_tokens.get(self._appid) if listing is not None else None
        if not listed:
            listed = self._component.newer_refresh_token(self._appid, "", 0.0)
        if not listed:
            problem = "WeChat's list of the platform's accounts has no refresh token for this one"
            raise CallError(failure(Reason.THIRD_PARTY_REFRESH_TOKEN, problem))
        return Kept(listed, 0.0 if listing is None else listing.asked_at, start), None

    def _ask(self, used: Kept) -> tuple[Token, str]:
        """The access token, and the refresh token that came with it."""
        read_token = token_reader(self._component.line.clock(), "authorizer_access_token")

        def read(body: dict[str, Any]) -> tuple[Token, str]:
            came = body.get("authorizer_refresh_token")
            return read_token(body), came if is_token(came) else used.refresh_token

        body = {"authorizer_appid": self._appid, "authorizer_refresh_token": used.refresh_token}
        return self._component.ask(Endpoint.AUTHORIZER_TOKEN, body, read, (used.refresh_token,))

    def _stored(self, token: Token, came: str, used: Kept, stored: Kept | None) -> Token:
        """The token, once the refresh token that came with it is safe."""
        if stored is None or (came, used.start) != (stored.refresh_token, stored.start):
            self._unsaved = Kept(came, self._component.line.clock(), used.start)
            self._save(self._unsaved, stored)
        return token

    def _save_late(self, kept: Kept) -> None:
        """Store it now, unless another exporter has stored a later one meanwhile."""
        stored = self._refresh_tokens.get(self._appid)
        if stored is None or stored.learned_at <= kept.learned_at:
            self._save(kept, stored)
        self._unsaved = None

    def _save(self, kept: Kept, before: Kept | None) -> None:
        self._refresh_tokens.save(self._appid, kept, before)
        self._unsaved = None

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
    platforms: Iterable[Platform], line: Line, vault: Vault, shelves: Shelves = own_shelves
) -> dict[str, OpenPlatform]:
    """Each platform by its name, with a token of its own that all of its accounts share."""
    return {
        settings.name: OpenPlatform(
            Component(settings, choose_ticket(settings, line, vault), line, vault, shelves),
            RefreshTokens(settings.component_appid, vault),
        )
        for settings in platforms
    }

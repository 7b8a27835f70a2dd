"""Tokens of accounts that have authorised a third-party platform.

An account's authorizer_refresh_token buys an authorizer_access_token, and may bring a new refresh
token. "refresh token 一旦丢失只能重新授权": so each one is stored durably before the access token that came
with it is used, and no kill can lose it.
Source: https://developers.weixin.qq.com/doc/oplatform/developers/dev/AuthorizerAccessToken.html
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from exporter.config.token_types import ThirdParty
from exporter.wechat import endpoints
from exporter.wechat.credential_vault import Record, VaultError
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.open_platform import OpenPlatform
from exporter.wechat.tokens.cache import Token, TokenSource
from exporter.wechat.tokens.services import is_token
from exporter.wechat.tokens.sources import read_secret, token_reader

_REFUSED: Final = 61023


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """An account's refresh token.

    `asked_at`: Unix time of the call that brought it. `start`: the hash of the token configured then.
    `spare`: another token, from a call at about the same time: only WeChat knows which of the two is newer.
    """

    value: str = field(repr=False)
    asked_at: float
    start: str
    spare: str = field(default="", repr=False)

    def beside(self, other: "RefreshToken | None") -> "RefreshToken":
        """Return the token from the later call, with the other one as its spare."""
        if other is None:
            return self
        older, newer = sorted((other, self), key=lambda each: each.asked_at)
        return replace(newer, spare=older.value if older.value != newer.value else newer.spare)


def stored(platform: OpenPlatform, appid: str) -> Record[RefreshToken]:
    """Return the record of an account's refresh token in the platform's vault."""
    key = f"refresh_token/{platform.settings.component_appid}/{appid}"
    return Record(platform.vault, key, _of_json, _to_json)


def _of_json(found: Any) -> RefreshToken:  # noqa: ANN401 - JSON
    value, asked_at, start, *spare = found
    return RefreshToken(str(value), float(asked_at), str(start), str(spare[0]) if spare else "")


def _to_json(token: RefreshToken) -> object:
    return [token.value, token.asked_at, token.start, *([token.spare] if token.spare else [])]


class AuthorizerTokenSource(TokenSource):
    """Fetches api_authorizer_token for an account; the lock of the account's cache guards `fetch`."""

    kind = "third_party"

    def __init__(self, appid: str, settings: ThirdParty, platform: OpenPlatform) -> None:
        self._appid = appid
        self._start = settings.refresh_token
        self._platform = platform
        self._record = stored(platform, appid)
        self._newest: RefreshToken | None = None  # the token that came to this exporter
        self._unsaved = False  # whether the storage failed then
        self._seen: str | None = None  # the token in WeChat's list at the last look
        self._authorized = ""  # the last such token from a new authorisation

    def fetch(self) -> Token:
        """Fetch a token; if WeChat refuses the refresh token, read the list of accounts again once."""
        try:
            token = self._fetch()
        except VaultError as error:
            raise CallError(failure(Reason.INTERNAL, str(error))) from None
        return replace(token, credential=self.fingerprint())  # the fetch may have found a new authorisation

    def fingerprint(self) -> bytes:
        """Return a hash of the platform's credential and of the configured and the listed refresh token.

        A listed token from the exporter's own calls does not change it, as no person has acted.
        """
        written = f"\n{self._start_hash()}\n{self._last_authorized()}".encode()
        return hashlib.sha256(self._platform.source.fingerprint() + written).digest()

    def _last_authorized(self) -> str:
        """Return the listed refresh token of the merchant's last authorisation."""
        listed = self._listed()
        if listed != self._seen:
            if self._seen is None or not self._is_own(listed):
                self._authorized = listed
            self._seen = listed
        return self._authorized

    def _listed(self) -> str:
        """Return the account's refresh token in the held list; '' if it has none."""
        listing = self._platform.accounts.held()
        return listing.refresh_tokens.get(self._appid, "") if listing is not None else ""

    def _is_own(self, refresh_token: str) -> bool:
        """Return whether a call of this exporter, or of another one with its storage, brought a token."""
        own = [self._newest]
        with suppress(VaultError):
            own.append(self._record.load())
        return any(each is not None and refresh_token in (each.value, each.spare) for each in own)

    def _fetch(self) -> Token:
        if self._newest is not None and self._unsaved:
            self._keep(self._newest, None)
        refusal: Failure | None = None
        for used, kept in self._candidates():
            asked_at = self._platform.client.clock()
            came: list[str] = []
            try:
                return self._ask(used.value, came.append)
            except CallError as error:
                if error.failure.errcode != _REFUSED:
                    raise
                refusal = refusal or error.failure
            finally:  # even if the access token beside it is unusable
                for value in came:
                    new = RefreshToken(value, asked_at, used.start)
                    if kept is None or (new.value, new.start) != (kept.value, kept.start):
                        self._keep(new, kept)
        problem = "WeChat's list of the platform's accounts has no refresh token for this one"
        raise CallError(refusal or failure(Reason.THIRD_PARTY_REFRESH_TOKEN, problem))

    def _candidates(self) -> Iterator[tuple[RefreshToken, RefreshToken | None]]:
        """Yield the refresh tokens to try until one is accepted, each with the token stored at that time."""
        kept, start = self._record.load(), self._start_hash()
        # A storage that came back empty or old has lost it, but this exporter has not.
        first = kept.beside(self._newest) if kept is not None else self._newest
        if self._start is not None and (first is None or start not in (first.start, "")):
            # not used yet, or replaced by the operator
            first = RefreshToken(read_secret(self._start), 0.0, start)
        if first is not None:
            yield first, kept
            if first.spare:
                yield replace(first, value=first.spare, spare=""), kept
            kept = self._record.load()
            if kept is not None and kept.value not in (first.value, first.spare):
                yield kept, kept  # another exporter was faster
                first = kept
        refused, asked_at = (first.value, first.asked_at) if first is not None else ("", -math.inf)
        listed = self._platform.accounts.newer_refresh_token(self._appid, refused, asked_at)
        if listed:
            self._seen = self._authorized = listed
            yield RefreshToken(listed, self._platform.client.clock(), start), kept

    def _ask(self, refresh_token: str, came: Callable[[str], object]) -> Token:
        """Return the access token; call `came` with the refresh token to use from now on."""
        read_token = token_reader(self._platform.client.clock(), "authorizer_access_token")

        def read(body: dict[str, Any]) -> Token:
            found = body.get("authorizer_refresh_token")
            came(found if is_token(found) else refresh_token)
            return read_token(body)

        body = {"authorizer_appid": self._appid, "authorizer_refresh_token": refresh_token}
        return self._platform.ask(endpoints.AUTHORIZER_TOKEN, body, read, (refresh_token,))

    def _keep(self, new: RefreshToken, before: RefreshToken | None) -> None:
        """Store a refresh token now or before the next call, so that a new one never gets lost.

        It replaces the token stored before the call. If another one is stored by now, both are kept, the one
        from the later call first: an older one never replaces a newer one.
        """
        self._newest, self._unsaved = new, True
        self._newest = self._record.save(lambda kept: new if kept == before else new.beside(kept))
        self._unsaved = False

    def _start_hash(self) -> str:
        """Return a hash of the configured refresh token; '' if there is none."""
        if self._start is not None:
            with suppress(OSError, ValueError):
                return hashlib.sha256(self._start.read().encode()).hexdigest()
        return ""

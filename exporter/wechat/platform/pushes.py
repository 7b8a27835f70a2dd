"""WeChat's pushes to a third-party platform: verified, decrypted and read, or refused.

Needs the extra `third-party`. Source: "消息加解密说明", https://developers.weixin.qq.com/doc/oplatform/
Third-party_Platforms/2.0/api/Before_Develop/Message_encryption_and_decryption.html
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from exporter.wechat.platform.tickets import Ticket
from exporter.wechat.tokens.services import is_token

_FRESH_SECONDS: Final = 300.0
_PADDED_BITS: Final = 256  # WeChat pads to AES's key size, not to its block size
_AES_BLOCK: Final = 16
_RANDOM: Final = 16  # bytes before the text's length
_TICKET: Final = "component_verify_ticket"
ACCOUNT_EVENTS: Final = frozenset({"authorized", "updateauthorized", "unauthorized"})


class RefusedPushError(Exception):
    """A request is not a recent push for this platform; the text is for the log, without secrets."""


@dataclass(frozen=True, slots=True)
class PlatformPush:
    """A push: the kind of event, its Unix time, and the ticket if it has one."""

    kind: str
    created_at: float
    ticket: Ticket | None = None


@dataclass(frozen=True, slots=True)
class PushReader:
    """Reads the pushes for a platform; `token` signs and `aes_key` (EncodingAESKey) encrypts them."""

    component_appid: str
    token: str = field(repr=False)
    aes_key: str = field(repr=False)

    def read(self, query: Mapping[str, str], body: bytes, now: float) -> PlatformPush:
        """Verify, decrypt and read a push, given the URL's parameters and a body of limited size.

        Raises:
            RefusedPushError: the signature, content or recipient is wrong, or the push more than five minutes
                away from `now`: a replay.
        """
        outer = _xml(body)
        encrypted = _text(outer, "Encrypt")
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        expected = _signature(self.token, timestamp, nonce, encrypted)
        if not hmac.compare_digest(expected, query.get("msg_signature", "").encode("utf-8", "replace")):
            raise RefusedPushError("the signature is wrong")
        if abs(now - _unix_time("timestamp", timestamp)) > _FRESH_SECONDS:
            raise RefusedPushError("more than five minutes old or early: a replay, or a wrong clock")
        self._expect_own(_text(outer, "AppId"))
        text, appid = _decrypted(encrypted, self.aes_key)
        self._expect_own(appid)
        inner = _xml(text)
        self._expect_own(_text(inner, "AppId"))
        kind = _text(inner, "InfoType")
        created_at = min(_unix_time("CreateTime", _text(inner, "CreateTime")), now)
        if kind != _TICKET:
            return PlatformPush(kind, created_at)
        value = _text(inner, "ComponentVerifyTicket")
        if not is_token(value):
            raise RefusedPushError("the ticket is no ticket")
        return PlatformPush(kind, created_at, Ticket(value, created_at))

    def _expect_own(self, appid: str) -> None:
        if appid != self.component_appid:
            raise RefusedPushError("for another AppId")


def _signature(*parts: str) -> bytes:
    written = "".join(sorted(parts)).encode("utf-8", "replace")
    return hashlib.sha1(written, usedforsecurity=False).hexdigest().encode()


def _decrypted(encrypted: str, aes_key: str) -> tuple[bytes, str]:
    """Return the decrypted text and the AppId of its recipient.

    The plain text is 16 random bytes, the text's length in 4 bytes, the text, the AppId, PKCS#7 padding.
    """
    try:
        key = base64.b64decode(f"{aes_key}=", validate=False)
        content = base64.b64decode(encrypted, validate=True)
        cipher = Cipher(algorithms.AES(key), modes.CBC(key[:_AES_BLOCK])).decryptor()
        unpadder = PKCS7(_PADDED_BITS).unpadder()
        plain = unpadder.update(cipher.update(content) + cipher.finalize()) + unpadder.finalize()
    except ValueError:
        raise RefusedPushError("cannot be decrypted") from None
    begin = _RANDOM + 4
    end = begin + int.from_bytes(plain[_RANDOM:begin], "big")
    return plain[begin:end], plain[end:].decode("ascii", "replace")


def _unix_time(name: str, text: str) -> float:
    if not text.isascii() or not text.isdigit() or len(text) > len("9999999999"):
        raise RefusedPushError(f"{name} is no time")
    return float(text)


def _xml(text: bytes) -> Element:
    try:
        found: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise RefusedPushError("not the XML that WeChat sends") from None
    return found


def _text(parent: Element, name: str) -> str:
    found = parent.findtext(name)
    if not found:
        raise RefusedPushError(f"there is no {name}")
    return found.strip()

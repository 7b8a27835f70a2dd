"""WeChat's pushes to a third-party platform: verified, decrypted and read, or refused without a word.

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
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from exporter.wechat.platform.tickets import Ticket
from exporter.wechat.tokens.services import is_token

LARGEST_PUSH: Final = 64 * 1024  # bytes
_FRESH_SECONDS: Final = 300.0
_BLOCK: Final = 32  # bytes; WeChat pads to AES's key size, not to its block size
_AES_BLOCK: Final = 16
_RANDOM: Final = 16  # bytes before the text's length
_TICKET: Final = "component_verify_ticket"
ACCOUNT_EVENTS: Final = frozenset({"authorized", "updateauthorized", "unauthorized"})


class RefusedPushError(Exception):
    """Not a push that WeChat has just made for this platform; the text is for the log and has no secret."""


@dataclass(frozen=True, slots=True)
class Push:
    """What WeChat reports: the kind of event, when it was made (Unix time), the ticket if it is one."""

    kind: str
    created_at: float
    ticket: Ticket | None = None


@dataclass(frozen=True, slots=True)
class PushReader:
    """Reads the pushes for one platform; `token` signs and `aes_key` (EncodingAESKey) encrypts them."""

    component_appid: str
    token: str = field(repr=False)
    aes_key: str = field(repr=False)

    def read(self, query: Mapping[str, str], body: bytes, now: float) -> Push:
        """The push.

        Args:
            query: the URL's parameters.
            body: the request's body, of at most `LARGEST_PUSH` bytes.
            now: Unix time; a push that is five minutes older or younger is refused as a replay.

        Raises:
            RefusedPushError: anything about it is not as it must be.
        """
        if len(body) > LARGEST_PUSH:
            raise RefusedPushError("larger than 64 KiB")
        outer = _xml(body)
        encrypted = _text(outer, "Encrypt")
        self._check_signature(query, encrypted)
        _check_fresh(query.get("timestamp", ""), now)
        if _text(outer, "AppId") != self.component_appid:
            raise RefusedPushError("for another AppId")
        return self._event(self._decrypted(encrypted), now)

    def _check_signature(self, query: Mapping[str, str], encrypted: str) -> None:
        parts = sorted((self.token, query.get("timestamp", ""), query.get("nonce", ""), encrypted))
        expected = hashlib.sha1("".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        given = query.get("msg_signature", "")
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise RefusedPushError("the signature is wrong")

    def _decrypted(self, encrypted: str) -> bytes:
        """The XML inside: 16 random bytes, its length in 4 bytes, itself, the AppId, PKCS#7 padding."""
        try:
            key = base64.b64decode(f"{self.aes_key}=", validate=False)
            content = base64.b64decode(encrypted, validate=True)
            cipher = Cipher(algorithms.AES(key), modes.CBC(key[:_AES_BLOCK])).decryptor()
            plain = cipher.update(content) + cipher.finalize()
        except ValueError:
            raise RefusedPushError("cannot be decrypted") from None
        padding = plain[-1] if plain else 0
        if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
            raise RefusedPushError("the padding is wrong")
        plain = plain[:-padding]
        begin = _RANDOM + 4
        end = begin + int.from_bytes(plain[_RANDOM:begin], "big")
        if plain[end:] != self.component_appid.encode() or end > len(plain):
            raise RefusedPushError("for another AppId inside")
        return plain[begin:end]

    def _event(self, text: bytes, now: float) -> Push:
        inner = _xml(text)
        if _text(inner, "AppId") != self.component_appid:
            raise RefusedPushError("for another AppId inside")
        created = _text(inner, "CreateTime")
        if not created.isascii() or not created.isdigit() or len(created) > len("9999999999"):
            raise RefusedPushError("CreateTime is no time")
        kind, created_at = _text(inner, "InfoType"), min(float(created), now)
        if kind != _TICKET:
            return Push(kind, created_at)
        value = _text(inner, "ComponentVerifyTicket")
        if not is_token(value):
            raise RefusedPushError("the ticket is no ticket")
        return Push(kind, created_at, Ticket(value, created_at))


def _check_fresh(timestamp: str, now: float) -> None:
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > len("9999999999"):
        raise RefusedPushError("the timestamp is no time")
    if abs(now - int(timestamp)) > _FRESH_SECONDS:
        raise RefusedPushError("more than five minutes old or early: a replay, or a wrong clock")


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

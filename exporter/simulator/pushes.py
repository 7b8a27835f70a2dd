"""Pushes as WeChat sends them to a third-party platform: XML, encrypted and signed."""

import base64
import hashlib
import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import requests
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from exporter.simulator.platforms import SimPlatform

_BLOCK: Final = 32
_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A push's query parameters and body."""

    query: dict[str, str]
    body: bytes


def push(
    platform: SimPlatform, now: float, kind: str, fields: dict[str, str], *, nonce: str = "nonce-1"
) -> PushRequest:
    """Return a push of a kind (InfoType) with further fields, made at `now` (Unix time)."""
    pairs = {"AppId": platform.component_appid, "CreateTime": str(int(now)), "InfoType": kind, **fields}
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in pairs.items())
    encrypted = encrypt(platform, f"<xml>{inner}</xml>".encode(), platform.component_appid)
    return signed(platform, encrypted, str(int(now)), nonce)


def encrypt(platform: SimPlatform, text: bytes, appid: str) -> str:
    """Encrypt random bytes, length, text and appid by AES-256-CBC, padded to 32 bytes; return base64."""
    key = base64.b64decode(f"{platform.aes_key}=")
    plain = os.urandom(16) + len(text).to_bytes(4, "big") + text + appid.encode()
    padding = _BLOCK - len(plain) % _BLOCK
    plain += bytes([padding]) * padding
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(cipher.update(plain) + cipher.finalize()).decode()


def signed(platform: SimPlatform, encrypted: str, timestamp: str, nonce: str) -> PushRequest:
    """Return the request that carries an encrypted text."""
    parts = sorted((platform.token, timestamp, nonce, encrypted))
    signature = hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()
    body = f"<xml><AppId>{platform.component_appid}</AppId><Encrypt>{encrypted}</Encrypt></xml>"
    query = {"timestamp": timestamp, "nonce": nonce, "encrypt_type": "aes", "msg_signature": signature}
    return PushRequest(query, body.encode())


def send(url: str, request: PushRequest) -> tuple[int, str]:
    """POST a push; return the answer's status and text."""
    address = f"{url}?{urlencode(request.query)}"
    answer = requests.post(address, request.body, headers={"Content-Type": "text/xml"}, timeout=_SECONDS)
    return answer.status_code, answer.text

"""What a web configuration file says, resolved and frozen."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from exporter.web.webconfig.names import ClientAuth

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Pem:
    """PEM data: a file's, or written in place (`text`)."""

    path: Path | None = None
    text: str | None = field(default=None, repr=False)

    def read(self) -> str:
        """The data; raises OSError, or ValueError where it is not a text."""
        return self.path.read_text("utf-8") if self.path is not None else self.text or ""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How to talk TLS. `ciphers` and `curve` are OpenSSL's names, empty: the default ones."""

    cert: Pem
    key: Pem
    client_auth: ClientAuth = ClientAuth.NONE
    client_ca: Pem | None = None
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    maximum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: tuple[str, ...] = ()
    prefer_server_ciphers: bool = True
    curve: str = ""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One request per `interval` (seconds), and `burst` at once."""

    interval: float
    burst: int


@dataclass(frozen=True, slots=True)
class WebConfig:
    """A whole file, ready for use.

    `tls` is None for plain HTTP. `allowed_sans`: a client's certificate must have one of these names,
    empty: whatever it has. `users` are names with bcrypt hashes, none: no authentication. `files`: what must
    be looked at to notice a change.
    """

    tls: ssl.SSLContext | None = None
    allowed_sans: frozenset[str] = frozenset()
    headers: Headers = ()
    users: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    rate_limit: RateLimit | None = None
    files: tuple[Path, ...] = ()

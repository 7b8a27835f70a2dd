"""What may stand in a web configuration file: every key with its rule and default, and what must agree."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Final

from exporter.config.lists import ListRule, PairsRule
from exporter.config.problems import KeyPath, Pairs, shown
from exporter.config.rules import NumberRule, TextRule, filled
from exporter.config.sections import Key, Section
from exporter.config.texts import HEADER_VALUE
from exporter.web.webconfig.values import (
    AUTH,
    BOOLEAN,
    CIPHER,
    CLIENT_AUTH,
    CURVE,
    HASH,
    HEADER,
    HEADERS,
    VERSION,
    IntervalRule,
    Pem,
    pem_file,
    pem_text,
)

_Mistakes = Iterator[tuple[KeyPath, str]]
"""Key paths, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class TlsSection:
    """The section `tls_server_config`."""

    cert_file: Annotated[Pem | None, Key(pem_file("cert_file"))] = None
    cert: Annotated[Pem | None, Key(pem_text("cert"))] = None
    key_file: Annotated[Pem | None, Key(pem_file("key_file"))] = None
    key: Annotated[Pem | None, Key(pem_text("key"))] = None
    client_auth_type: Annotated[str, Key(AUTH)] = "NoClientCert"
    client_ca_file: Annotated[Pem | None, Key(pem_file("client_ca_file"))] = None
    client_ca: Annotated[Pem | None, Key(pem_text("client_ca"))] = None
    client_allowed_sans: Annotated[
        tuple[str, ...], Key(ListRule(TextRule("a name", filled), "a list of names"))
    ] = ()
    min_version: Annotated[ssl.TLSVersion, Key(VERSION)] = ssl.TLSVersion.TLSv1_2
    max_version: Annotated[ssl.TLSVersion, Key(VERSION)] = ssl.TLSVersion.TLSv1_3
    cipher_suites: Annotated[tuple[str, ...], Key(ListRule(CIPHER, "a list of cipher suites"))] = ()
    prefer_server_cipher_suites: Annotated[bool, Key(BOOLEAN)] = True
    curve_preferences: Annotated[tuple[str, ...], Key(ListRule(CURVE, "a list of curves"))] = ()

    @property
    def verify_mode(self) -> ssl.VerifyMode:
        """Return what is asked of a client's certificate."""
        return CLIENT_AUTH[self.client_auth_type]

    @property
    def pems(self) -> tuple[Pem | None, Pem | None, Pem | None]:
        """Return certificate, key and the clients' authority, from files or in place."""
        return self.cert_file or self.cert, self.key_file or self.key, self.client_ca_file or self.client_ca

    def mistakes(self) -> _Mistakes:
        """Yield what does not agree."""
        certificate, key, authority = self.pems
        pairs = (
            (self.cert, self.cert_file),
            (self.key, self.key_file),
            (self.client_ca, self.client_ca_file),
        )
        for text, file in pairs:
            if text is not None and file is not None:
                yield (text.key,), f"{text.key} and {file.key} cannot both be there"
        if certificate is None or key is None:
            yield (), "cert_file and key_file are needed, both"
        if self.verify_mode and authority is None:
            yield ("client_auth_type",), f"{self.client_auth_type} needs client_ca_file"
        if self.client_auth_type == "NoClientCert" and authority is not None:
            what = "without client_auth_type: RequireAndVerifyClientCert no certificate is asked for"
            yield (authority.key,), what
        if self.client_allowed_sans and self.verify_mode is not ssl.CERT_REQUIRED:
            yield ("client_allowed_sans",), "needs client_auth_type: RequireAndVerifyClientCert"
        if self.min_version > self.max_version:
            yield ("max_version",), "older than min_version"
        if len(self.curve_preferences) > 1:
            yield ("curve_preferences",), "Python can set one curve only: name one, or leave the key out"


@dataclass(frozen=True, slots=True)
class HttpSection:
    """The section `http_server_config`."""

    http2: Annotated[bool, Key(BOOLEAN)] = True
    headers: Annotated[Pairs, Key(PairsRule(HEADER, replace(HEADER_VALUE, hidden=False), hidden=True))] = ()

    def mistakes(self) -> _Mistakes:
        """Yield the headers whose value browsers do not know."""
        for name, value in self.headers:
            if HEADERS[name] and value not in HEADERS[name]:
                yield ("headers", name), f"{shown(value)} is not {' or '.join(HEADERS[name])}"


@dataclass(frozen=True, slots=True)
class RateSection:
    """The section `rate_limit`: one request per `interval` (seconds), and `burst` at once."""

    interval: Annotated[float, Key(IntervalRule(0, 86_400))] = 0.0
    burst: Annotated[int, Key(NumberRule(0, 1_000_000))] = 0

    def mistakes(self) -> _Mistakes:
        """Yield a limit that nothing could pass."""
        if self.interval and not self.burst:
            yield (), "burst must be at least 1, else every request would be refused"


@dataclass(frozen=True, slots=True)
class WebFile:
    """The whole file; TLS is off without its section, or with an empty one."""

    tls_server_config: Annotated[TlsSection | None, Key(Section(TlsSection))] = None
    http_server_config: Annotated[HttpSection, Key(Section(HttpSection))] = HttpSection()
    basic_auth_users: Annotated[Pairs, Key(PairsRule(TextRule("a text"), HASH))] = ()
    rate_limit: Annotated[RateSection, Key(Section(RateSection))] = RateSection()

    def mistakes(self) -> _Mistakes:
        """Yield what does not agree in any section."""
        for name in ("tls_server_config", "http_server_config", "rate_limit"):
            section = getattr(self, name)
            for path, what in section.mistakes() if section is not None else ():
                yield (name, *path), what


WEB_FILE: Final = Section(WebFile)

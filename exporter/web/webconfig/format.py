"""The format of a web configuration file: every key with its rule and default.

Versions, cipher suites, curves and client authentication have Go's names, as in exporter-toolkit.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final

from exporter.config.lists import ListRule, PairsRule
from exporter.config.problems import KeyPath, Pairs, shown
from exporter.config.rules import (
    BooleanRule,
    DurationRule,
    FileRule,
    NotAllowedError,
    NumberRule,
    TextRule,
    filled,
)
from exporter.config.sections import Key, Section
from exporter.config.text_rules import HEADER_VALUE
from exporter.config.yaml_scalars import Scalar
from exporter.package_data import read_table

HIGHEST_COST: Final = 16
"""Highest cost of a bcrypt hash: its check takes about five seconds, and each step doubles that."""

_NAMES: Final = read_table(__package__, "names.yaml")
VERSIONS: Final = {name: ssl.TLSVersion[known] for name, known in _NAMES["versions"].items()}
CLIENT_AUTH: Final = {name: ssl.VerifyMode[known] for name, known in _NAMES["client_auth"].items()}
CIPHERS: Final[Mapping[str, str]] = _NAMES["ciphers"]
CURVES: Final[Mapping[str, str]] = _NAMES["curves"]
HEADERS: Final[Mapping[str, list[str]]] = _NAMES["headers"]
"""Headers that may be set, and their allowed values; an empty list allows any."""

_BCRYPT: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_PART: Final = re.compile(rf"([0-9]{{1,15}}(?:\.[0-9]{{0,15}})?|\.[0-9]{{1,15}})({'|'.join(_SECONDS)})")


@dataclass(frozen=True, slots=True)
class IntervalRule(DurationRule):
    """A duration as in exporter-toolkit: Go's, such as `1.5s` or `500us`, Prometheus', or 0.

    Source: https://pkg.go.dev/time#ParseDuration
    """

    def parse(self, value: object) -> float:
        """Return the duration in seconds."""
        if isinstance(value, Scalar) and value.written == "0":
            return 0.0
        if isinstance(value, str) and re.fullmatch(f"({_PART.pattern})+", value):
            seconds = sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(value))
            if self.lowest <= seconds <= self.highest:
                return seconds
        return DurationRule.parse(self, value)


def _one_of(what: str, names: Mapping[str, object]) -> TextRule:
    """Return the rule for one of several names, which it converts into the name's value."""

    def accept(text: str) -> object:
        if text not in names:
            raise ValueError("another name")
        return names[text]

    return TextRule(what, accept)


def _client_auth(text: str) -> str:
    if text in ("RequireAnyClientCert", "RequireClientCert"):  # the second is the toolkit's old name
        raise NotAllowedError(
            "RequireAnyClientCert is not supported: it takes any certificate without verifying it, and so "
            "proves nothing; write RequireAndVerifyClientCert and name the CA in client_ca_file"
        )
    if text not in CLIENT_AUTH:
        raise ValueError("another name")
    return text


def _bcrypt(text: str) -> str:
    match = _BCRYPT.fullmatch(text)
    if match is None or int(match[1]) < 4:  # noqa: PLR2004 - bcrypt's own lowest
        raise ValueError("not a hash")
    if int(match[1]) > HIGHEST_COST:
        raise NotAllowedError(
            f"a bcrypt hash of cost {match[1]}: a check would take too long, {HIGHEST_COST} is the most"
        )
    return text


@dataclass(frozen=True, slots=True)
class Pem:
    """PEM data of a `key`: in another file (`path`), or in place (`text`)."""

    key: str
    path: Path | None = None
    text: str = field(default="", repr=False)

    def read(self) -> str:
        """Return the data; raise OSError, or ValueError if it is not a text."""
        return self.text if self.path is None else self.path.read_text("utf-8")


def _pem_file(key: str) -> FileRule:
    """Return the rule for a file of PEM data under a key."""
    return FileRule(lambda path: Pem(key, path=Path(path)))


def _pem_text(key: str) -> TextRule:
    """Return the rule for PEM data in place under a key."""

    def accept(text: str) -> Pem:
        if not text.lstrip().startswith("-----BEGIN "):
            raise ValueError("something else")
        return Pem(key, text=text)

    return TextRule("PEM data (-----BEGIN …)", accept, hidden=True)


_BOOLEAN: Final = BooleanRule(
    words=tuple(
        (written, word in ("true", "yes", "on"))
        for word in ("true", "yes", "on", "false", "no", "off")
        for written in (word, word.capitalize(), word.upper())
    )
)
_VERSION: Final = _one_of(f"a TLS version ({', '.join(VERSIONS)})", VERSIONS)
_CIPHER: Final = _one_of(
    "a cipher suite that Go's tls.CipherSuites() has, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CIPHERS
)
_CURVE: Final = _one_of(f"a curve ({', '.join(CURVES)})", CURVES)
_HEADER: Final = _one_of(f"a header that can be set ({', '.join(HEADERS)})", {name: name for name in HEADERS})
_HASH: Final = TextRule("a bcrypt hash ($2y$10$…, as htpasswd -nBC 10 makes it)", _bcrypt, hidden=True)
_AUTH: Final = TextRule(f"a client authentication ({', '.join(CLIENT_AUTH)})", _client_auth)

_Mistakes = Iterator[tuple[KeyPath, str]]
"""Key paths with what is wrong there."""


@dataclass(frozen=True, slots=True)
class TlsSection:
    """The section `tls_server_config`."""

    cert_file: Annotated[Pem | None, Key(_pem_file("cert_file"))] = None
    cert: Annotated[Pem | None, Key(_pem_text("cert"))] = None
    key_file: Annotated[Pem | None, Key(_pem_file("key_file"))] = None
    key: Annotated[Pem | None, Key(_pem_text("key"))] = None
    client_auth_type: Annotated[str, Key(_AUTH)] = "NoClientCert"
    client_ca_file: Annotated[Pem | None, Key(_pem_file("client_ca_file"))] = None
    client_ca: Annotated[Pem | None, Key(_pem_text("client_ca"))] = None
    client_allowed_sans: Annotated[
        tuple[str, ...], Key(ListRule(TextRule("a name", filled), "a list of names"))
    ] = ()
    min_version: Annotated[ssl.TLSVersion, Key(_VERSION)] = ssl.TLSVersion.TLSv1_2
    max_version: Annotated[ssl.TLSVersion, Key(_VERSION)] = ssl.TLSVersion.TLSv1_3
    cipher_suites: Annotated[tuple[str, ...], Key(ListRule(_CIPHER, "a list of cipher suites"))] = ()
    prefer_server_cipher_suites: Annotated[bool, Key(_BOOLEAN)] = True
    curve_preferences: Annotated[tuple[str, ...], Key(ListRule(_CURVE, "a list of curves"))] = ()

    @property
    def verify_mode(self) -> ssl.VerifyMode:
        """Return the requirement for client certificates."""
        return CLIENT_AUTH[self.client_auth_type]

    @property
    def pems(self) -> tuple[Pem | None, Pem | None, Pem | None]:
        """Return certificate, key and client CA, from files or in place."""
        return self.cert_file or self.cert, self.key_file or self.key, self.client_ca_file or self.client_ca

    def mistakes(self) -> _Mistakes:
        """Yield contradictions between keys."""
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

    http2: Annotated[bool, Key(_BOOLEAN)] = True
    headers: Annotated[Pairs, Key(PairsRule(_HEADER, replace(HEADER_VALUE, hidden=False), hidden=True))] = ()

    def mistakes(self) -> _Mistakes:
        """Yield headers with values that browsers do not know."""
        for name, value in self.headers:
            if HEADERS[name] and value not in HEADERS[name]:
                yield ("headers", name), f"{shown(value)} is not {' or '.join(HEADERS[name])}"


@dataclass(frozen=True, slots=True)
class RateSection:
    """The section `rate_limit`: one request per `interval` (seconds), and `burst` at once."""

    interval: Annotated[float, Key(IntervalRule(0, 86_400))] = 0.0
    burst: Annotated[int, Key(NumberRule(0, 1_000_000))] = 0

    def mistakes(self) -> _Mistakes:
        """Yield a limit that would refuse everything."""
        if self.interval and not self.burst:
            yield (), "burst must be at least 1, else every request would be refused"


@dataclass(frozen=True, slots=True)
class WebFile:
    """The whole file; TLS is off without its section, or with an empty one."""

    tls_server_config: Annotated[TlsSection | None, Key(Section(TlsSection))] = None
    http_server_config: Annotated[HttpSection, Key(Section(HttpSection))] = HttpSection()
    basic_auth_users: Annotated[Pairs, Key(PairsRule(TextRule("a text"), _HASH))] = ()
    rate_limit: Annotated[RateSection, Key(Section(RateSection))] = RateSection()

    def mistakes(self) -> _Mistakes:
        """Yield contradictions in all sections."""
        for name in ("tls_server_config", "http_server_config", "rate_limit"):
            section = getattr(self, name)
            for path, what in section.mistakes() if section is not None else ():
                yield (name, *path), what


WEB_FILE: Final = Section(WebFile)

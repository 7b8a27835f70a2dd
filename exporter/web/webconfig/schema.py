"""What may stand in a web configuration file: every key with its rule and default."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from exporter.config import texts
from exporter.config.entries import Entry, FilePath
from exporter.config.rules import DurationRule, NumberRule, RefusedError, Rule, wrong_kind
from exporter.config.scalars import Kind, Scalar
from exporter.web.webconfig import durations
from exporter.web.webconfig.names import CIPHERS, CURVES, TLS13_CIPHERS, VERSIONS, ClientAuth

HIGHEST_COST: Final = 16
"""Of a bcrypt hash: a check of this one takes about five seconds, each step more twice as long."""

HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""Headers that may be set, and which values; none named: any."""

SUPPORTED: Final = tuple(each.value for each in ClientAuth if each is not ClientAuth.REQUIRE_ANY)
"""The client authentications that Python can do; see `_client_auth` for the one that it cannot."""

_BCRYPT: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_PEM: Final = "PEM data (-----BEGIN …)"


@dataclass(frozen=True, slots=True)
class YesNoRule:
    """`true` or `false`, without quotes."""

    allowed: str = "true or false"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def check(self, value: object) -> bool:
        """Yes or no; raises pydantic's error type, which pydantic collects."""
        if not isinstance(value, Scalar) or value.kind is not Kind.BOOLEAN:
            raise wrong_kind(value, self.allowed)
        return value.written.lower() in ("true", "yes", "on", "y")


@dataclass(frozen=True, slots=True)
class IntervalRule(DurationRule):
    """A duration as exporter-toolkit reads it, or a plain 0."""

    def check(self, value: object) -> float:
        """The duration in seconds; raises pydantic's error type, which pydantic collects."""
        written = value.written if isinstance(value, Scalar) and value.written == "0" else value
        if isinstance(written, str):
            with suppress(ValueError):
                if self.lowest <= (seconds := durations.parse(written)) <= self.highest:
                    return seconds
        return DurationRule.check(self, value)


def one_of(names: Mapping[str, object]) -> Callable[[str], str]:
    """A rule's reading: one of these names."""

    def read(text: str) -> str:
        if text not in names:
            raise ValueError("another name")
        return text

    return read


def _client_auth(text: str) -> str:
    text = "RequireAnyClientCert" if text == "RequireClientCert" else text  # its old name in the toolkit
    if text == ClientAuth.REQUIRE_ANY:
        raise RefusedError(
            "RequireAnyClientCert is not supported: it takes any certificate without verifying it, and so "
            "proves nothing; write RequireAndVerifyClientCert and name the CA in client_ca_file"
        )
    return ClientAuth(text).value


def _bcrypt(text: str) -> str:
    match = _BCRYPT.fullmatch(text)
    if match is None or int(match[1]) < 4:  # noqa: PLR2004 - bcrypt's own lowest
        raise ValueError("not a hash")
    if int(match[1]) > HIGHEST_COST:
        raise RefusedError(
            f"a bcrypt hash of cost {match[1]}: a check would take too long, {HIGHEST_COST} is the most"
        )
    return text


def _pem(text: str) -> str:
    if not text.lstrip().startswith("-----BEGIN "):
        raise ValueError("something else")
    return text


Version = Annotated[str, Rule(f"a TLS version ({', '.join(VERSIONS)})", one_of(VERSIONS))]
Cipher = Annotated[
    str,
    Rule(
        "a cipher suite that Go's tls.CipherSuites() has, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        one_of({**CIPHERS, **dict.fromkeys(TLS13_CIPHERS)}),
    ),
]
Curve = Annotated[str, Rule(f"a curve ({', '.join(CURVES)})", one_of(CURVES))]
HeaderName = Annotated[str, Rule(f"a header that can be set ({', '.join(HEADERS)})", one_of(HEADERS))]
PemText = Annotated[str, Rule(_PEM, _pem, hidden=True)]


class TlsEntry(Entry):
    """The section `tls_server_config`."""

    cert_file: FilePath | None = None
    key_file: FilePath | None = None
    cert: PemText | None = None
    key: PemText | None = None
    client_auth_type: Annotated[
        str, Rule(f"a client authentication ({', '.join(SUPPORTED)})", _client_auth)
    ] = "NoClientCert"
    client_ca_file: FilePath | None = None
    client_ca: PemText | None = None
    client_allowed_sans: list[Annotated[str, Rule("a name", texts.filled)]] = Field(default_factory=list)
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: list[Cipher] = Field(default_factory=list)
    prefer_server_cipher_suites: Annotated[bool, YesNoRule()] = True
    curve_preferences: list[Curve] = Field(default_factory=list)


class HttpEntry(Entry):
    """The section `http_server_config`."""

    http2: Annotated[bool, YesNoRule()] = True
    headers: dict[
        HeaderName, Annotated[str, Rule("a header's value in printable ASCII", texts.header_value)]
    ] = Field(default_factory=dict)


class RateEntry(Entry):
    """The section `rate_limit`."""

    interval: Annotated[float, IntervalRule(0, 86_400)] = 0.0
    burst: Annotated[int, NumberRule("a whole number from 0 to 1000000", 0, 1_000_000)] = 0


class WebFile(Entry):
    """The whole file."""

    tls_server_config: TlsEntry = Field(default_factory=TlsEntry)
    http_server_config: HttpEntry = Field(default_factory=HttpEntry)
    basic_auth_users: dict[
        str,
        Annotated[str, Rule("a bcrypt hash ($2y$10$…, as htpasswd -nBC 10 makes it)", _bcrypt, hidden=True)],
    ] = Field(default_factory=dict)
    rate_limit: RateEntry = Field(default_factory=RateEntry)

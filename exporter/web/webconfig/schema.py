"""What may stand in a web configuration file: every key with its rule and default."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Final

from exporter.config.problems import Pairs
from exporter.config.rules import (
    BooleanRule,
    DurationRule,
    FileRule,
    NotAllowedError,
    NumberRule,
    TextRule,
    filled,
)
from exporter.config.scalars import Scalar
from exporter.config.sections import Key, ListRule, PairsRule, Section
from exporter.config.texts import HEADER_VALUE
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
class IntervalRule(DurationRule):
    """A duration as exporter-toolkit reads it, or a plain 0."""

    def parse(self, value: object) -> float:
        """Return the duration in seconds."""
        written = value.written if isinstance(value, Scalar) and value.written == "0" else value
        if isinstance(written, str):
            with suppress(ValueError):
                if self.lowest <= (seconds := durations.parse(written)) <= self.highest:
                    return seconds
        return DurationRule.parse(self, value)


def _boolean_words() -> Iterator[tuple[str, bool]]:
    """Yield all words for true and false that the toolkit's YAML has."""
    for words, meaning in ((("true", "yes", "on"), True), (("false", "no", "off"), False)):
        for word in words:
            yield from ((each, meaning) for each in (word, word.capitalize(), word.upper()))


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
        raise NotAllowedError(
            "RequireAnyClientCert is not supported: it takes any certificate without verifying it, and so "
            "proves nothing; write RequireAndVerifyClientCert and name the CA in client_ca_file"
        )
    return ClientAuth(text).value


def _bcrypt(text: str) -> str:
    match = _BCRYPT.fullmatch(text)
    if match is None or int(match[1]) < 4:  # noqa: PLR2004 - bcrypt's own lowest
        raise ValueError("not a hash")
    if int(match[1]) > HIGHEST_COST:
        raise NotAllowedError(
            f"a bcrypt hash of cost {match[1]}: a check would take too long, {HIGHEST_COST} is the most"
        )
    return text


def _pem(text: str) -> str:
    if not text.lstrip().startswith("-----BEGIN "):
        raise ValueError("something else")
    return text


_BOOLEAN: Final = BooleanRule(words=tuple(_boolean_words()))
_PEM_RULE: Final = TextRule(_PEM, _pem, hidden=True)
_VERSION: Final = TextRule(f"a TLS version ({', '.join(VERSIONS)})", one_of(VERSIONS))
_CIPHER: Final = TextRule(
    "a cipher suite that Go's tls.CipherSuites() has, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    one_of({**CIPHERS, **dict.fromkeys(TLS13_CIPHERS)}),
)
_CURVE: Final = TextRule(f"a curve ({', '.join(CURVES)})", one_of(CURVES))
_HEADER: Final = TextRule(f"a header that can be set ({', '.join(HEADERS)})", one_of(HEADERS))
_HASH: Final = TextRule("a bcrypt hash ($2y$10$…, as htpasswd -nBC 10 makes it)", _bcrypt, hidden=True)


@dataclass(frozen=True, slots=True)
class TlsEntry:
    """The section `tls_server_config`."""

    cert_file: Annotated[str | None, Key(FileRule())] = None
    key_file: Annotated[str | None, Key(FileRule())] = None
    cert: Annotated[str | None, Key(_PEM_RULE)] = None
    key: Annotated[str | None, Key(_PEM_RULE)] = None
    client_auth_type: Annotated[
        str, Key(TextRule(f"a client authentication ({', '.join(SUPPORTED)})", _client_auth))
    ] = "NoClientCert"
    client_ca_file: Annotated[str | None, Key(FileRule())] = None
    client_ca: Annotated[str | None, Key(_PEM_RULE)] = None
    client_allowed_sans: Annotated[
        tuple[str, ...], Key(ListRule(TextRule("a name", filled), "a list of names"))
    ] = ()
    min_version: Annotated[str, Key(_VERSION)] = "TLS12"
    max_version: Annotated[str, Key(_VERSION)] = "TLS13"
    cipher_suites: Annotated[tuple[str, ...], Key(ListRule(_CIPHER, "a list of cipher suites"))] = ()
    prefer_server_cipher_suites: Annotated[bool, Key(_BOOLEAN)] = True
    curve_preferences: Annotated[tuple[str, ...], Key(ListRule(_CURVE, "a list of curves"))] = ()


@dataclass(frozen=True, slots=True)
class HttpEntry:
    """The section `http_server_config`."""

    http2: Annotated[bool, Key(_BOOLEAN)] = True
    headers: Annotated[Pairs, Key(PairsRule(_HEADER, replace(HEADER_VALUE, hidden=False), hidden=True))] = ()


@dataclass(frozen=True, slots=True)
class RateEntry:
    """The section `rate_limit`."""

    interval: Annotated[float, Key(IntervalRule(0, 86_400))] = 0.0
    burst: Annotated[int, Key(NumberRule(0, 1_000_000))] = 0


@dataclass(frozen=True, slots=True)
class WebFile:
    """The whole file; TLS is off without its section, or with an empty one."""

    tls_server_config: Annotated[TlsEntry | None, Key(Section(TlsEntry))] = None
    http_server_config: Annotated[HttpEntry, Key(Section(HttpEntry))] = HttpEntry()
    basic_auth_users: Annotated[Pairs, Key(PairsRule(TextRule("a text"), _HASH))] = ()
    rate_limit: Annotated[RateEntry, Key(Section(RateEntry))] = RateEntry()


WEB_FILE: Final = Section(WebFile)

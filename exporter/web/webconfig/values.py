"""What a single value of a web configuration file may be, and what it becomes.

Versions, cipher suites, curves and client authentication have Go's names, as in exporter-toolkit.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Final

import yaml

from exporter.config.rules import BooleanRule, DurationRule, FileRule, NotAllowedError, TextRule
from exporter.config.scalars import Scalar

HIGHEST_COST: Final = 16
"""Of a bcrypt hash: a check of this one takes about five seconds, each step more twice as long."""

_NAMES: Final = yaml.safe_load(resources.files(__package__).joinpath("names.yaml").read_text("utf-8"))
VERSIONS: Final = {name: ssl.TLSVersion[known] for name, known in _NAMES["versions"].items()}
CLIENT_AUTH: Final = {name: ssl.VerifyMode[known] for name, known in _NAMES["client_auth"].items()}
CIPHERS: Final[Mapping[str, str]] = _NAMES["ciphers"]
CURVES: Final[Mapping[str, str]] = _NAMES["curves"]
HEADERS: Final[Mapping[str, list[str]]] = _NAMES["headers"]
"""Headers that may be set, and which values; none named: any."""

_BCRYPT: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_PART: Final = re.compile(rf"([0-9]{{1,15}}(?:\.[0-9]{{0,15}})?|\.[0-9]{{1,15}})({'|'.join(_SECONDS)})")


@dataclass(frozen=True, slots=True)
class IntervalRule(DurationRule):
    """A duration as exporter-toolkit reads it: Go's, such as `1.5s` or `500us`, Prometheus' own, or 0.

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
    """Return the rule for one of these names, which becomes what it stands for."""

    def accept(text: str) -> object:
        if text not in names:
            raise ValueError("another name")
        return names[text]

    return TextRule(what, accept)


def _client_auth(text: str) -> str:
    if text in ("RequireAnyClientCert", "RequireClientCert"):  # the second is its old name in the toolkit
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
    """PEM data of a `key` of the file: another file's, or written in place (`text`)."""

    key: str
    path: Path | None = None
    text: str = field(default="", repr=False)

    def read(self) -> str:
        """Return the data; raise OSError, or ValueError where it is not a text."""
        return self.text if self.path is None else self.path.read_text("utf-8")


def pem_file(key: str) -> FileRule:
    """Return the rule for a file of PEM data under this key."""
    return FileRule(lambda path: Pem(key, path=Path(path)))


def pem_text(key: str) -> TextRule:
    """Return the rule for PEM data in place under this key."""

    def accept(text: str) -> Pem:
        if not text.lstrip().startswith("-----BEGIN "):
            raise ValueError("something else")
        return Pem(key, text=text)

    return TextRule("PEM data (-----BEGIN …)", accept, hidden=True)


BOOLEAN: Final = BooleanRule(
    words=tuple(
        (written, word in ("true", "yes", "on"))
        for word in ("true", "yes", "on", "false", "no", "off")
        for written in (word, word.capitalize(), word.upper())
    )
)
VERSION: Final = _one_of(f"a TLS version ({', '.join(VERSIONS)})", VERSIONS)
CIPHER: Final = _one_of(
    "a cipher suite that Go's tls.CipherSuites() has, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CIPHERS
)
CURVE: Final = _one_of(f"a curve ({', '.join(CURVES)})", CURVES)
HEADER: Final = _one_of(f"a header that can be set ({', '.join(HEADERS)})", {name: name for name in HEADERS})
HASH: Final = TextRule("a bcrypt hash ($2y$10$…, as htpasswd -nBC 10 makes it)", _bcrypt, hidden=True)
AUTH: Final = TextRule(f"a client authentication ({', '.join(CLIENT_AUTH)})", _client_auth)

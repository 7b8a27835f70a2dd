"""The section `storage`: where rows, tokens and refresh tokens are kept, alone or together with others."""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import Field

from exporter.config import texts
from exporter.config.credentials import readable
from exporter.config.entries import Entry, FilePath, Place, SecretText, secret_of
from exporter.config.problems import Problem, shown
from exporter.config.rules import RefusedError, Rule
from exporter.config.settings import RedisServer, Secret, StorageSettings

SQLITE: Final = "sqlite:///"
MEMORY: Final = "memory://"
KEY_BYTES: Final = 32
_SCHEMES: Final = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")
_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_LAST_DATABASE: Final = 9999
_ALLOWED: Final = "memory://, sqlite:///path or redis://host:6379/0"
_INSTALL: Final = "pip install '.[redis]' in the checkout"
_SECRETS: Final = ("password", "sentinel_password", "encryption_key")
_OF_REDIS: Final = (
    "password",
    "password_file",
    "sentinel_password",
    "sentinel_password_file",
    "ca_file",
    "cert_file",
    "key_file",
    "prefix",
)
_OF_TLS: Final = ("ca_file", "cert_file", "key_file")


def storage_url(text: str) -> str:
    """Where rows are kept: in memory, in a file, or in Redis; without the white space around it."""
    text = text.strip()
    if text == MEMORY or (text.startswith(SQLITE) and _is_file(text.removeprefix(SQLITE))):
        return text
    if len(text.split()) > 1 or not text.isprintable():
        raise ValueError("no address has white space inside")
    _server(urlsplit(text))
    return text


def sealing_keys(text: str) -> str:
    """32 random bytes, written as URL-safe base64; several with commas: the first encrypts, all decrypt."""
    for key in text.split(","):
        try:
            decoded = urlsafe_b64decode(key.strip())
        except (binascii.Error, ValueError):
            decoded = b""
        if len(decoded) != KEY_BYTES:
            raise ValueError("not 32 bytes")
    return text


class StorageEntry(Entry):
    """The section `storage`."""

    url: Annotated[str, Rule(_ALLOWED, storage_url)] = Field(
        default="sqlite:///data/exporter.db",
        description="Where rows survive a restart: an SQLite file, or nowhere with memory://. Several "
        "exporters share a Redis: redis://, rediss:// with TLS, redis+sentinel:// and rediss+sentinel:// "
        "with the sentinels' hosts separated by commas.",
    )
    password: SecretText | None = Field(default=None, description="Redis' password; better kept in a file.")
    password_file: FilePath | None = Field(
        default=None, description="A file that holds Redis' password; the user stands in the URL (user@host)."
    )
    sentinel_password: SecretText | None = Field(
        default=None, description="The sentinels' password, where they have one; better kept in a file."
    )
    sentinel_password_file: FilePath | None = Field(default=None, description="A file that holds it.")
    ca_file: FilePath | None = Field(
        default=None, description="Certificates that rediss:// is verified against; without it, the system's."
    )
    cert_file: FilePath | None = Field(
        default=None,
        description="The exporter's certificate, for a Redis that asks for one (tls-auth-clients, its own "
        "default), with key_file; both are read again for each connection.",
    )
    key_file: FilePath | None = Field(default=None, description="The private key of cert_file.")
    prefix: Annotated[
        str, Rule("a prefix (letters, digits, '-', '_', '.' and ':', at most 60)", texts.key_prefix)
    ] = Field(
        default="wechat-miniprogram",
        description="What all keys in Redis begin with: exporters with the same prefix are one fleet.",
    )
    encryption_key: (
        Annotated[str, Rule("a key: 32 bytes as URL-safe base64", sealing_keys, hidden=True)] | None
    ) = Field(default=None, description="Encrypts tokens and refresh tokens; better kept in a file.")
    encryption_key_file: FilePath | None = Field(
        default=None,
        description="A file that holds the key: 32 random bytes as URL-safe base64. To replace it, write the "
        "new key before the old one, separated by a comma.",
    )

    def settings(self, place: Place) -> StorageSettings:
        """The section as the program uses it: with absolute paths."""
        key = secret_of(self.encryption_key, self.encryption_key_file, place)
        if self.url == MEMORY:
            return StorageSettings(self.url, encryption_key=key)
        if self.url.startswith(SQLITE):
            path = place.path(self.url.removeprefix(SQLITE))
            return StorageSettings(f"{SQLITE}{path}", encryption_key=key)
        parts = urlsplit(self.url)
        server = _server(parts)
        ca_file, cert_file, key_file = (
            None if file is None else place.path(file)
            for file in (self.ca_file, self.cert_file, self.key_file)
        )
        password = secret_of(self.password, self.password_file, place)
        if password is None and parts.password:
            password = Secret(value=unquote(parts.password))
        return StorageSettings(
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}",
            replace(
                server,
                ca_file=ca_file,
                cert_file=cert_file,
                key_file=key_file,
                password=password,
                sentinel_password=secret_of(self.sentinel_password, self.sentinel_password_file, place),
                prefix=self.prefix,
            ),
            key,
        )


def problems(storage: object, place: Place) -> Iterator[Problem]:
    """What is wrong with the section, read from the plain data, but for what the schema says itself."""
    if not isinstance(storage, dict):
        return
    path = ("storage",)
    url = storage.get("url")
    redis = isinstance(url, str) and _is_redis(url)
    for key in _SECRETS:
        yield from readable(storage, f"{key}_file", path, place)
        if key in storage and f"{key}_file" in storage:
            yield Problem(path, f"at most one of {key}, {key}_file is allowed, found both")
    for key in (each for each in _OF_REDIS if each in storage and not redis):
        yield Problem((*path, key), "is for redis:// alone")
    if redis:
        yield from _redis(str(url), storage, place)
    yield from _key_in_file(storage, place)
    if storage.keys() & {"encryption_key", "encryption_key_file"} and find_spec("cryptography") is None:
        yield Problem((*path, "encryption_key"), f"needs cryptography, which is not installed: {_INSTALL}")


def _redis(url: str, storage: Mapping[str, object], place: Place) -> Iterator[Problem]:
    path = ("storage",)
    with suppress(ValueError):  # no URL: the schema has told
        yield from _address(urlsplit(url.strip()), storage)
    if find_spec("redis") is None:
        yield Problem((*path, "url"), f"needs redis, which is not installed: {_INSTALL}")
    for key in _OF_TLS:
        file = storage.get(key)
        if isinstance(file, str) and not Path(place.path(file)).is_file():
            yield Problem((*path, key), f"{shown(file)} cannot be used: no such file")
    for key, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if key in storage and other not in storage:
            yield Problem((*path, key), f"needs {other} beside it")


def _address(parts: SplitResult, storage: Mapping[str, object]) -> Iterator[Problem]:
    """What does not go with the address: it would be left out without a word."""
    path = ("storage",)
    password = storage.keys() & {"password", "password_file"}
    if parts.password and password:
        yield Problem((*path, "url"), "has a password, and so has the section: one of them is enough")
    if parts.username and not parts.password and not password:
        yield Problem((*path, "url"), "names a user, who needs a password: password_file")
    if not parts.scheme.startswith("rediss"):
        for key in (each for each in _OF_TLS if each in storage):
            yield Problem((*path, key), "is for rediss:// alone")
    if not parts.scheme.endswith("+sentinel"):
        for key in sorted(storage.keys() & {"sentinel_password", "sentinel_password_file"}):
            yield Problem((*path, key), "is for redis+sentinel:// alone")


def _key_in_file(storage: Mapping[str, object], place: Place) -> Iterator[Problem]:
    written = storage.get("encryption_key_file")
    if isinstance(written, str):
        try:
            sealing_keys(Secret(path=place.path(written)).read())
        except OSError:
            return  # `readable` has told
        except ValueError:
            what = f"{shown(written)} does not hold a key (32 bytes as URL-safe base64)"
            yield Problem(("storage", "encryption_key_file"), what)


def _is_redis(url: str) -> bool:
    """Whether a Redis is meant, however well the rest is written; a scheme is the same in capital letters."""
    return url.strip().partition(":")[0].partition("+")[0].lower() in ("redis", "rediss")


def _server(parts: SplitResult) -> RedisServer:
    """The server that a URL names; ValueError, or an advice, where it names none."""
    if parts.scheme not in _SCHEMES or parts.query or parts.fragment:
        raise ValueError("another kind of storage")
    sentinel = parts.scheme.endswith("+sentinel")
    master, _, database = (
        parts.path.strip("/").rpartition("/") if sentinel else ("", "", parts.path.strip("/"))
    )
    if sentinel and not master:
        raise RefusedError("sentinels need the master's name: redis+sentinel://host:26379/NAME/0")
    if database and not (database.isascii() and database.isdigit() and int(database) <= _LAST_DATABASE):
        raise RefusedError("the database behind the last slash is a number, usually 0")
    hosts = tuple(_host(each, sentinel) for each in parts.netloc.rpartition("@")[2].split(","))
    if len(hosts) > 1 and not sentinel:
        raise RefusedError("several hosts need redis+sentinel://; a cluster is not supported")
    return RedisServer(
        hosts,
        int(database or 0),
        master=unquote(master) or None,
        tls=parts.scheme.startswith("rediss"),
        user=unquote(parts.username) if parts.username else None,
    )


def _host(text: str, sentinel: bool) -> tuple[str, int]:  # noqa: FBT001 - the default port hangs on it
    found = urlsplit(f"//{text}")
    if not found.hostname:
        raise ValueError("no host")
    return found.hostname, found.port or (_SENTINEL_PORT if sentinel else _PORT)


def _is_file(path: str) -> bool:
    return bool(path.strip("/")) and not path.endswith("/") and "?" not in path and path != ":memory:"

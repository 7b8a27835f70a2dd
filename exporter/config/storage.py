"""The section `storage`: where rows, tokens and refresh tokens are kept, for one exporter or several."""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from exporter.config.problems import KeyPath, Problems, shown
from exporter.config.rules import FileRule, NotAllowedError, TextRule
from exporter.config.secret import Secret, secret_rule
from exporter.config.sections import Key, SecretKey, Section
from exporter.config.text_rules import KEY_PREFIX

SQLITE: Final = "sqlite:///"
MEMORY: Final = "memory://"
KEY_BYTES: Final = 32
_SCHEMES: Final = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")
_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_LAST_DATABASE: Final = 9999
_INSTALL: Final = "pip install '.[redis]' in the checkout"
_OF_SENTINELS: Final = ("sentinel_password", "sentinel_password_file")
_OF_TLS: Final = ("ca_file", "cert_file", "key_file")
_OF_REDIS: Final = ("password", "password_file", *_OF_SENTINELS, *_OF_TLS, "prefix")


def storage_url(text: str) -> str:
    """Accept memory, a file or a Redis URL; strip white space."""
    text = text.strip()
    if text == MEMORY or (text.startswith(SQLITE) and _is_file(text.removeprefix(SQLITE))):
        return text
    if len(text.split()) > 1 or not text.isprintable():
        raise ValueError("no address has white space inside")
    _server(urlsplit(text))
    return text


def sealing_keys(text: str) -> str:
    """Accept one or several keys with commas, each 32 bytes as URL-safe base64; the first one encrypts."""
    for key in text.split(","):
        try:
            decoded = urlsafe_b64decode(key.strip())
        except (binascii.Error, ValueError):
            decoded = b""
        if len(decoded) != KEY_BYTES:
            raise ValueError("not 32 bytes")
    return text


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """A Redis server or, with `master`, the sentinels that know its address; `hosts` are names and ports."""

    hosts: tuple[tuple[str, int], ...]
    database: int = 0
    master: str | None = None
    tls: bool = False
    user: str | None = None
    ca_file: Annotated[
        str | None,
        Key(FileRule(), "Certificates that rediss:// is verified against; without it, the system's."),
    ] = None
    cert_file: Annotated[
        str | None,
        Key(
            FileRule(),
            "The exporter's certificate, for a Redis that asks for one (tls-auth-clients, its own "
            "default), with key_file; both are read again for each connection.",
        ),
    ] = None
    key_file: Annotated[str | None, Key(FileRule(), "The private key of cert_file.")] = None
    password: Annotated[
        Secret | None,
        SecretKey(
            "Redis' password; better kept in a file.",
            "A file that holds Redis' password; the URL has the user (user@host).",
        ),
    ] = None
    sentinel_password: Annotated[
        Secret | None,
        SecretKey(
            "The sentinels' password, if they have one; better kept in a file.",
            "A file that holds the sentinels' password.",
        ),
    ] = None
    prefix: Annotated[
        str,
        Key(KEY_PREFIX, "The beginning of all keys in Redis: exporters with the same prefix are one fleet."),
    ] = "wechat-miniprogram"


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """`memory://`, `sqlite:////absolute/path` (the fourth slash begins the path), or Redis' address.

    The URL contains no password. `encryption_key` encrypts tokens and refresh tokens.
    """

    url: Annotated[
        str,
        Key(
            TextRule("memory://, sqlite:///path or redis://host:6379/0", storage_url),
            "Where rows survive a restart: an SQLite file, or nowhere with memory://. Several "
            "exporters share a Redis: redis://, rediss:// with TLS, redis+sentinel:// and rediss+sentinel:// "
            "with the sentinels' hosts separated by commas.",
        ),
    ] = "sqlite:///data/exporter.db"
    redis: RedisSettings | None = None
    encryption_key: Annotated[
        Secret | None,
        SecretKey(
            "Encrypts tokens and refresh tokens; better kept in a file.",
            "A file that holds the key: 32 random bytes as URL-safe base64. To replace it, write the "
            "new key before the old one, separated by a comma.",
            secret_rule("a key: 32 bytes as URL-safe base64", sealing_keys),
            held="a key (32 bytes as URL-safe base64)",
        ),
    ] = None

    def at(self, problems: Problems) -> "StorageSettings":
        """Return the settings with an absolute path."""
        if not self.url.startswith(SQLITE):
            return self
        return replace(self, url=f"{SQLITE}{problems.absolute(self.url.removeprefix(SQLITE))}")


def _storage(url: str, encryption_key: Secret | None, **redis: Any) -> StorageSettings:  # noqa: ANN401 - each has the type that its rule gives
    if url == MEMORY or url.startswith(SQLITE):
        return StorageSettings(url, encryption_key=encryption_key)
    parts = urlsplit(url)
    server = replace(_server(parts), **redis)
    if server.password is None and parts.password:
        server = replace(server, password=Secret(value=unquote(parts.password)))
    shown_url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return StorageSettings(shown_url, server, encryption_key)


def _check(storage: Mapping[str, object], path: KeyPath, problems: Problems) -> None:
    """Add problems between keys."""
    url = storage.get("url")
    if isinstance(url, str) and _is_redis(url):
        with suppress(ValueError):  # not a URL: its rule has added a problem
            _check_address(urlsplit(url.strip()), storage, path, problems)
        if find_spec("redis") is None:
            problems.add((*path, "url"), f"needs redis, which is not installed: {_INSTALL}")
        for key in _OF_TLS:
            file = storage.get(key)
            if isinstance(file, str) and not Path(problems.absolute(file)).is_file():
                problems.add((*path, key), f"{shown(file)} cannot be used: no such file")
        for key, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
            if key in storage and other not in storage:
                problems.add((*path, key), f"needs {other} beside it")
    else:
        _refuse(_OF_REDIS, "is for redis:// alone", storage, path, problems)
    if storage.keys() & {"encryption_key", "encryption_key_file"} and find_spec("cryptography") is None:
        problems.add((*path, "encryption_key"), f"needs cryptography, which is not installed: {_INSTALL}")


def _check_address(
    parts: SplitResult, storage: Mapping[str, object], path: KeyPath, problems: Problems
) -> None:
    """Add a problem for each key that the address would silently ignore."""
    password = storage.keys() & {"password", "password_file"}
    if parts.password and password:
        problems.add((*path, "url"), "has a password, and so has the section: one of them is enough")
    if parts.username and not parts.password and not password:
        problems.add((*path, "url"), "names a user, who needs a password: password_file")
    if not parts.scheme.startswith("rediss"):
        _refuse(_OF_TLS, "is for rediss:// alone", storage, path, problems)
    if not parts.scheme.endswith("+sentinel"):
        _refuse(_OF_SENTINELS, "is for redis+sentinel:// alone", storage, path, problems)


def _refuse(
    keys: tuple[str, ...], what: str, storage: Mapping[str, object], path: KeyPath, problems: Problems
) -> None:
    for key in keys:
        if key in storage:
            problems.add((*path, key), what)


STORAGE: Final = Section(_storage, described_by=(StorageSettings, RedisSettings), check=_check)


def _is_redis(url: str) -> bool:
    """Return whether the scheme is Redis', in any case of letters, even if the rest is wrong."""
    return url.strip().partition(":")[0].partition("+")[0].lower() in ("redis", "rediss")


def _server(parts: SplitResult) -> RedisSettings:
    """Return the server that a URL names; raise ValueError if it names none."""
    if parts.scheme not in _SCHEMES or parts.query or parts.fragment:
        raise ValueError("another kind of storage")
    sentinel = parts.scheme.endswith("+sentinel")
    master, _, database = (
        parts.path.strip("/").rpartition("/") if sentinel else ("", "", parts.path.strip("/"))
    )
    if sentinel and not master:
        raise NotAllowedError("sentinels need the master's name: redis+sentinel://host:26379/NAME/0")
    if database and not (database.isascii() and database.isdigit() and int(database) <= _LAST_DATABASE):
        raise NotAllowedError("the database behind the last slash is a number, usually 0")
    hosts = tuple(_host(each, sentinel) for each in parts.netloc.rpartition("@")[2].split(","))
    if len(hosts) > 1 and not sentinel:
        raise NotAllowedError("several hosts need redis+sentinel://; a cluster is not supported")
    return RedisSettings(
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

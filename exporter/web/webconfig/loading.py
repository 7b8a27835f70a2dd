"""Loads a web configuration file: returns it ready for use, or reports all mistakes at once."""

import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from exporter.config.problems import ConfigError, Problems
from exporter.config.yaml_file import ConfigFile
from exporter.config.yaml_scalars import Scalar, ScalarKind
from exporter.web.webconfig.format import WEB_FILE, RateSection, WebFile
from exporter.web.webconfig.tls import TlsError, make_context

Headers = Sequence[tuple[bytes, bytes]]
"""Header names in lower case, with values."""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """A whole file, ready for use.

    `tls` is None for plain HTTP. `allowed_sans`: names of which a client's certificate must have one; empty
    accepts all. `users`: bcrypt hashes by name; empty disables authentication. `rate_limit` has an interval
    of 0 for no limit. `files`: the files to watch for changes.
    """

    tls: ssl.SSLContext | None = None
    allowed_sans: frozenset[str] = frozenset()
    headers: Headers = ()
    users: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    rate_limit: RateSection = field(default_factory=RateSection)
    files: tuple[Path, ...] = ()


def load(path: Path, environ: Mapping[str, str]) -> WebConfig:
    """Load and check the file, its certificates and keys, with `environ` for `${NAME}`.

    Relative paths start from its folder. Raise ConfigError with every mistake.
    """
    file = ConfigFile.read(path, environ, Problems(os.fspath(path.absolute().parent)))
    config = WebConfig(files=(path,))
    if file.text is not None and _is_blank(file.text):
        return config  # as in the toolkit: an empty file enables nothing
    found = WEB_FILE.read(_without_nothing(file.data), (), file.problems)
    if found is not None and not file.problems.found:
        for where, what in found.mistakes():
            file.problems.add(where, what)
    if found is not None and not file.problems.found:
        try:
            return _usable(found, path)
        except TlsError as error:
            file.problems.add(("tls_server_config", error.key), error.what)
    raise ConfigError(tuple(file.report()))


def _is_blank(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def _without_nothing(data: object) -> object:
    """Return the data without empty sections, as left by commented-out lines."""
    if not isinstance(data, dict):
        return data
    return {
        key: value
        for key, value in data.items()
        if key not in WEB_FILE.keys
        or (value != {} and not (isinstance(value, Scalar) and value.kind is ScalarKind.NOTHING))
    }


def _usable(file: WebFile, path: Path) -> WebConfig:
    tls, headers = file.tls_server_config, file.http_server_config.headers
    pems = () if tls is None else tls.pems
    return WebConfig(
        tls=None if tls is None else make_context(tls),
        allowed_sans=frozenset(() if tls is None else tls.client_allowed_sans),
        headers=tuple((name.lower().encode(), value.encode()) for name, value in headers),
        users=MappingProxyType({name: hashed.encode() for name, hashed in file.basic_auth_users}),
        rate_limit=file.rate_limit,
        files=(path, *(pem.path for pem in pems if pem is not None and pem.path is not None)),
    )

"""Reads a web configuration file: ready for use, or all its mistakes at once."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from exporter.config.file import ConfigFile
from exporter.config.problems import ConfigError, Problems, shown
from exporter.config.scalars import Scalar, ScalarKind
from exporter.web.webconfig.names import CIPHERS, CURVES, VERSIONS, ClientAuth
from exporter.web.webconfig.schema import HEADERS, WEB_FILE, TlsEntry, WebFile
from exporter.web.webconfig.settings import Headers, Pem, RateLimit, TlsSettings, WebConfig
from exporter.web.webconfig.tls import TlsError, make_context

_TLS: Final = "tls_server_config"


def load(path: Path, environ: Mapping[str, str]) -> WebConfig:
    """Read and check the file, its certificates and keys; relative paths start from its folder.

    Args:
        path: the file.
        environ: what `${NAME}` stands for.

    Raises:
        ConfigError: with every mistake.
    """
    file = ConfigFile.read(path, environ, Problems(os.fspath(path.absolute().parent)))
    config = WebConfig(files=(path,))
    if file.text is not None and _is_blank(file.text):
        return config  # as the toolkit: nothing is switched on
    found = WEB_FILE.read(_without_nothing(file.data), (), file.problems)
    if found is not None and not file.problems.found:
        config = _resolved(found, path, file.problems)
    if file.problems.found:
        raise ConfigError(tuple(file.report()))
    return config


def _is_blank(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def _without_nothing(data: object) -> object:
    """Return the data without sections that are empty, as where their lines were commented out."""
    if not isinstance(data, dict):
        return data
    return {
        key: value
        for key, value in data.items()
        if key not in WEB_FILE.keys
        or (value != {} and not (isinstance(value, Scalar) and value.kind is ScalarKind.NOTHING))
    }


def _resolved(file: WebFile, path: Path, problems: Problems) -> WebConfig:
    entry = file.tls_server_config
    settings = None if entry is None else _tls(entry, problems)
    headers = _headers(file, problems)
    rate = file.rate_limit
    if rate.interval and not rate.burst:
        problems.add(("rate_limit",), "burst must be at least 1, else every request would be refused")
    context = None
    if settings is not None and not problems.found:
        try:
            context = make_context(settings)
        except TlsError as error:
            problems.add((_TLS, error.key), error.what)
    pems = (settings.cert, settings.key, settings.client_ca) if settings is not None else ()
    return WebConfig(
        tls=context,
        allowed_sans=frozenset(entry.client_allowed_sans if entry is not None else ()),
        headers=headers,
        users=MappingProxyType({name: found.encode() for name, found in file.basic_auth_users}),
        rate_limit=RateLimit(rate.interval, rate.burst) if rate.interval else None,
        files=(path, *(pem.path for pem in pems if pem is not None and pem.path is not None)),
    )


def _headers(file: WebFile, problems: Problems) -> Headers:
    headers = file.http_server_config.headers
    for name, value in headers:
        if HEADERS[name] and value not in HEADERS[name]:
            what = f"{shown(value)} is not {' or '.join(HEADERS[name])}"
            problems.add(("http_server_config", "headers", name), what)
    return tuple((name.lower().encode(), value.encode()) for name, value in headers)


def _tls(entry: TlsEntry, problems: Problems) -> TlsSettings | None:
    before = len(problems.found)

    def wrong(key: str, what: str) -> None:
        problems.add((_TLS, key) if key else (_TLS,), what)

    def pem(key: str, file: str | None, text: str | None) -> Pem | None:
        if file is not None and text is not None:
            wrong(key, f"{key} and {key}_file cannot both be there")
        return Pem(Path(file)) if file is not None else Pem(text=text) if text is not None else None

    cert = pem("cert", entry.cert_file, entry.cert)
    key = pem("key", entry.key_file, entry.key)
    client_ca = pem("client_ca", entry.client_ca_file, entry.client_ca)
    auth = ClientAuth(entry.client_auth_type)
    _check_clients(entry, auth, client_ca, wrong)
    if cert is None or key is None:
        wrong("", "cert_file and key_file are needed, both")
    minimum, maximum = VERSIONS[entry.min_version], VERSIONS[entry.max_version]
    if minimum > maximum:
        wrong("max_version", f"{entry.max_version} is older than min_version, {entry.min_version}")
    if len(entry.curve_preferences) > 1:
        wrong("curve_preferences", "Python can set one curve only: name one, or leave the key out")
    if cert is None or key is None or len(problems.found) > before:
        return None
    return TlsSettings(
        cert=cert,
        key=key,
        client_auth=auth,
        client_ca=client_ca,
        minimum=minimum,
        maximum=maximum,
        ciphers=tuple(CIPHERS[name] for name in entry.cipher_suites if name in CIPHERS),
        prefer_server_ciphers=entry.prefer_server_cipher_suites,
        curve=CURVES[entry.curve_preferences[0]] if entry.curve_preferences else "",
    )


def _check_clients(
    entry: TlsEntry, auth: ClientAuth, client_ca: Pem | None, wrong: Callable[[str, str], None]
) -> None:
    if auth.verifies and client_ca is None:
        wrong("client_auth_type", f"{auth} needs client_ca_file")
    if auth is ClientAuth.NONE and client_ca is not None:
        key = "client_ca_file" if client_ca.path else "client_ca"
        wrong(key, "without client_auth_type: RequireAndVerifyClientCert no certificate is asked for")
    if entry.client_allowed_sans and auth is not ClientAuth.REQUIRE_AND_VERIFY:
        wrong("client_allowed_sans", "needs client_auth_type: RequireAndVerifyClientCert")

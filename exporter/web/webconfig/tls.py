"""Makes the TLS context that a web configuration asks for, or tells which key is to blame."""

import os
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Final, NoReturn

from exporter.config.source import reason
from exporter.web.webconfig.names import ClientAuth
from exporter.web.webconfig.settings import Pem, TlsSettings

_OLD: Final = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)


class TlsError(Exception):
    """No context can be made; `key` of tls_server_config is to blame."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(what)
        self.key = key
        self.what = what


def make_context(settings: TlsSettings) -> ssl.SSLContext:
    """A server's context; for HTTP/1.1 alone.

    Raises:
        TlsError: a file cannot be used, or OpenSSL refuses what is asked for.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    _set_versions(context, settings)
    _set_ciphers(context, settings)
    if not settings.prefer_server_ciphers:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if settings.curve:
        context.set_ecdh_curve(settings.curve)
    _load_certificate(context, settings)
    if settings.client_ca is not None and settings.client_auth.verifies:
        _load_client_ca(context, settings.client_ca)
        required = settings.client_auth is ClientAuth.REQUIRE_AND_VERIFY
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


def allows(certificate: dict[str, Any] | None, names: frozenset[str]) -> bool:
    """Whether a verified certificate (as `getpeercert` gives it) has one of these alternative names."""
    wanted = frozenset(map(_name, names))
    return any(_name(value) in wanted for _, value in (certificate or {}).get("subjectAltName", ()))


def _name(text: str) -> str:
    """The name as it is compared: of an IPv6 address there are many ways to write it."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return text


def _set_versions(context: ssl.SSLContext, settings: TlsSettings) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the operator has asked for the old ones
        context.minimum_version = settings.minimum
        context.maximum_version = settings.maximum


def _set_ciphers(context: ssl.SSLContext, settings: TlsSettings) -> None:
    ciphers = ":".join(settings.ciphers)
    if settings.minimum in _OLD:
        ciphers = f"{ciphers or 'DEFAULT'}:@SECLEVEL=0"  # OpenSSL 3 signs nothing for them otherwise
    if ciphers:
        try:
            context.set_ciphers(ciphers)
        except ssl.SSLError:
            raise TlsError("cipher_suites", "OpenSSL here has none of these cipher suites") from None


def _load_certificate(context: ssl.SSLContext, settings: TlsSettings) -> None:
    for key, pem in (("cert_file", settings.cert), ("key_file", settings.key)):
        _readable(key if pem.path else key.removesuffix("_file"), pem)
    with _as_file(settings.cert) as cert, _as_file(settings.key) as key:
        try:
            context.load_cert_chain(cert, key, _no_password)
        except ssl.SSLError as error:
            blamed, what = _blame(error)
            raise TlsError(blamed if settings.key.path else blamed.removesuffix("_file"), what) from None
        except ValueError:  # our own refusal to ask for a password
            raise TlsError("key_file", "the key is encrypted: a key without a password is needed") from None


def _load_client_ca(context: ssl.SSLContext, pem: Pem) -> None:
    key = "client_ca_file" if pem.path else "client_ca"
    try:
        context.load_verify_locations(cadata=_readable(key, pem))
    except (ssl.SSLError, ValueError):
        raise TlsError(key, "no certificates in PEM form in it") from None


def _readable(key: str, pem: Pem) -> str:
    try:
        return pem.read()
    except (OSError, ValueError) as error:
        why = "not a text" if isinstance(error, UnicodeDecodeError) else reason(error)
        raise TlsError(key, f"cannot be used: {why}") from None


@contextmanager
def _as_file(pem: Pem) -> Iterator[str]:
    """A path for the library, which takes no other form; data written in place never touch a disk."""
    if pem.path is not None:
        yield os.fspath(pem.path)
        return
    descriptor = os.memfd_create("pem")
    try:
        os.write(descriptor, pem.read().encode())
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _no_password() -> NoReturn:
    raise ValueError("no password")


def _blame(error: ssl.SSLError) -> tuple[str, str]:
    told = error.reason or ""
    if "MISMATCH" in told:
        return "key_file", "the key does not belong to the certificate"
    if told in ("EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"):
        return "cert_file", "the certificate's key or signature is too weak for OpenSSL here"
    return "cert_file", "no certificate and key in PEM form in the two files"

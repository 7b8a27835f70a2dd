"""Makes the TLS context of a web configuration, or names the key that prevents it."""

import os
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Final, NoReturn

from exporter.config.yaml_events import reason
from exporter.web.webconfig.format import Pem, TlsSection

_OLD: Final = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)


class TlsError(Exception):
    """The context cannot be made because of the value of `key` in tls_server_config."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(what)
        self.key = key
        self.what = what


def make_context(section: TlsSection) -> ssl.SSLContext:
    """Return a server's context, for HTTP/1.1 alone, from a valid section.

    Raise TlsError if a file is unusable, or OpenSSL refuses a setting.
    """
    certificate, key, authority = section.pems
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    _set_versions(context, section)
    if not section.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    for curve in section.curve_preferences:
        context.set_ecdh_curve(curve)
    if certificate is not None and key is not None:
        _load_certificate(context, certificate, key)
    if authority is not None and section.verify_mode:
        _load_client_ca(context, authority)
        context.verify_mode = section.verify_mode
    return context


def allows(certificate: dict[str, Any] | None, names: frozenset[str]) -> bool:
    """Return whether a verified certificate, from `getpeercert`, has one of `names`."""
    wanted = frozenset(map(_name, names))
    return any(_name(value) in wanted for _, value in (certificate or {}).get("subjectAltName", ()))


def _name(text: str) -> str:
    """Return a name for comparison: an IPv6 address has many spellings."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return text


def _set_versions(context: ssl.SSLContext, section: TlsSection) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the operator has chosen old versions
        context.minimum_version = section.min_version
        context.maximum_version = section.max_version
    ciphers = ":".join(filter(None, section.cipher_suites))
    if section.min_version in _OLD:
        ciphers = f"{ciphers or 'DEFAULT'}:@SECLEVEL=0"  # OpenSSL 3 refuses their signatures otherwise
    if ciphers:
        try:
            context.set_ciphers(ciphers)
        except ssl.SSLError:
            raise TlsError("cipher_suites", "OpenSSL here has none of these cipher suites") from None


def _load_certificate(context: ssl.SSLContext, certificate: Pem, key: Pem) -> None:
    for pem in (certificate, key):
        _readable(pem)
    with _as_file(certificate) as cert_path, _as_file(key) as key_path:
        try:
            context.load_cert_chain(cert_path, key_path, _no_password)
        except ssl.SSLError as error:
            if "MISMATCH" in (error.reason or ""):
                raise TlsError(key.key, "the key does not belong to the certificate") from None
            what = "no certificate and key in PEM form in the two files"
            if error.reason in ("EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"):
                what = "the certificate's key or signature is too weak for OpenSSL here"
            raise TlsError(certificate.key, what) from None
        except ValueError:  # our refusal to ask for a password
            raise TlsError(key.key, "the key is encrypted: a key without a password is needed") from None


def _load_client_ca(context: ssl.SSLContext, authority: Pem) -> None:
    try:
        context.load_verify_locations(cadata=_readable(authority))
    except (ssl.SSLError, ValueError):
        raise TlsError(authority.key, "no certificates in PEM form in it") from None


def _readable(pem: Pem) -> str:
    try:
        return pem.read()
    except (OSError, ValueError) as error:
        why = "not a text" if isinstance(error, UnicodeDecodeError) else reason(error)
        raise TlsError(pem.key, f"cannot be used: {why}") from None


@contextmanager
def _as_file(pem: Pem) -> Iterator[str]:
    """Yield a path for the ssl module, which needs one; data in place never touch a disk."""
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

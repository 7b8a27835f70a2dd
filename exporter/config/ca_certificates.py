"""The certificates of a private CA, read with the configuration, so that a reload reads a new file."""

import re
import ssl
from pathlib import Path
from typing import Final

_LARGEST: Final = 1024 * 1024  # bytes; Mozilla's whole list has a quarter of that
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def certificates(path: str) -> str:
    """Return the certificates in a PEM file, without any text around them.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is too large, has no certificate, or a broken one.
    """
    with Path(path).open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"larger than {_LARGEST // 1024} KiB")
    found = "\n".join(_CERTIFICATE.findall(content.decode("latin-1")))
    if not found:
        raise ValueError("no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
    except ssl.SSLError:
        raise ValueError("a certificate in it is broken") from None
    return found

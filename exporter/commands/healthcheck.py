"""`healthcheck`: does a running exporter answer? For containers."""

import argparse
import http.client
import ssl
import sys
from http import HTTPStatus
from typing import Final

from exporter.web.listen import parse_address

_TIMEOUT_SECONDS: Final = 5
_ALIVE: Final = (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
"""An exporter that asks who is there is alive; one that is not well says 503 to everyone."""

_WANTS_CERTIFICATE: Final = ("SSLV3_ALERT_HANDSHAKE_FAILURE",)  # up to TLS 1.2


def run(flags: argparse.Namespace) -> int:
    """Exit code 0: healthy; 1: not."""
    host, port = parse_address(flags.listen_address)
    try:
        alive = _answers(host or "127.0.0.1", port, tls=flags.web_config_file is not None)
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        sys.stderr.write(f"no answer from {flags.listen_address}: {error}\n")
        return 1
    return 0 if alive else 1


def _answers(host: str, port: int, *, tls: bool) -> bool:
    """Whether it is alive; with a web configuration TLS is tried first, as that file may ask for it."""
    if not tls:
        return _status(http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)) in _ALIVE
    connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=_trusting())
    try:
        connection.connect()
    except ssl.SSLError as error:
        return error.reason in _WANTS_CERTIFICATE or _answers(host, port, tls=False)
    except ConnectionError:
        return _answers(host, port, tls=False)
    try:
        return _status(connection) in _ALIVE
    except (ssl.SSLError, ConnectionError):
        return True  # it knows TLS, and in its version 1.3 asks only now for the certificate that we lack


def _trusting() -> ssl.SSLContext:
    """Trusts whoever answers: we ask the process beside us, and send nothing secret."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _status(connection: http.client.HTTPConnection) -> int:
    try:
        connection.request("GET", "/-/healthy")
        return connection.getresponse().status
    finally:
        connection.close()

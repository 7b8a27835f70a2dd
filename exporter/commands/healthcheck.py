"""`healthcheck`: checks for containers whether a running exporter answers.

Without flags it looks up the address of the exporter beside it: a container's HEALTHCHECK does not know it.
"""

import argparse
import http.client
import ssl
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Final

from exporter.flags import DEFAULT_ADDRESS, WEB, add_flags
from exporter.web.listen import parse_address

_PROC: Final = Path("/proc")
_PROGRAM: Final = "wechat-miniprogram-exporter"
_OTHERS: Final = frozenset({"check", "backfill", "simulate", "healthcheck"})  # commands that do not listen

_TIMEOUT_SECONDS: Final = 5
_ALIVE: Final = (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
"""An exporter that asks for a password is alive; a sick one answers 503 to everyone."""

_WANTS_CERTIFICATE: Final = ("SSLV3_ALERT_HANDSHAKE_FAILURE",)  # the server's words up to TLS 1.2


def run(flags: argparse.Namespace) -> int:
    """Return 0 if an exporter is healthy, else 1."""
    address, web_config_file = flags.listen_address, flags.web_config_file
    if address is None:
        address, beside = exporter_beside(_PROC)
        web_config_file = web_config_file or beside
    host, port = parse_address(address)
    try:
        alive = _answers(host or "127.0.0.1", port, tls=web_config_file is not None)
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        sys.stderr.write(f"no answer from {address}: {error}\n")
        return 1
    return 0 if alive else 1


def exporter_beside(proc: Path) -> tuple[str, str | None]:
    """Return the first address of the exporter that runs here, and its web configuration file or None."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add_flags(parser, WEB)
    processes = (each for each in proc.glob("[0-9]*") if each.name.isdigit())
    for process in sorted(processes, key=lambda each: int(each.name)):
        words = _words(process)
        if words is not None and not _OTHERS.intersection(words[:1]):
            flags, _ = parser.parse_known_args(words)
            return (flags.listen_addresses or [DEFAULT_ADDRESS])[0], flags.web_config_file
    return DEFAULT_ADDRESS, None


def _words(process: Path) -> list[str] | None:
    """Return the arguments of an exporter's command line; None for other programs."""
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:  # the process has ended, or belongs to another user
        return None
    if len(words) > 1 and Path(words[1]).name == _PROGRAM:
        return words[2:]
    return words[3:] if words[1:3] == ["-m", "exporter"] else None


def _answers(host: str, port: int, *, tls: bool) -> bool:
    """Return whether an exporter answers; try TLS first if a web configuration may demand it."""
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
        return True  # TLS 1.3 asks only now for the client certificate


def _trusting() -> ssl.SSLContext:
    """Return a context that trusts every server: it is the process beside us, and we send no secret."""
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

"""`healthcheck`: does a running exporter answer? For containers."""

import argparse
import http.client
import sys
from typing import Final

from exporter.web.listen import parse_address

_TIMEOUT_SECONDS: Final = 5


def run(flags: argparse.Namespace) -> int:
    """Exit code 0: healthy; 1: not."""
    host, port = parse_address(flags.listen_address)
    connection = http.client.HTTPConnection(host or "127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/-/healthy")
        status = connection.getresponse().status
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        sys.stderr.write(f"no answer from {flags.listen_address}: {error}\n")
        return 1
    finally:
        connection.close()
    return 0 if status == http.HTTPStatus.OK else 1

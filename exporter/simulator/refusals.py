"""WeChat's refusals: errcode, and errmsg in WeChat's words with the rid."""

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from exporter.package_data import read_table

_ERRMSGS: Final[Mapping[int, str]] = read_table(__package__, "errmsgs.yaml")


class RefusedError(Exception):
    """WeChat answers with an errcode."""

    def __init__(self, errcode: int) -> None:
        super().__init__(f"errcode {errcode}")
        self.errcode = errcode


def refusal(errcode: int, client_ip: str, now: float, serial: int) -> bytes:
    """Return the body of a refusal; a code without a known text has `unknown error`.

    Texts about IP allow-lists name the client's. The rid is made of the time and the request's number.
    """
    text = errmsg(errcode, client_ip)
    tail = blake2b(f"{now} {serial}".encode(), digest_size=8).hexdigest()
    rid = f"{int(now):08x}-{tail[:8]}-{tail[8:]}"
    return json.dumps({"errcode": errcode, "errmsg": f"{text} rid: {rid}"}, separators=(",", ":")).encode()


def errmsg(errcode: int, client_ip: str) -> str:
    """Return WeChat's text for a code, without the rid."""
    ipv6 = client_ip if ":" in client_ip else f"::ffff:{client_ip}"
    return _ERRMSGS.get(errcode, "unknown error").format(ip=client_ip, ipv6=ipv6)

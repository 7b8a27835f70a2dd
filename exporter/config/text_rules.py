"""Rules for the kinds of text in the configuration: appids, names, labels, URLs, headers."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from exporter.config.rules import NotAllowedError, TextRule, filled

LONGEST_NAME: Final = 200

_APPID: Final = r"wx[0-9a-fA-F]{16}"
_OWN_LABELS: Final = ("appid", "name")
_URL: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")  # RFC 3986
_INTERFACE: Final = re.compile(  # WeChat's paths, and what they begin with
    r"(/(?:cgi-bin(?:/(?:token|stable_token|component(?:/\w+)?|openapi(?:/\w+)*))?|datacube(?:/\w+)?"
    r"|tcb(?:/\w+)?))/*$"
)
_HTTP_URL: Final = "an http:// or https:// URL with a host"


def matching(pattern: str) -> Callable[[str], str]:
    """Return a function that accepts texts that match a pattern as a whole."""
    compiled = re.compile(pattern)

    def accept(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError("another form")
        return text

    return accept


def is_appid(value: object) -> bool:
    """Return whether a value from a file is an appid."""
    return isinstance(value, str) and re.fullmatch(_APPID, value) is not None


def _appid_pattern(text: str) -> str:
    if is_appid(text):
        return text
    if not any(sign in text for sign in "*?["):
        raise ValueError("neither an appid nor a pattern")
    return matching(r"[wx0-9a-fA-F*?\[\]!-]{1,40}")(text)


def _name(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_NAME:
        raise ValueError("empty or too long")
    return text


def _label(text: str) -> str:
    if text in _OWN_LABELS:
        raise NotAllowedError(f"the label {text!r} is set by the exporter: choose another name")
    return matching(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")(text)


def _base_url(text: str) -> str:
    parts = _http(text)
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise NotAllowedError("a base URL has no '?' or '#' part")
    if found := _INTERFACE.search(parts.path):
        raise NotAllowedError(f"leave out {found[1]}: the exporter adds each interface's path itself")
    return text.rstrip("/")


def _request_url(text: str) -> str:
    _http(text)
    if "#" in text:
        raise NotAllowedError("a URL for requests has no '#' part")
    return text


def _token_url(text: str) -> str:
    _request_url(text.replace("{appid}", "appid"))
    return text


def _http(text: str) -> SplitResult:
    if not _URL.fullmatch(text):
        raise ValueError("characters that no URL has")
    parts = urlsplit(text)
    if "@" in parts.netloc:
        raise NotAllowedError(
            "a user or password in a URL is not allowed (a token's URL can have headers instead)"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("not http, or no host")
    return parts


TEXT: Final = TextRule("a text")
APPID: Final = TextRule("an appid (wx followed by 16 hexadecimal digits)", matching(_APPID))
APPID_PATTERN: Final = TextRule("an appid, or a pattern of appids such as wx12*", _appid_pattern)
APP_NAME: Final = TextRule(f"a name of 1 to {LONGEST_NAME} characters", _name)
LABEL_NAME: Final = TextRule("a label name (letters, digits and _, no digit first, not two _ first)", _label)
PLATFORM_NAME: Final = TextRule(  # part of a URL's path
    "a platform's name (letters, digits, '-', '_' and '.', at most 60)",
    matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}"),
)
CLOUD_NAME: Final = TextRule(
    "a cloud environment's or function's name (letters, digits, '-' and '_')",
    matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"),
)
KEY_NAME: Final = TextRule("a key's name", filled)
KEY_PREFIX: Final = TextRule(
    "a prefix (letters, digits, '-', '_', '.' and ':', at most 60)", matching(r"[A-Za-z0-9._:-]{1,60}")
)
HEADER_NAME: Final = TextRule(  # RFC 9110, token
    "a header's name", matching(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"), hidden=True
)
HEADER_VALUE: Final = TextRule(
    "a header's value in printable ASCII", matching(r"[!-~](?:[ -~\t]*[!-~])?"), hidden=True
)
BODY_TEXT: Final = TextRule("a non-empty text", filled, hidden=True)
METHOD: Final = TextRule("GET or POST", matching("GET|POST"))
BASE_URL: Final = TextRule(_HTTP_URL, _base_url)
REQUEST_URL: Final = TextRule(_HTTP_URL, _request_url)
TOKEN_URL: Final = TextRule(_HTTP_URL, _token_url)

"""The kinds of text in the configuration: appids, names, labels, URLs, headers, paths.

Each function takes what was written, returns what is kept, and raises ValueError for what is not allowed,
`RefusedError` where there is more to advise than the rule itself.
"""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from exporter.config.rules import RefusedError

LONGEST_NAME: Final = 200

_APPID: Final = re.compile(r"wx[0-9a-fA-F]{16}")
_LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_OWN_LABELS: Final = ("appid", "name")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, token
_HEADER_VALUE: Final = re.compile(r"[!-~](?:[ -~\t]*[!-~])?")
_URL: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")  # RFC 3986
_PLATFORM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")  # stands in a URL's path
_CLOUD_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_AES_KEY: Final = re.compile(r"[A-Za-z0-9]{43}")
_PATTERN: Final = re.compile(r"[wx0-9a-fA-F*?\[\]!-]{1,40}")
_INTERFACE: Final = re.compile(  # WeChat's paths, and what they begin with
    r"(/(?:cgi-bin(?:/(?:token|stable_token|component(?:/\w+)?|openapi(?:/\w+)*))?|datacube(?:/\w+)?"
    r"|tcb(?:/\w+)?))/*$"
)
_PREFIX: Final = re.compile(r"[A-Za-z0-9._:-]{1,60}")


def appid(text: str) -> str:
    """`wx` and 16 hexadecimal digits."""
    return _matched(_APPID, text)


def appid_pattern(text: str) -> str:
    """An appid, or a pattern of appids with `*`, `?` and `[…]`."""
    if _APPID.fullmatch(text):
        return text
    if not any(sign in text for sign in "*?["):
        raise ValueError("neither an appid nor a pattern")
    return _matched(_PATTERN, text)


def platform_name(text: str) -> str:
    """A platform's name, which becomes a label and a part of a URL's path."""
    return _matched(_PLATFORM, text)


def cloud_name(text: str) -> str:
    """The name of a cloud environment or function."""
    return _matched(_CLOUD_NAME, text)


def aes_key(text: str) -> str:
    """An EncodingAESKey: 43 letters and digits, base64 of 32 bytes without its `=`."""
    return _matched(_AES_KEY, text.strip())


def name(text: str) -> str:
    """A text with something to see in it, of at most 200 characters."""
    if not text.strip() or len(text) > LONGEST_NAME:
        raise ValueError("empty or too long")
    return text


def label(text: str) -> str:
    """A label's name as Prometheus allows it, that no metric has already."""
    if text in _OWN_LABELS:
        raise RefusedError(f"the label {text!r} is set by the exporter: choose another name")
    return _matched(_LABEL, text)


def filled(text: str) -> str:
    """Any text but an empty one."""
    if not text.strip():
        raise ValueError("empty")
    return text


def secret(text: str) -> str:
    """A secret written in place: not empty, of one line; without the white space around it."""
    stripped = text.strip()
    if not stripped or not stripped.isprintable():
        raise ValueError("empty or of several lines")
    return stripped


def header_name(text: str) -> str:
    """An HTTP header's name."""
    return _matched(_HEADER_NAME, text)


def method(text: str) -> str:
    """An HTTP method that asks a token's keeper."""
    if text not in ("GET", "POST"):
        raise ValueError("neither GET nor POST")
    return text


def header_value(text: str) -> str:
    """An HTTP header's value: printable ASCII, so that it is sent as it stands."""
    return _matched(_HEADER_VALUE, text)


def base_url(text: str) -> str:
    """The root of an HTTP interface; a slash at the end is dropped."""
    parts = _http(text)
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise RefusedError("a base URL has no '?' or '#' part")
    if found := _INTERFACE.search(parts.path):
        raise RefusedError(f"leave out {found[1]}: the exporter adds each interface's path itself")
    return text.rstrip("/")


def token_url(text: str) -> str:
    """The URL of a token's keeper; `{appid}` stands for the app's appid."""
    _http(text.replace("{appid}", "appid"))
    if "#" in text:
        raise RefusedError("a URL for requests has no '#' part")
    return text


def plain_url(text: str) -> str:
    """The URL of a ticket's keeper."""
    _http(text)
    if "#" in text:
        raise RefusedError("a URL for requests has no '#' part")
    return text


def key_prefix(text: str) -> str:
    """What the names of keys begin with."""
    return _matched(_PREFIX, text)


def _http(text: str) -> SplitResult:
    if not _URL.fullmatch(text):
        raise ValueError("characters that no URL has")
    parts = urlsplit(text)
    if "@" in parts.netloc:
        raise RefusedError(
            "a user or password in a URL is not allowed (a token's URL can have headers instead)"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("not http, or no host")
    return parts


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError("another form")
    return text

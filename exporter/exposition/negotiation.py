"""Content negotiation: the form of the page that a client's headers ask for.

Source: RFC 9110, section 12.5; Prometheus' page on scrape protocol negotiation.
"""

from typing import Final

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_OPENMETRICS_VERSIONS: Final = ("", "1.0.0", "0.0.1")


def wants_openmetrics(accept: str) -> bool:
    """Return whether an Accept header prefers OpenMetrics to the text format."""
    openmetrics = text = 0.0
    for media_type, parameters, quality in parse(accept):
        if media_type == "application/openmetrics-text":
            if parameters.get("version", "") in _OPENMETRICS_VERSIONS:
                openmetrics = max(openmetrics, quality)
        elif media_type in ("text/plain", "text/*", "*/*"):
            text = max(text, quality)
    return openmetrics > 0 and openmetrics >= text


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether an Accept-Encoding header allows gzip."""
    qualities = {coding: quality for coding, _, quality in parse(accept_encoding)}
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def parse(header: str) -> list[tuple[str, dict[str, str], float]]:
    """Split a header into its values in lower case, each with its parameters and its weight `q`."""
    found = []
    for item in header.split(","):
        value, *pairs = (part.strip() for part in item.split(";"))
        parameters = {}
        for pair in pairs:
            name, _, content = pair.partition("=")
            parameters[name.strip().lower()] = content.strip().strip('"')
        found.append((value.lower(), parameters, _quality(parameters.pop("q", "1"))))
    return found


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0

"""Rules about an app's credential that concern several keys, or the file that a key names.

They look at the plain data, so that they speak up even where something else is wrong with the app.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from exporter.config.problems import KeyPath, Problem, shown
from exporter.config.settings import Secret
from exporter.config.source import reason
from exporter.config.tokens import TOKENS, Place

_OF_APP: Final = ("secret", "secret_file", "token")
_OF_TOKEN: Final = ("secret", "secret_file")


def problems(app: object, path: KeyPath, place: Place) -> Iterator[Problem]:
    """What is wrong with the credential of the app that stands at `path`."""
    if not isinstance(app, dict):
        return
    yield from _one_of(app, _OF_APP, path)
    yield from _file(app, path, place)
    token = app.get("token")
    if isinstance(token, dict):
        model = TOKENS.get(str(token.get("type")))
        if model is not None and "secret_file" in model.model_fields:
            yield from _one_of(token, _OF_TOKEN, (*path, "token"))
            yield from _file(token, (*path, "token"), place)


def _one_of(found: Mapping[str, object], keys: tuple[str, ...], path: KeyPath) -> Iterator[Problem]:
    given = [key for key in keys if key in found]
    if len(given) != 1:
        told = " and ".join(given) if given else "none"
        yield Problem(path, f"exactly one of {', '.join(keys)} is needed, found {told}")


def _file(found: Mapping[str, object], path: KeyPath, place: Place) -> Iterator[Problem]:
    written = found.get("secret_file")
    if isinstance(written, str) and written.strip():
        try:
            Secret(path=place.path(written)).read()
        except (OSError, ValueError) as error:
            yield Problem((*path, "secret_file"), f"{shown(written)} cannot be used: {reason(error)}")

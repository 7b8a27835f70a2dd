"""Rules about an app's credential that concern several keys, or the file that a key names.

They look at the plain data, so that they speak up even where something else is wrong with the app.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Final

from exporter.config.entries import TOKENS, Place
from exporter.config.problems import KeyPath, Problem, shown
from exporter.config.settings import CloudFunction, CloudHosting, FileToken, HttpToken, Secret, TokenSettings
from exporter.config.source import reason

_OF_APP: Final = ("secret", "secret_file", "token")
_OF_TOKEN: Final = ("secret", "secret_file")
_AT_MOST_ONE: Final = (("refresh_token", "refresh_token_file"), ("from_appid", "cloudbase_access_token_file"))


def problems(app: object, path: KeyPath, place: Place) -> Iterator[Problem]:
    """What is wrong with the credential of the app that stands at `path`."""
    if not isinstance(app, dict):
        return
    yield from one_of(app, _OF_APP, path)
    yield from readable(app, "secret_file", path, place)
    token = app.get("token")
    if isinstance(token, dict):
        yield from _of_token(token, (*path, "token"), place)


def origin(token: TokenSettings) -> object:
    """What is the same for apps that would use one account's token; None where that cannot be."""
    match token:
        case FileToken(path, field):
            return FileToken, os.path.normpath(path), field
        case HttpToken(url, field, headers, _, body):
            return HttpToken, url, field or "access_token", tuple(sorted(headers)), tuple(sorted(body))
        case CloudHosting(from_appid, token_file):
            return (
                CloudHosting,
                from_appid and from_appid.lower(),
                token_file and os.path.normpath(token_file),
            )
        case CloudFunction(env, function, _):
            return CloudFunction, env, function
    return None


def _of_token(token: Mapping[str, object], path: KeyPath, place: Place) -> Iterator[Problem]:
    model = TOKENS.get(str(token.get("type")))
    if model is None:
        return
    if "secret_file" in model.model_fields:
        yield from one_of(token, _OF_TOKEN, path)
        yield from readable(token, "secret_file", path, place)
    for keys in _AT_MOST_ONE:
        if set(keys) <= token.keys() and set(keys) <= model.model_fields.keys():
            yield Problem(path, f"at most one of {', '.join(keys)} is allowed, found {' and '.join(keys)}")
    if "refresh_token_file" in model.model_fields:
        yield from readable(token, "refresh_token_file", path, place)


def one_of(found: Mapping[str, object], keys: tuple[str, ...], path: KeyPath) -> Iterator[Problem]:
    """What is wrong unless exactly one of the keys is there."""
    given = [key for key in keys if key in found]
    if len(given) != 1:
        told = " and ".join(given) if given else "none"
        yield Problem(path, f"exactly one of {', '.join(keys)} is needed, found {told}")


def readable(found: Mapping[str, object], key: str, path: KeyPath, place: Place) -> Iterator[Problem]:
    """What is wrong with the file that holds a secret and is named under the key, if it is."""
    written = found.get(key)
    if isinstance(written, str) and written.strip():
        try:
            Secret(path=place.path(written)).read()
        except (OSError, ValueError) as error:
            yield Problem((*path, key), f"{shown(written)} cannot be used: {reason(error)}")

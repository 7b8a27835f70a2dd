"""The configuration in force as YAML, with defaults and without secrets."""

import dataclasses
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import yaml

from exporter.config.apps import App
from exporter.config.datasets import DatasetSettings
from exporter.config.durations import written
from exporter.config.platforms import Platform, TicketFile, TicketHttp
from exporter.config.secret import Secret
from exporter.config.sections import Key, SecretKey
from exporter.config.settings import Config
from exporter.config.storage import StorageSettings
from exporter.config.token_types import TOKENS

HIDDEN: Final = "<secret>"
_NO_KEYS: Final = frozenset({"discovered"})
_DURATIONS: Final = frozenset({"timeout", "interval"})
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_TYPES: Final = {section.build: tag for tag, section in TOKENS.sections.items()}


def config_text(config: Config) -> str:
    """Return the configuration as YAML; a secret in place is HIDDEN, one in a file shows the path.

    Addresses, headers and bodies for token services are HIDDEN too, as they may contain keys.
    """
    found = {
        "wechat": _keys(config.wechat),
        "refresh": _keys(config.refresh),
        "storage": _storage(config.storage),
        "datasets": {each.name: _dataset(each) for each in config.datasets},
        "platforms": [_platform(each) for each in config.platforms],
        "apps": [_app(each) for each in config.apps],
    }
    shown = {key: value for key, value in found.items() if value}
    return str(yaml.dump(shown, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=110))


def _app(app: App) -> dict[str, Any]:
    keys = {"appid": app.appid, "name": app.name}
    labels = {"labels": dict(app.labels)} if app.labels else {}
    datasets = {} if app.datasets is None else {"datasets": list(app.datasets)}
    return {**keys, **labels, "token": {"type": _TYPES[type(app.token)], **_keys(app.token)}, **datasets}


def _platform(platform: Platform) -> dict[str, Any]:
    keys = _keys(platform)
    ticket, discovery = keys.pop("ticket"), keys.pop("discovery", None)
    if isinstance(platform.ticket, TicketFile):
        keys["verify_ticket"] = {"file": ticket["path"]}
    else:
        keys["verify_ticket"] = {"http" if isinstance(platform.ticket, TicketHttp) else "callback": ticket}
    if discovery is not None:
        keys |= {"discover": True, "discover_interval": discovery.pop("interval"), **discovery}
    return keys


def _storage(storage: StorageSettings) -> dict[str, Any]:
    server = {} if storage.redis is None else _keys(storage.redis)
    for part_of_the_url in ("hosts", "database", "master", "tls", "user"):
        server.pop(part_of_the_url, None)
    return {**_keys(dataclasses.replace(storage, redis=None)), **server}


def _dataset(settings: DatasetSettings) -> dict[str, Any] | None:
    """Return the dataset's settings; None, written as a key without a value, if it has none."""
    keys = {name: value for name, value in _keys(settings).items() if value and value != "0s"}
    keys.pop("name")
    return keys or None


def _keys(settings: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the settings
    """Return the keys of a section that are set, with their values."""
    found: dict[str, Any] = {}
    hints = get_type_hints(type(settings), include_extras=True)
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        marks = (mark for mark in get_args(hints[field.name]) if isinstance(mark, Key | SecretKey))
        name = next((mark.name for mark in marks if mark.name), field.name)
        if value in (None, (), "") or field.name in _NO_KEYS:
            continue
        if isinstance(value, Secret) and value.path is not None:
            found[f"{name}_file"] = str(value.path)
        elif isinstance(value, Secret) or not field.repr:
            found[name] = HIDDEN
        else:
            found[name] = written(value) if name in _DURATIONS else _plain(value)
    return found


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return _keys(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value

"""Loads the configuration file and the files it names: returns settings, or reports all mistakes at once."""

import glob
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from exporter.config.apps import APP, App
from exporter.config.lists import ListRule
from exporter.config.platforms import check_repeated
from exporter.config.problems import ConfigError, KeyPath, Pairs, Problems, shown
from exporter.config.sections import Key, Section
from exporter.config.settings import MAIN_FILE, Config, MainFile
from exporter.config.text_rules import is_appid
from exporter.config.token_types import ThirdParty, origin
from exporter.config.yaml_file import ConfigFile

_WILDCARD: Final = re.compile(r"[*?\[]")
_HINT: Final = (
    ". Name yours with --config.file, begin with README's example or with config.example.yaml, or "
    "try `wechat-miniprogram-exporter demo`, which needs none"
)
_SECTIONS: Final = ("wechat", "refresh", "datasets", "storage")
_APPS_FILE: Final = Section[dict[str, object]](dict, {"apps": Key(ListRule(APP, ""), default=())})
"""A file of `apps_files`; a bare list is its `apps`."""


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read, check and resolve the configuration, with `environ` for `${NAME}`.

    Relative paths in it, and in its `apps_files`, start from its folder. Raise ConfigError with every mistake
    of every file.
    """
    if not path.exists():
        raise ConfigError((f"{path}: No such file or directory{_HINT}",))
    folder = os.fspath(path.absolute().parent)
    pairs: dict[Pairs, Pairs] = {}
    main = ConfigFile.read(path, environ, Problems(folder, pairs))
    top = MAIN_FILE.read(_without_apps(main.data, _SECTIONS), (), main.problems)
    check_repeated(main.section("platforms"), main.problems)
    files = [main]
    apps = _Apps()
    apps.add(main, main.items("apps"), ("apps",))
    for named in _named_files(main):
        file = ConfigFile.read(named, environ, Problems(folder, pairs))
        files.append(file)
        if isinstance(file.data, list):
            apps.add(file, file.data, ())
        else:
            _APPS_FILE.read(_without_apps(file.data), (), file.problems)
            apps.add(file, file.items("apps"), ("apps",))
    apps.report_repeated()
    if top is not None:
        apps.report_unknown(top)
    discovering = top is not None and any(platform.discovery for platform in top.platforms)
    if not apps.count and not discovering and not any(file.problems.found for file in files):
        main.problems.add(("apps",), "no app is configured")
    problems = tuple(line for file in files for line in file.report())
    if problems or top is None:
        raise ConfigError(problems)
    return Config(
        path=path,
        wechat=top.wechat,
        refresh=top.refresh,
        storage=top.storage.at(main.problems),
        apps=tuple(app for _, app, _ in apps.taken),
        platforms=top.platforms,
        datasets=tuple(each.with_history(top.refresh.history_days) for each in top.datasets),
    )


def _without_apps(data: object, sections: tuple[str, ...] = ()) -> object:
    """Return the data without its list of apps, and with an empty mapping for each absent section."""
    if not isinstance(data, dict):
        return data
    rest = {key: value for key, value in data.items() if key != "apps" or not isinstance(value, list)}
    return {**{section: {} for section in sections}, **rest}


class _Apps:
    """The apps of all files, in order, each with its file and its place in it."""

    def __init__(self) -> None:
        self.taken: list[tuple[ConfigFile, App, KeyPath]] = []
        self.count = 0
        self._seen: dict[object, tuple[ConfigFile, KeyPath]] = {}
        self._repeated: list[tuple[ConfigFile, KeyPath, str, object]] = []

    def add(self, file: ConfigFile, entries: list[object], prefix: KeyPath) -> None:
        """Read the apps of one file, which are a list at `prefix`."""
        for index, data in enumerate(entries):
            path = (*prefix, index)
            self.count += 1
            app = APP.read(data, path, file.problems)
            appid = data.get("appid") if isinstance(data, dict) else None
            twice = is_appid(appid) and self._clashes(
                str(appid).lower(), file, (*path, "appid"), f"{shown(str(appid))} is configured already"
            )
            if app is None or twice:
                continue
            account = origin(app.token)
            what = "leads to another app's token already, so that both would show one account's figures"
            if account is None or not self._clashes(account, file, (*path, "token"), what):
                self.taken.append((file, app, path))

    def report_unknown(self, top: MainFile) -> None:
        """Add a problem for each unknown platform or dataset that an app names."""
        platforms = [platform.name for platform in top.platforms]
        datasets = sorted(each.name for each in top.datasets)
        for file, app, path in self.taken:
            if isinstance(app.token, ThirdParty) and app.token.platform not in platforms:
                there = ", ".join(platforms) or "none is configured"
                what = f"{shown(app.token.platform)} is not one of the platforms (there are: {there})"
                file.problems.add((*path, "token", "platform"), what)
            for index, name in enumerate(app.datasets or ()):
                if name not in datasets:
                    there = ", ".join(datasets) or "none"
                    what = f"{shown(name)} is not switched on by the section datasets (there are: {there})"
                    file.problems.add((*path, "datasets", index), what)

    def report_repeated(self) -> None:
        """Add a problem for each appid or token origin that an earlier app has."""
        wanted: defaultdict[ConfigFile, set[KeyPath]] = defaultdict(set)
        for _, _, _, what in self._repeated:
            first, path = self._seen[what]
            wanted[first].add(path)
        lines = {file: file.lines(paths) for file, paths in wanted.items()}
        for file, path, what_is, what in self._repeated:
            first, first_path = self._seen[what]
            where = f"{first.path}:{lines[first][first_path]}"
            file.problems.add(path, f"{what_is} (first at {where})")

    def _clashes(self, what: object, file: ConfigFile, path: KeyPath, what_is: str) -> bool:
        """Return whether an earlier app has the value; if so, add it to the problems."""
        first = self._seen.setdefault(what, (file, path))
        if first != (file, path):
            self._repeated.append((file, path, what_is, what))
        return first != (file, path)


def _named_files(main: ConfigFile) -> list[Path]:
    """Return the files that `apps_files` matches, each once: in the order of the patterns, then by name."""
    named: dict[Path, None] = {}
    for index, pattern in enumerate(main.items("apps_files")):
        if not isinstance(pattern, str) or not pattern.strip():
            continue  # its rule reports the problem
        if _WILDCARD.search(pattern):
            found = sorted(
                glob.glob(pattern, root_dir=main.problems.folder, recursive=True)  # noqa: PTH207 - root_dir
            )
        else:
            found = [str(pattern)]
            if not os.path.exists(main.problems.absolute(pattern)):  # noqa: PTH110 - a text
                main.problems.add(("apps_files", index), f"{shown(pattern)} does not exist")
                continue
        named.update(dict.fromkeys(main.path.parent / name for name in found))
    named.pop(main.path, None)  # `*.yaml` excludes the main file
    return list(named)

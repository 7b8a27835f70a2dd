"""Reads the configuration file and the files it names: settings, or all mistakes at once."""

import glob
import os
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from exporter.config import (
    authorities,
    credentials,
    datasets,
    document,
    platforms,
    positions,
    source,
    storage,
    wording,
)
from exporter.config.entries import Place
from exporter.config.problems import ConfigError, KeyPath, Problem, shown
from exporter.config.scalars import BROKEN
from exporter.config.schema import AppEntry, AppsFile, MainFile
from exporter.config.settings import App, Config, ThirdParty
from exporter.config.source import UnusableError

_WILDCARD: Final = re.compile(r"[*?\[]")

_Model = TypeVar("_Model", bound=BaseModel)


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read, check and resolve the configuration.

    Args:
        path: the configuration file; relative paths in it, and in its `apps_files`, start from its folder.
        environ: what `${NAME}` stands for.

    Raises:
        ConfigError: with every mistake of every file.
    """
    place = Place(os.fspath(path.absolute().parent))
    main = _File.read(path, environ)
    top = main.check(MainFile, main.without_apps(), ())
    apps = _Apps(place)
    apps.add(main, main.items("apps"), ("apps",))
    files = [main]
    for named in _named_files(main, place):
        file = _File.read(named, environ)
        files.append(file)
        if isinstance(file.data, list):
            apps.add(file, file.data, ())
        else:
            file.check(AppsFile, file.without_apps(), ())
            apps.add(file, file.items("apps"), ("apps",))
    apps.report_repeated()
    main.problems += authorities.problems(
        main.data.get("wechat") if isinstance(main.data, dict) else None, place
    )
    main.problems += storage.problems(
        main.data.get("storage") if isinstance(main.data, dict) else None, place
    )
    main.problems += platforms.problems(
        main.data.get("platforms") if isinstance(main.data, dict) else None, place
    )
    if top is not None:
        apps.report_unknown_platforms([platform.name for platform in top.platforms])
        apps.report_unknown_datasets(sorted(top.datasets.model_fields_set))
    discovering = top is not None and any(platform.discover for platform in top.platforms)
    if not apps.count and not discovering and not any(file.problems for file in files):
        main.problems.append(Problem(("apps",), "no app is configured"))
    problems = tuple(line for file in files for line in file.report())
    if problems or top is None:
        raise ConfigError(problems)
    return Config(
        path=path,
        wechat=top.wechat.settings(place),
        refresh=top.refresh.settings(),
        storage=top.storage.settings(place),
        apps=tuple(apps.settings),
        platforms=tuple(platform.settings(place) for platform in top.platforms),
        datasets=top.datasets.settings(top.refresh.history_days),
    )


@dataclass(slots=True, eq=False)
class _File:
    """One file on its way: its text for line numbers, its data (BROKEN if unusable), its mistakes."""

    path: Path
    text: str
    data: object
    problems: list[Problem]

    @classmethod
    def read(cls, path: Path, environ: Mapping[str, str]) -> "_File":
        try:
            text = source.text_of(path)
            found = document.read(text, environ)
        except UnusableError as error:
            return cls(path, "", BROKEN, [Problem((), error.what, error.line)])
        return cls(path, text, found.data, list(found.problems))

    def items(self, key: str) -> list[object]:
        found = self.data.get(key) if isinstance(self.data, dict) else None
        return found if isinstance(found, list) else []

    def without_apps(self) -> object:
        """The data but for the list of apps, which are checked one by one, to hold few models at once."""
        if not isinstance(self.data, dict):
            return self.data
        return {
            key: value for key, value in self.data.items() if key != "apps" or not isinstance(value, list)
        }

    def check(self, model: type[_Model], data: object, path: KeyPath) -> _Model | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self.problems += wording.problems(error, model, path)
            return None

    def lines(self, paths: Collection[KeyPath]) -> dict[KeyPath, int]:
        return positions.lines(self.text, paths) if self.text else {}

    def report(self) -> list[str]:
        """The mistakes, by line."""
        lines = self.lines({problem.path for problem in self.problems if problem.line is None})
        placed = [(problem.line or lines.get(problem.path), problem) for problem in self.problems]
        placed.sort(key=lambda pair: pair[0] or 0)
        return [problem.text(str(self.path), line) for line, problem in placed]


class _Apps:
    """The apps of all files, in order."""

    def __init__(self, place: Place) -> None:
        self.settings: list[App] = []
        self.count = 0
        self._place = place
        self._seen: dict[object, tuple[_File, KeyPath]] = {}
        self._repeated: list[tuple[_File, KeyPath, str, object]] = []
        self._of_platforms: list[tuple[_File, App, KeyPath]] = []
        self._with_datasets: list[tuple[_File, App, KeyPath]] = []

    def add(self, file: _File, entries: list[object], prefix: KeyPath) -> None:
        """Check and take the apps of one file, which are a list at `prefix`."""
        for index, data in enumerate(entries):
            path = (*prefix, index)
            self.count += 1
            wrong = list(credentials.problems(data, path, self._place))
            file.problems += wrong
            entry = file.check(AppEntry, data, path)
            if entry is None:
                continue
            what = f"{shown(entry.appid)} is configured already"
            if self._clashes(entry.appid.lower(), file, (*path, "appid"), what) or wrong:
                continue
            app = entry.settings(self._place)
            origin = credentials.origin(app.token)
            what = "leads to another app's token already, so that both would show one account's figures"
            if origin is None or not self._clashes(origin, file, (*path, "token"), what):
                self.settings.append(app)
                if isinstance(app.token, ThirdParty):
                    self._of_platforms.append((file, app, path))
                if app.datasets:
                    self._with_datasets.append((file, app, path))

    def report_unknown_platforms(self, known: Sequence[str]) -> None:
        """Report each app whose platform is none of those."""
        for file, app, path in self._of_platforms:
            file.problems += platforms.unknown_platforms([(app, path)], known)

    def report_unknown_datasets(self, known: Sequence[str]) -> None:
        """Report each dataset of an app that is not switched on for all."""
        for file, app, path in self._with_datasets:
            file.problems += datasets.switched_off([(app, path)], known)

    def report_repeated(self) -> None:
        """Report each appid and each way to a token that was there before, with the place of its first."""
        wanted: defaultdict[_File, set[KeyPath]] = defaultdict(set)
        for _, _, _, what in self._repeated:
            first, path = self._seen[what]
            wanted[first].add(path)
        lines = {file: file.lines(paths) for file, paths in wanted.items()}
        for file, path, told, what in self._repeated:
            first, first_path = self._seen[what]
            where = f"{first.path}:{lines[first][first_path]}"
            file.problems.append(Problem(path, f"{told} (first at {where})"))

    def _clashes(self, what: object, file: _File, path: KeyPath, told: str) -> bool:
        """Whether that was there before; if so it is to be reported so."""
        first = self._seen.setdefault(what, (file, path))
        if first != (file, path):
            self._repeated.append((file, path, told, what))
        return first != (file, path)


def _named_files(main: _File, place: Place) -> list[Path]:
    """The files that `apps_files` names, each once, patterns in order and their matches by name."""
    named: dict[Path, None] = {}
    for index, pattern in enumerate(main.items("apps_files")):
        if not isinstance(pattern, str) or not pattern.strip():
            continue  # the schema reports it
        if _WILDCARD.search(pattern):
            found = sorted(glob.glob(pattern, root_dir=place.folder, recursive=True))  # noqa: PTH207 - root_dir
        else:
            found = [str(pattern)]
            if not os.path.exists(place.path(pattern)):  # noqa: PTH110 - a text
                main.problems.append(Problem(("apps_files", index), f"{shown(pattern)} does not exist"))
                continue
        named.update(dict.fromkeys(main.path.parent / name for name in found))
    named.pop(main.path, None)  # `*.yaml` means the others
    return list(named)

"""One YAML file: its data and, with their lines, its mistakes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from exporter.config import line_numbers, yaml_data, yaml_events
from exporter.config.problems import KeyPath, Problem, Problems
from exporter.config.yaml_scalars import BROKEN


@dataclass(slots=True, eq=False)
class ConfigFile:
    """A file with its text (None if unreadable), its data (BROKEN if unusable) and its mistakes so far."""

    path: Path
    text: str | None
    data: object
    problems: Problems

    @classmethod
    def read(cls, path: Path, environ: Mapping[str, str], problems: Problems) -> "ConfigFile":
        """Read a file, whose mistakes are added to `problems`.

        Args:
            path: the file.
            environ: what `${NAME}` stands for.
            problems: has the folder from which relative paths start.
        """
        text = None
        try:
            text = yaml_events.text_of(path)
            data, found = yaml_data.read(text, environ)
        except yaml_events.UnusableError as error:
            problems.found.append(Problem((), error.what, error.line or 0))
            return cls(path, text, BROKEN, problems)
        problems.found += found
        return cls(path, text, data, problems)

    def section(self, key: str) -> object:
        """Return what stands under a key; None where nothing does."""
        return self.data.get(key) if isinstance(self.data, dict) else None

    def items(self, key: str) -> list[object]:
        """Return the list under a key; an empty one where there is none."""
        found = self.section(key)
        return found if isinstance(found, list) else []

    def lines(self, paths: Collection[KeyPath]) -> dict[KeyPath, int]:
        """Return the line of each key path."""
        return line_numbers.lines(self.text, paths) if self.text else {}

    def report(self) -> list[str]:
        """Return the mistakes in words, by line."""
        lines = self.lines({problem.path for problem in self.problems.found if problem.line is None})
        placed = [
            (lines.get(problem.path, 0) if problem.line is None else problem.line, problem)
            for problem in self.problems.found
        ]
        placed.sort(key=lambda pair: pair[0])
        return [problem.text(str(self.path), line) for line, problem in placed]

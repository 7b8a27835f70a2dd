"""The Dockerfile is read here, as there may be no engine to build it with."""

import argparse
import json
import re
import tomllib
from pathlib import PurePosixPath
from typing import NamedTuple

from exporter import cli
from exporter.flags import DEFAULT_ADDRESS
from tests.docs.pages import ROOT


class Instruction(NamedTuple):
    """One instruction: its word and the rest, continued lines joined."""

    word: str
    rest: str


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage, the first of each its FROM."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: list[list[Instruction]] = []
    for joined in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = joined.partition(" ")
        if word == "FROM":
            found.append([])
        if found:
            found[-1].append(Instruction(word, re.sub(r"\s+", " ", rest)))
    return found


def last(word: str) -> str:
    return [instruction.rest for instruction in stages()[-1] if instruction.word == word][-1]


def ignored() -> list[str]:
    return (ROOT / ".dockerignore").read_text("utf-8").splitlines()


def test_what_builds_stays_behind_and_both_stages_have_the_same_python() -> None:
    build, final = stages()
    assert build[0].rest == f"{final[0].rest} AS build"
    assert re.search(r"ARG PYTHON_VERSION=3\.\d+\n", (ROOT / "Dockerfile").read_text("utf-8"))
    assert not any("pip" in instruction.rest for instruction in final)


def test_every_path_that_is_copied_is_there_and_is_sent_to_the_builder() -> None:
    copied = [instruction.rest.split()[:-1] for instruction in stages()[0] if instruction.word == "COPY"]
    paths = [path for paths in copied for path in paths]
    assert paths
    for path in paths:
        assert (ROOT / path).exists(), path
        assert f"!{path}" in ignored()


def test_all_that_the_wheel_is_made_of_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    copied = " ".join(instruction.rest for instruction in stages()[0] if instruction.word == "COPY")
    hatch = project["tool"]["hatch"]
    readme = [part["path"] for part in hatch["metadata"]["hooks"]["fancy-pypi-readme"]["fragments"]]
    needed = [*readme, *project["project"]["license-files"], "pyproject.toml"]
    for path in [*needed, *hatch["build"]["targets"]["wheel"]["packages"]]:
        assert path in copied


def test_nothing_goes_to_the_builder_that_is_not_named() -> None:
    assert ignored()[1] == "*"
    assert all(line.startswith(("!", "**/")) for line in ignored()[2:])


def test_the_program_runs_as_nobody_in_particular() -> None:
    assert last("USER") == "65532:65532"
    made = last("RUN")
    assert "--owner=65532 --group=65532" in made


def test_the_entry_point_is_the_console_script_and_needs_no_shell() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    [script] = project["project"]["scripts"]
    [entry] = json.loads(last("ENTRYPOINT"))
    assert PurePosixPath(entry).name == script
    copied = stages()[-1]
    home = str(PurePosixPath(entry).parents[1])
    assert f"--from=build {home} {home}" in [step.rest for step in copied if step.word == "COPY"]


def test_the_flags_are_ones_that_the_program_has() -> None:
    [flag] = json.loads(last("CMD"))
    health = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert health[0] == json.loads(last("ENTRYPOINT"))[0]
    assert _flags("serve", [flag]).config_file == "/etc/wechat-miniprogram-exporter/config.yaml"
    assert _flags(health[1], health[2:]).listen_address is None  # it looks where the exporter listens
    assert f":{last('EXPOSE')}" == DEFAULT_ADDRESS


def test_rows_go_to_the_volume_with_the_default_storage() -> None:
    folder = str(PurePosixPath(_flags("serve", json.loads(last("CMD"))).config_file).parent)
    assert f"ln --symbolic {last('VOLUME')} {folder}/data" in last("RUN")


def test_the_image_says_what_it_is() -> None:
    for name in ("title", "description", "licenses", "source"):
        assert f"org.opencontainers.image.{name}=" in last("LABEL")


def _flags(command: str, words: list[str]) -> argparse.Namespace:
    return cli._parser(command).parse_args(words)

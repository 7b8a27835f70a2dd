"""Errors: on one line, with the place first, and without anything that may be secret."""

import pytest

from exporter.config.environment import SubstitutedText
from exporter.config.problems import ConfigError, Problem, dotted, shown


def test_a_problem_reads_file_line_key_and_what() -> None:
    problem = Problem(("apps", 2, "appid"), "'wx12' is not an appid")

    assert problem.text("config.yaml", 14) == "config.yaml:14: apps[2].appid: 'wx12' is not an appid"
    assert problem.text("config.yaml", 0) == "config.yaml: apps[2].appid: 'wx12' is not an appid"
    assert Problem((), "empty").text("config.yaml", 1) == "config.yaml:1: empty"


def test_the_error_has_all_lines() -> None:
    assert str(ConfigError(("a", "b"))) == "a\nb"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        ((0, "appid"), "[0].appid"),
        (("apps", 1, "labels", "a-b"), "apps[1].labels.a-b"),
        (("a\nb", "中"), "'a\\nb'.'中'"),
        (("", "x"), "''.x"),
    ],
)
def test_a_key_path_is_on_one_line(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text


@pytest.mark.parametrize(
    "text", ["0123456789abcdef0123456789ABCDEF", "https://me:sesame@a.example", "ftp://a/?key=x", "a@b"]
)
def test_what_looks_like_a_secret_is_only_counted(text: str) -> None:
    assert shown(text) == f"a text of {len(text)} characters (not shown: it may be a secret)"


def test_a_value_from_the_environment_is_shown_as_it_was_written() -> None:
    assert shown(SubstitutedText.of("sesame", "${X}")) == "'${X}' (with its value from the environment)"


def test_a_long_text_is_cut() -> None:
    assert shown("x" * 100) == f"'{'x' * 60}…'"

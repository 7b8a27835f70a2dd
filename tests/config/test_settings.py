"""The settings themselves: a secret is read late and never shown."""

from pathlib import Path

import pytest

from exporter.config.apps import App
from exporter.config.secret import LARGEST_SECRET, Secret
from exporter.config.token_types import HttpToken, StableToken


def test_a_secret_in_a_file_is_read_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    secret = Secret(path=file)

    file.write_text(" first\n")
    first = secret.read()
    file.write_text("\ufeffsecond\r\n", encoding="utf-8")

    assert (first, secret.read()) == ("first", "second")


def test_a_literal_secret_is_itself() -> None:
    assert Secret("sesame").read() == "sesame"


def test_secrets_are_equal_by_where_they_come_from() -> None:
    assert Secret("a") == Secret(value="a")
    assert Secret("a") != Secret("b")
    assert Secret(path=Path("/a")) == Secret(path="/a")
    assert len({Secret(path="/a"), Secret(path="/b"), Secret(value="/a")}) == 3


@pytest.mark.parametrize("show", [repr, str, "{}".format])
def test_no_way_of_printing_an_app_shows_its_secrets(show: "type[str]") -> None:
    keeper = HttpToken("https://a.example/?key=sesame", "t", (("Authorization", "sesame"),))
    apps = App("wx1", "n", (), StableToken(Secret("sesame"))), App("wx1", "n", (), keeper)

    assert "sesame" not in show(apps)
    assert show(Secret(path="/run/x")) == "Secret(path='/run/x')"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xffsesame", "not a UTF-8 text"),
        (b"sesame\nsesame", "not a text of one line"),
        (b"x" * (LARGEST_SECRET + 1), "larger than 64 KiB"),
    ],
)
def test_a_file_that_holds_no_secret_says_why_without_showing_it(
    tmp_path: Path, content: bytes, why: str
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)

    with pytest.raises(ValueError, match=f"^{why}$"):
        Secret(path=file).read()


def test_a_missing_file_is_an_operating_system_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Secret(path=tmp_path / "none").read()


@pytest.mark.parametrize("sources", [{}, {"value": "a", "path": "b"}])
def test_a_secret_has_exactly_one_source(sources: dict[str, str]) -> None:
    with pytest.raises(TypeError):
        Secret(**sources)

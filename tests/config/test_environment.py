"""What `${NAME}` becomes."""

import pytest

from exporter.config.environment import SubstitutedText, is_text, substitute


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${A}", "a"),
        ("x${A}y${A}", "xaya"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$${A}", "$a"),
        ("$A $ 5$", "$A $ 5$"),
        ("${EMPTY}", ""),
        ("${NESTED}", "${A}"),
    ],
)
def test_variables_are_replaced_once(written: str, value: str) -> None:
    assert substitute(written, {"A": "a", "EMPTY": "", "NESTED": "${A}"}) == value


def test_a_value_from_the_environment_remembers_what_was_written() -> None:
    value = substitute("${A}!", {"A": "a"})

    assert isinstance(value, SubstitutedText)
    assert value.written == "${A}!"
    assert not isinstance(substitute("$$", {}), SubstitutedText)


@pytest.mark.parametrize("written", ["${", "${}", "${1}", "${a-b}", "${ A }"])
def test_a_variable_without_a_proper_name_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="without a variable's name"):
        substitute(written, {})


@pytest.mark.parametrize(("text", "fine"), [("a", True), ("中🀄", True), ("\0", False), ("é\udcff", False)])
def test_a_text_has_no_nul_and_no_half_characters(text: str, fine: bool) -> None:  # noqa: FBT001
    assert is_text(text) is fine

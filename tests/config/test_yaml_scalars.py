"""Single values: what YAML takes an unquoted text for."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.environment import SubstitutedText
from exporter.config.yaml_scalars import (
    Scalar,
    ScalarKind,
    number,
    plain,
)

WRITTEN: dict[ScalarKind, list[str]] = {
    ScalarKind.NOTHING: ["", "~", "null"],
    ScalarKind.BOOLEAN: ["no", "On", "true"],
    ScalarKind.WHOLE: ["0", "-12"],
    ScalarKind.DECIMAL: ["2.5"],
    ScalarKind.ODD_NUMBER: [
        "010",
        "0x10",
        "0b1",
        "1_000",
        "10:30",
        ".inf",
        ".nan",
        "1.5e+3",
        "9" * 5000,
    ],
    ScalarKind.DATE: ["2026-11-24", "2026-11-24T10:30:00Z"],
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_plain_text_that_yaml_reads_as_something_else_is_known_as_that(kind: ScalarKind) -> None:
    assert [plain(text) for text in WRITTEN[kind]] == [Scalar(kind, text) for text in WRITTEN[kind]]


@pytest.mark.parametrize("written", ["n", "y", "1e3", "1.2.3", "30s", "wx12", "nope", "<<", "=", "中文"])
def test_other_plain_texts_are_texts(written: str) -> None:
    assert plain(written) == written


@given(st.text(alphabet="0123456789abcdefinotruyelsx._:-+~TZ ", max_size=12))
def test_a_text_is_a_text_for_yaml_too(written: str) -> None:
    if plain(written) == written:
        resolver: Any = yaml.SafeLoader("")
        assert resolver.resolve(yaml.ScalarNode, written, (True, False)) == "tag:yaml.org,2002:str"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Scalar(ScalarKind.WHOLE, "-16"), -16),
        (Scalar(ScalarKind.DECIMAL, "2.5"), 2.5),
        (SubstitutedText.of("16", "${N}"), 16),
        (SubstitutedText.of("0.5", "${N}"), 0.5),
        (SubstitutedText.of("010", "${N}"), None),
        (SubstitutedText.of("1 ", "${N}"), None),
        (Scalar(ScalarKind.ODD_NUMBER, "010"), None),
        (Scalar(ScalarKind.BOOLEAN, "yes"), None),
        ("16", None),
        ([], None),
    ],
)
def test_only_plain_digits_unquoted_or_from_the_environment_are_numbers(
    value: object, expected: float | None
) -> None:
    assert number(value) == expected

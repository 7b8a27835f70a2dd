"""Colours that any eye can tell apart from each other and from the panel, and mean what they say."""

from pathlib import Path

import pytest

from grafana import colours
from tests.grafana.boards import panels, walk

SAFE = {value for name, value in vars(colours).items() if name.isupper() and str(value).startswith("#")}


def luminance(colour: str) -> float:
    """Return the relative luminance by WCAG 2.1."""
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("panel", ["#ffffff", "#181b1f"], ids=["light", "dark"])
def test_every_colour_stands_out_from_the_panel(panel: str) -> None:
    for colour in sorted(SAFE):
        dark, light = sorted((luminance(colour), luminance(panel)))
        assert (light + 0.05) / (dark + 0.05) >= 3, colour


def test_no_number_is_red_by_accident_and_every_colour_is_safe(path: Path) -> None:
    for panel in panels(path):
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[0]["value"] is None
        report = {
            str(value) for key, value in walk(panel) if key in ("color", "fixedColor", "lineColor") if value
        }
        assert {value for value in report if not value.startswith("{")} <= SAFE, panel["title"]
        many = any("{{" in target["legendFormat"] for target in panel["targets"])
        if panel["type"] == "timeseries" and not many:
            by_query = {o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"]}
            assert {target["refId"] for target in panel["targets"]} <= by_query


def test_what_is_not_known_is_grey_and_never_green(path: Path) -> None:
    for panel in panels(path):
        defaults = panel["fieldConfig"]["defaults"]
        grey = [
            mapping["options"]["result"]["color"]
            for mapping in defaults["mappings"]
            if mapping["type"] == "special" and mapping["options"]["match"] == "null+nan"
        ]
        assert grey == [colours.GREY], panel["title"]
        if defaults["thresholds"]["steps"][0]["color"] == colours.GREEN:
            assert not any("vector(0)" in target["expr"] for target in panel["targets"]), panel["title"]

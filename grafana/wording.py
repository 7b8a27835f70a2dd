"""The types of texts, each in both languages."""

from typing import NamedTuple


class Text(NamedTuple):
    """One text in both languages."""

    en: str
    zh: str


class PanelText(NamedTuple):
    """A panel's title and description."""

    title: Text
    description: Text


def panel_text(title: tuple[str, str], description: tuple[str, str]) -> PanelText:
    """Make a panel's texts of pairs: English, Chinese."""
    return PanelText(Text(*title), Text(*description))

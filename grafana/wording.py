"""What a text is: the same in both languages."""

from typing import NamedTuple


class Text(NamedTuple):
    """One text in both languages."""

    en: str
    zh: str


class PanelText(NamedTuple):
    """A panel's title and description."""

    title: Text
    description: Text

"""The languages of the status page: their texts, and the choice for a visitor."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.quota import QUOTA
from exporter.exposition.negotiation import parse
from exporter.package_data import read_table

TEXTS: Final[Mapping[str, Mapping[str, str]]] = read_table(__package__, "texts.yaml")
"""The page's texts by key and language, with `{name}` for values."""


class Language(StrEnum):
    """A language of the page; the value is that of the parameter `lang`."""

    EN = "en"
    ZH = "zh"

    @property
    def tag(self) -> str:
        """Return the language as HTML and HTTP name it."""
        return "zh-CN" if self is Language.ZH else "en"

    def text(self, key: str, **values: object) -> str:
        """Return the text with a key, with values filled in."""
        text = TEXTS[key][self]
        return text.format(**values) if values else text

    def dataset(self, name: str) -> str:
        """Return a dataset's name in this language: `Weekly trend`, `周趋势`."""
        if name == QUOTA:
            return self.text("quota")
        return BY_NAME[name].chinese if self is Language.ZH else name.replace("_", " ").capitalize()


def negotiate(accept_language: str) -> Language:
    """Choose a visitor's preferred language from the header Accept-Language (RFC 9110, 12.5.4)."""
    weights = {tag.partition("-")[0]: weight for tag, _, weight in reversed(parse(accept_language))}
    return max(Language, key=lambda language: weights.get(language, 0.0))

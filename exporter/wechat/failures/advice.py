"""Advice on failures: the texts of advice.yaml, as attributes by name (`advice.WAIT`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from exporter.package_data import read_table

_INTERFACE: Final = "getDailyVisitTrend"


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice for the operator, in both languages of the status page.

    `other_dataset` replaces it for a failed dataset beside the daily trend, `discovered` for an app from a
    platform's list.
    """

    en: str
    zh: str
    other_dataset: "Advice | None" = field(default=None, repr=False, compare=False)
    discovered: "Advice | None" = field(default=None, repr=False, compare=False)

    def text(self, language: str) -> str:
        """Return the advice in that language, `en` or `zh`."""
        return self.zh if language == "zh" else self.en

    def then(self, other: "Advice") -> "Advice":
        """Append the other advice."""
        return Advice(f"{self.en} {other.en}", f"{self.zh}{other.zh}")

    def about(self, interface: str) -> "Advice":
        """Return the advice for a call of one of WeChat's interfaces."""
        if interface == _INTERFACE:
            return self
        closer = self.other_dataset or self
        en, zh = (text.replace(_INTERFACE, interface) for text in (closer.en, closer.zh))
        return replace(closer, en=en, zh=zh)


def _advice(row: Mapping[str, Any]) -> Advice:
    variants = {key: _advice(row[key]) for key in ("other_dataset", "discovered") if key in row}
    return Advice(row["en"], row["zh"], **variants)


ADVICE: Final = {name: _advice(row) for name, row in read_table(__package__, "advice.yaml").items()}


def __getattr__(name: str) -> Advice:
    """Return the advice with a name."""
    if name in ADVICE:
        return ADVICE[name]
    raise AttributeError(name)

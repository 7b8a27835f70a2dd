"""What a visitor asks the status page for: read from the address, written back into its links."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from exporter.datasets.daily_trend import FIELDS
from exporter.web.status.language import Language

SIZES: Final = (50, 200, 1000)
"""The choices of apps per page."""

REFRESHES: Final = (0, 60, 300)
"""After how many seconds the page asks for itself again, by choice; 0: never."""

LONGEST_SEARCH: Final = 200
_FIELD_NAMES: Final = tuple(field.name for field in FIELDS)
COLUMNS: Final = ("name", "state", "date", *_FIELD_NAMES, "token")
"""What the table can be sorted by; without a choice what needs attention comes first."""

_FROM_SMALL: Final = ("name", "state", "token")  # columns that are sorted from the small end at first


class State(StrEnum):
    """How an app is; in the order in which they need attention."""

    FAILING = "failing"
    NOT_READY = "not_ready"
    UNTRIED = "untried"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Query:
    """The choices; `lang` is None where only the browser's settings tell the language."""

    lang: Language | None = None
    q: str = ""
    state: State | None = None
    sort: str = ""
    order: str = ""
    chart: str = "visit_pv"
    size: int = SIZES[0]
    page: int = 1
    refresh: int = REFRESHES[0]

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> "Query":
        """The query of an address; what is not allowed counts as not said."""
        lang = parameters.get("lang", "").lower().partition("-")[0]
        state = parameters.get("state", "")
        sort = _one_of(parameters.get("sort", ""), COLUMNS, "")
        orders = ("desc", "asc") if first_order(sort) == "desc" else ("asc", "desc")
        size = _whole(parameters.get("size", ""), SIZES[0])
        refresh = _whole(parameters.get("refresh", ""), REFRESHES[0])
        return cls(
            lang=next((each for each in Language if each == lang), None),
            q=" ".join(parameters.get("q", "")[:LONGEST_SEARCH].split()),
            state=next((each for each in State if each == state), None),
            sort=sort,
            order=_one_of(parameters.get("order", ""), orders, orders[0]) if sort else "",
            chart=_one_of(parameters.get("chart", ""), _FIELD_NAMES, cls().chart),
            size=size if size in SIZES else SIZES[0],
            page=max(1, _whole(parameters.get("page", ""), 1)),
            refresh=refresh if refresh in REFRESHES else REFRESHES[0],
        )

    def link(self, **changes: object) -> str:
        """The address with these changes; what is left at its default is not written."""
        return f"?{urlencode(self.parameters(**changes), errors='replace')}"

    def parameters(self, **changes: object) -> dict[str, str]:
        """The parameters that differ from the defaults, with these changes."""
        changed = dataclasses.replace(self, **changes)  # type: ignore[arg-type]
        return {
            field.name: str(value)
            for field in dataclasses.fields(self)
            if (value := getattr(changed, field.name)) is not None and value != field.default
        }

    def sorted_by(self, column: str) -> str:
        """The address that sorts by a column; the other way round where it is sorted by it already."""
        order = first_order(column)
        if self.sort == column and self.order == order:
            order = "asc" if order == "desc" else "desc"
        return self.link(sort=column, order=order, page=1)


def first_order(column: str) -> str:
    """How a column is sorted at first: names from A, figures from the largest."""
    return "asc" if column in _FROM_SMALL else "desc"


def _one_of(found: str, allowed: tuple[str, ...], otherwise: str) -> str:
    return found if found in allowed else otherwise


def _whole(found: str, otherwise: int) -> int:
    try:
        return int(found)
    except ValueError:
        return otherwise

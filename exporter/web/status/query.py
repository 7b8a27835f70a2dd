"""A visitor's choices on the status page: parsed from the address, written into its links."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import urlencode

from exporter.web.status.columns import COLUMNS, FIELD_NAMES, first_order
from exporter.web.status.language import Language

SIZES: Final = (50, 200, 1000)
"""The choices for apps per page."""

REFRESHES: Final = (0, 60, 300)
"""The choices for seconds between automatic reloads of the page; 0 for never."""

LONGEST_SEARCH: Final = 200

_MOST_DIGITS: Final = 9  # most digits of a page number


_T = TypeVar("_T")
_D = TypeVar("_D")


class State(StrEnum):
    """The state of an app; the order is that of urgency."""

    FAILING = "failing"
    DATASET_FAILING = "dataset_failing"
    NOT_READY = "not_ready"
    UNTRIED = "untried"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Query:
    """The choices; `lang` is None if the browser's settings choose the language."""

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
        """Parse the parameters of an address, ignoring invalid ones."""

        def chosen(name: str, allowed: Iterable[_T], default: _D) -> _T | _D:
            found = parameters.get(name, "")
            return next((each for each in allowed if str(each) == found), default)

        lang = parameters.get("lang", "").lower().partition("-")[0]
        sort = chosen("sort", COLUMNS, "")
        page = parameters.get("page", "")
        return cls(
            lang=next((each for each in Language if each == lang), None),
            q=" ".join(parameters.get("q", "")[:LONGEST_SEARCH].split()),
            state=chosen("state", State, None),
            sort=sort,
            order=chosen("order", ("asc", "desc"), first_order(sort)) if sort else "",
            chart=chosen("chart", FIELD_NAMES, cls().chart),
            size=chosen("size", SIZES, SIZES[0]),
            page=max(1, int(page[:_MOST_DIGITS])) if page.isdecimal() else 1,
            refresh=chosen("refresh", REFRESHES, REFRESHES[0]),
        )

    def link(self, **changes: object) -> str:
        """Return the address with changes, without parameters that have their default."""
        return f"?{urlencode(self.parameters(**changes), errors='replace')}"

    def parameters(self, **changes: object) -> dict[str, str]:
        """Return the parameters that differ from the defaults, with changes."""
        changed = dataclasses.replace(self, **changes)  # type: ignore[arg-type]
        return {
            field.name: str(value)
            for field in dataclasses.fields(self)
            if (value := getattr(changed, field.name)) is not None and value != field.default
        }

    def sorted_by(self, column: str) -> str:
        """Return the address that sorts by a column, reversed if the page is sorted by it already."""
        order = first_order(column)
        if self.sort == column and self.order == order:
            order = "asc" if order == "desc" else "desc"
        return self.link(sort=column, order=order, page=1)

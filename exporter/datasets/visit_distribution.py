"""getVisitDistribution 访问分布: a day's opens by source, stay time and depth.

The body has a list per index. WeChat sends `access_source_visit_uv` without documenting it, so it may be
missing. Unknown indexes and keys may be new ones, and are accepted.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/others/getVisitDistribution.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from exporter.datasets.body_parsing import (
    MalformedRowError,
    check_period,
    one_list,
    one_object,
    required_list,
    shown,
)
from exporter.datasets.body_shapes import KEY_CAP, NO_FIGURES, key_values, written_items
from exporter.datasets.dataset import Dataset, NewestRow, Point, Prefix, Row
from exporter.datasets.field import Field
from exporter.datasets.packed_points import packed
from exporter.datasets.period import DAY, Period
from exporter.datasets.schedule import Schedule
from exporter.package_data import read_table

STAY_TIMES: Final = MappingProxyType(
    {1: "0-2s", 2: "3-5s", 3: "6-10s", 4: "11-20s", 5: "20-30s", 6: "30-50s", 7: "50-100s", 8: ">100s"}
)
DEPTHS: Final = MappingProxyType({1: "1", 2: "2", 3: "3", 4: "4", 5: "5", 6: "6-10", 7: ">10"})


class AccessSource(NamedTuple):
    """A source with WeChat's key for it."""

    key: int
    name_zh: str
    name_en: str


SOURCES: Final = tuple(
    AccessSource(key, *names) for key, names in read_table(__package__, "access_sources.yaml").items()
)
"""For access_source_info. WeChat adds keys without documenting them: unknown ones are shown by number."""


@dataclass(frozen=True, slots=True)
class IndexedBody:
    """`{"ref_date": …, "list": [{"index": name, "item_list": [{"key": k, "value": n}]}]}`.

    An index is a field, and its keys are the values of the field's label; `names` maps a label's keys to
    names. Each point has one label, and None for the figures of other labels.
    """

    names: Mapping[str, Mapping[int, str]]

    def read(self, body: Mapping[str, object], period: Period, dataset: Dataset) -> Row | None:
        """Return the row, with a point for each key of each label; None for a body without keys."""
        check_period(body, dataset.calendar, period)
        entries = required_list(body, "list")
        lists = _lists(entries)
        if entries and not any(each.name in lists for each in dataset.fields):
            raise MalformedRowError(NO_FIGURES)
        found: dict[tuple[str, int], list[int | None]] = {}
        for column, each in enumerate(dataset.fields):
            items = one_list(lists.get(each.name, {}), "item_list", f"{each.name}.")
            for key, value in key_values(items or [], each.name).items():
                found.setdefault((each.label, key), [None] * len(dataset.fields))[column] = value
        points: list[Point] = []
        for label in dataset.labels:
            keys = sorted(key for at, key in found if at == label)[: dataset.cap]
            points += [Point(self._labels(dataset, label, key), tuple(found[label, key])) for key in keys]
        return Row(period, packed(points), len(found) - len(points)) if points else None

    def write(self, row: Row, dataset: Dataset) -> Mapping[str, object]:
        """Return the body of a row, with all its indexes."""
        lists: list[object] = []
        for column, each in enumerate(dataset.fields):
            place = dataset.labels.index(each.label)
            keys = {name: key for key, name in self.names.get(each.label, {}).items()}
            pairs = [(point.labels[place], point.values[column]) for point in row.points]
            items = written_items([(keys.get(name) or int(name), value) for name, value in pairs if name])
            lists.append({"index": each.name, "item_list": items})
        return {"ref_date": dataset.calendar.written(row.period), "list": lists}

    def _labels(self, dataset: Dataset, label: str, key: int) -> tuple[str, ...]:
        value = self.names.get(label, {}).get(key, str(key))
        return tuple(value if name == label else "" for name in dataset.labels)


def _lists(entries: list[object]) -> dict[str, Mapping[str, object]]:
    """Return the entries of the body's list, by index."""
    found: dict[str, Mapping[str, object]] = {}
    for position, each in enumerate(entries):
        entry = one_object(each, f"list[{position}]")
        if "index" not in entry:
            raise MalformedRowError(f"list[{position}] has no index")
        name = entry["index"]
        if not isinstance(name, str):
            raise MalformedRowError(f"list[{position}].index is {shown(name)}, not a text")
        if name in found:
            raise MalformedRowError(f"index {shown(name)} is there twice")
        found[name] = entry
    return found


VISIT_DISTRIBUTION: Final = Dataset(
    name="visit_distribution",
    interface="getVisitDistribution",
    chinese="访问分布",
    path="/datacube/getweanalysisappidvisitdistribution",
    calendar=DAY,
    shape=IndexedBody({"staytime": STAY_TIMES, "depth": DEPTHS}),
    selection=NewestRow(),
    schedule=Schedule(settle_hours=15),
    fields=(
        Field(
            "access_source_session_cnt",
            "访问来源",
            "Opens by source",
            "opens that day that came from this source; access_source_info has the sources' names",
            label="source",
        ),
        Field(
            "access_source_visit_uv",
            "访问来源人数",
            "Visitors by source",
            "distinct visitors that day who came from this source",
            not_over="sources, dates or apps",
            label="source",
        ),
        Field(
            "access_staytime_info",
            "访问时长",
            "Opens by stay",
            "opens that day that stayed this long",
            metric="access_staytime_session_cnt",
            label="staytime",
        ),
        Field(
            "access_depth_info",
            "访问深度",
            "Opens by depth",
            "opens that day that saw this many pages",
            metric="access_depth_session_cnt",
            label="depth",
        ),
    ),
    newest=Prefix("daily", "Newest distribution held"),
    labels=("source", "staytime", "depth"),
    cap=KEY_CAP,
)

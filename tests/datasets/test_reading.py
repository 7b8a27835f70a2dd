"""The common behaviour of all datasets' readers: WeChat's examples, both spellings, refusals."""

import copy
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.catalogue import BY_NAME, CATALOGUE
from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.field import camel
from exporter.datasets.period import MONTH, WEEK, Period
from tests.datasets.rows import periods, rows, sample

DAY = Period(date(2017, 3, 13), date(2017, 3, 13))
datasets = pytest.mark.parametrize("dataset", CATALOGUE, ids=lambda dataset: dataset.name)
each = st.sampled_from(CATALOGUE)
EXAMPLES: dict[str, tuple[str, Period]] = {
    "daily_trend": ("daily_visit_trend__doc_20170313", DAY),
    "weekly_trend": ("weekly_visit_trend__doc_20170306-20170312", WEEK.starting(date(2017, 3, 6))),
    "monthly_trend": ("monthly_visit_trend__doc_201702", MONTH.starting(date(2017, 2, 1))),
    "daily_summary": ("daily_summary__doc_20170313", DAY),
    "daily_retention": ("daily_retain__doc_20170313", DAY),
    "visit_distribution": ("visit_distribution__doc_20170313", DAY),
    "visit_pages": ("visit_page__doc_20170313", DAY),
}
CLOUD_EXAMPLES: dict[str, tuple[str, Period]] = {
    "daily_trend": ("daily_visit_trend__doc_cloudcall_20170313", DAY),
    "monthly_trend": ("monthly_visit_trend__doc_cloudcall_201703", MONTH.starting(date(2017, 3, 1))),
    "daily_summary": ("daily_summary__doc_cloudcall_20170313", DAY),
    "daily_retention": ("daily_retain__doc_cloudcall_20170313", DAY),
    "visit_distribution": ("visit_distribution__doc_cloudcall_20170313_cut", DAY),
    "visit_pages": ("visit_page__doc_cloudcall_20170313_cut", DAY),
}


def cloud_shape(found: Any) -> Any:
    if isinstance(found, dict):
        return {camel(key): cloud_shape(value) for key, value in found.items()}
    return [cloud_shape(item) for item in found] if isinstance(found, list) else found


def example(dataset: Dataset) -> tuple[dict[str, Any], Period]:
    name, period = EXAMPLES[dataset.name]
    return sample(name), period


def refusal(dataset: Dataset, body: dict[str, Any], period: Period) -> str:
    with pytest.raises(MalformedRowError) as caught:
        dataset.read(body, period)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value)


def values(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of all figures of a body."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield from values(value, (*path, key))
    elif isinstance(found, list):
        for index, value in enumerate(found):
            yield from values(value, (*path, index))
    elif isinstance(found, int | float):
        yield path


def leaf(found: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        found = found[step]
    return found


def changed(body: dict[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    copied = copy.deepcopy(body)
    inner: Any = copied
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copied


@datasets
def test_every_figure_of_wechats_example_comes_through(dataset: Dataset) -> None:
    body, period = example(dataset)
    row = dataset.read(body, period)
    assert row is not None
    assert row.period == period
    written = dataset.write(row)
    assert dataset.read(dict(written), period) == row
    sent = sorted(leaf(body, path) for path in values(body) if path[-1] != "key")
    assert sorted(leaf(written, path) for path in values(written) if path[-1] != "key") == sent


@datasets
def test_the_cloud_calls_spelling_gives_the_same_row(dataset: Dataset) -> None:
    body, period = example(dataset)
    message = f"openapi.analysis.{dataset.interface}:ok"
    assert dataset.read({**cloud_shape(body), "errMsg": message}, period) == dataset.read(body, period)


@pytest.mark.parametrize("name", CLOUD_EXAMPLES)
def test_wechats_examples_of_cloud_calls_are_read(name: str) -> None:
    file, period = CLOUD_EXAMPLES[name]
    row = BY_NAME[name].read(sample(file), period)
    assert row is not None
    assert any(value is not None for point in row.points for value in point.values)


@datasets
@pytest.mark.parametrize("expected", ["openapi.analysis.x:fail system error", "", None, 5])
def test_a_cloud_answer_that_says_it_failed_is_no_row(dataset: Dataset, expected: object) -> None:
    body, period = example(dataset)
    assert "which does not end in :ok" in refusal(dataset, {**body, "errMsg": expected}, period)


UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@UNTIMED
@given(st.data(), each)
def test_what_is_written_reads_back_the_same(data: st.DataObject, dataset: Dataset) -> None:
    row = data.draw(rows(dataset))
    body = json.loads(json.dumps(dataset.write(row)))
    assert dataset.read(body, row.period) == row
    assert dataset.read(cloud_shape(body), row.period) == row


@UNTIMED
@given(st.data(), each)
def test_a_row_of_another_period_than_the_one_asked_for_is_refused(
    data: st.DataObject, dataset: Dataset
) -> None:
    row, asked = data.draw(rows(dataset)), data.draw(periods(dataset))
    body = dict(dataset.write(row))
    if asked == row.period:
        assert dataset.read(body, asked) == row
    else:
        assert refusal(dataset, body, asked).endswith(f"asked for {dataset.calendar.written(asked)}")


@datasets
@pytest.mark.parametrize("found", [None, True, "", "2017", [], {}, 20170313.0], ids=repr)
def test_a_ref_date_of_another_kind_is_refused(dataset: Dataset, found: object) -> None:
    body, period = example(dataset)
    path = ("ref_date",) if "ref_date" in body else ("list", 0, "ref_date")
    assert refusal(dataset, changed(body, path, found), period).startswith("ref_date is ")


@datasets
@pytest.mark.parametrize(
    "found",
    [True, False, None, float("nan"), float("inf"), -1, -0.5, "", "x", "nan", [], {}, 2**53 + 1],
    ids=repr,
)
def test_a_figure_that_cannot_be_trusted_refuses_the_whole_body(dataset: Dataset, found: object) -> None:
    body, period = example(dataset)
    for path in values(body):
        refusal(dataset, changed(body, path, found), period)


@datasets
def test_a_count_with_a_fraction_refuses_the_whole_body(dataset: Dataset) -> None:
    body, period = example(dataset)
    integral = {field.name for field in dataset.fields if field.integral} | {"key", "value"}
    for path in values(body):
        if path[-1] in integral:
            assert refusal(dataset, changed(body, path, 2.5), period).endswith("is 2.5, not a whole number")


@datasets
def test_figures_may_be_numeric_texts(dataset: Dataset) -> None:
    body, period = example(dataset)
    texts = copy.deepcopy(body)
    for path in values(body):
        texts = changed(texts, path, str(leaf(body, path)))
    assert dataset.read(texts, period) == dataset.read(body, period)


@datasets
def test_unknown_keys_in_a_body_are_ignored(dataset: Dataset) -> None:
    body, period = example(dataset)

    def more(found: Any) -> Any:
        if isinstance(found, dict):
            return {"new_figure": None, "newList": [1], **{key: more(value) for key, value in found.items()}}
        return [more(item) for item in found] if isinstance(found, list) else found

    assert dataset.read(more(body), period) == dataset.read(body, period)


@datasets
@pytest.mark.parametrize("found", [None, {}, "[]", 5, True], ids=repr)
def test_anything_but_a_list_is_refused_where_a_list_should_be(dataset: Dataset, found: object) -> None:
    body, period = example(dataset)
    for key in [key for key, value in body.items() if isinstance(value, list)]:
        assert refusal(dataset, {**body, key: found}, period).startswith(f"'{key}' is ")
        assert "is" in refusal(dataset, {**body, key: [found]}, period)


@datasets
def test_a_body_without_its_list_is_refused(dataset: Dataset) -> None:
    _, period = example(dataset)
    refusal(dataset, {}, period)
    refusal(dataset, {"ref_date": dataset.calendar.written(period)}, period)


@datasets
def test_an_empty_body_is_no_row(dataset: Dataset) -> None:
    body, period = example(dataset)
    empty = {key: [] if isinstance(value, list) else value for key, value in body.items()}
    assert dataset.read(empty, period) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(("key", "value", "index", "list")), inner)
    ),
    max_leaves=8,
)


@UNTIMED
@given(st.data(), each, json_values)
def test_any_body_gives_a_row_of_the_period_or_none_or_is_malformed(
    data: st.DataObject, dataset: Dataset, found: object
) -> None:
    row = data.draw(rows(dataset))
    body = json.loads(json.dumps(dataset.write(row)))
    path = data.draw(st.sampled_from(sorted(values(body), key=repr)))
    cut = data.draw(st.integers(1, len(path)))
    try:
        read = dataset.read(changed(body, path[:cut], found), row.period)
    except MalformedRowError:
        return
    assert read is None or read.period == row.period


def test_a_week_is_read_under_its_own_name() -> None:
    week = WEEK.starting(date(2017, 3, 6))
    row = BY_NAME["weekly_trend"].read(sample("weekly_visit_trend__doc_20170306-20170312"), week)
    assert row == Row(week, (Point((), (986780, 3251840, 189405, 45592, None, 54.5346, 1.9735)),))


def test_another_week_than_the_one_asked_for_is_refused() -> None:
    body = sample("weekly_visit_trend__edited_other_week_than_asked")
    week = WEEK.starting(date(2026, 10, 19))
    expected = "ref_date is '20261012-20261018', asked for 20261019-20261025"
    assert refusal(BY_NAME["weekly_trend"], body, week) == expected


def test_a_month_may_be_written_as_a_number_and_lack_figures() -> None:
    body = sample("monthly_visit_trend__edited_month_without_stay_time")
    month = MONTH.starting(date(2026, 10, 1))
    body["list"][0]["ref_date"] = 202610
    row = BY_NAME["monthly_trend"].read(body, month)
    assert row == Row(month, (Point((), (10, 30, 4, 1, None, None, 2)),))


def test_a_dataset_is_asked_for_by_its_first_and_last_day() -> None:
    def asked(name: str, period: Period) -> object:
        return BY_NAME[name].request(period)

    assert asked("daily_summary", DAY) == {"begin_date": "20170313", "end_date": "20170313"}
    week = WEEK.starting(date(2026, 12, 28))
    assert asked("weekly_trend", week) == {"begin_date": "20261228", "end_date": "20270103"}
    month = MONTH.starting(date(2028, 2, 1))
    assert asked("monthly_trend", month) == {"begin_date": "20280201", "end_date": "20280229"}

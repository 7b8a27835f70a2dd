"""The expressions of all panels: they parse, and read each metric as what it is."""

import re

import promql_parser
import pytest

from grafana.texts import Language
from tests.grafana.boards import asked

COUNTERS = ("_total", "_bucket", "_count", "_sum")


@pytest.mark.parametrize("language", Language)
def test_targets_ask_once_and_name_what_they_show(language: Language) -> None:
    for target in asked(language):
        assert target.target["instant"] != target.target["range"], target.name
        assert target.target["legendFormat"]
        refs = [each["refId"] for each in target.panel["targets"]]
        assert len(refs) == len(set(refs))


@pytest.mark.parametrize("language", Language)
def test_expressions_parse_and_counters_are_read_as_rates(language: Language) -> None:
    for target in asked(language):
        text = target.expression()
        promql_parser.parse(text)
        for metric in re.findall(r"wechat_miniprogram_exporter_\w+|process_cpu_seconds_total", text):
            if metric.endswith(COUNTERS):
                assert re.search(rf"(rate|increase)\({metric}\{{[^}}]*\}}\[", text), target.name


def test_daily_gauges_are_never_read_as_rates_or_mixed_by_time() -> None:
    for target in asked():
        text = target.expression()
        assert not re.search(
            r"(rate|increase|delta|avg_over_time|sum_over_time|max_over_time)\(wechat_miniprogram_(daily|by_date)",
            text,
        ), target.name
        assert not re.search(r"avg[^(]*\([^)]*_(stay_time|visit_depth)", text), target.name
        assert not re.search(
            r"sum\b[^(]*\((?!.*session).*(?<!retain_)(?<!cohort_)visit_uv\b(?!_new)", text
        ), target.name


def test_no_dated_panel_asks_at_the_floored_end_of_its_range() -> None:
    for language in Language:
        for target in asked(language):
            assert "@ end()" not in target.target["expr"], target.name

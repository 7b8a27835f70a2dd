from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.beijing import midnight
from exporter.datasets.daily_trend import FIELDS
from exporter.exposition.app_families import BY_DATE, DAILY, FAMILIES, render
from exporter.exposition.family import Family, escape, headers
from exporter.store.entry import Entry, Health
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, YESTERDAY, bare_row, make_app, make_entry, make_failure, make_row

DAY_BEFORE = YESTERDAY - timedelta(days=1)


def lines(entry: Entry, *dates: object) -> dict[str, list[str]]:
    """Return the sample lines per metric name, without those that are empty."""
    texts = list(render([entry], dates))  # type: ignore[arg-type]
    return {family.name: text.splitlines() for family, text in zip(FAMILIES, texts, strict=True) if text}


def test_the_names_are_the_contracts() -> None:
    suffixes = [
        "session_cnt",
        "visit_pv",
        "visit_uv",
        "visit_uv_new",
        "stay_time_uv_seconds",
        "stay_time_session_seconds",
        "visit_depth",
        "ref_date_timestamp_seconds",
    ]
    assert [family.metric for family in DAILY] == [f"wechat_miniprogram_daily_{each}" for each in suffixes]
    by_date = [f"wechat_miniprogram_by_date_{each}" for each in suffixes]
    assert [family.metric for family in BY_DATE] == by_date
    assert [family.metric for family in FAMILIES[16:]] == [
        "wechat_miniprogram_up",
        "wechat_miniprogram_last_refresh_timestamp_seconds",
        "wechat_miniprogram_last_success_timestamp_seconds",
        "wechat_miniprogram_token_expiry_timestamp_seconds",
        "wechat_miniprogram_info",
        "wechat_miniprogram_refresh_error_info",
        "wechat_miniprogram_dataset_up",
        "wechat_miniprogram_dataset_ref_date_timestamp_seconds",
        "wechat_miniprogram_dataset_last_success_timestamp_seconds",
        "wechat_miniprogram_dataset_error_info",
    ]


def test_the_latest_family_shows_the_newest_row_held() -> None:
    rows = [make_row(DAY_BEFORE, 2), make_row(DAY_BEFORE - timedelta(days=1))]
    found = lines(make_entry(1, rows, name="tea"))
    assert found["daily_visit_pv"] == [
        'wechat_miniprogram_daily_visit_pv{appid="wx0000000000000001",name="tea"} 80'
    ]
    stamp = midnight(DAY_BEFORE)
    assert found["daily_ref_date_timestamp_seconds"][0].endswith(f" {stamp}")


def test_the_by_date_family_has_one_series_per_date_on_show() -> None:
    old = YESTERDAY - timedelta(days=9)
    entry = make_entry(1, [make_row(), make_row(DAY_BEFORE, 2), make_row(old, 3)], name="tea")
    found = lines(entry, YESTERDAY, DAY_BEFORE)
    start = 'wechat_miniprogram_by_date_visit_uv{appid="wx0000000000000001",name="tea",ref_date='
    assert found["by_date_visit_uv"] == [f'{start}"2026-11-23"}} 8', f'{start}"2026-11-22"}} 16']
    assert len(found["by_date_ref_date_timestamp_seconds"]) == 2


def test_without_dates_on_show_the_by_date_family_is_off() -> None:
    assert not [name for name in lines(make_entry(1, [make_row()])) if name.startswith("by_date")]


def test_a_field_that_wechat_left_out_has_no_series() -> None:
    found = lines(make_entry(1, [bare_row(YESTERDAY, visit_pv=0)]), YESTERDAY)
    figures = {name for name in found if name.startswith(("daily", "by_date"))}
    assert figures == {
        "daily_visit_pv",
        "daily_ref_date_timestamp_seconds",
        "by_date_visit_pv",
        "by_date_ref_date_timestamp_seconds",
    }
    assert found["daily_visit_pv"][0].endswith(" 0")


def test_an_app_never_asked_has_only_its_info() -> None:
    assert set(lines(make_entry(1))) == {"info"}


def test_labels_of_the_configuration_go_to_the_info_metric() -> None:
    entry = Entry(make_app(1, "tea", (("shop", 'no "7"'), ("team", "retail"))), "stable_token")
    assert lines(entry)["info"] == [
        'wechat_miniprogram_info{appid="wx0000000000000001",name="tea",shop="no \\"7\\"",team="retail"} 1'
    ]


def test_the_error_is_there_only_while_the_last_refresh_failed() -> None:
    failing = Health(last_refresh=NOON, failure=make_failure(Reason.IP_NOT_ALLOWED, 40164))
    found = lines(make_entry(1, health=failing, name="tea"))
    labels = 'appid="wx0000000000000001",name="tea",reason="ip_not_allowed",errcode="40164"'
    assert found["refresh_error_info"] == [f"wechat_miniprogram_refresh_error_info{{{labels}}} 1"]
    assert found["up"][0].endswith(" 0")
    found = lines(make_entry(1, health=Health(last_refresh=NOON, failure=make_failure(Reason.TIMEOUT))))
    assert 'reason="timeout",errcode=""}' in found["refresh_error_info"][0]


@pytest.mark.parametrize("reason", [None, Reason.NOT_READY, Reason.EMPTY])
def test_waiting_for_data_is_no_error(reason: Reason | None) -> None:
    found = lines(
        make_entry(1, health=Health(last_refresh=NOON, failure=make_failure(reason) if reason else None))
    )
    assert "refresh_error_info" not in found
    assert found["up"][0].endswith(" 1")


def test_times_are_unix_times() -> None:
    health = Health(last_refresh=NOON + 0.1234567, last_success=NOON)
    entry = Entry(make_app(1), "stable_token", (), health, token_expires_at=NOON + 7200.0)
    found = lines(entry)
    assert found["last_refresh_timestamp_seconds"][0].endswith(f" {NOON + 0.123:.3f}")
    assert found["last_success_timestamp_seconds"][0].endswith(f" {NOON:.3f}")
    assert found["token_expiry_timestamp_seconds"][0].endswith(f" {NOON + 7200:.3f}")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_comes_back_as_it_was_in_both_formats(name: str) -> None:
    entry = make_entry(1, [make_row()], name=name)
    texts = list(render([entry], ()))
    family, text = FAMILIES[1], texts[1]
    plain = headers(family, openmetrics=False).decode() + text
    strict = headers(family, openmetrics=True).decode() + text + "# EOF\n"
    for parsed in (list(parse_text(plain)), list(parse_openmetrics(strict))):
        (found,) = parsed
        assert found.samples[0].labels["name"] == name
        assert found.samples[0].value == 40


@given(st.floats(min_value=0, max_value=2**53, allow_nan=False))
def test_any_figure_comes_back_exactly(value: float) -> None:
    text = list(render([make_entry(1, [bare_row(YESTERDAY, visit_depth=value)])], ()))[6]
    assert float(text.rsplit(" ", 1)[1]) == value


def test_backslashes_quotes_and_line_ends_in_labels_are_escaped() -> None:
    assert escape('a\\b"c\nd') == 'a\\\\b\\"c\\nd'


def test_help_has_the_chinese_term_the_unit_and_what_must_not_be_added() -> None:
    for family, field in zip(DAILY[:7], FIELDS, strict=True):
        assert field.chinese in family.help
        assert ("Do not add up" in family.help) == (not field.additive)
        assert ("seconds" in family.help) == (field.unit == "seconds")


def test_only_openmetrics_has_units() -> None:
    family = Family("x_seconds", 'say "hi"\n', "seconds")
    assert b"UNIT" not in headers(family, openmetrics=False)
    assert headers(family, openmetrics=True).decode().splitlines() == [
        '# HELP wechat_miniprogram_x_seconds say \\"hi\\"\\n',
        "# TYPE wechat_miniprogram_x_seconds gauge",
        "# UNIT wechat_miniprogram_x_seconds seconds",
    ]

"""The reference has every key, each with a meaning."""

from docs.key_reference import rows


def test_every_key_has_something_allowed_and_a_meaning() -> None:
    for row in rows():
        assert row.allowed, row.key
        assert row.description.endswith("."), row.key


def test_defaults_are_written_as_in_the_file() -> None:
    defaults = {row.key: row.default for row in rows()}

    assert defaults["wechat.timeout"] == "10s"
    assert defaults["refresh.interval"] == "1h"
    assert defaults["refresh.history_days"] == "9"
    assert defaults["refresh.requests_per_second"] == "50"
    assert defaults["storage.url"] == "sqlite:///data/exporter.db"
    assert defaults["apps[].appid"] == "required"
    assert defaults["apps[].name"] == ""
    assert defaults["platforms[].discover"] == "false"
    assert defaults["platforms[].discover_interval"] == "1h"
    assert defaults["platforms[].verify_ticket.callback.token"] == ""


def test_what_is_allowed_is_what_the_errors_say() -> None:
    allowed = {row.key: row.allowed for row in rows()}

    assert allowed["apps[].appid"] == "an appid (wx followed by 16 hexadecimal digits)"
    assert allowed["wechat.timeout"] == "a duration from 100ms to 5m"
    assert allowed["apps[].labels"] == "a mapping of texts"
    assert allowed["platforms[].include"] == "a list of appids and patterns"
    assert allowed["apps_files"] == "a list of paths or patterns"

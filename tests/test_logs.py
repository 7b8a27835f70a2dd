import io
import json
import logging

import pytest

from exporter.logs import open_log
from exporter.wechat.failures.advice import IP


def test_logfmt_is_one_event_per_line() -> None:
    stream = io.StringIO()
    open_log("info", "logfmt", stream).warning("app failing", name='two\nlines "quoted"', 中="文")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("timestamp=")
    assert ' level=warning event="app failing" ' in line
    assert "\\n" in line


def test_json_is_one_object_per_line() -> None:
    stream = io.StringIO()
    open_log("info", "json", stream).info("round finished", apps=3, name="奶茶")
    event = json.loads(stream.getvalue())
    assert (event["event"], event["level"], event["apps"], event["name"]) == (
        "round finished",
        "info",
        3,
        "奶茶",
    )
    assert "奶茶" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
@pytest.mark.parametrize("control", ["\x1b[2J", "\r", "\x00", "\x7f", "\x9b", "\u2028", "\u202e", "\ud83c"])
def test_what_is_not_printable_is_escaped(control: str, log_format: str) -> None:
    stream = io.StringIO()
    open_log("info", log_format, stream).warning("push refused", platform=f"奶茶{control}shop")
    line = stream.getvalue()
    assert line.removesuffix("\n").isprintable()
    assert "奶茶" in line
    assert "shop" in line


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
@pytest.mark.parametrize(("language", "advice"), [("en", IP.en), ("zh", IP.zh)])
def test_advice_is_written_in_the_language_asked_for(log_format: str, language: str, advice: str) -> None:
    stream = io.StringIO()
    open_log("info", log_format, stream, language).warning("app failing", advice=IP)
    open_log("info", log_format, stream).warning("app failing", advice=IP)
    asked, default = stream.getvalue().splitlines()
    assert advice in asked
    assert IP.en in default


def test_events_below_the_level_are_left_out() -> None:
    stream = io.StringIO()
    log = open_log("warning", "logfmt", stream)
    log.info("round finished")
    log.debug("app state")
    assert stream.getvalue() == ""


def test_a_traceback_stays_on_its_line() -> None:
    stream = io.StringIO()
    log = open_log("info", "logfmt", stream)
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        log.exception("internal fault")
    assert len(stream.getvalue().splitlines()) == 1
    assert "ZeroDivisionError" in stream.getvalue()


def test_libraries_that_log_addresses_are_silenced() -> None:
    stream = io.StringIO()
    open_log("debug", "logfmt", stream)
    logging.getLogger("urllib3.connectionpool").debug("GET /cgi-bin/token?secret=%s", "shown")
    logging.getLogger("urllib3.connectionpool").error("GET /cgi-bin/token?secret=%s", "shown")
    assert stream.getvalue() == ""
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.ERROR)

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.config import load
from exporter.service import Exporter
from exporter.store.entry import Health, HeldRow
from exporter.web.app import make_app
from tests.building import NOON, make_row, paused_until
from tests.web.asking import Answer, ask

APPID = "wx0123456789abcdef"
CONFIG = f"""
storage: {{url: "memory://"}}
apps:
  - {{appid: {APPID}, name: coffee-shop, secret: not-a-real-secret}}
"""
Ask = Callable[..., Answer]


@pytest.fixture
def exporter(tmp_path: Path, log: FilteringBoundLogger) -> Iterator[Exporter]:
    """Yield an exporter that was never started: it shows what the tests write down."""
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    exporter = Exporter(load(path, {}), log, lambda: NOON)
    yield exporter
    exporter.apps.close()


@pytest.fixture
def request_(exporter: Exporter) -> Ask:
    app = make_app(exporter, "/metrics", None)
    return lambda method, path, **headers: ask(app, method, path, **headers)


def row_comes(exporter: Exporter) -> None:
    health = Health(last_refresh=NOON, last_success=NOON)
    exporter.ledger.update(APPID, lambda entry: replace(entry, health=health), HeldRow(make_row(), NOON))
    exporter.publisher.publish()


def test_the_process_is_healthy_whatever_wechat_does(request_: Ask) -> None:
    answer = request_("GET", "/-/healthy")
    assert (answer.status, answer.body) == (200, b"Healthy.\n")


def test_ready_once_every_app_was_tried(request_: Ask, exporter: Exporter) -> None:
    assert request_("GET", "/-/ready").status == 503
    row_comes(exporter)
    assert request_("GET", "/-/ready").status == 200


def test_a_head_request_has_the_headers_and_no_body(request_: Ask, exporter: Exporter) -> None:
    row_comes(exporter)
    full = request_("GET", "/metrics")
    head = request_("HEAD", "/metrics")
    assert head.body == b""
    assert abs(int(head.headers["content-length"]) - len(full.body)) < 100  # the own part moves


def test_the_length_is_right_in_every_form(request_: Ask, exporter: Exporter) -> None:
    row_comes(exporter)
    for encoding in ("identity", "gzip"):
        for accept in ("text/plain", "application/openmetrics-text"):
            answer = request_("GET", "/metrics", accept_encoding=encoding, accept=accept)
            assert int(answer.headers["content-length"]) == len(answer.body)
            assert answer.headers["vary"] == "Accept, Accept-Encoding"
            plain = gzip.decompress(answer.body) if encoding == "gzip" else answer.body
            assert b"wechat_miniprogram_daily_visit_pv{" in plain
            assert b"wechat_miniprogram_exporter_build_info{" in plain


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready"])
def test_only_get_and_head_are_answered(request_: Ask, method: str, path: str) -> None:
    assert request_(method, path).status == 405


@pytest.mark.parametrize(
    "path", ["/metrics/", "/nothing", "/-/", "//metrics", "/../etc/passwd", "/-/reload/"]
)
def test_other_paths_are_not_there(request_: Ask, path: str) -> None:
    assert request_("GET", path).status == 404


def test_reload_is_off_without_its_flag(request_: Ask) -> None:
    answer = request_("POST", "/-/reload")
    assert answer.status == 403
    assert b"--web.enable-lifecycle" in answer.body
    assert request_("GET", "/-/reload").status == 405


@pytest.mark.parametrize(("problem", "status"), [(None, 200), ("config.yaml:3: no", 500)])
def test_reload_says_what_is_wrong(exporter: Exporter, problem: str | None, status: int) -> None:
    answer = ask(make_app(exporter, "/metrics", lambda: problem), "POST", "/-/reload")
    assert answer.status == status
    assert (problem or "Reloaded").encode() in answer.body


def test_the_configuration_in_force_is_shown_without_secrets(request_: Ask) -> None:
    answer = request_("GET", "/config")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert f"appid: {APPID}".encode() in answer.body
    assert b"not-a-real" not in answer.body
    assert request_("POST", "/config").status == 405


def test_one_app_is_asked_now_where_the_lifecycle_is_enabled(exporter: Exporter, request_: Ask) -> None:
    assert request_("POST", "/-/refresh").status == 403
    app = make_app(exporter, "/metrics", lambda: None)
    row_comes(exporter)
    exporter.ledger.update(APPID, lambda entry: replace(entry, health=paused_until(NOON + 3600)))
    assert ask(app, "POST", "/-/refresh", f"appid={APPID.upper()}").status == 200
    entry = exporter.ledger.get(APPID)
    assert entry is not None
    assert entry.health.is_awaited(NOON)
    for other in ("appid=", "appid=wxffffffffffffffff"):
        assert ask(app, "POST", "/-/refresh", other).status == 404
    assert ask(app, "GET", "/-/refresh", f"appid={APPID}").status == 405


@pytest.mark.parametrize(
    ("health", "answer"),
    [
        (Health(last_refresh=NOON - 3600, last_success=NOON - 3600), "1 app is asked now"),
        (Health(last_refresh=NOON, last_success=NOON), "all apps have just been asked"),
        (paused_until(NOON + 3600), "1 app waits until 2026-11-24 13:00 (Beijing)"),
    ],
    ids=["answered an hour ago", "just answered", "spent quota"],
)
def test_all_apps_are_asked_now_unless_they_just_were_or_a_quota_is_spent(
    exporter: Exporter, health: Health, answer: str
) -> None:
    exporter.ledger.update(APPID, lambda entry: replace(entry, health=health))
    found = ask(make_app(exporter, "/metrics", lambda: None), "POST", "/-/refresh")
    assert (found.status, found.body.decode()) == (200, f"Refreshing: {answer}.\n")


def test_the_page_needs_nothing_from_elsewhere_and_says_so(request_: Ask, exporter: Exporter) -> None:
    row_comes(exporter)
    answer = request_("GET", "/")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert b"coffee-shop" in answer.body
    assert request_("GET", "/style.css").headers["content-type"].startswith("text/css")


def test_metrics_of_one_app_and_of_one_that_is_not_here(exporter: Exporter) -> None:
    row_comes(exporter)
    app = make_app(exporter, "/metrics", None)
    for appid in (APPID, APPID.upper(), f"wx{APPID[2:].upper()}"):
        found = ask(app, "GET", "/metrics", f"appid={appid}")
        assert found.status == 200
        assert found.body.count(b"daily_visit_pv{") == 1
    missing = ask(app, "GET", "/metrics", "appid=wxffffffffffffffff")
    assert (missing.status, missing.body[:28]) == (404, b"No such mini program here: i")


def test_service_discovery_names_the_apps(exporter: Exporter) -> None:
    app = make_app(exporter, "/metrics", None, ["exporter-{shard}:10950"])
    (group,) = json.loads(ask(app, "GET", "/sd", "per=app", host="asked:1").body)
    assert group["targets"] == ["exporter-0:10950"]
    assert group["labels"]["__param_appid"] == APPID

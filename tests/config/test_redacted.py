"""The configuration in force as text: it loads as the same configuration, and has no secret in it."""

from dataclasses import replace
from pathlib import Path

import yaml

from exporter.config import load
from exporter.config.redacted import HIDDEN, config_text


def test_a_secret_in_the_configuration_is_hidden_and_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("not-a-real-secret-in-a-file")
    (tmp_path / "config.yaml").write_text(
        """
wechat: {timeout: 90s}
storage: {url: "redis://redis:6379/0", password: not-a-real-password, prefix: shop}
datasets: {weekly_trend: , visit_pages: {top: 3}}
platforms:
  - name: main
    component_appid: wxabcdefabcdefabcd
    component_appsecret: not-a-real-component-secret
    verify_ticket: {http: {url: "http://tickets.internal/?key=not-a-real-key"}}
    discover: true
apps:
  - {appid: wx0123456789abcdef, name: 奶茶, labels: {team: retail}, secret: not-a-real-secret}
  - {appid: wx1123456789abcdef, secret_file: kept, datasets: []}
  - appid: wx2123456789abcdef
    token: {type: http, url: "https://tokens.internal/?key=not-a-real-key", headers: {X-Key: not-a-real-key}}
"""
    )
    text = config_text(load(tmp_path / "config.yaml", {}))
    assert "not-a-real" not in text
    found = yaml.safe_load(text)
    assert found["wechat"] == {"base_url": "https://api.weixin.qq.com", "timeout": "1m30s"}
    assert found["refresh"]["interval"] == "1h"
    assert found["storage"] == {"url": "redis://redis:6379/0", "password": HIDDEN, "prefix": "shop"}
    assert found["datasets"] == {"weekly_trend": {"history": 5}, "visit_pages": {"top": 3}}
    assert found["platforms"][0]["verify_ticket"]["http"]["url"] == HIDDEN
    assert (found["platforms"][0]["discover"], found["platforms"][0]["discover_interval"]) == (True, "1h")
    first, second, third = found["apps"]
    assert first["token"] == {"type": "stable_token", "secret": HIDDEN}
    assert (first["name"], first["labels"]) == ("奶茶", {"team": "retail"})
    assert second["token"] == {"type": "stable_token", "secret_file": str(tmp_path / "kept")}
    assert second["datasets"] == []
    assert third["token"] == {"type": "http", "url": HIDDEN, "headers": HIDDEN, "method": "GET"}


def test_without_a_secret_in_place_the_text_is_a_configuration_and_the_same_one(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("not-a-real-secret-in-a-file")
    (tmp_path / "config.yaml").write_text(
        """
refresh: {history_days: 1, requests_per_second: 0.5}
storage: {url: memory://}
datasets: {daily_retention: , quota: {interval: 90m}, daily_summary: {history: 0}}
platforms:
  - name: main
    component_appid: wxabcdefabcdefabcd
    component_appsecret_file: kept
    verify_ticket: {file: ticket}
    discover: true
    include: [wx12*]
apps:
  - {appid: wx0123456789abcdef, secret_file: kept, datasets: [quota]}
  - {appid: wx1123456789abcdef, token: {type: file, path: token, field: access_token}}
  - {appid: wx2123456789abcdef, token: {type: third_party, platform: main}}
  - {appid: wx3123456789abcdef, token: {type: cloud_hosting, cloudbase_access_token_file: token}}
  - {appid: wx4123456789abcdef, token: {type: cloud_function, env: prod-1, function: f, secret_file: kept}}
"""
    )
    config = load(tmp_path / "config.yaml", {})
    (tmp_path / "again.yaml").write_text(config_text(config), "utf-8")
    again = load(tmp_path / "again.yaml", {})
    assert replace(again, path=config.path) == config

"""Draws the alert in a chat that README shows, as Alertmanager writes it.

The demo's failures fire the shipped rules in a real Prometheus; a real Alertmanager writes them by the
template of deploy/alertmanager.yaml for WeCom and sends them to a stand-in of WeCom. In the English picture
the same template takes the English annotations.
"""

import html
import json
import re
import shutil
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import yaml

from tests.prometheus.receiver import Receiver, receiving
from tests.prometheus.servers import alertmanager, prometheus, wait_until
from tests.prometheus.shipped import rules_at_once, with_all_receivers

_ALERTS: Final = ("IpNotAllowed", "CredentialRefused")
_SENDERS: Final = {"en": "Alerts", "zh": "告警"}
_INSTANCE: Final = "exporter.example.com:10950"  # in the place of the demo's address
_SECONDS: Final = 60.0
_PAGE: Final = """\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<style>
  body {{ margin: 0; padding: 20px 24px; background: #ededed; font: 15px/1.5 sans-serif; }}
  div {{ display: flex; gap: 12px; margin-bottom: 16px; }}
  b {{ flex: none; width: 40px; height: 40px; border-radius: 6px; background: #c62828; color: #fff;
       font: bold 22px/40px sans-serif; text-align: center; }}
  small {{ display: block; color: #777; font-size: 12px; }}
  p {{ margin: 2px 0 0; padding: 10px 14px; border-radius: 6px; background: #fff; white-space: pre-line;
       overflow-wrap: anywhere; }}
</style>
{bubbles}
"""
_BUBBLE: Final = "<div><b>!</b><span><small>{sender}</small><p>{text}</p></span></div>"


def alert_messages(demo: str, folder: Path) -> Mapping[str, list[str]]:
    """Return by language what Alertmanager sends to WeCom about the demo at an address.

    Args:
        demo: its host and port.
        folder: for the programs' files.
    """
    with ExitStack() as running:
        receivers = {language: running.enter_context(receiving()) for language in _SENDERS}
        rules_at_once(folder)
        written = _alertmanager_config(receivers, folder / "alertmanager.yaml")
        program, data = _program("prometheus-alertmanager"), folder / "alertmanager"
        address = running.enter_context(alertmanager(program, free_port(), written, data))
        written = _prometheus_config(demo, address, folder / "prometheus.yaml")
        program, data = _program("prometheus"), folder / "prometheus"
        running.enter_context(prometheus(program, free_port(), written, data))
        wait_until(lambda: all(map(_is_complete, receivers.values())), _SECONDS, "the alerts")
        return {language: _texts(receiver) for language, receiver in receivers.items()}


def chat_page(language: str, texts: list[str]) -> str:
    """Return an HTML page with a chat bubble for each text."""
    sender = _SENDERS[language]
    bubbles = [_BUBBLE.format(sender=sender, text=html.escape(text.strip())) for text in texts]
    return _PAGE.format(language=language, bubbles="\n".join(bubbles))


def _texts(receiver: Receiver) -> list[str]:
    """Return the messages that came, sorted so that each picture has them in one order."""
    return sorted({page["text"]["content"] for page in receiver.pages if "text" in page})


def _is_complete(receiver: Receiver) -> bool:
    return len(_texts(receiver)) == len(_ALERTS)


def _alertmanager_config(receivers: Mapping[str, Receiver], path: Path) -> Path:
    """Write the shipped configuration with its WeCom receiver alone, once for each language."""
    config: dict[str, Any] = yaml.safe_load(with_all_receivers())
    (shipped,) = (each for each in config["receivers"] if "wechat_configs" in each)
    (wecom,) = shipped["wechat_configs"]
    english = re.sub(r"_zh\b", "", wecom["message"])
    messages = {"en": english, "zh": wecom["message"]}
    shipped["wechat_configs"] = [
        wecom | {"message": messages[language], "api_url": receiver.url}
        for language, receiver in receivers.items()
    ]
    config["receivers"] = [shipped, {"name": "nobody"}]
    config["route"] |= {
        "receiver": "nobody",
        "group_wait": "5s",
        "routes": [
            {"matchers": [f'alertname=~"{"|".join(_ALERTS)}"'], "receiver": shipped["name"]},
        ],
    }
    path.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    return path


def _prometheus_config(demo: str, alerts_to: str, path: Path) -> Path:
    target = {"targets": [demo], "labels": {"instance": _INSTANCE}}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["recording.yaml", "alerts.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts_to]}]}]},
        "scrape_configs": [{"job_name": "wechat-miniprogram", "static_configs": [target]}],
    }
    path.write_text(json.dumps(config), "utf-8")
    return path


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"needs {name}")
    return found


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

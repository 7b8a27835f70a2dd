"""Rule files as text: block scalars for expressions, comments where a rule needs a reason.

The same groups make the files for Prometheus and the PrometheusRule for its operator in Kubernetes.
"""

import json
import textwrap
from collections.abc import Iterable
from typing import Final

from prometheus.alerting import Alert
from prometheus.alerts_apps import app_alerts
from prometheus.alerts_datasets import dataset_alerts
from prometheus.alerts_exporter import exporter_alerts
from prometheus.alerts_figures import figure_alerts
from prometheus.alerts_platforms import platform_alerts
from prometheus.alerts_shards import shard_alerts
from prometheus.recording import (
    Recording,
    cohort_recordings,
    recordings,
    settled_recordings,
    shard_recordings,
)
from prometheus.thresholds import Thresholds

_MADE: Final = "# Made by `python -m prometheus` from the tables beside this file: change those, not this.\n"
_WIDTH: Final = 100
_PROMETHEUS_RULE: Final = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: wechat-miniprogram-exporter
  labels: {app.kubernetes.io/name: wechat-miniprogram-exporter}
spec:
"""


def groups(limits: Thresholds) -> dict[str, tuple[Alert, ...]]:
    """Make all alerts, by the name of their group."""
    return {
        "wechat-miniprogram-exporter": exporter_alerts(limits),
        "wechat-miniprogram-shards": shard_alerts(),
        "wechat-miniprogram-platforms": platform_alerts(limits),
        "wechat-miniprogram-apps": app_alerts(limits),
        "wechat-miniprogram-figures": figure_alerts(limits),
        "wechat-miniprogram-datasets": dataset_alerts(limits),
    }


def recording_yaml() -> str:
    """Return the file of recording rules."""
    return f"{_MADE}groups:\n{_recording_groups()}"


def alerts_yaml(limits: Thresholds, runbooks: str) -> str:
    """Return the file of alerts; `runbooks` is the address of the folder of runbooks, with its last slash."""
    needs = "# VisitorsDropped, VisitorsSpiked and NoVisitors need recording.yaml as well.\n"
    return f"{_MADE}{needs}groups:\n{_alert_groups(limits, runbooks)}"


def prometheusrule_yaml(limits: Thresholds, runbooks: str) -> str:
    """Return both as one object for the Prometheus Operator."""
    text = f"groups:\n{_recording_groups()}{_alert_groups(limits, runbooks)}"
    return f"{_MADE}{_PROMETHEUS_RULE}{textwrap.indent(text, '  ')}"


def _recording_groups() -> str:
    interval = (
        "    interval: 2m  # the figures change once a day; above five minutes Prometheus would see gaps\n"
    )
    hourly = (
        "    interval: 1h  # months are read back, as the last of each hour: a thirtieth of the samples\n"
    )
    return (
        f"  - name: wechat-miniprogram-dates\n{interval}    rules:\n{_recordings(recordings())}"
        f"  - name: wechat-miniprogram-settled\n{hourly}    rules:\n{_recordings(settled_recordings())}"
        f"  - name: wechat-miniprogram-cohorts\n{interval}    rules:\n{_recordings(cohort_recordings())}"
        f"  - name: wechat-miniprogram-fleet\n    rules:\n{_recordings(shard_recordings())}"
    )


def _recordings(rules: Iterable[Recording]) -> str:
    return "".join(f"      - record: {rule.record}\n{_expr(rule.expr)}" for rule in rules)


def _alert_groups(limits: Thresholds, runbooks: str) -> str:
    return "".join(
        f"  - name: {name}\n    rules:\n{''.join(_alert(each, limits, runbooks) for each in alerts)}"
        for name, alerts in groups(limits).items()
    )


def _alert(alert: Alert, limits: Thresholds, runbooks: str) -> str:
    keep = limits.duration(alert.name, "keep")
    annotations = {
        "summary": alert.summary,
        "summary_zh": alert.summary_zh,
        "description": alert.description.strip(),
        "description_zh": alert.description_zh.strip(),
        "runbook_url": f"{runbooks}{alert.name}.md",
    }
    return "".join(
        (
            *_comment(alert.why),
            f"      - alert: {alert.name}\n",
            _expr(alert.expr),
            f"        for: {limits.duration(alert.name, 'for')}\n",
            f"        keep_firing_for: {keep}\n" if keep else "",
            f"        labels:\n          severity: {alert.severity}\n",
            "        annotations:\n",
            *(f"          {key}: {_quoted(text)}\n" for key, text in annotations.items()),
        )
    )


def _comment(why: str) -> Iterable[str]:
    return (f"      # {line}\n" for line in textwrap.wrap(why, _WIDTH))


def _expr(expr: str) -> str:
    return f"        expr: |\n{textwrap.indent(expr, ' ' * 10)}\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # every JSON string is a YAML string

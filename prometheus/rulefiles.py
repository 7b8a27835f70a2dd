"""Rule files as text: block scalars for expressions, comments where a rule needs a reason.

The same groups make the files for Prometheus and the PrometheusRule for its operator in Kubernetes.
"""

import json
import textwrap
from collections.abc import Iterable
from typing import Final

from prometheus.alerting import Alert
from prometheus.alerts_apps import APP_ALERTS
from prometheus.alerts_exporter import EXPORTER_ALERTS
from prometheus.alerts_figures import FIGURE_ALERTS
from prometheus.alerts_shards import SHARD_ALERTS
from prometheus.recording import Recording, recordings, shard_recordings

ALERTS: Final = (*EXPORTER_ALERTS, *SHARD_ALERTS, *APP_ALERTS, *FIGURE_ALERTS)
_GROUPS: Final = {
    "wechat-miniprogram-exporter": EXPORTER_ALERTS,
    "wechat-miniprogram-shards": SHARD_ALERTS,
    "wechat-miniprogram-apps": APP_ALERTS,
    "wechat-miniprogram-figures": FIGURE_ALERTS,
}
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


def recording_yaml() -> str:
    """The file of recording rules."""
    return f"{_MADE}groups:\n{_recording_groups()}"


def alerts_yaml(runbooks: str) -> str:
    """The file of alerts; `runbooks` is the address of the folder of runbooks, with its last slash."""
    needs = "# VisitorsDropped, VisitorsSpiked and NoVisitors need recording.yaml as well.\n"
    return f"{_MADE}{needs}groups:\n{_alert_groups(runbooks)}"


def prometheusrule_yaml(runbooks: str) -> str:
    """Both as one object for the Prometheus Operator."""
    groups = f"groups:\n{_recording_groups()}{_alert_groups(runbooks)}"
    return f"{_MADE}{_PROMETHEUS_RULE}{textwrap.indent(groups, '  ')}"


def _recording_groups() -> str:
    interval = (
        "    interval: 2m  # the figures change once a day; above five minutes Prometheus would see gaps\n"
    )
    return (
        f"  - name: wechat-miniprogram-dates\n{interval}    rules:\n{_recordings(recordings())}"
        f"  - name: wechat-miniprogram-who-asks\n    rules:\n{_recordings(shard_recordings())}"
    )


def _recordings(rules: Iterable[Recording]) -> str:
    return "".join(f"      - record: {rule.record}\n{_expr(rule.expr)}" for rule in rules)


def _alert_groups(runbooks: str) -> str:
    return "".join(
        f"  - name: {name}\n    rules:\n{''.join(_alert(each, runbooks) for each in alerts)}"
        for name, alerts in _GROUPS.items()
    )


def _alert(alert: Alert, runbooks: str) -> str:
    annotations = {
        "summary": alert.summary,
        "summary_zh": alert.summary_zh,
        "description": alert.description.strip(),
        "runbook_url": f"{runbooks}{alert.name}.md",
    }
    return "".join(
        (
            *_comment(alert.why),
            f"      - alert: {alert.name}\n",
            _expr(alert.expr),
            f"        for: {alert.hold}\n",
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

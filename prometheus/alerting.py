"""Alerts, and the selectors and template pieces that they share."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exporter.datasets.daily_trend import FIELDS
from exporter.exposition.app_families import DAILY, ERROR_INFO
from exporter.wechat.failures.failure import Reason
from prometheus.recording import recorded

JOBS: Final = 'job=~"wechat-miniprogram.*"'
"""The scrape jobs of the exporter, which only ExporterDown needs."""
RUNBOOKS: Final = (
    "https://github.com/wechat-miniprogram-exporter/wechat-miniprogram-exporter/blob/main/docs/runbooks/"
)
"""Where the runbooks are read; `python -m prometheus --runbooks=…` writes the rules for another place."""


class Severity(StrEnum):
    """The urgency of an alert; the value is the label `severity`."""

    CRITICAL = "critical"  # figures of many apps are being lost, or a person must act
    WARNING = "warning"  # today
    INFO = "info"  # good to know; no figure is in danger


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule.

    How long it must hold is in the thresholds; `why` stands above the rule as a comment: why it is built so.
    """

    name: str
    severity: Severity
    expr: str
    summary: str
    summary_zh: str
    description: str
    description_zh: str
    why: str = ""


CREDENTIAL: Final = (
    Reason.INVALID_SECRET,
    Reason.INVALID_APPID,
    Reason.TOKEN_REJECTED,
    Reason.THIRD_PARTY_TICKET,
    Reason.THIRD_PARTY_REFRESH_TOKEN,
)
QUOTA: Final = (Reason.QUOTA_DAILY, Reason.QUOTA_MINUTE)
OWN_ALERT: Final = (*CREDENTIAL, Reason.IP_NOT_ALLOWED, Reason.PERMISSION, *QUOTA)
"""Reasons that have an alert of their own; AppRefreshFailing is for all others."""
PAUSED: Final = (*OWN_ALERT, Reason.ACCOUNT)
"""Reasons after which the exporter stops asking for a while, and so does not renew the token either."""

APP_LABELS: Final = "cluster, namespace, job, appid, name"
"""Labels of the alerts on one app: those of its fleet too, so that AllAppsFailing can hold them back."""
ERRORS: Final = ERROR_INFO.metric
REF: Final = DAILY[len(FIELDS)].metric
VISITORS: Final = recorded("visit_uv", "newest")
VISITORS_WEEK_BEFORE: Final = recorded("visit_uv", "week_before")
VISITORS_USUAL: Final = recorded("visit_uv", "usual")
APP: Final = "{{ $labels.name }} ({{ $labels.appid }})"
DATE: Final = '{{ printf "%.10s" (humanizeTimestamp $value) }}'
"""A value that is Unix time plus eight hours, as Beijing's date."""
RECENT: Final = f"(time() - {recorded('ref_date_timestamp_seconds', 'newest')} < 3 * 86400)"
"""Apps whose newest date is recent: figures that are days old are DataLate's matter."""


def failing(*reasons: Reason) -> str:
    """Select the apps whose last refresh failed for one of these reasons."""
    return f"max by ({APP_LABELS}, reason, errcode) ({ERRORS}{one_of(*reasons)})"


def one_of(*reasons: Reason) -> str:
    """Return the selector of these reasons, braces included."""
    if len(reasons) == 1:
        return f'{{reason="{reasons[0]}"}}'
    return f'{{reason=~"{"|".join(reasons)}"}}'


def each(write: str, between: str = " ") -> str:
    """Return a template piece: `write` for each sample found, with something in between."""
    return (
        f"{{{{ range $number, $found := . }}}}{{{{ if $number }}}}{between}{{{{ end }}}}{write}{{{{ end }}}}"
    )


LINKS: Final = each("{{ .Labels.instance }}/?q={{ .Labels.appid }}")
"""Links to the app on the status pages of the exporters found."""


def page(asked: str) -> str:
    """Return a template piece: `asked` of the present exporters, then links to the app on their pages."""
    return f"{{{{ with printf `{ERRORS}{{appid=%q}}` $labels.appid | query }}}}{asked}{LINKS}{{{{ end }}}}"


def looked_up(series: str, then: str) -> str:
    """Return a template piece: look this app's series up, and write what `then` makes of its first sample."""
    found = f"{{{{ with printf `{series}{{appid=%q}}` $labels.appid | query }}}}"
    return f"{found}{{{{ . | first | {then} }}}}{{{{ end }}}}"


FOUND_REASON: Final = (
    "{{ . | first | label `reason` }}{{ with . | first | label `errcode` }}, errcode {{ . }}{{ end }}"
)
FOUND_REASON_ZH: Final = FOUND_REASON.replace(", errcode ", "，错误码 ")
"""The reason and errcode of the first failure found."""
PAGE: Final = page(" Status page: ")
PAGE_ZH: Final = page("状态页：")
"""Where the cause, WeChat's own text with the refused IP, the advice and the time of the next try stand."""

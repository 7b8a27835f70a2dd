"""The alerts on one mini program's refresh: late, failing, and each failure that a person must mend."""

from typing import Final

from exporter.exposition.families import INFO, NAMESPACE, TOKEN_EXPIRY, UP
from exporter.wechat.errors import Reason
from prometheus.alerting import (
    APP,
    CREDENTIAL,
    DATE,
    ERRORS,
    OWN_ALERT,
    PAUSED,
    QUOTA,
    REF,
    Alert,
    Severity,
    failing,
    looked_up,
    one_of,
)

_LAST: Final = looked_up(ERRORS, "label `reason` | printf ` The last refresh failed: %s.`")
_ERRCODE: Final = (
    f"{{{{ with printf `{ERRORS}{{appid=%q}}` $labels.appid | query }}}}"
    "{{ with . | first | label `errcode` }}, errcode {{ . }}{{ end }}{{ end }}"
)
_TOLD: Final = "Reason {{ $labels.reason }}{{ with $labels.errcode }}, errcode {{ . }}{{ end }}."

APP_ALERTS: Final = (
    Alert(
        name="DataLate",
        severity=Severity.WARNING,
        hold="5m",
        expr=f"max by (appid, name) ({REF}) + 28800\n< time() + 28800 - 60 * 3600",
        summary=f"{APP}: yesterday's figures are not here by 12:00 Beijing",
        summary_zh=f"{APP}：北京时间 12:00 仍无昨日数据",
        description=f"The newest date held is {DATE}.{_LAST}",
        why=(
            "Date D is due at 12:00 on D+1; when D+1 is missing at 12:00 on D+2, D's midnight is 60 hours "
            "past. No clock function, so right in every zone. Eight hours are added for the text's date only."
        ),
    ),
    Alert(
        name="NeverAnyData",
        severity=Severity.WARNING,
        hold="26h",
        expr=f"max by (appid, name) ({INFO.metric})\nunless on (appid) {REF}",
        summary=f"{APP}: no figures at all since it was configured",
        summary_zh=f"{APP}：配置以来从未取得数据",
        description=(
            "Not one row in 26 hours, though the exporter looks several days back. A new or unused mini "
            f"program has none; otherwise look at the app's state.{_LAST}"
        ),
        why="26 hours: a whole day of publications and two rounds.",
    ),
    Alert(
        name="AppRefreshFailing",
        severity=Severity.WARNING,
        hold="2h",
        expr=(f"max by (appid, name) ({UP.metric}) == 0\nunless on (appid) {ERRORS}{one_of(*OWN_ALERT)}"),
        summary=f"{APP}: its refresh has failed for two hours",
        summary_zh=f"{APP}：刷新已连续失败两小时",
        description=(
            f"Reason {looked_up(ERRORS, 'label `reason`')}{_ERRCODE}. "
            "The last good figures stay on show. The exporter's status page tells what to do."
        ),
        why=(
            "Two hours: two rounds of the default interval. The reason is looked up and no label of the "
            "alert, so that a change from timeout to network does not start the two hours anew. Reasons with "
            "an alert of their own are left to it. With two exporters it is enough that one of them succeeds."
        ),
    ),
    Alert(
        name="CredentialRefused",
        severity=Severity.CRITICAL,
        hold="10m",
        expr=failing(*CREDENTIAL),
        summary=f"{APP}: WeChat refuses its credential ({{{{ $labels.reason }}}})",
        summary_zh=f"{APP}：微信拒绝其凭证（{{{{ $labels.reason }}}}）",
        description=(
            f"{_TOLD} The exporter asks rarely now. It goes on at once when the secret or the "
            "configuration changes."
        ),
    ),
    Alert(
        name="IpNotAllowed",
        severity=Severity.CRITICAL,
        hold="10m",
        expr=failing(Reason.IP_NOT_ALLOWED),
        summary=f"{APP}: the exporter's IP is not on WeChat's allow-list",
        summary_zh=f"{APP}：出口 IP 不在微信白名单中",
        description=(
            f"{_TOLD} The IP stands in the status page's detail and in the log. 61004 means the third-party "
            "platform's list, 61061 an IP outside the mainland, all others the mini program's own list."
        ),
    ),
    Alert(
        name="PermissionMissing",
        severity=Severity.CRITICAL,
        hold="10m",
        expr=failing(Reason.PERMISSION),
        summary=f"{APP}: WeChat does not let it use the data interface",
        summary_zh=f"{APP}：没有数据分析接口权限",
        description=(
            f"{_TOLD} With a third-party platform the merchant must grant permission set 18 or 21; otherwise "
            "check the account's own permissions."
        ),
    ),
    Alert(
        name="QuotaSpent",
        severity=Severity.WARNING,
        hold="10m",
        expr=failing(*QUOTA),
        summary=f"{APP}: WeChat's call quota is spent ({{{{ $labels.reason }}}})",
        summary_zh=f"{APP}：微信接口调用额度已用尽（{{{{ $labels.reason }}}}）",
        description=(
            f"{_TOLD} After quota_daily the exporter goes on at the next midnight in Beijing, after "
            "quota_minute by itself. Someone else probably calls with the same account: the exporter needs a "
            "few calls an hour."
        ),
    ),
    Alert(
        name="TokenNotRenewed",
        severity=Severity.WARNING,
        hold="10m",
        expr=(
            f"(time() - max by (job, appid, name) ({TOKEN_EXPIRY.metric})\n"
            f"> on (job) group_left ()\n"
            f"  (2 * max by (job) ({NAMESPACE}_exporter_refresh_interval_seconds) + 300))\n"
            f"unless on (appid) {ERRORS}{one_of(*PAUSED)}"
        ),
        summary=f"{APP}: its access token ended {{{{ $value | humanizeDuration }}}} ago and was not renewed",
        summary_zh=f"{APP}：access_token 已过期 {{{{ $value | humanizeDuration }}}} 仍未更新",
        description=(
            "Two rounds should have renewed it. Either WeChat gives no token or the rounds stand still."
        ),
        why=(
            "A token is renewed when it is needed, so it may lie expired till the next round. Apps that the "
            "exporter has stopped asking for have an alert of their own."
        ),
    ),
)

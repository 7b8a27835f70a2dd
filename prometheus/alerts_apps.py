"""The alerts on one mini program's refresh: late, failing, and each failure that a person must act on."""

from collections.abc import Iterator, Sequence
from typing import Final

from exporter.exposition.app_families import INFO, TOKEN_EXPIRY, UP
from exporter.exposition.family import NAMESPACE
from exporter.wechat.failures.failure import Reason
from prometheus.alerting import (
    APP,
    APP_LABELS,
    CREDENTIAL,
    DATE,
    ERRORS,
    FOUND_REASON,
    FOUND_REASON_ZH,
    OWN_ALERT,
    PAGE,
    PAGE_ZH,
    PAUSED,
    QUOTA,
    REF,
    Alert,
    Severity,
    failing,
    one_of,
)
from prometheus.expressions import REF_DATE, newest
from prometheus.thresholds import Thresholds

_FAILURE: Final = f"{{{{ with printf `{ERRORS}{{appid=%q}}` $labels.appid | query }}}}"
_LAST: Final = f"{_FAILURE} The last refresh failed: {FOUND_REASON}.{{{{ end }}}}"
_LAST_ZH: Final = f"{_FAILURE}最近一次刷新失败：{FOUND_REASON_ZH}。{{{{ end }}}}"
_REASON: Final = "Reason: {{ $labels.reason }}{{ with $labels.errcode }}, errcode {{ . }}{{ end }}."
_REASON_ZH: Final = "原因：{{ $labels.reason }}{{ with $labels.errcode }}，错误码 {{ . }}{{ end }}。"
_AGAIN: Final = f" Reload the configuration to try again at once.{PAGE}"
_AGAIN_ZH: Final = f"重新加载配置可立即重试。{PAGE_ZH}"


def app_alerts(limits: Thresholds) -> tuple[Alert, ...]:
    """Make them with these thresholds."""
    late = limits.number("DataLate", "hours")
    return (
        Alert(
            name="DataLate",
            severity=Severity.WARNING,
            expr=f"{newest(REF_DATE, labels=APP_LABELS)} + 28800\n< time() + 28800 - {late} * 3600",
            summary=f"{APP}: yesterday's figures did not come by 12:00 in Beijing",
            summary_zh=f"{APP}：北京时间 12:00 仍无昨日数据",
            description=f"The newest date held is {DATE}.{_LAST}{PAGE}",
            description_zh=f"已有的最新日期为 {DATE}。{_LAST_ZH}{PAGE_ZH}",
            why=(
                "Date D is due at 12:00 on D+1; when D+1 is missing at 12:00 on D+2, D's midnight is 60 hours "
                "past. No clock function, so right in every zone. Eight hours are added for the text's date "
                "only."
            ),
        ),
        Alert(
            name="NeverAnyData",
            severity=Severity.WARNING,
            expr=f"max by ({APP_LABELS}) ({INFO.metric})\nunless on (appid) {REF}",
            summary=f"{APP}: no figures at all since it was configured",
            summary_zh=f"{APP}：配置以来从未取得数据",
            description=(
                "WeChat has given no row, though the exporter asks for several days back. A new or unused "
                f"mini program has none; otherwise check the app's state.{_LAST}{PAGE}"
            ),
            description_zh=(
                f"尽管会回溯数日，仍未取得任何数据。新建或无人使用的小程序没有数据，否则请查看其状态。{_LAST_ZH}{PAGE_ZH}"
            ),
            why="26 hours: a whole day of publications and two rounds.",
        ),
        Alert(
            name="AppRefreshFailing",
            severity=Severity.WARNING,
            expr=f"max by ({APP_LABELS}) ({UP.metric}) == 0\nunless on (appid) {ERRORS}{one_of(*OWN_ALERT)}",
            summary=f"{APP}: its refresh has failed for hours",
            summary_zh=f"{APP}：刷新已连续失败数小时",
            description=f"The last good figures stay on show.{_LAST}{PAGE}",
            description_zh=f"上次正确的数据仍保留展示。{_LAST_ZH}{PAGE_ZH}",
            why=(
                "Two hours: two rounds of the default interval. The reason is looked up and no label of the "
                "alert, so that a change from timeout to network does not start the two hours again. Reasons "
                "with an alert of their own are left to it. With two exporters it is enough that one of them "
                "succeeds."
            ),
        ),
        *_refused(),
        _token_not_renewed(limits.number("TokenNotRenewed", "intervals")),
    )


def _refused() -> Iterator[Alert]:
    """Yield the alerts on refusals that need a person: summary and advice, in English and Chinese."""
    yield _refusal(
        "CredentialRefused",
        Severity.CRITICAL,
        CREDENTIAL,
        ("WeChat refuses its credential ({{ $labels.reason }})", "微信拒绝其凭证（{{ $labels.reason }}）"),
        (
            f"The exporter now retries rarely, but at once when the secret or the configuration changes.{PAGE}",
            f"程序已降低请求频率，密钥或配置变更后会立即重试。{PAGE_ZH}",
        ),
    )
    yield _refusal(
        "IpNotAllowed",
        Severity.CRITICAL,
        (Reason.IP_NOT_ALLOWED,),
        ("the exporter's IP is not on WeChat's allow-list", "出口 IP 不在微信白名单中"),
        (
            (
                "The status page shows the refused IP and whose allow-list it belongs on. A change of the list "
                f"takes up to ten minutes.{_AGAIN}"
            ),
            f"状态页写明被拒绝的 IP 与应修改的白名单，加入后最长十分钟生效。{_AGAIN_ZH}",
        ),
    )
    yield _refusal(
        "PermissionMissing",
        Severity.CRITICAL,
        (Reason.PERMISSION,),
        ("it lacks permission for WeChat's data interface", "没有数据分析接口权限"),
        (
            (
                "Under a third-party platform the merchant must grant permission set 18 or 21; otherwise check "
                f"the account's own permissions.{_AGAIN}"
            ),
            f"第三方平台需商家授权权限集 18 或 21，否则请检查账号自身的接口权限。{_AGAIN_ZH}",
        ),
    )
    yield _refusal(
        "QuotaSpent",
        Severity.WARNING,
        QUOTA,
        (
            "WeChat's call quota is spent ({{ $labels.reason }})",
            "微信接口调用额度已用尽（{{ $labels.reason }}）",
        ),
        (
            (
                "After quota_daily the exporter resumes at the next midnight in Beijing, after quota_minute by "
                "itself. Another program probably calls with the same account: the exporter makes only a few "
                f"calls an hour.{PAGE}"
            ),
            (
                "quota_daily 在北京时间次日零点后恢复，quota_minute 自动恢复。"
                f"很可能有其他程序使用同一账号调用：Exporter 每小时只需几次调用。{PAGE_ZH}"
            ),
        ),
    )


def _refusal(
    name: str,
    severity: Severity,
    reasons: Sequence[Reason],
    summary: tuple[str, str],
    advice: tuple[str, str],
) -> Alert:
    return Alert(
        name=name,
        severity=severity,
        expr=failing(*reasons),
        summary=f"{APP}: {summary[0]}",
        summary_zh=f"{APP}：{summary[1]}",
        description=f"{_REASON} {advice[0]}",
        description_zh=f"{_REASON_ZH}{advice[1]}",
    )


def _token_not_renewed(intervals: str) -> Alert:
    return Alert(
        name="TokenNotRenewed",
        severity=Severity.WARNING,
        expr=(
            f"time() - max by ({APP_LABELS}) ({TOKEN_EXPIRY.metric})\n"
            f"> on (cluster, namespace, job) group_left ()\n"
            f"  ({intervals} * max by (cluster, namespace, job) ({NAMESPACE}_exporter_refresh_interval_seconds)"
            f" + 300)\n"
            f"unless on (appid) {ERRORS}{one_of(*PAUSED)}"
        ),
        summary=f"{APP}: its access token expired {{{{ $value | humanizeDuration }}}} ago and was not renewed",
        summary_zh=f"{APP}：access_token 已过期 {{{{ $value | humanizeDuration }}}} 仍未更新",
        description="A round should have renewed it: either WeChat gives no token, or the rounds have stopped.",
        description_zh="按刷新周期早应更新：可能微信未下发 access_token，或刷新已停滞。",
        why=(
            "A token is renewed when it is needed, so it may lie expired till the next round. Apps that the "
            "exporter has stopped asking for have an alert of their own."
        ),
    )

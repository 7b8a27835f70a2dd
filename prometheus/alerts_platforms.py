"""The alerts on third-party platforms: the ticket that WeChat pushes, and the list of accounts."""

from typing import Final

from prometheus.alerting import Alert, Severity
from prometheus.shards import OWN
from prometheus.thresholds import Thresholds

_PLATFORM: Final = "cluster, namespace, job, platform"
_NAME: Final = "{{ $labels.platform }}"


def platform_alerts(limits: Thresholds) -> tuple[Alert, ...]:
    """Make them with these thresholds."""
    hours = limits.number("VerifyTicketOld", "hours")
    intervals = limits.number("DiscoveryFailing", "intervals")
    left = limits.number("AccountsVanished", "left")
    accounts = f"max by ({_PLATFORM}) ({OWN}_discovered_apps)"
    interval = f"max by (cluster, namespace, job) ({OWN}_refresh_interval_seconds)"
    return (
        Alert(
            name="VerifyTicketOld",
            severity=Severity.WARNING,
            expr=(f"time() - max by ({_PLATFORM}) ({OWN}_verify_ticket_timestamp_seconds) > {hours} * 3600"),
            summary=f"Platform {_NAME}: no component_verify_ticket for {{{{ $value | humanizeDuration }}}}",
            summary_zh=f"第三方平台 {_NAME}：已有 {{{{ $value | humanizeDuration }}}} 未收到 component_verify_ticket",
            description=(
                "WeChat pushes one every ten minutes, and each is valid for 12 hours: after that there is no "
                "new token, and every mini program of the platform fails."
            ),
            description_zh="微信每十分钟推送一次，有效期 12 小时；过期后无法获取新 token，该平台的全部小程序都会失败。",
            why="An hour is six pushes missed, and leaves eleven to act.",
        ),
        Alert(
            name="DiscoveryFailing",
            severity=Severity.WARNING,
            expr=(
                f"time() - max by ({_PLATFORM}) ({OWN}_discovery_last_success_timestamp_seconds)\n"
                f"> on (cluster, namespace, job) group_left ()\n"
                f"  ({intervals} * {interval} + 300)"
            ),
            summary=f"Platform {_NAME}: its accounts were last listed {{{{ $value | humanizeDuration }}}} ago",
            summary_zh=f"第三方平台 {_NAME}：{{{{ $value | humanizeDuration }}}} 前最后一次取得账号列表",
            description=(
                "Known accounts are not affected; those that have authorised the platform since are missing. "
                "The log and the platform's row on the status page show the reason."
            ),
            description_zh="已知账号不受影响，之后授权的账号缺失。原因见日志与状态页的平台一行。",
        ),
        Alert(
            name="AccountsVanished",
            severity=Severity.WARNING,
            expr=f"{accounts}\n< {left} * max by ({_PLATFORM}) (max_over_time({OWN}_discovered_apps[1d]))",
            summary=f"Platform {_NAME}: the number of its accounts fell to {{{{ $value }}}} within a day",
            summary_zh=f"第三方平台 {_NAME}：账号数一天内降至 {{{{ $value }}}}",
            description=(
                "Did merchants revoke their authorisation, or was `exclude` changed? The exporter no longer "
                "asks for the figures of the accounts that are gone."
            ),
            description_zh="是商家取消了授权，还是修改了 `exclude`？Exporter 不再请求已消失账号的数据。",
        ),
    )

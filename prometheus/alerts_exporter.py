"""The alerts on the exporter itself."""

from typing import Final

from exporter.exposition.app_families import ERROR_INFO, UP
from prometheus.alerting import JOBS, Alert, Severity, each
from prometheus.shards import OWN, TARGET, replaced
from prometheus.thresholds import Thresholds

_AT: Final = "{{ $labels.instance }}"
_WHERE: Final = "{{ with $labels.instance }} {{ . }}{{ end }}"  # absent() has no such label
_BY_REASON: Final = (
    f"{{{{ with printf `count by (reason) ({ERROR_INFO.metric}{{cluster=%q,namespace=%q,job=%q,instance=%q}})` "
    "$labels.cluster $labels.namespace $labels.job $labels.instance | query | sortByLabel `reason` }}"
)
_COUNTED: Final = "{{ .Labels.reason }} {{ .Value }}"


def exporter_alerts(limits: Thresholds) -> tuple[Alert, ...]:
    """Make them with these thresholds."""
    return (
        *_scraping(),
        Alert(
            name="ConfigReloadFailed",
            severity=Severity.WARNING,
            expr=f"{OWN}_config_last_reload_successful == 0",
            summary=f"The exporter {_AT} refused its new configuration",
            summary_zh=f"Exporter {_AT} 拒绝了新配置",
            description=(
                'The old configuration stays in force. The log line "configuration refused" names file, line '
                "and what is allowed; `wechat-miniprogram-exporter check` prints the same."
            ),
            description_zh=(
                "旧配置继续生效。日志 “configuration refused” 写明文件、行与允许的内容，"
                "`wechat-miniprogram-exporter check` 也会给出。"
            ),
        ),
        Alert(
            name="StorageFailing",
            severity=Severity.WARNING,
            expr=(
                f"increase({OWN}_storage_errors_total[5m]) > 0\n"
                f"or\n"
                f"(\n"
                f"  increase({OWN}_storage_errors_total[30m]) > 0\n"
                f"unless on (job, instance)\n"
                f"  time() - {OWN}_storage_last_write_timestamp_seconds < 1200\n"
                f")"
            ),
            summary=f"The exporter {_AT} cannot write to its storage",
            summary_zh=f"Exporter {_AT} 无法写入存储",
            description=(
                "Figures are served from memory and lost on a restart; most of them can be had from WeChat "
                'again. The log line "storage fails" names the file or the Redis, and the reason.'
            ),
            description_zh=(
                "数据仅在内存中，重启后丢失（大部分可从微信重新获取）。日志 “storage fails” 写明文件或 Redis 及原因。"
            ),
            why=(
                "A lock or a failover of some seconds is not worth a message: errors must come for a quarter "
                "of an hour. A file is written to only when figures come, so the errors of one round count "
                "for longer, but not once a write has succeeded."
            ),
        ),
        Alert(
            name="CallsHang",
            severity=Severity.WARNING,
            expr=f"{OWN}_hung_calls > 0",
            summary=f"The exporter {_AT} has calls that hang beyond every deadline: {{{{ $value }}}}",
            summary_zh=f"Exporter {_AT} 有 {{{{ $value }}}} 个调用超过所有时限仍未返回",
            description=(
                "Their mini programs are skipped until the calls return; when refresh.concurrency of them "
                "hang, /-/healthy fails. The usual cause is a DNS look-up, or a file on a dead mount."
            ),
            description_zh=(
                "返回之前不会请求这些小程序；数量达到 refresh.concurrency 时 /-/healthy 失败。"
                "常见原因是域名解析或失效挂载上的文件。"
            ),
        ),
        Alert(
            name="AllAppsFailing",
            severity=Severity.CRITICAL,
            expr=f"max by ({TARGET}) ({UP.metric}) == 0",
            summary=f"Every mini program's last refresh failed on {_AT}",
            summary_zh=f"Exporter {_AT} 上所有小程序的最近一次刷新均失败",
            description=(
                f"{_BY_REASON}Mini programs by reason: {each(_COUNTED, ', ')}. {{{{ end }}}}They probably share one "
                f"cause: the line, the proxy, the egress IP or the platform's ticket. Status page: {_AT}"
            ),
            description_zh=(
                f"{_BY_REASON}按原因统计：{each(_COUNTED, '、')}。{{{{ end }}}}"
                f"很可能是同一原因：线路、代理、出口 IP 或第三方平台票据。状态页：{_AT}"
            ),
            why=(
                "Fires before the alerts on single apps and holds them back (alertmanager.yaml): one cause, "
                "one notification."
            ),
        ),
        Alert(
            name="RoundTooSlow",
            severity=Severity.WARNING,
            expr=(
                f"{OWN}_refresh_round_duration_seconds\n"
                f"> on (job, instance)\n"
                f"  {limits.number('RoundTooSlow', 'of_interval')} * {OWN}_refresh_interval_seconds"
            ),
            summary=f"A round over all mini programs takes {{{{ $value | humanizeDuration }}}} on {_AT}",
            summary_zh=f"Exporter {_AT} 刷新一轮需要 {{{{ $value | humanizeDuration }}}}",
            description=(
                "That is nearly the whole refresh.interval, or more: rounds are skipped and figures come "
                "later. Raise refresh.concurrency or refresh.interval, or find what makes the calls slow."
            ),
            description_zh=(
                "已接近或超过 refresh.interval：部分轮次被跳过，数据延后。请调大 refresh.concurrency 或 "
                "refresh.interval，或排查调用缓慢的原因。"
            ),
            why="Nine tenths: a round gives its retries up when the interval is over.",
        ),
    )


def _scraping() -> tuple[Alert, Alert]:
    down = f"up{{{JOBS}}} == 0"
    return (
        Alert(
            name="ExporterDown",
            severity=Severity.CRITICAL,
            expr=f"{down}\nunless on ({TARGET}) (\n  {replaced()}\n)\nor\nabsent(up{{{JOBS}}})",
            summary=f"The WeChat Mini Program exporter{_WHERE} cannot be scraped",
            summary_zh=f"微信小程序 Exporter{_WHERE} 无法抓取",
            description=(
                "Prometheus has had no answer for 5 minutes, or has no such target at all. Until the exporter "
                "is back, its mini programs have no new figures; no date is lost, as it then asks for those "
                "that are missing."
            ),
            description_zh=(
                "Prometheus 已有 5 分钟无法抓取，或根本没有该目标。恢复之前相应小程序没有新数据；"
                "不会丢失日期，恢复后会重新请求。"
            ),
            why=(
                "The job's name is the only thing that these rules expect of a scrape configuration. One "
                "whose shard has another exporter that answers is ReplicaDown's matter."
            ),
        ),
        Alert(
            name="ReplicaDown",
            severity=Severity.WARNING,
            expr=f"{down}\nand on ({TARGET}) (\n  {replaced()}\n)",
            summary=f"The exporter {_AT} cannot be scraped; another one serves the same mini programs",
            summary_zh=f"Exporter {_AT} 无法抓取，负责同一批小程序的另一个 Exporter 仍在工作",
            description=(
                "Prometheus has had no answer for 15 minutes. No figure is missing, but nothing takes over if "
                "the remaining exporter fails too."
            ),
            description_zh="Prometheus 已有 15 分钟无法抓取。不缺数据，但剩下的 Exporter 再出故障时将无人替代。",
            why=(
                "A quarter of an hour: an update replaces replicas one by one. A target that has been away "
                "for a day is ExporterDown's matter again, as nobody knows any more which shard it was."
            ),
        ),
    )

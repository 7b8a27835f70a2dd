"""The alerts on the exporter itself."""

from textwrap import indent
from typing import Final

from exporter.exposition.families import UP
from prometheus.alerting import JOBS, Alert, Severity
from prometheus.shards import OWN, TARGET, replaced, standing_by

_AT: Final = "{{ $labels.instance }}"
_WHERE: Final = "{{ with $labels.instance }} {{ . }}{{ end }}"  # absent() has no such label

EXPORTER_ALERTS: Final = (
    Alert(
        name="ExporterDown",
        severity=Severity.CRITICAL,
        hold="5m",
        expr=(
            f"(\n  up{{{JOBS}}} == 0\nunless on ({TARGET}) (\n{indent(replaced(), '  ')}\n)\n)\n"
            f"or\nabsent(up{{{JOBS}}})"
        ),
        summary=f"The WeChat Mini Program exporter{_WHERE} cannot be scraped",
        summary_zh=f"微信小程序 Exporter{_WHERE} 无法抓取",
        description=(
            "Prometheus has had no answer for 5 minutes, or has no such target at all. Until it is back its "
            "mini programs have no new figures; no date is lost, the exporter asks for them again when it "
            "runs."
        ),
        why=(
            "The job's name is the only thing that these rules expect of a scrape configuration. One whose "
            "shard has another exporter that answers is ReplicaDown's matter."
        ),
    ),
    Alert(
        name="ReplicaDown",
        severity=Severity.WARNING,
        hold="15m",
        expr=f"up{{{JOBS}}} == 0\nand on ({TARGET}) (\n{indent(replaced(), '  ')}\n)",
        summary=f"The exporter {_AT} cannot be scraped; another one with the same mini programs goes on",
        summary_zh=f"Exporter {_AT} 无法抓取，负责同一批小程序的另一个 Exporter 仍在工作",
        description=(
            "Prometheus has had no answer for 15 minutes. No figure is missing, but nobody is there to take "
            "over from the one that is left."
        ),
        why=(
            "A quarter of an hour: an update replaces replicas one by one. A target that has been away for a "
            "day is ExporterDown's matter again, as nobody knows any more which shard it was."
        ),
    ),
    Alert(
        name="ConfigReloadFailed",
        severity=Severity.WARNING,
        hold="5m",
        expr=f"{OWN}_config_last_reload_successful == 0",
        summary=f"The exporter {_AT} refused its new configuration",
        summary_zh=f"Exporter {_AT} 拒绝了新配置",
        description=(
            'The old configuration stays in force. The log line "configuration refused" names file, line and '
            "what is allowed; `wechat-miniprogram-exporter check` prints the same."
        ),
    ),
    Alert(
        name="StorageFailing",
        severity=Severity.WARNING,
        hold="15m",
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
            "Figures are on show from memory and are lost with a restart: WeChat gives most of them "
            'again. The log line "storage fails" names the file or the Redis and the reason.'
        ),
        why=(
            "A lock or a failover of some seconds is not worth a message: errors must come for a quarter of "
            "an hour. Redis is written to every second; a file only when figures come, so the errors of one "
            "round count for longer there, but not once a write has succeeded."
        ),
    ),
    Alert(
        name="CallsHang",
        severity=Severity.WARNING,
        hold="5m",
        expr=f"{OWN}_hung_calls > 0",
        summary=f"{{{{ $value }}}} calls of {_AT} hang beyond every deadline",
        summary_zh=f"Exporter {_AT} 有 {{{{ $value }}}} 个调用超过所有时限仍未返回",
        description=(
            "Their mini programs are not asked until they return; when as many hang as refresh.concurrency "
            "allows, /-/healthy fails. The look-up of a name or a file on a dead mount is the usual cause."
        ),
    ),
    Alert(
        name="AllAppsFailing",
        severity=Severity.CRITICAL,
        hold="15m",
        expr=f"max by (job, instance) ({UP.metric}) == 0\nunless on (job, instance)\n  {standing_by()}",
        summary=f"Every mini program's last refresh failed on {_AT}",
        summary_zh=f"Exporter {_AT} 上所有小程序的最近一次刷新均失败",
        description=(
            "{{ with printf `count by (reason) (wechat_miniprogram_refresh_error_info{job=%q, instance=%q})` "
            "$labels.job $labels.instance | query }}Apps by reason:{{ range . }} {{ .Labels.reason }} "
            "{{ .Value }}{{ end }}.{{ end }} One cause for all is likely: the line, the proxy, the egress IP "
            "or the platform's ticket."
        ),
        why="One that stands by has the same mini programs as the one that asks: that one tells.",
    ),
    Alert(
        name="RoundTooSlow",
        severity=Severity.WARNING,
        hold="1h",
        expr=(
            f"{OWN}_refresh_round_duration_seconds\n"
            f"> on (job, instance)\n"
            f"  0.9 * {OWN}_refresh_interval_seconds\n"
            f"unless on (job, instance)\n"
            f"  {standing_by()}"
        ),
        summary=f"A round over all mini programs takes {{{{ $value | humanizeDuration }}}} on {_AT}",
        summary_zh=f"Exporter {_AT} 刷新一轮需要 {{{{ $value | humanizeDuration }}}}",
        description=(
            "That is nearly the whole refresh.interval or more: rounds are left out and figures come later. "
            "Raise refresh.concurrency or refresh.interval, or find what makes the calls slow."
        ),
        why=(
            "Nine tenths: a round gives its retries up when the interval is over, so it takes hardly longer. "
            "One that stands by still tells of the last round that was its own."
        ),
    ),
)

"""The alerts on a fleet of exporters: shards that nobody has, that two ask for, that nobody asks for."""

from typing import Final

from prometheus.alerting import Alert, Severity
from prometheus.shards import FLEET, asking, disagreeing, fleets, incomplete

_FLEET: Final = "{{ with $labels.namespace }}{{ . }}/{{ end }}{{ $labels.job }}"
_SHARD: Final = "shard {{ $labels.shard }} of {{ $labels.shards }}"
_SHARD_ZH: Final = "分片 {{ $labels.shard }}（共 {{ $labels.shards }} 个）"
_OF_JOB: Final = "{job=%q}"


def _listed(label: str, metric: str) -> str:
    """A template piece: the values of a metric over the job's exporters, as a list."""
    query = f'count_values("{label}", {metric}{_OF_JOB})'
    return (
        f'{{{{ with printf `{query}` $labels.job | query }}}}{{{{ range . | sortByLabel "{label}" }}}} '
        f"{{{{ .Labels.{label} }}}}{{{{ end }}}}{{{{ end }}}}"
    )


_NUMBERS: Final = _listed("shard", "wechat_miniprogram_exporter_shard")
_TOTALS: Final = _listed("shards", "wechat_miniprogram_exporter_total_shards")

SHARD_ALERTS: Final = (
    Alert(
        name="ShardMissing",
        severity=Severity.CRITICAL,
        hold="5m",
        expr=incomplete(),
        summary=f"Not every shard of {_FLEET} has an exporter: {{{{ $value }}}} have one",
        summary_zh=f"{_FLEET} 并非每个分片都有 Exporter：只有 {{{{ $value }}}} 个分片有",
        description=(
            f"Shards that answer:{_NUMBERS}, of{_TOTALS} counted from 0. The mini programs of the others "
            "have no figures: start the missing exporters, or let Prometheus scrape them."
        ),
        why=(
            "A target that does not answer is ExporterDown's matter, different numbers of shards are "
            "ShardsDisagree's. One job, and in Kubernetes one namespace, has one fleet."
        ),
    ),
    Alert(
        name="ShardsDisagree",
        severity=Severity.WARNING,
        hold="30m",
        expr=disagreeing(),
        summary=f"The exporters of {_FLEET} do not agree on the number of shards",
        summary_zh=f"{_FLEET} 的各 Exporter 分片总数不一致",
        description=(
            f"--total-shards is{_TOTALS}. Some mini programs have no exporter, others have two: give all the "
            "same number."
        ),
        why="Half an hour: while shards are added, exporters are replaced one by one.",
    ),
    Alert(
        name="ShardDoubled",
        severity=Severity.WARNING,
        hold="10m",
        expr=f"{asking()} > 1\nand on ({FLEET}) {fleets()}",
        summary=f"{{{{ $value }}}} exporters ask WeChat for {_SHARD} of {_FLEET}",
        summary_zh=f"{_FLEET}：{_SHARD_ZH}有 {{{{ $value }}}} 个 Exporter 同时请求微信",
        description=(
            "They share no storage, or have been without it for longer than refresh.interval. Figures are "
            "right, but every call is made more than once, and classic tokens end each other."
        ),
        why=(
            "Two exporters of one shard in the same second are a takeover; ten minutes are none. In a job "
            "without shards where no exporter has stood by in a day, they were never meant to share."
        ),
    ),
    Alert(
        name="NobodyAsks",
        severity=Severity.WARNING,
        hold="10m",
        expr=f"{asking()} == 0",
        summary=f"No exporter asks WeChat for {_SHARD} of {_FLEET}",
        summary_zh=f"{_FLEET}：没有 Exporter 为{_SHARD_ZH}请求微信",
        description=(
            "All that are scraped stand by. Either the one that asks is not scraped, or the storage is away: "
            "then one of them begins after refresh.interval."
        ),
        why="A takeover takes ten seconds.",
    ),
)

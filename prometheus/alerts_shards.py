"""The alerts on a fleet of exporters: shards that nobody is, exporters that name different numbers of them."""

from typing import Final

from prometheus.alerting import Alert, Severity
from prometheus.shards import INFO, disagreeing, incomplete

_FLEET: Final = "{{ with $labels.namespace }}{{ . }}/{{ end }}{{ $labels.job }}"
_OF_FLEET: Final = "{cluster=%q,namespace=%q,job=%q}"


def _listed(label: str) -> str:
    """Return a template piece: the values of a label over the fleet's exporters, as a list."""
    return (
        f"{{{{ with printf `count by ({label}) ({INFO}{_OF_FLEET})` "
        "$labels.cluster $labels.namespace $labels.job | query }}"
        f'{{{{ range . | sortByLabel "{label}" }}}} {{{{ .Labels.{label} }}}}{{{{ end }}}}{{{{ end }}}}'
    )


_NUMBERS: Final = _listed("shard")
_TOTALS: Final = _listed("total_shards")


def shard_alerts() -> tuple[Alert, ...]:
    """Make them; they have no numbers of their own."""
    return (
        Alert(
            name="ShardMissing",
            severity=Severity.CRITICAL,
            expr=incomplete(),
            summary=f"Not every shard of {_FLEET} has an exporter: {{{{ $value }}}} have one",
            summary_zh=f"{_FLEET} 并非每个分片都有 Exporter：只有 {{{{ $value }}}} 个分片有",
            description=(
                f"Shards that answer:{_NUMBERS}, of{_TOTALS} counted from 0. The mini programs of the others "
                "have no figures: start the missing exporters, or let Prometheus scrape them."
            ),
            description_zh=(
                f"有应答的分片：{_NUMBERS}，总数{_TOTALS}（从 0 计）。其余分片的小程序没有数据："
                "请启动缺少的 Exporter，或将其加入抓取。"
            ),
            why=(
                "A target that does not answer is ExporterDown's matter, different numbers of shards are "
                "ShardsDisagree's. One job, and in Kubernetes one namespace, has one fleet."
            ),
        ),
        Alert(
            name="ShardsDisagree",
            severity=Severity.WARNING,
            expr=disagreeing(),
            summary=f"The exporters of {_FLEET} do not agree on the number of shards",
            summary_zh=f"{_FLEET} 的各 Exporter 分片总数不一致",
            description=(
                f"--total-shards is{_TOTALS}. Some mini programs have no exporter, others have two: give all the "
                "same number."
            ),
            description_zh=(
                f"--total-shards 为{_TOTALS}。部分小程序无人负责，另一些有两个 Exporter 负责：请统一该参数。"
            ),
            why="Half an hour: while shards are added, exporters are replaced one by one.",
        ),
    )

"""The alerts on a fleet of exporters: shards that nobody is, exporters that name different numbers of them."""

from typing import Final

from prometheus.alerting import Alert, Severity, each
from prometheus.shards import INFO, disagreeing, incomplete

_FLEET: Final = "{{ with $labels.namespace }}{{ . }}/{{ end }}{{ $labels.job }}"
_OF_FLEET: Final = "{cluster=%q,namespace=%q,job=%q}"


def _listed(label: str, between: str) -> str:
    """Return a template piece: the values of a label over the fleet's exporters, as a list."""
    return (
        f"{{{{ with printf `count by ({label}) ({INFO}{_OF_FLEET})` "
        f"$labels.cluster $labels.namespace $labels.job | query | sortByLabel `{label}` }}}}"
        f"{each(f'{{{{ .Labels.{label} }}}}', between)}{{{{ end }}}}"
    )


_NUMBERS: Final = _listed("shard", ", ")
_NUMBERS_ZH: Final = _listed("shard", "、")
_TOTALS: Final = _listed("total_shards", ", ")
_TOTALS_ZH: Final = _listed("total_shards", "、")


def shard_alerts() -> tuple[Alert, ...]:
    """Make them; they have no numbers of their own."""
    return (
        Alert(
            name="ShardMissing",
            severity=Severity.CRITICAL,
            expr=incomplete(),
            summary=f"{_FLEET}: shards are missing, exporters answer for only {{{{ $value }}}} of them",
            summary_zh=f"{_FLEET}：缺少分片，只有 {{{{ $value }}}} 个分片的 Exporter 有应答",
            description=(
                f"Shards with an exporter that answers: {_NUMBERS}; counted from 0, there should be {_TOTALS}. The "
                "mini programs of the others have no figures: start the missing exporters, or let Prometheus "
                "scrape them."
            ),
            description_zh=(
                f"有应答的分片：{_NUMBERS_ZH}，总数 {_TOTALS_ZH}（从 0 计）。其余分片的小程序没有数据："
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
                f"--total-shards is {_TOTALS}. Some mini programs have no exporter, others have two: give all "
                "exporters the same number."
            ),
            description_zh=(
                f"--total-shards 为 {_TOTALS_ZH}。部分小程序无人负责，另一些有两个 Exporter 负责：请统一该参数。"
            ),
            why="Half an hour: while shards are added, exporters are replaced one by one.",
        ),
    )

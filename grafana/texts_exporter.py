"""The words of the Exporter dashboard."""

from typing import Final

from grafana.wording import PanelText, Text

EXPORTER_WORDS: Final = {
    "exporter": Text("WeChat Mini Programs / Exporter", "微信小程序 / Exporter 运行状况"),
    "exporter_about": Text(
        "The exporter itself: data age, rounds, calls to WeChat, tokens, resources.",
        "Exporter 自身：数据时效、刷新轮次、微信接口调用、凭证与资源占用。",
    ),
    "exporter_state": Text("State", "状态"),
    "exporter_shards": Text("Shards", "分片"),
    "exporter_data": Text("Data and tokens", "数据与凭证"),
    "exporter_calls": Text("Rounds and calls to WeChat", "刷新轮次与接口调用"),
    "exporter_resources": Text("Resources and scrapes", "资源与抓取"),
    "yes": Text("yes", "是"),
    "no": Text("no", "否"),
    "shard": Text("Shard", "分片"),
    "of_shards": Text("of", "总数"),
    "with_exporter": Text("with an exporter", "有 Exporter"),
    "round": Text("last round", "最近一轮"),
    "interval": Text("refresh.interval", "refresh.interval"),
    "answered": Text("answered", "正常"),
    "failed": Text("failed", "失败"),
    "half": Text("p50", "P50"),
    "p95": Text("p95", "P95"),
    "p99": Text("p99", "P99"),
    "nothing_failed": Text("No failed call is known.", "没有已知的失败调用。"),
    "version": Text("Version", "版本"),
    "python": Text("Python", "Python"),
}

EXPORTER_PANELS: Final = {
    "scraped": PanelText(
        Text("Exporters scraped", "可抓取的 Exporter"),
        Text(
            "How many exporters of those chosen above Prometheus can scrape, and how many it no longer can; each of "
            "these fires ExporterDown or, if another one has its shard, ReplicaDown.",
            "上方所选 Exporter 中可正常抓取与已无法抓取的数量；后者触发 ExporterDown，另有 Exporter 负责该分片时触发 ReplicaDown。",
        ),
    ),
    "exporter_apps": PanelText(
        Text("Mini programs", "小程序数"),
        Text(
            "Mini programs configured; one that several exporters have counts once.",
            "已配置的小程序数量；多个 Exporter 共有的只计一次。",
        ),
    ),
    "exporter_failing": PanelText(
        Text("Failing", "失败"),
        Text("Mini programs whose last refresh failed.", "最近一次刷新失败的小程序数量。"),
    ),
    "config_ok": PanelText(
        Text("Configuration in force", "配置生效"),
        Text(
            "Whether the last reading of the configuration succeeded; if not, the one before stays in force.",
            "最近一次读取配置是否成功；失败时沿用旧配置。",
        ),
    ),
    "uptime": PanelText(
        Text("Running for", "运行时长"),
        Text(
            "Time since the youngest of the chosen exporters started.",
            "所选 Exporter 中最近启动者的运行时长。",
        ),
    ),
    "restarts": PanelText(
        Text("Restarts", "重启次数"),
        Text(
            "Restarts in the chosen time range; VictoriaMetrics counts the first start of a new exporter too.",
            "所选时间范围内的重启次数；VictoriaMetrics 也计入新 Exporter 的首次启动。",
        ),
    ),
    "revised": PanelText(
        Text("Rows revised, 30 days", "30 天内修订行数"),
        Text(
            "Dates of which WeChat later gave other figures, in 30 days. The newer figures are shown.",
            "30 天内微信事后更正数据的次数，展示以新数据为准。",
        ),
    ),
    "versions": PanelText(
        Text("Versions", "版本"),
        Text("The version of each exporter and of its Python.", "各 Exporter 及其 Python 的版本。"),
    ),
    "shards": PanelText(
        Text("Shards", "分片"),
        Text(
            "How many shards have an exporter that answers, and into how many the mini programs are divided. "
            "One without fires ShardMissing or ExporterDown.",
            "有 Exporter 应答的分片数与分片总数；缺少时触发 ShardMissing 或 ExporterDown。",
        ),
    ),
    "storage_errors": PanelText(
        Text("Storage errors in 5 minutes", "5 分钟内存储错误"),
        Text(
            "Writes to the storage that failed; while Redis is away one a second at each exporter.",
            "写入存储失败的次数；Redis 不可用时每个 Exporter 每秒一次。",
        ),
    ),
    "places": PanelText(
        Text("Exporters by shard", "各分片的 Exporter"),
        Text(
            "Which shard each exporter is, counted from 0, and how many mini programs it has.",
            "各 Exporter 的分片编号（从 0 开始）、及其小程序数。",
        ),
    ),
    "data_age": PanelText(
        Text("Data age, oldest 20", "数据滞后（最久 20 个）"),
        Text(
            "How long ago the newest date held ended, per mini program. Up to 36 hours is usual: a date "
            "is due at "
            "12:00 in Beijing on the day after. Above it orange, above 60 hours (a day late) vermilion.",
            "各小程序最新日期结束至今的时间。36 小时以内正常：数据应在次日北京时间 12:00 前到达。"
            "超过 36 小时为橙色，超过 60 小时（延迟一天）为朱红。",
        ),
    ),
    "token_expiry": PanelText(
        Text("Access tokens, 20 expiring next", "最先到期的 20 个 access_token"),
        Text(
            "Time until the access token held expires. A token is renewed when it is needed: one that expired "
            "(orange) is usual between two rounds, one that expired two hours ago (vermilion) is not, unless "
            "the mini program fails and the exporter has paused it.",
            "距 access_token 到期的时间。token 在需要时更新：两轮之间过期（橙色）属正常，过期两小时（朱红）则不正常，"
            "除非该小程序失败且已被暂停请求。",
        ),
    ),
    "last_success": PanelText(
        Text("Since a row last came, longest 20", "距上次取得数据（最久 20 个）"),
        Text(
            "How long ago WeChat last gave a row of each mini program: more than 26 hours is orange, more than 50 "
            "(two days without a row) vermilion.",
            "各小程序距上次成功取得数据的时间。超过 26 小时为橙色，超过 50 小时（两天未取得数据）为朱红。",
        ),
    ),
    "states": PanelText(
        Text("Mini programs answered and failed", "正常与失败的小程序数"),
        Text(
            "How many mini programs WeChat answered for in their last refresh, and how many failed.",
            "最近一次刷新正常应答与失败的小程序数量。",
        ),
    ),
    "rounds": PanelText(
        Text("How long a round takes", "每轮耗时"),
        Text(
            "The last round over all mini programs beside the configured interval: near it, RoundTooSlow "
            "fires.",
            "最近一轮刷新耗时与配置的间隔；接近间隔时触发 RoundTooSlow。",
        ),
    ),
    "calls": PanelText(
        Text("Calls in the past hour, by endpoint", "过去一小时调用次数（按接口）"),
        Text(
            "Calls to WeChat (and to token keepers) in the hour before each point.",
            "各时间点之前一小时内对微信（及凭证保管方）的调用次数。",
        ),
    ),
    "failures": PanelText(
        Text("Failed calls in the past day, by reason", "过去一天失败的调用（按原因）"),
        Text(
            "Failed calls by reason, those before the first scrape included; not_ready and empty are no failures. "
            "An empty panel: none failed.",
            "失败的调用次数（按原因，含首次抓取之前）；not_ready 与 empty 不算失败。为空表示没有失败。",
        ),
    ),
    "latency": PanelText(
        Text("How long calls take", "调用耗时"),
        Text(
            "From connecting to the last byte: half, 95 % and 99 % of the past hour's calls are below; where "
            "there was none, of all calls since the start.",
            "从建立连接到收完应答的耗时分位数：取过去一小时的调用，若无调用则取启动以来的全部调用。",
        ),
    ),
    "cpu": PanelText(
        Text("CPU", "CPU"),
        Text("Per exporter, as a share of one core.", "各 Exporter 的占用，以单核为 100%。"),
    ),
    "memory": PanelText(
        Text("Memory", "内存"),
        Text("Resident memory, per exporter.", "各 Exporter 的常驻内存。"),
    ),
    "files": PanelText(
        Text("Open files, share of the limit", "打开文件数占上限比例"),
        Text(
            "Open file descriptors as a share of what the process may open.",
            "打开的文件描述符占进程上限的比例。",
        ),
    ),
    "scrape": PanelText(
        Text("How long a scrape takes", "抓取耗时"),
        Text(
            "Prometheus' own measure. A scrape never waits for WeChat, so this stays in milliseconds.",
            "Prometheus 自身测得。抓取从不等待微信，因此应保持毫秒级。",
        ),
    ),
}

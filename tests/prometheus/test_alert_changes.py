"""After a rename, a new pod and a correction, every alert is about what is there now, and about that only."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from exporter.beijing import DAY_SECONDS, midnight
from prometheus.recording import recordings
from prometheus.rulefiles import groups
from prometheus.thresholds import shipped
from tests.prometheus.databases import in_prometheus
from tests.prometheus.history import History

DATE = date(2025, 1, 6)
START = midnight(DATE) + DAY_SECONDS + 8 * 3600
"""Midnight in UTC, when means of days take their samples."""
CHANGE, END, STEP = 120, 600, 10
"""Minutes from START on."""
NOW = START + 60 * END
HOUR = 3600
Value = float | Callable[[int], float | None]
"""Constant, or by the minutes since it began; None where there is no sample."""
State = Mapping[str, Value]
"""A fleet's series: the labels of the exporter, and of the mini program, are added."""


@dataclass(frozen=True)
class Who:
    """The labels that may change."""

    name: str
    instance: str


CHANGES = {
    "renamed": (Who("old", "a"), Who("new", "a")),
    "another-pod": (Who("new", "b"), Who("new", "a")),
    "both": (Who("old", "b"), Who("new", "a")),
    "corrected": (Who("new", "a"), Who("new", "a")),
}


def app(metric: str, labels: str = "") -> str:
    return f"wechat_miniprogram_{metric}{{app{labels}}}"


def exporter(metric: str, labels: str = "") -> str:
    return f"wechat_miniprogram_exporter_{metric}{{{labels}}}"


def refused(reason: str) -> tuple[State, State]:
    return {app("refresh_error_info", f',reason="{reason}",errcode="1"'): 1}, {}


def visitors(newest: int) -> State:
    """Return a state with `newest` visitors, against a hundred a week before."""
    before = DATE - timedelta(days=7)
    dated = f',ref_date="{before}"'
    return {
        app("daily_ref_date_timestamp_seconds"): midnight(DATE),
        app("daily_visit_uv"): newest,
        app("by_date_ref_date_timestamp_seconds", dated): midnight(before),
        app("by_date_visit_uv", dated): 100,
    }


def cohort(returned: int) -> State:
    day = ',day="1"'
    return {
        app("daily_retain_visit_uv_new", day): returned,
        app("daily_retain_cohort_visit_uv_new", day): 1000,
        app("daily_retain_ref_date_timestamp_seconds", day): midnight(DATE),
    }


def month(days: int) -> State:
    """Return the times of a newest month that ended some days ago."""
    return {
        app("monthly_ref_date_timestamp_seconds"): NOW - (days + 31) * DAY_SECONDS,
        app("monthly_end_timestamp_seconds"): NOW - days * DAY_SECONDS,
    }


def quota(left: int) -> State:
    path = ',cgi_path="/datacube/getweanalysisappiddailyvisittrend"'
    return {app("api_quota_remain", path): left, app("api_quota_daily_limit", path): 1000}


def shard(number: int, total: int, labels: str = "") -> State:
    more = f"{labels}," if labels else ""
    return {
        f"up{{{labels}}}": 1,
        exporter("total_shards", labels): total,
        exporter("shard_info", f'{more}shard="{number}",total_shards="{total}"'): 1,
    }


def for_half_an_hour(then: float | None) -> Callable[[int], float | None]:
    return lambda minute: 1 if minute < 30 else then


OTHER = 'instance="z"'
INTERVAL = {exporter("refresh_interval_seconds"): HOUR}
MAIN = 'platform="main"'
STATES: Mapping[str, tuple[State, State]] = {  # with the alert's cause, and without
    "ExporterDown": ({"up{}": 0}, {"up{}": 1}),
    "ReplicaDown": (
        {
            "up{}": for_half_an_hour(0),
            exporter("shard_info", 'shard="0",total_shards="1"'): for_half_an_hour(None),
            **shard(0, 1, OTHER),
        },
        {**shard(0, 1), **shard(0, 1, OTHER)},
    ),
    "ShardMissing": (shard(0, 2), {**shard(0, 2), **shard(1, 2, OTHER)}),
    "ShardsDisagree": (
        {**shard(0, 2), **shard(1, 3, OTHER)},
        {**shard(0, 2), **shard(1, 2, OTHER)},
    ),
    "ConfigReloadFailed": (
        {exporter("config_last_reload_successful"): 0},
        {exporter("config_last_reload_successful"): 1},
    ),
    "StorageFailing": (
        {exporter("storage_errors_total"): lambda minute: minute},
        {exporter("storage_errors_total"): 0},
    ),
    "CallsHang": ({exporter("hung_calls"): 1}, {exporter("hung_calls"): 0}),
    "AllAppsFailing": ({app("up"): 0}, {app("up"): 1}),
    "RoundTooSlow": (
        {**INTERVAL, exporter("refresh_round_duration_seconds"): 3500},
        {**INTERVAL, exporter("refresh_round_duration_seconds"): 10},
    ),
    "VerifyTicketOld": (
        {exporter("verify_ticket_timestamp_seconds", MAIN): NOW - 2 * HOUR},
        {exporter("verify_ticket_timestamp_seconds", MAIN): NOW - 60},
    ),
    "DiscoveryFailing": (
        {**INTERVAL, exporter("discovery_last_success_timestamp_seconds", MAIN): NOW - 4 * HOUR},
        {**INTERVAL, exporter("discovery_last_success_timestamp_seconds", MAIN): NOW - 60},
    ),
    "AccountsVanished": (
        {exporter("discovered_apps", MAIN): 10},
        {exporter("discovered_apps", MAIN): 100},
    ),
    "DataLate": (
        {app("daily_ref_date_timestamp_seconds"): midnight(DATE) - 3 * DAY_SECONDS},
        {app("daily_ref_date_timestamp_seconds"): midnight(DATE)},
    ),
    "NeverAnyData": (
        {app("info"): 1},
        {app("info"): 1, app("daily_ref_date_timestamp_seconds"): midnight(DATE)},
    ),
    "AppRefreshFailing": ({app("up"): 0}, {app("up"): 1}),
    "CredentialRefused": refused("invalid_secret"),
    "IpNotAllowed": refused("ip_not_allowed"),
    "PermissionMissing": refused("permission"),
    "QuotaSpent": refused("quota_daily"),
    "TokenNotRenewed": (
        {**INTERVAL, app("token_expiry_timestamp_seconds"): NOW - 3 * HOUR},
        {**INTERVAL, app("token_expiry_timestamp_seconds"): NOW + HOUR},
    ),
    "VisitorsDropped": (visitors(40), visitors(90)),
    "VisitorsSpiked": (visitors(400), visitors(110)),
    "NoVisitors": (visitors(0), visitors(1)),
    "DatasetFailing": (
        {app("dataset_up", ',dataset="visit_pages"'): 0, app("up"): 1},
        {app("dataset_up", ',dataset="visit_pages"'): 1, app("up"): 1},
    ),
    "WeeklyRowLate": (
        {app("weekly_ref_date_timestamp_seconds"): NOW - 400 * HOUR},
        {app("weekly_ref_date_timestamp_seconds"): NOW - 200 * HOUR},
    ),
    "MonthlyRowLate": (month(40), month(10)),
    "RetentionDropped": (cohort(40), cohort(200)),
    "QuotaNearlySpent": (quota(10), quota(900)),
}


def job_of(alert: str, change: str, course: str) -> str:
    return f"wechat-miniprogram-{alert}-{change}-{course}"


def lines(job: str, state: State, who: Who, minutes: range) -> Iterator[tuple[str, float, int]]:
    """Yield the series of a fleet in these minutes."""
    for series, value in state.items():
        metric, _, labels = series[:-1].partition("{")
        if "instance=" not in labels:
            labels = ",".join(filter(None, (labels, f'instance="{who.instance}"')))
        if labels.startswith("app"):
            labels = f'appid="{job}",name="{who.name}"{labels.removeprefix("app")}'
        for minute in minutes:
            found = value(minute - minutes.start) if callable(value) else value
            if found is not None:
                yield f'{metric}{{job="{job}",{labels}}}', found, START + 60 * minute


def courses() -> History:
    """Return each alert's fleets: one where its cause ends with the change, one where it begins."""
    past = History()
    for alert, (bad, good) in STATES.items():
        for change, (old, new) in CHANGES.items():
            for course, states in (("ends", (bad, good)), ("begins", (good, bad))):
                job = job_of(alert, change, course)
                past.lines += lines(job, states[0], old, range(0, CHANGE, STEP))
                past.lines += lines(job, states[1], new, range(CHANGE, END + 1, STEP))
                if alert == "RetentionDropped":  # its mean needs days
                    for day in range(1, 20):
                        once = range(-day * 24 * 60, -day * 24 * 60 + 1)
                        past.lines += lines(job, good, old, once)
    return past


def of_raw_series(expr: str) -> str:
    """Write what is recorded out, as no rule is evaluated here."""
    for rule in recordings():
        expr = expr.replace(rule.record, f"({rule.expr})")
    return expr


def test_every_alert_has_its_states() -> None:
    assert set(STATES) == {alert.name for alerts in groups(shipped()).values() for alert in alerts}


def test_every_alert_is_about_what_is_there_after_the_change(
    program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    fires: dict[str, list[Who]] = {}
    with in_prometheus(program, free_port, courses(), tmp_path) as database:
        for alert in (each for alerts in groups(shipped()).values() for each in alerts):
            for series in database.instant(of_raw_series(alert.expr), NOW):
                labels = series["metric"]
                job = labels.get("job") or labels["appid"]
                if job.startswith(job_of(alert.name, "", "")[:-1]):
                    who = Who(labels.get("name", "new"), labels.get("instance", "a"))
                    fires.setdefault(job, []).append(who)
    assert fires == {
        job_of(alert, change, "begins"): [Who("new", "a")] for alert in STATES for change in CHANGES
    }

"""The alerts on datasets: one that fails, a week or month that does not come, retention, a quota."""

from typing import Final

from exporter.datasets.daily_trend import DAILY_TREND
from exporter.exposition.app_families import DATASET_ERROR_INFO, DATASET_UP, UP
from exporter.exposition.family import NAMESPACE
from prometheus.alerting import APP, APP_LABELS, DATE, FOUND_REASON, FOUND_REASON_ZH, LINKS, Alert, Severity
from prometheus.datasets import MONTHLY, WEEKLY, Latest, retention
from prometheus.expressions import BEIJING_AHEAD, REF_DATE
from prometheus.thresholds import Thresholds

_WEEK_HOURS: Final = 7 * 24
_MEAN_DAYS: Final = 28
_LEAST_DAYS: Final = 14
"""Of fewer days a mean says little."""


def dataset_alerts(limits: Thresholds) -> tuple[Alert, ...]:
    """Make them with these thresholds."""
    return (
        _dataset_failing(),
        _week_late(limits.number("WeeklyRowLate", "hours")),
        _month_late(limits.number("MonthlyRowLate", "hours")),
        _retention_dropped(limits),
        _quota_low(limits.number("QuotaNearlySpent", "left")),
    )


def _failure(dataset: str, then: str) -> str:
    """Return a template piece: `then` if the dataset's last call failed; its name is as a template writes it."""
    series = f"{DATASET_ERROR_INFO.metric}{{appid=%q,dataset=%q}}"
    return f"{{{{ with printf `{series}` $labels.appid {dataset} | query }}}}{then}{{{{ end }}}}"


def _last_failure(rows: Latest) -> str:
    return _failure(f"`{rows.dataset}`", f" Its last call failed: {FOUND_REASON}. Status page: {LINKS}")


def _last_failure_zh(rows: Latest) -> str:
    return _failure(f"`{rows.dataset}`", f"最近一次请求失败：{FOUND_REASON_ZH}。状态页：{LINKS}")


def _dataset_failing() -> Alert:
    return Alert(
        name="DatasetFailing",
        severity=Severity.WARNING,
        expr=(
            f"max by ({APP_LABELS}, dataset) (\n"
            f'  max_over_time({DATASET_UP.metric}{{dataset!="{DAILY_TREND.name}"}}[30m])\n'
            f") == 0\n"
            f"unless on (appid) max by (appid) ({UP.metric}) == 0"
        ),
        summary=f"{APP}: its dataset {{{{ $labels.dataset }}}} has failed for a day",
        summary_zh=f"{APP}：数据集 {{{{ $labels.dataset }}}} 已连续失败一天",
        description=(
            f"{_failure('$labels.dataset', f'Reason: {FOUND_REASON}. ')}The daily figures do not depend on it, and "
            "its last good figures stay on show. If the account cannot have this dataset, remove it from the app's "
            f"`datasets`.{_failure('$labels.dataset', f' Status page: {LINKS}')}"
        ),
        description_zh=(
            f"{_failure('$labels.dataset', f'原因：{FOUND_REASON_ZH}。')}每日数据不受影响，仍显示该数据集上次正确的数据。"
            "该账号无法获取时，请在该小程序的 `datasets` 中去掉它。"
            f"{_failure('$labels.dataset', f'状态页：{LINKS}')}"
        ),
        why=(
            "A day: what passes by itself, such as a spent quota, is over then. A gap of half an hour, as of a "
            "restart, does not begin the day again. While the app itself fails, that has an alert of its own."
        ),
    )


def _week_late(hours: str) -> Alert:
    week = WEEKLY.select(REF_DATE)
    return Alert(
        name="WeeklyRowLate",
        severity=Severity.WARNING,
        expr=(
            f"max by ({APP_LABELS}) ({week}) + {BEIJING_AHEAD}\n"
            f"< time() + {BEIJING_AHEAD} - ({2 * _WEEK_HOURS} + {hours}) * 3600"
        ),
        summary=f"{APP}: last week's figures did not come by Tuesday 12:00 in Beijing",
        summary_zh=f"{APP}：北京时间周二 12:00 仍无上周数据",
        description=(f"The newest week held began on {DATE}.{_last_failure(WEEKLY)}"),
        description_zh=f"已有的最新一周始于 {DATE}。{_last_failure_zh(WEEKLY)}",
        why=(
            "A week is expected on the Monday after it: two weeks after its own Monday the next one is over, "
            "and 36 hours later it is late."
        ),
    )


def _month_late(hours: str) -> Alert:
    month, end = (MONTHLY.select(name) for name in (REF_DATE, "end_timestamp_seconds"))
    newest_end = f"max by ({APP_LABELS}) ({end})"
    return Alert(
        name="MonthlyRowLate",
        severity=Severity.WARNING,
        expr=(
            f"max by ({APP_LABELS}) ({month}) + {BEIJING_AHEAD}\n"
            f"and\n"
            f"  time() - {newest_end}\n"
            f"  > days_in_month({newest_end} + {BEIJING_AHEAD}) * 86400 + {hours} * 3600"
        ),
        summary=f"{APP}: last month's figures did not come by 12:00 in Beijing on the third",
        summary_zh=f"{APP}：北京时间每月 3 日 12:00 仍无上月数据",
        description=(f"The newest month held began on {DATE}.{_last_failure(MONTHLY)}"),
        description_zh=f"已有的最新月份始于 {DATE}。{_last_failure_zh(MONTHLY)}",
        why=(
            "The month after the newest one held is as long as days_in_month says of its first day; 60 hours "
            "after its end it is late."
        ),
    )


def _retention_dropped(limits: Thresholds) -> Alert:
    rows = retention(1)
    back, cohort = (rows.select(f"{name}_visit_uv_new") for name in ("retain", "retain_cohort"))
    floor, below = (limits.number("RetentionDropped", name) for name in ("floor", "below"))
    span = f"[{_MEAN_DAYS}d:1d]"
    recent = f"time() - {rows.select('retain_ref_date_timestamp_seconds')} < 5 * 86400"
    return Alert(
        name="RetentionDropped",
        severity=Severity.WARNING,
        expr=(
            f"max by ({APP_LABELS}) (({back} and {recent}) / ({cohort} >= {floor}))\n"
            f"/ on (appid) group_left () (\n"
            f"  sum_over_time(max by (appid) ({back}){span})\n"
            f"  / sum_over_time(max by (appid) ({cohort}){span})\n"
            f"  and count_over_time(max by (appid) ({back}){span}) >= {_LEAST_DAYS}\n"
            f")\n"
            f"< {below}"
        ),
        summary=f"{APP}: new visitors return at {{{{ $value | humanizePercentage }}}} of the usual rate",
        summary_zh=f"{APP}：新用户次日留存仅为平常的 {{{{ $value | humanizePercentage }}}}",
        description=(
            f"The share of new visitors who come back on day 1, against this mini program's own mean of {_MEAN_DAYS} "
            "days. Was there a release, a campaign that brought another audience, or a page that fails?"
        ),
        description_zh=(
            f"新用户次日再次访问的比例，与本小程序近 {_MEAN_DAYS} 天的均值相比。"
            "是否发布了新版本、投放带来了不同的人群，或有页面出错？"
        ),
        why=(
            "The mean weighs each cohort by its size, takes one sample a day, and needs half of the days; a "
            "small cohort is silent, an old one is WeChat's delay."
        ),
    )


def _quota_low(left: str) -> Alert:
    labels = f"{APP_LABELS}, cgi_path"
    remain, limit = (
        f"min by ({labels}) ({NAMESPACE}_api_quota_{name})" for name in ("remain", "daily_limit")
    )
    return Alert(
        name="QuotaNearlySpent",
        severity=Severity.WARNING,
        expr=f"{remain}\n/ ({limit} > 0)\n< {left}",
        summary=f"{APP}: {{{{ $value | humanizePercentage }}}} of today's calls to {{{{ $labels.cgi_path }}}} are left",
        summary_zh=f"{APP}：{{{{ $labels.cgi_path }}}} 今日调用额度仅剩 {{{{ $value | humanizePercentage }}}}",
        description=(
            "WeChat counts the calls of all programs that use this account. The exporter makes only a few an "
            "hour: find the other caller before WeChat refuses both. The count starts again at midnight in Beijing."
        ),
        description_zh=(
            "微信统计使用该账号的全部程序的调用。Exporter 每小时只需几次：请在额度用尽之前找出其他调用方。北京时间零点重新计数。"
        ),
        why="The account's own limit, as the dataset quota shows it: 0 means that WeChat names none.",
    )

"""The status page's words in both of its languages, and which language a visitor gets."""

from enum import StrEnum
from typing import Final, NamedTuple

from exporter.wechat.failures.advice import Advice


class Text(NamedTuple):
    """One text in both languages; `{name}` stands for what the page fills in."""

    en: str
    zh: str


TEXTS: Final = {
    "title": Text("WeChat Mini Program Exporter", "微信小程序 Exporter"),
    "skip": Text("Skip to the apps", "跳到小程序列表"),
    "language": Text("Language", "语言"),
    "metrics": Text("Metrics", "指标"),
    "health": Text("Health", "健康检查"),
    "ready": Text("Readiness", "就绪检查"),
    "as_of": Text("As of", "数据时点"),
    "beijing": Text("All times are Beijing time (UTC+8).", "所有时间均为北京时间（UTC+8）。"),
    "next_round": Text("Next refresh", "下次刷新"),
    "round_now": Text("under way", "正在刷新"),
    "storage_fails": Text(
        "The storage fails: what is on show comes from memory.", "存储出错：所显示的内容来自内存。"
    ),
    "config_refused": Text(
        "A new configuration was refused: the old one stays in force.", "新配置被拒绝：旧配置继续有效。"
    ),
    "shard": Text("shard {number} of {total}, from 0", "分片 {number}，共 {total} 个（从 0 起）"),
    "every": Text("every {interval}", "每 {interval}一次"),
    "refresh": Text("Reload by itself", "自动刷新页面"),
    "refresh_off": Text("off", "关闭"),
    "failing_of": Text("of {total} apps", "共 {total} 个小程序"),
    "platforms": Text("Third-party platforms", "第三方平台"),
    "platform": Text("Platform", "平台"),
    "ticket": Text("Verify ticket", "验证票据"),
    "no_ticket": Text("none yet", "尚未收到"),
    "accounts": Text("Authorised accounts", "授权账号"),
    "not_listed": Text("not looked up", "不查询"),
    "listed": Text("looked up {when}", "{when}查询"),
    "platform.apps": Text("mini programs", "小程序"),
    "platform.without_token": Text("without refresh token", "缺少刷新令牌"),
    "platform.others": Text("other accounts", "其他账号"),
    "platform.unknown": Text("not known yet", "尚不清楚"),
    "since": Text("failing since {when}", "{when} 起失败"),
    "last_success": Text("last figures {when}", "最近一次取得数据 {when}"),
    "never_success": Text("no figures yet", "尚未取得数据"),
    "at_once": Text(
        "asked at once when the configuration is reloaded (SIGHUP or POST /-/reload)",
        "重新加载配置（SIGHUP 或 POST /-/reload）后立即重新请求",
    ),
    "apps_total": Text("Apps", "小程序"),
    "totals": Text("Totals of all apps", "全部小程序合计"),
    "newest_date": Text("Newest date", "最新日期"),
    "have_date": Text("{count} of {total} apps have this date", "{total} 个小程序中 {count} 个已有该日数据"),
    "counted": Text("{count} of {total} apps", "{count} / {total} 个小程序"),
    "no_rows": Text("No figures yet", "暂无数据"),
    "filter": Text("Filter", "筛选"),
    "search": Text("Name, appid or label", "名称、AppID 或标签"),
    "state": Text("State", "状态"),
    "all_states": Text("All states", "全部状态"),
    "chart": Text("Chart", "图表"),
    "per_page": Text("Per page", "每页"),
    "apply": Text("Apply", "应用"),
    "reset": Text("Reset", "重置"),
    "shown": Text("{first}–{last} of {total}", "第 {first}–{last} 个，共 {total} 个"),
    "pages": Text("Pages", "分页"),
    "page": Text("Page {page}", "第 {page} 页"),
    "previous": Text("Previous", "上一页"),
    "next": Text("Next", "下一页"),
    "none_found": Text("No app matches this filter.", "没有符合条件的小程序。"),
    "none_configured": Text("No app is configured.", "尚未配置小程序。"),
    "none_discovered": Text(
        "No app is known yet: see the platforms above.", "尚无小程序：请查看上方的第三方平台。"
    ),
    "sort": Text("Sort by", "排序"),
    "app": Text("App", "小程序"),
    "token": Text("Token", "凭证"),
    "days_late_1": Text("1 day late", "晚 1 天"),
    "days_late": Text("{days} days late", "晚 {days} 天"),
    "day": Text("1d", "日"),
    "week": Text("7d", "周"),
    "legend": Text(
        "Small figures: 1d is the change against the day before, 7d against the same weekday a week before. "
        "– means not held or not given, never zero.",
        "小字：“日”为较前一日的变化，“周”为较上周同日的变化。“–”表示无数据或微信未返回，不代表零。",
    ),
    "chart_of": Text("{field}, {first} to {last}", "{field}，{first} 至 {last}"),
    "gap": Text("not held", "无数据"),
    "last_refresh": Text("asked {when}", "{when}刷新"),
    "next_refresh": Text("next {when}", "下次 {when}"),
    "next_now": Text("refresh under way", "正在刷新"),
    "paused": Text("paused until {when}", "暂停至 {when}"),
    "expires": Text("expires {when}", "{when}到期"),
    "expired": Text("expired {when}", "{when}已到期"),
    "no_expiry": Text("expiry unknown", "到期时间未知"),
    "advice": Text("What to do:", "处理建议："),
    "states": Text("What the states mean", "状态说明"),
    "state.ok": Text("OK", "正常"),
    "state.not_ready": Text("Not ready yet", "尚未就绪"),
    "state.failing": Text("Failing", "失败"),
    "state.untried": Text("Not yet asked", "尚未请求"),
    "meaning.ok": Text("The last refresh brought figures.", "上次刷新取得了数据。"),
    "meaning.failing": Text(
        "The last refresh failed; the last good figures stay on show with their own date.",
        "上次刷新失败；仍显示此前取得的数据及其日期。",
    ),
    "meaning.untried": Text(
        "Not asked since the exporter started; figures on show come from the storage.",
        "程序启动后尚未请求；所显示的数据来自存储。",
    ),
    "field.session_cnt": Text("Opens", "打开次数"),
    "field.visit_pv": Text("Page views", "访问次数"),
    "field.visit_uv": Text("Visitors", "访问人数"),
    "field.visit_uv_new": Text("New visitors", "新用户数"),
    "field.stay_time_uv": Text("Stay per visitor", "人均停留时长"),
    "field.stay_time_session": Text("Stay per open", "次均停留时长"),
    "field.visit_depth": Text("Visit depth", "平均访问深度"),
    "unit.seconds": Text("{value} s", "{value} 秒"),
    "span.s": Text("{count} s", "{count} 秒"),
    "span.min": Text("{count} min", "{count} 分钟"),
    "span.h": Text("{count} h", "{count} 小时"),
    "span.d": Text("{count} d", "{count} 天"),
    "ahead": Text("in {span}", "{span}后"),
    "ago": Text("{span} ago", "{span}前"),
    "now": Text("now", "刚刚"),
    "in_brackets": Text(" ({text})", "（{text}）"),
    "token.stable_token": Text("stable_token", "stable_token"),
    "token.access_token": Text("access_token", "access_token"),
    "token.file": Text("file", "文件"),
    "token.http": Text("HTTP", "HTTP"),
    "reason.network": Text("Network error", "网络错误"),
    "reason.timeout": Text("Timeout", "超时"),
    "reason.http_status": Text("Unexpected HTTP status", "HTTP 状态异常"),
    "reason.malformed": Text("Answer not usable", "应答不可用"),
    "reason.busy": Text("WeChat is busy", "微信系统繁忙"),
    "reason.not_ready": Text("Not published yet", "数据尚未生成"),
    "reason.empty": Text("Empty answer", "返回为空"),
    "reason.quota_daily": Text("Quota spent", "调用额度用尽"),
    "reason.quota_minute": Text("Too many calls a minute", "每分钟调用过多"),
    "reason.token_rejected": Text("Token rejected", "凭证被拒绝"),
    "reason.invalid_appid": Text("Invalid appid", "AppID 无效"),
    "reason.invalid_secret": Text("Invalid secret", "密钥无效"),
    "reason.ip_not_allowed": Text("IP not allowed", "IP 不在白名单"),
    "reason.permission": Text("No permission", "无接口权限"),
    "reason.account": Text("Account limited", "账号受限"),
    "reason.third_party_ticket": Text("Platform ticket invalid", "第三方平台 ticket 无效"),
    "reason.third_party_refresh_token": Text("Platform refresh token invalid", "第三方平台刷新令牌无效"),
    "reason.date_range": Text("Date refused", "日期被拒绝"),
    "reason.unknown_errcode": Text("Unknown errcode", "未知错误码"),
    "reason.internal": Text("Internal fault", "内部错误"),
}


class Language(StrEnum):
    """A language of the page; the value is that of the parameter `lang`."""

    EN = "en"
    ZH = "zh"

    @property
    def tag(self) -> str:
        """The language as HTML and HTTP name it."""
        return "zh-CN" if self is Language.ZH else "en"

    def text(self, key: str, **values: object) -> str:
        """The text with that key, filled in."""
        found = TEXTS[key]
        text = found.zh if self is Language.ZH else found.en
        return text.format(**values) if values else text

    def advice(self, advice: Advice) -> str:
        """The advice in this language."""
        return advice.zh if self is Language.ZH else advice.en


def negotiate(accept_language: str) -> Language:
    """The language that a visitor likes best, by the header Accept-Language (RFC 9110, 12.5.4)."""
    best, best_weight = Language.EN, 0.0
    for part in accept_language.split(","):
        tag, _, parameters = part.strip().lower().partition(";")
        primary = tag.strip().partition("-")[0]
        weight = _weight(parameters)
        for language in Language:
            if primary == language and weight > best_weight:
                best, best_weight = language, weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip() == "q" and 0 <= weight <= 1 else 0.0

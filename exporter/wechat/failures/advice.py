"""What the operator should do about a failure, in both languages of the status page."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Advice:
    """What the operator should do, in both languages of the status page."""

    en: str
    zh: str

    def then(self, other: "Advice") -> "Advice":
        """This one, and the other one behind it."""
        return Advice(f"{self.en} {other.en}", f"{self.zh}{other.zh}")


PAUSED = Advice(
    "The app is paused until the time on the status page: longer after each refusal, at most a day. Reload "
    "(SIGHUP or POST /-/reload) to have it asked now; a changed credential is asked by itself.",
    "该小程序暂停请求，恢复时间见状态页；每次被拒后延长，最长一天。"
    "重新加载（SIGHUP 或 POST /-/reload）后立即请求，更换凭证后自动请求。",
)
"""What the exporter does after a failure that pauses an app."""

WAIT = Advice(
    "WeChat is busy: nothing to do. If it lasts for hours, see WeChat's status notices.",
    "微信繁忙，无需处理。若持续数小时，请查看微信官方公告。",
)
NOT_READY = Advice(
    "Nothing to do: WeChat has not published this date yet, usually before noon (Beijing).",
    "无需处理：微信尚未生成该日数据，通常在北京时间中午之前。",
)
EMPTY = Advice(
    "Usually not published yet, or nobody opened the mini program that day. If it stays so while the "
    "console shows visits, ask WeChat.",
    "通常是数据尚未生成，或当日无人访问。若长期如此而后台有访问数据，请咨询微信。",
)
BUG = Advice(
    "WeChat did not understand the request. Please report it to this project with the errcode and rid.",
    "微信无法识别该请求，请附上 errcode 与 rid 向本项目反馈。",
)
HTTPS = Advice(
    "WeChat wants HTTPS: let wechat.base_url begin with https://.",
    "微信要求使用 HTTPS：wechat.base_url 应以 https:// 开头。",
)
TOKEN = Advice(
    "The access token was refused even after a renewal. Another program probably renews it with "
    "cgi-bin/token: use stable_token, or have that program's token read with token: {type: file} or "
    "{type: http}.",
    "更新后的 access_token 仍被拒绝，可能有其他程序在用 cgi-bin/token 抢刷。请改用 stable_token，"
    "或通过 token: {type: file} / {type: http} 读取该程序保管的 token。",
)
SAME_TOKEN = Advice(
    "Two apps are given one token, so both would show one account's figures. Give each of them a path or url "
    "of its own in `token` ({appid} in a url stands for the appid), or see to the program that keeps them.",
    "两个小程序拿到了同一个 token，会把同一账号的数据显示两次。请为各自的 token 配置不同的 path 或 url"
    "（url 中的 {appid} 代表 AppID），或检查保管 token 的程序。",
)
TOKEN_KIND = Advice(
    "A token of the wrong kind was given (component, user or another account's). Give the mini program's "
    "own access_token or authorizer_access_token.",
    "token 类型不对（component、用户或其他账号的 token）。请提供该小程序自己的 access_token 或 "
    "authorizer_access_token。",
)
APPID = Advice(
    "Check the appid: mp.weixin.qq.com > 开发管理 > 开发设置. It must be the mini program's own appid.",
    "请核对 AppID：微信公众平台 > 开发管理 > 开发设置，须为该小程序自己的 AppID。",
)
SECRET = Advice(
    "Check the AppSecret: mp.weixin.qq.com > 开发管理 > 开发设置. Was it reset? Does it belong to this "
    "appid?",
    "请核对 AppSecret：微信公众平台 > 开发管理 > 开发设置。是否已重置？是否属于该 AppID？",
)
PLATFORM_SECRET = Advice(
    "Check the platform's AppSecret (component_appsecret): open.weixin.qq.com > 管理中心 > 第三方平台 > "
    "开发资料. Was it reset or frozen? Does it belong to this component_appid?",
    "请核对第三方平台的 AppSecret（component_appsecret）：微信开放平台 > 管理中心 > 第三方平台 > 开发资料。"
    "是否已重置或冻结？是否属于该 component_appid？",
)
PLATFORM_APPID = Advice(
    "Check component_appid: open.weixin.qq.com > 管理中心 > 第三方平台 > 开发资料. It must be the platform's "
    "own AppID.",
    "请核对 component_appid：微信开放平台 > 管理中心 > 第三方平台 > 开发资料，须为第三方平台自己的 AppID。",
)
FROZEN_SECRET = Advice(
    "The AppSecret is frozen: unfreeze it at mp.weixin.qq.com > 开发管理 > 开发设置.",
    "AppSecret 已被冻结：请在微信公众平台 > 开发管理 > 开发设置中解冻。",
)
IP = Advice(
    "Add the exporter's egress IP (it stands in the error's text) to the IP allow-list: mp.weixin.qq.com > "
    "开发管理 > 开发设置 > IP白名单.",
    "请将程序的出口 IP（见错误原文）加入 IP 白名单：微信公众平台 > 开发管理 > 开发设置 > IP白名单。",
)
IP_CONFIRM = Advice(
    "An administrator of the mini program must confirm this IP in WeChat (message on the phone); after a "
    "refusal WeChat blocks it for an hour or a day. Better: add the IP to the allow-list.",
    "需要小程序管理员在微信中确认该 IP；若被拒绝，微信会封禁一小时或一天。建议直接加入 IP 白名单。",
)
IP_PLATFORM = Advice(
    "Add the exporter's egress IP (it stands in the error's text) to the *platform's* list: "
    "open.weixin.qq.com > 第三方平台 > 开发资料 > 白名单IP地址列表.",
    "请将程序的出口 IP（见错误原文）加入第三方平台的白名单：微信开放平台 > 第三方平台 > 开发资料 > "
    "白名单IP地址列表。",
)
IP_OVERSEAS = Advice(
    "WeChat refuses calls from outside the mainland: let the exporter's traffic leave from inside.",
    "微信拒绝境外访问：请让程序从境内 IP 出网。",
)
QUOTA_DAY = Advice(
    "The day's quota is spent; there is a new one after midnight (Beijing). See who calls: "
    "cgi-bin/openapi/quota/get. Does refresh.interval fit the quota?",
    "当日调用额度已用尽，北京时间零点后恢复。可用 cgi-bin/openapi/quota/get 查询用量，"
    "并检查 refresh.interval 是否合适。",
)
QUOTA_MONTH = Advice(
    "The month's quota is spent; there is a new one next month. See cgi-bin/openapi/quota/get.",
    "当月调用额度已用尽，下月恢复。可用 cgi-bin/openapi/quota/get 查询用量。",
)
QUOTA_MINUTE = Advice(
    "Too many calls a minute: lower refresh.requests_per_second, or find who else calls with this account.",
    "每分钟调用过多：请调低 refresh.requests_per_second，或排查该账号的其他调用方。",
)
PERMISSION = Advice(
    "This account or token may not use the data interface. With a third-party platform the merchant must "
    "grant permission set 18 (小程序开发与数据分析) or 21; otherwise check the account's permissions.",
    "该账号或 token 无权调用数据分析接口。第三方平台需商家授权权限集 18（小程序开发与数据分析）或 21；"
    "否则请检查账号的接口权限。",
)
WITHDRAWN = Advice(
    "The merchant has withdrawn the authorisation: let him authorise the platform again, or remove the app.",
    "商家已取消授权：请让商家重新授权，或从配置中移除该小程序。",
)
CLOUD = Advice(
    "Cloud base is not open for this account, or the interface is missing in 微信令牌权限配置 / the "
    "function's config.json.",
    "该账号未开通云开发，或未在微信令牌权限配置 / 云函数 config.json 中声明该接口。",
)
ACCOUNT = Advice(
    "The account is limited, frozen or migrated: sign in at mp.weixin.qq.com and read its notices.",
    "账号受限、被冻结或已迁移：请登录微信公众平台查看通知。",
)
SIGNING = Advice(
    "API signing (API安全) is switched on for this account; the exporter does not sign. Switch it off for "
    "this interface: mp.weixin.qq.com > 开发管理 > 开发设置 > API安全.",
    "该账号已开启 API 安全（签名与加密），本程序不支持签名。请在微信公众平台 > 开发管理 > 开发设置 > "
    "API安全 中关闭。",
)
GAME = Advice(
    "This appid is a mini game: WeChat has no getDailyVisitTrend for it. Remove it from the configuration.",
    "该 AppID 是小游戏，微信不提供此数据接口。请从配置中移除。",
)
TICKET = Advice(
    "The component_verify_ticket is old or wrong. WeChat pushes a new one every 10 minutes: check that the "
    "push arrives, or call api_start_push_ticket.",
    "component_verify_ticket 过期或无效。微信每 10 分钟推送一次：请检查推送是否到达，或调用 "
    "api_start_push_ticket。",
)
REFRESH_TOKEN = Advice(
    "The authorizer_refresh_token is no longer valid: was the account authorised anew elsewhere? Let the "
    "merchant authorise again.",
    "authorizer_refresh_token 已失效，可能已在别处重新授权。请让商家重新授权。",
)
NO_TICKET = Advice(
    "There is no component_verify_ticket yet: check verify_ticket's file or address, or that WeChat's push "
    "reaches POST /wechat/ticket/NAME (every 10 minutes; api_start_push_ticket starts it).",
    "尚无 component_verify_ticket：请检查 verify_ticket 的文件或地址，或微信推送是否到达 "
    "POST /wechat/ticket/NAME（每 10 分钟一次，可调用 api_start_push_ticket 启动推送）。",
)
NO_REFRESH_TOKEN = Advice(
    "The platform has no refresh token for this account: let the merchant authorise the platform (again) and "
    "exchange the code by api_query_auth, or configure refresh_token_file.",
    "平台没有该账号的 refresh_token：请让商家（重新）授权并用 api_query_auth 换取，"
    "或配置 refresh_token_file。",
)
CLOUD_CALL = Advice(
    "The cloud function may not call the interface: list analysis.getDailyVisitTrend in its config.json, "
    "upload it again and wait ten minutes.",
    "云函数无权调用该接口：请在其 config.json 中声明 analysis.getDailyVisitTrend，重新上传并等待十分钟。",
)
CLOUD_FUNCTION = Advice(
    "The cloud function failed: check env and function, and its log in the cloud console.",
    "云函数执行失败：请检查 env 与 function，并查看云开发控制台中的函数日志。",
)
CLOCK = Advice(
    "WeChat refused the date. Is the machine's clock right?",
    "微信拒绝了该日期，请检查机器时钟是否准确。",
)
NETWORK = Advice(
    "Check DNS, firewall and proxy between the exporter and wechat.base_url (or the token's address).",
    "请检查程序到 wechat.base_url（或 token 地址）之间的 DNS、防火墙与代理。",
)
PROXY = Advice(
    "The proxy failed, the host was not reached: check the proxy, and HTTPS_PROXY and HTTP_PROXY of the "
    "exporter's environment. Status 407: it wants a user and a password in its URL; 403: it must allow the "
    "host. NO_PROXY names hosts to reach without it.",
    "代理出错，未能连接目标主机：请检查代理以及程序环境变量 HTTPS_PROXY、HTTP_PROXY。状态 407：代理 URL 中"
    "需要用户名和密码；403：代理须放行该主机。NO_PROXY 可列出不经代理的主机。",
)
CERTIFICATE = Advice(
    "The certificate is not trusted. Where a company's proxy or a private CA signs it, name that CA's "
    "certificate in wechat.ca_file; it is then trusted also where Python 3.13 finds it incomplete (strict "
    "X.509). Otherwise check wechat.base_url and the clock.",
    "证书不受信任。若由公司代理或私有 CA 签发，请在 wechat.ca_file 中指定该 CA 证书：即使 Python 3.13 认为"
    "其不完整（严格 X.509），也会被信任。否则请检查 wechat.base_url 与系统时钟。",
)
BUNDLE = Advice(
    "Correct the environment variable REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE), or remove it: without it the "
    "usual certificates are trusted. A private CA's certificate can be named in wechat.ca_file.",
    "请更正或移除环境变量 REQUESTS_CA_BUNDLE（或 CURL_CA_BUNDLE）：未设置时信任常用证书。私有 CA 证书可在 "
    "wechat.ca_file 中指定。",
)
DESCRIPTORS = Advice(
    "The process may open no more files: raise its limit (ulimit -n, LimitNOFILE=, --ulimit nofile) or lower "
    "refresh.concurrency.",
    "进程打开的文件数已达上限：请调高上限（ulimit -n、LimitNOFILE=、--ulimit nofile），"
    "或调低 refresh.concurrency。",
)
TIMEOUT = Advice(
    "The answer took longer than wechat.timeout. Check the line and the proxy, or raise the limit.",
    "响应超过 wechat.timeout。请检查网络与代理，或调大该值。",
)
GATEWAY = Advice(
    "Not WeChat's usual answer: check wechat.base_url (or the token's address and headers) and the proxy.",
    "并非微信的正常应答：请检查 wechat.base_url（或 token 的地址与请求头）以及代理。",
)
MALFORMED = Advice(
    "The answer was not the documented one and was not used; the last good figures stay. If it lasts, check "
    "wechat.base_url and the proxy, then report it.",
    "应答与文档不符，未被采用，保留上次正确的数据。若持续出现，请检查 wechat.base_url 与代理，"
    "或向本项目反馈。",
)
UNKNOWN = Advice(
    "WeChat answered with a code that this version does not know: look it up in WeChat's documentation.",
    "微信返回了本版本未知的错误码，请查阅微信文档。",
)
INTERNAL = Advice(
    "A fault of the exporter's own: see the log, and please report it.",
    "程序内部错误：请查看日志并反馈。",
)
TOKEN_KEEPER = Advice(
    "The token's file or address gave no usable token: check the path or URL, its rights or headers, "
    "`field`, and that the program that keeps the token runs and can be reached.",
    "token 文件或地址未给出可用的 token：请检查路径或 URL、权限或请求头、field，以及保管 token 的程序是否在"
    "运行、能否访问。",
)
SECRET_FILE = Advice(
    "The secret's file cannot be read or is empty: check the path and its rights.",
    "密钥文件无法读取或为空：请检查路径与权限。",
)
OLD_FUNCTION = Advice(
    "The cloud function knows the daily trend alone: upload deploy/cloud-function 1.1.0 or later, which "
    "takes `interface` by name, with the permissions of its config.json.",
    "该云函数只支持日趋势：请上传 1.1.0 或更高版本的 deploy/cloud-function（按名称接收 interface），"
    "并包含其 config.json 中的权限。",
)
_INTERFACE: Final = "getDailyVisitTrend"
_OF_DATASET: Final = {
    GAME: Advice(
        "WeChat has no getDailyVisitTrend for this account, which is a mini game: leave this dataset out in "
        "the app's `datasets`.",
        "该账号是小游戏，微信不提供 getDailyVisitTrend。请在该小程序的 datasets 中去掉此数据集。",
    ),
    PERMISSION: Advice(
        "This account or token may not call getDailyVisitTrend. With a third-party platform the merchant "
        "must grant permission set 18 (小程序开发与数据分析) or 21; otherwise check the account's "
        "permissions, or leave this dataset out in the app's `datasets`.",
        "该账号或 token 无权调用 getDailyVisitTrend。第三方平台需商家授权权限集 18（小程序开发与数据分析）"
        "或 21；否则请检查账号的接口权限，或在该小程序的 datasets 中去掉此数据集。",
    ),
    CLOCK: Advice(
        "WeChat refused the dates, though the period is over: it is asked for again. If that lasts, is the "
        "machine's clock right?",
        "该周期已结束，但微信拒绝了日期，程序会再次请求。若持续如此，请检查机器时钟是否准确。",
    ),
}
"""What stands in the place of an advice where a dataset beside the daily trend fails."""


def about(told: Advice, interface: str) -> Advice:
    """The advice about another of WeChat's interfaces than the daily trend's."""
    if interface == _INTERFACE:
        return told
    closer = _OF_DATASET.get(told, told)
    return Advice(closer.en.replace(_INTERFACE, interface), closer.zh.replace(_INTERFACE, interface))


OF_DISCOVERED: Final = {
    GAME: Advice(
        "This account is a mini game: WeChat has no getDailyVisitTrend for it. Add its appid to the "
        "platform's `exclude`.",
        "该账号是小游戏，微信不提供此数据接口。请将其 AppID 加入该平台的 exclude。",
    ),
    ACCOUNT: Advice(
        "The account is limited, frozen or migrated: let the merchant read its notices at mp.weixin.qq.com. "
        "If it is to stay so, add its appid to the platform's `exclude`.",
        "账号受限、被冻结或已迁移：请商家登录微信公众平台查看通知。若将长期如此，请将其 AppID 加入该平台的 "
        "exclude。",
    ),
    WITHDRAWN: Advice(
        "The merchant has withdrawn the authorisation: let him authorise the platform again. Otherwise the "
        "app goes with the next list of accounts; `exclude` lets it go at once.",
        "商家已取消授权：请让商家重新授权。否则该小程序会在下次获取账号列表后自动消失，也可加入 exclude "
        "立即移除。",
    ),
}
"""What stands in the place of an advice where the app is in no configuration, as a platform's list has it."""

"""The sources that getVisitDistribution counts visits by, with their names: access_source_info.

WeChat adds keys without documenting them; one that is not here is exported under its number and has no name.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/others/getVisitDistribution.html
(Chinese names; the English ones are translations made here).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Source:
    """One source under the key that WeChat gives it."""

    key: int
    name_zh: str
    name_en: str


SOURCES: Final = (
    Source(key=1, name_zh="小程序历史列表", name_en="Mini Program history list"),
    Source(key=2, name_zh="搜索", name_en="Search"),
    Source(key=3, name_zh="会话", name_en="Chat"),
    Source(key=4, name_zh="扫一扫二维码", name_en="Scan QR code"),
    Source(key=5, name_zh="公众号主页", name_en="Official Account profile"),
    Source(key=6, name_zh="聊天顶部", name_en="Top of chat"),
    Source(key=7, name_zh="系统桌面", name_en="Phone home screen"),
    Source(key=8, name_zh="小程序主页", name_en="Mini Program profile"),
    Source(key=9, name_zh="附近的小程序", name_en="Mini Programs nearby"),
    Source(key=10, name_zh="其他", name_en="Other"),
    Source(key=11, name_zh="模板消息", name_en="Template message"),
    Source(key=12, name_zh="客服消息", name_en="Customer service message"),
    Source(key=13, name_zh="公众号菜单", name_en="Official Account menu"),
    Source(key=14, name_zh="APP分享", name_en="Shared from an app"),
    Source(key=15, name_zh="支付完成页", name_en="Payment completed page"),
    Source(key=16, name_zh="长按识别二维码", name_en="Long-press QR code"),
    Source(key=17, name_zh="相册选取二维码", name_en="QR code from album"),
    Source(key=18, name_zh="公众号文章", name_en="Official Account article"),
    Source(key=19, name_zh="钱包", name_en="Wallet"),
    Source(key=20, name_zh="卡包", name_en="Cards & offers"),
    Source(key=21, name_zh="小程序内卡券", name_en="Coupon inside Mini Program"),
    Source(key=22, name_zh="其他小程序", name_en="Another Mini Program"),
    Source(key=23, name_zh="其他小程序返回", name_en="Return from another Mini Program"),
    Source(key=24, name_zh="卡券适用门店列表", name_en="Coupon store list"),
    Source(key=25, name_zh="搜索框快捷入口", name_en="Search box shortcut"),
    Source(key=26, name_zh="小程序客服消息", name_en="Mini Program customer service message"),
    Source(key=27, name_zh="公众号下发", name_en="Sent by Official Account"),
    Source(key=28, name_zh="系统会话菜单", name_en="Conversation menu"),
    Source(key=29, name_zh="任务栏-最近使用", name_en="Task bar: recently used"),
    Source(key=30, name_zh="长按小程序菜单圆点", name_en="Long-press menu dots"),
    Source(key=31, name_zh="连wifi成功页", name_en="Wi-Fi connected page"),
    Source(key=32, name_zh="城市服务", name_en="City services"),
    Source(key=33, name_zh="微信广告", name_en="WeChat ads"),
    Source(key=34, name_zh="其他移动应用", name_en="Other mobile app"),
    Source(key=35, name_zh="发现入口-我的小程序", name_en="Discover: my Mini Programs"),
    Source(key=36, name_zh="任务栏-我的小程序", name_en="Task bar: my Mini Programs"),
    Source(key=37, name_zh="微信圈子", name_en="WeChat circles"),
    Source(key=38, name_zh="手机充值", name_en="Phone top-up"),
    Source(key=39, name_zh="H5", name_en="Web page (H5)"),
    Source(key=40, name_zh="插件", name_en="Plugin"),
    Source(key=41, name_zh="大家在用", name_en="Popular"),
    Source(key=42, name_zh="发现页", name_en="Discover page"),
    Source(key=43, name_zh="浮窗", name_en="Floating window"),
    Source(key=44, name_zh="附近的人", name_en="People nearby"),
    Source(key=45, name_zh="看一看", name_en="Top Stories"),
    Source(key=46, name_zh="朋友圈", name_en="Moments"),
    Source(key=47, name_zh="企业微信", name_en="WeCom"),
    Source(key=48, name_zh="视频", name_en="Video"),
    Source(key=49, name_zh="收藏", name_en="Favorites"),
    Source(key=50, name_zh="微信红包", name_en="Red packet"),
    Source(key=51, name_zh="微信游戏中心", name_en="Game center"),
    Source(key=52, name_zh="摇一摇", name_en="Shake"),
    Source(key=53, name_zh="公众号导购消息", name_en="Official Account shopping message"),
    Source(key=54, name_zh="识物", name_en="Scan object"),
    Source(key=55, name_zh="小程序订单", name_en="Mini Program orders"),
    Source(key=56, name_zh="小程序直播", name_en="Mini Program live"),
    Source(key=57, name_zh="群工具", name_en="Group tools"),
)

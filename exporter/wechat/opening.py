"""Opens the line to WeChat that the configuration describes."""

import time
from collections.abc import Callable

from exporter.config.settings import WechatSettings
from exporter.wechat.deadline import Watchdog
from exporter.wechat.line import Line, Observer
from exporter.wechat.transport import Transport, open_session


def open_line(
    settings: WechatSettings,
    connections: int,
    observer: Observer,
    pace: Callable[[], None],
    clock: Callable[[], float] = time.time,
) -> Line:
    """A line with at most `connections` to a host kept open; `line.transport.stop()` ends all of them."""
    watchdog = Watchdog()
    session = open_session(watchdog, connections)
    return Line(settings.base_url, Transport(session, watchdog, settings.timeout), observer, pace, clock)

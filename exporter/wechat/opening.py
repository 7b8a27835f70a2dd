"""Opens the line to WeChat that the configuration describes."""

import logging
import time
from collections.abc import Callable

from exporter.config.settings import WechatSettings
from exporter.wechat.client import Client, Observer
from exporter.wechat.network.connections import Adapter
from exporter.wechat.network.transport import Transport


def open_client(
    settings: WechatSettings,
    connections: int,
    observer: Observer,
    pace: Callable[[], None],
    clock: Callable[[], float] = time.time,
) -> Client:
    """A line with at most `connections` to a host kept open; `line.transport.stop()` ends all of them."""
    logging.getLogger("urllib3").propagate = False  # its lines have whole URLs, some at level WARNING
    transport = Transport(Adapter(connections, settings.private_ca), settings.timeout)
    return Client(settings.base_url, transport, observer, pace, clock)

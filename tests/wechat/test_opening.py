import time

from exporter.config.settings import WechatSettings
from exporter.wechat import endpoints
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.failure import Reason
from exporter.wechat.opening import open_client
from tests.wechat.lines import Observed
from tests.wechat.peers import Peer, says, whole


def test_a_line_is_opened_as_the_settings_say() -> None:
    observed, paced = Observed(), []
    with Peer(says(whole(b'{"n":1}'))) as peer:
        settings = WechatSettings(peer.url, 5)
        client = open_client(settings, 2, observed, lambda: paced.append(1), lambda: 7.0)
        assert client.ask(endpoints.HTTP_TOKEN, "GET", "/path", dict, secrets=[]) == {"n": 1}
        client.transport.stop()
    assert (client.base_url, client.clock(), paced) == (peer.url, 7.0, [1])
    expected: list[tuple[Endpoint, Reason | None]] = [(endpoints.HTTP_TOKEN, None)]
    assert observed.calls == expected


def test_a_lines_clock_is_the_machines_unless_told_otherwise() -> None:
    client = open_client(WechatSettings("http://127.0.0.1:1", 5), 2, Observed(), lambda: None)
    assert abs(client.clock() - time.time()) < 5
    client.transport.stop()

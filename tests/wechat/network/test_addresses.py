import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from exporter.wechat.network.addresses import alternating, connect
from tests.wechat.peers import Peer, hangs


@contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """Yield an address whose queue is full: Linux lets the next connects wait."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address: tuple[str, int] = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.settimeout(0)
            sock.connect_ex(address)
        try:
            yield address
        finally:
            for sock in waiting:
                sock.close()


def seconds_to(*addresses: tuple[str, int], limit: float, monkeypatch: pytest.MonkeyPatch) -> float:
    """Return how long a connection to the last of a host's addresses takes."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    begun = time.monotonic()

    def left() -> float:
        if time.monotonic() - begun >= limit:
            raise TimeoutError
        return limit - (time.monotonic() - begun)

    with connect("wechat.invalid", 443, left) as sock:
        assert sock.getpeername() == addresses[-1]
    return time.monotonic() - begun


def test_an_address_that_is_a_black_hole_costs_a_quarter_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as dead, Peer(hangs) as good:
        seconds = seconds_to(dead, ("127.0.0.1", good.port), limit=10, monkeypatch=monkeypatch)
    assert 0.24 <= seconds < 5


def test_every_address_gets_a_turn_before_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as dead, Peer(hangs) as good:
        assert seconds_to(*[dead] * 20, ("127.0.0.1", good.port), limit=2, monkeypatch=monkeypatch) < 2


def test_where_one_refuses_the_next_one_is_tried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(hangs) as gone:
        pass
    with Peer(hangs) as good:
        refusing = [("127.0.0.1", gone.port)] * 20
        assert seconds_to(*refusing, ("127.0.0.1", good.port), limit=10, monkeypatch=monkeypatch) < 4


def test_where_none_answers_it_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = time.monotonic()
    with black_hole() as dead, pytest.raises(TimeoutError):
        seconds_to(*[dead] * 20, limit=0.2, monkeypatch=monkeypatch)
    assert 0.2 <= time.monotonic() - begun < 4


def test_no_socket_is_left_where_the_time_is_over_as_an_address_answers() -> None:
    limits = iter([1.0, 1.0])

    def left() -> float:
        for seconds in limits:
            return seconds
        raise TimeoutError

    with Peer(hangs) as peer, pytest.raises(TimeoutError) as caught:
        connect("127.0.0.1", peer.port, left)
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(caught.tb)]
    assert [values["sock"].fileno() for values in frames if "sock" in values] == [-1]


def test_the_last_refusal_is_raised_where_all_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(hangs) as gone:
        pass
    with pytest.raises(ConnectionRefusedError):
        seconds_to(*[("127.0.0.1", gone.port)] * 3, limit=5, monkeypatch=monkeypatch)
    with pytest.raises(OSError, match="no address"):
        seconds_to(limit=5, monkeypatch=monkeypatch)


def test_families_take_turns_as_a_whole_one_may_be_a_black_hole() -> None:
    six, four = [[(family, place) for place in "abc"] for family in (socket.AF_INET6, socket.AF_INET)]
    ordered = alternating([*six, four[0]])
    assert ordered == [six[0], four[0], *six[1:]]

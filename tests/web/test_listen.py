import socket
from collections.abc import Callable

import pytest

from exporter.web.listen import ListenError, listen, listening_on, parse_address


@pytest.mark.parametrize(
    ("address", "parsed"),
    [
        (":10950", ("", 10950)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("localhost:10950", ("localhost", 10950)),
        ("[::1]:10950", ("::1", 10950)),
        ("[::]:0", ("::", 0)),
    ],
)
def test_addresses_are_read_as_prometheus_writes_them(address: str, parsed: tuple[str, int]) -> None:
    assert parse_address(address) == parsed


@pytest.mark.parametrize(
    "address", ["", "10950", "localhost", "localhost:", "localhost:http", ":65536", ":-1", ":１"]
)
def test_what_is_no_address_is_an_error(address: str) -> None:
    with pytest.raises(ListenError, match="is not an address: write host:port"):
        parse_address(address)


def test_a_bare_ipv6_address_gets_the_advice_to_use_brackets() -> None:
    with pytest.raises(ListenError, match=r"brackets, \[::1\]:80"):
        parse_address("::1:80")


def test_an_empty_host_listens_on_both_families(free_port: Callable[[], int]) -> None:
    port = free_port()
    with listen(f":{port}"):
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        if socket.has_dualstack_ipv6():
            socket.create_connection(("::1", port), timeout=2).close()


def test_without_ipv6_an_empty_host_still_listens(
    free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    port = free_port()
    with listen(f":{port}"):
        socket.create_connection(("127.0.0.1", port), timeout=2).close()


def test_an_address_in_use_is_an_error(free_port: Callable[[], int]) -> None:
    port = free_port()
    with (
        listen(f"127.0.0.1:{port}"),
        pytest.raises(
            ListenError, match=r"cannot listen .*in use.*; choose another with --web.listen-address"
        ),
    ):
        listen(f"127.0.0.1:{port}")


def test_a_host_that_is_not_here_is_an_error() -> None:
    with pytest.raises(ListenError, match="cannot listen on"):
        listen("no-such-host.invalid:80")


@pytest.mark.parametrize("host", ["", "127.0.0.1", "localhost"])
def test_the_port_that_the_system_chose_is_known(host: str) -> None:
    with listen(f"{host}:0") as listener:
        port = listener.getsockname()[1]
        assert port > 0
        assert listening_on(f"{host}:0", listener) == f"{host}:{port}"


def test_the_scope_of_a_link_local_address_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    place = ("fe80::1", 10950, 0, 1)
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", place)]
    )
    bound: list[object] = []
    monkeypatch.setattr(socket, "create_server", lambda where, **_: bound.append(where))
    listen("[fe80::1%lo]:10950")
    assert bound == [place]

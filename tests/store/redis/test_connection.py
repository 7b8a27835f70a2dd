"""The connection to a real Redis: its credentials, and its errors in words."""

import os
import re
import shlex
import signal
import socket
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import redis

from exporter.config.secret import Secret
from exporter.config.storage import RedisSettings, StorageSettings
from exporter.store.entry import HeldRow
from exporter.store.interface import StoreError
from exporter.store.redis.connection import _REST_SECONDS, Connection
from exporter.store.redis.store import RedisStore, open_redis
from tests.building import NOON, make_app, make_row
from tests.certificates import Authority
from tests.docs.pages import ROOT
from tests.redis_server import RedisServer, redis_server
from tests.wechat.lines import Clock

PASSWORD = "not-a-real-password"
OTHER = "another-fake-password"


def settings(port: int, **more: object) -> StorageSettings:
    address = replace(RedisSettings((("127.0.0.1", port),), prefix="test"), **more)  # type: ignore[arg-type]
    return StorageSettings(f"redis://127.0.0.1:{port}/0", address)


@contextmanager
def connected(
    storage: StorageSettings,
    report: Callable[[bool], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Connection]:
    connection = Connection(storage, report, clock)
    try:
        yield connection
    finally:
        connection.close()


def pinged(connection: Connection) -> bool:
    with connection.reading() as client:
        return bool(client.ping())


def shown(error: BaseException) -> str:
    """Return an exception's text with its traceback, as in a log."""
    return "".join(traceback.format_exception(error)) + repr(error)


def refusal(storage: StorageSettings) -> str:
    """Return the error of a storage that cannot be opened, after checking that it has no password."""
    with connected(storage) as connection, pytest.raises(StoreError) as refused:
        pinged(connection)
    report = shown(refused.value) + repr(connection.client) + repr(storage)
    assert PASSWORD not in report
    assert OTHER not in report
    assert str(refused.value).endswith(("rights.", "name?", "read?", "let us in?", "role."))
    return str(refused.value)


@pytest.fixture
def port(free_port: Callable[[], int]) -> int:
    return free_port()


@pytest.fixture
def started(program: Callable[[str], str], port: int, tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Yield a function that starts a server with flags."""
    servers: list[RedisServer] = []

    def start(*flags: str) -> RedisServer:
        folder = tmp_path / "redis"
        folder.mkdir(exist_ok=True)
        server = RedisServer(program("redis-server"), folder, port, *flags)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


# Passwords and users


def test_the_right_password_comes_in_and_a_wrong_or_missing_one_does_not(
    started: Callable[..., RedisServer], port: int
) -> None:
    started("--requirepass", PASSWORD)
    with connected(settings(port, password=Secret(PASSWORD))) as connection:
        assert pinged(connection)
    assert "invalid username-password pair" in refusal(settings(port, password=Secret(OTHER)))
    assert "Authentication required" in refusal(settings(port))


def test_a_password_file_is_read_again_for_each_connection(
    started: Callable[..., RedisServer], port: int, tmp_path: Path
) -> None:
    server = started("--requirepass", PASSWORD)
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    with connected(settings(port, password=Secret(path=file))) as connection:
        assert pinged(connection)
        admin = server.client(password=PASSWORD)
        admin.config_set("requirepass", OTHER)
        file.write_text(OTHER)
        admin.client_kill_filter(_type="normal", skipme=True)
        assert pinged(connection)
        admin.close()


def test_a_missing_password_file_is_reported_without_its_content(port: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", port)):
        assert "No such file" in refusal(settings(port, password=Secret(path=tmp_path / "missing")))
        (tmp_path / "empty").touch()
        assert "empty" in refusal(settings(port, password=Secret(path=tmp_path / "empty")))


@pytest.mark.parametrize("page", ["scaling.md", "scaling.zh-CN.md"])
def test_a_user_with_the_rights_that_the_docs_name_may_do_all_that_a_store_does_and_no_more(
    started: Callable[..., RedisServer], port: int, page: str
) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    (line,) = re.findall(r"^redis-cli (ACL SETUSER .+)$", text, re.MULTILINE)
    server = started()
    admin: Any = server.client()
    admin.execute_command(*shlex.split(line))
    storage = settings(port, user="exporter", password=Secret("PASSWORD"), prefix="wechat-miniprogram")
    app, held = make_app(1), HeldRow(make_row(date(2026, 11, 23)), NOON)
    with closing(open_redis(storage, lambda _: None)) as store:
        store.save("wechat", [(app.appid, held)], 9)
        assert list(store.load("wechat", [app.appid])) == [(app.appid, (held,))]
        assert store.take("list", 9)
        store.give_back("list")
        store.put("key", None, "value")
        assert store.put("key", "value", "another")
    with connected(storage) as connection:
        assert connection.client.info("server")["run_id"]  # without this right an exporter goes on
        for refused in ("FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG GET *", "GET other:key", "ACL LIST"):
            with pytest.raises(StoreError, match="NoPermissionError"), connection.reading() as client:
                client.execute_command(*refused.split())
    assert "invalid username-password pair" in refusal(
        settings(port, user="somebody", password=Secret(PASSWORD))
    )


def test_a_user_without_rights_learns_which_command_is_refused(
    started: Callable[..., RedisServer], port: int
) -> None:
    server = started()
    admin: Any = server.client()
    admin.execute_command(*f"ACL SETUSER reader on >{PASSWORD} ~* +@read +hello".split())
    with pytest.raises(StoreError, match=r"no permissions to run the 'eval' command"):
        open_redis(settings(port, user="reader", password=Secret(PASSWORD)), lambda _: None).take(
            "accounts", 9
        )


def test_a_server_that_repeats_what_it_does_not_understand_does_not_bring_the_password_into_an_error(
    started: Callable[..., RedisServer], port: int
) -> None:
    started("--rename-command", "AUTH", "", "--rename-command", "HELLO", "")
    assert "unknown command" in refusal(settings(port, password=Secret(PASSWORD)))
    assert "unknown command" in refusal(settings(port, user="exporter", password=Secret(PASSWORD)))


def test_a_server_without_scripts_is_reported_without_the_data_sent(
    started: Callable[..., RedisServer], port: int
) -> None:
    started("--rename-command", "EVAL", "", "--rename-command", "SET", "KEEP")
    connection = Connection(settings(port), lambda _: None)
    with pytest.raises(StoreError, match="unknown command") as refused, connection.writing() as client:
        client.eval("return 1", 0, PASSWORD)
    assert PASSWORD not in shown(refused.value)
    with pytest.raises(StoreError, match="unknown command") as refused, connection.writing() as client:
        client.set("test:credential:key", PASSWORD)
    assert PASSWORD not in shown(refused.value)
    assert pinged(connection)  # one command that is refused keeps nobody from the others
    connection.close()


# TLS


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def tls(started: Callable[..., RedisServer], authority: Authority, port: int) -> int:
    """Return the port of a server that speaks TLS."""
    pair = authority.issue("cache")
    plain = port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        secure: int = probe.getsockname()[1]
    files = ("--tls-cert-file", f"{pair.cert}", "--tls-key-file", f"{pair.key}")
    more = ("--tls-ca-cert-file", f"{authority.file}", "--tls-auth-clients", "no")
    started("--tls-port", f"{secure}", *files, *more, "--requirepass", PASSWORD)
    assert plain != secure
    return secure


def test_with_tls_the_server_is_verified_against_the_file(tls: int, authority: Authority) -> None:
    storage = settings(tls, tls=True, ca_file=f"{authority.file}", password=Secret(PASSWORD))
    with connected(storage) as connection:
        assert pinged(connection)


def test_a_certificate_of_another_authority_is_refused(tls: int, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    for file in (f"{other.file}", None):
        report = refusal(settings(tls, tls=True, ca_file=file, password=Secret(PASSWORD)))
        assert "certificate verify failed" in report.lower()


def test_a_certificate_of_another_name_is_refused(
    started: Callable[..., RedisServer], authority: Authority, port: int, tls: int
) -> None:
    storage = settings(tls, tls=True, ca_file=f"{authority.file}")
    assert storage.redis is not None
    wrong = replace(storage, redis=replace(storage.redis, hosts=(("127.0.0.2", tls),)))
    report = refusal(wrong).lower()
    assert "certificate verify failed" in report or "refused" in report


def test_a_server_that_asks_for_a_client_certificate_gets_it(
    started: Callable[..., RedisServer], authority: Authority, free_port: Callable[[], int]
) -> None:
    server, client, secure = authority.issue("cache"), authority.issue("exporter"), free_port()
    files = ("--tls-cert-file", f"{server.cert}", "--tls-key-file", f"{server.key}")
    started("--tls-port", f"{secure}", *files, "--tls-ca-cert-file", f"{authority.file}")
    storage = settings(secure, tls=True, ca_file=f"{authority.file}")
    with connected(storage) as connection, pytest.raises(StoreError):
        pinged(connection)
    pair = {"cert_file": f"{client.cert}", "key_file": f"{client.key}"}
    with connected(settings(secure, tls=True, ca_file=f"{authority.file}", **pair)) as connection:
        assert pinged(connection)


def test_a_node_of_a_cluster_is_refused_in_plain_words(
    started: Callable[..., RedisServer], port: int, free_port: Callable[[], int]
) -> None:
    started("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    with connected(settings(port)) as connection:
        with pytest.raises(StoreError, match="Redis Cluster, which is not supported"):
            connection.refuse_cluster()
        with pytest.raises(StoreError, match="Redis Cluster"), connection.writing() as client:
            client.set("a", "b")


# A server that is away


def test_after_a_failure_everybody_fails_at_once_for_a_while(port: int) -> None:
    clock = Clock()
    writes: list[bool] = []
    with connected(settings(port), writes.append, clock) as connection:
        with pytest.raises(StoreError, match="refused"), connection.writing() as client:
            client.ping()
        for _ in range(3):
            with pytest.raises(StoreError, match="has just failed"), connection.writing():
                pytest.fail("asked")
        assert writes == [False] * 4
        clock.now += _REST_SECONDS
        with pytest.raises(StoreError, match="refused"):
            pinged(connection)


def test_a_server_that_was_restarted_is_asked_on_a_new_connection_without_a_failure(
    started: Callable[..., RedisServer], port: int
) -> None:
    server = started()
    writes: list[bool] = []
    store = open_redis(settings(port), writes.append)
    store.put("key", None, "value")
    server.kill()
    server.start()
    assert store.credential("key") == "value"
    store.put("key", "value", "other")
    assert False not in writes
    store.close()


def test_a_server_that_hangs_is_waited_for_once(
    started: Callable[..., RedisServer], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.store.redis.connection._ANSWER_SECONDS", 0.3)
    server = started()
    assert server._process is not None
    with connected(settings(port)) as connection:
        assert pinged(connection)
        os.kill(server._process.pid, signal.SIGSTOP)
        start = time.monotonic()
        with pytest.raises(StoreError, match=r"[Tt]imeout"):
            pinged(connection)
        assert time.monotonic() - start < 0.55
        os.kill(server._process.pid, signal.SIGCONT)


def test_settings_without_a_redis_are_a_fault_of_ours() -> None:
    with pytest.raises(TypeError):
        Connection(StorageSettings("memory://"), lambda _: None)
    with pytest.raises(TypeError):
        open_redis(StorageSettings("memory://"), lambda _: None)


# Sentinels


@contextmanager
def sentinel(program: Callable[[str], str], folder: Path, port: int, master: int) -> Iterator[None]:
    folder.mkdir()
    file = folder / "sentinel.conf"
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\nrequirepass {OTHER}\n"
        f"sentinel monitor fleet 127.0.0.1 {master} 1\nsentinel auth-pass fleet {PASSWORD}\n"
        "sentinel down-after-milliseconds fleet 300\nsentinel failover-timeout fleet 1000\n"
    )
    process = subprocess.Popen([program("redis-server"), f"{file}", "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def answers(store: RedisStore) -> bool:
    try:
        store.put("after", None, "failover")
    except StoreError:
        return False
    return True


def test_sentinels_lead_to_the_master_and_to_its_successor(
    program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    one, two, watching = free_port(), free_port(), free_port()
    auth = ("--requirepass", PASSWORD, "--masterauth", PASSWORD)
    follows = ("--replicaof", f"127.0.0.1 {one}", "--repl-diskless-sync-delay", "0")
    address = RedisSettings(
        (("127.0.0.1", free_port()), ("127.0.0.1", watching)),  # the first sentinel is down
        master="fleet",
        password=Secret(PASSWORD),
        sentinel_password=Secret(OTHER),
        prefix="test",
    )
    storage = StorageSettings(f"redis+sentinel://127.0.0.1:{watching}/fleet/0", address)
    with (
        redis_server(program, tmp_path / "one", one, *auth, "--repl-diskless-sync-delay", "0") as master,
        redis_server(program, tmp_path / "two", two, *auth, *follows) as replica,
        sentinel(program, tmp_path / "sentinel", watching, one),
    ):
        client = replica.client(password=PASSWORD)
        until(lambda: bool(client.info("replication")["master_link_status"] == "up"))
        watch = redis.Redis(port=watching, password=OTHER, decode_responses=True)
        until(lambda: replicas(watch) == 1)
        store = open_redis(storage, lambda _: None)
        store.put("before", None, "failover")
        until(lambda: client.get("test:credential:before") == "failover")
        master.kill()
        until(lambda: answers(store))
        assert client.get("test:credential:after") == "failover"
        assert store.credential("before") == "failover"
        store.close()
        wrong = replace(storage, redis=replace(address, sentinel_password=Secret("wrong-fake-password")))
        assert "No master found for 'fleet'" in refusal(wrong)
        unknown = replace(storage, redis=replace(address, master="other"))
        assert "No master found for 'other'" in refusal(unknown)
        client.close()
        watch.close()


def replicas(sentinel: "redis.Redis") -> int:
    """Return the number of replicas that a sentinel knows, once it answers."""
    try:
        known = sentinel.sentinel_slaves("fleet")
    except redis.RedisError:
        return 0
    assert isinstance(known, list)
    return len(known)

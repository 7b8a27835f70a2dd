"""Clients that ask for a large page and do not read it cost little memory and keep nobody out."""

import resource
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.certificates import Authority

ASK = b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
GZIP = ASK.replace(b"\r\n\r\n", b"\r\nAccept-Encoding: gzip\r\n\r\n")
MOST_BYTES = 256 * 1024 * 1024


@contextmanager
def standing(port: int, web: Path) -> Iterator[int]:
    """Yield an exporter that holds 1,000 apps of nine dates, 8 MB of text; its process id."""
    command = [sys.executable, "-m", "benchmarks.filled_exporter", str(port), "1000", "9"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={"WEB_CONFIG": str(web)}
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process.pid
        finally:
            process.kill()


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize(("clients", "tls"), [(60, True), (250, False)])
def test_clients_that_do_not_read_cost_little_memory_and_keep_no_scraper_out(
    tmp_path: Path,
    free_port: Callable[[], int],
    clients: int,
    tls: bool,  # noqa: FBT001
) -> None:
    Authority(tmp_path).issue("server")
    web = tmp_path / "web.yaml"
    web.write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}\n" if tls else "")
    context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    port = free_port()

    def connect() -> socket.socket:
        client = socket.create_connection(("127.0.0.1", port), timeout=5)
        return context.wrap_socket(client, server_hostname="localhost") if tls else client

    with standing(port, web) as pid, ExitStack() as stack:
        for _ in range(clients):
            client = stack.enter_context(closing(connect()))
            client.sendall(ASK)
        time.sleep(1)
        start = time.monotonic()
        with closing(connect()) as scraper:
            scraper.sendall(GZIP)
            size = 0
            while part := scraper.recv(1 << 20):
                size += len(part)
        assert time.monotonic() - start < 1
        assert size > 500_000
        assert resident(pid) < MOST_BYTES

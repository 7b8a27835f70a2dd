"""The example Redis for the overlay `ha`: a real one, started as in the manifest."""

import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.deploy.kubernetes.manifests import KUBERNETES, read
from tests.prometheus.servers import wait_until


def test_redis_asks_for_the_password_writes_at_once_and_stops_on_a_signal(
    program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    program("redis-server")
    container = read(KUBERNETES / "examples" / "redis.yaml").container
    (script,) = container["args"]
    tmp_path.joinpath("password").write_text("not-a-real-password\n")
    port = free_port()
    script = re.sub("port 6379", f"port {port}\nbind 127.0.0.1", script)
    script = script.replace("/run/secrets/redis", str(tmp_path)).replace("dir /data", f"dir {tmp_path}")
    process = subprocess.Popen([*container["command"], script], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: ask(port, "PING").startswith("-NOAUTH"), 10, "Redis asks for the password")
        report = ask(port, "AUTH not-a-real-password", "CONFIG GET append*", "CONFIG GET maxmemory-policy")
        for key, value in (
            ("appendonly", "yes"),
            ("appendfsync", "always"),
            ("maxmemory-policy", "noeviction"),
        ):
            assert re.search(rf"^{key}\r\n\$\d+\r\n{value}\r$", report, re.MULTILINE), report
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)


def ask(port: int, *lines: str) -> str:
    """Send commands and QUIT; return all answers, nothing while nobody listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall("".join(f"{line}\r\n" for line in (*lines, "QUIT")).encode())
            with connection.makefile("r", newline="") as answers:
                return answers.read()
    except ConnectionError:
        return ""

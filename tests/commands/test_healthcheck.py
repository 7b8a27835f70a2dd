import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.cli import main
from exporter.commands import healthcheck as module
from exporter.commands.healthcheck import exporter_beside

ADDRESS = "--web.listen-address"
PORT = f"{ADDRESS}=:8080"
WEB = "--web.config.file=w.yaml"


def answer_once(listener: socket.socket, answer: bytes) -> None:
    client, _ = listener.accept()
    client.recv(65536)
    client.sendall(answer)
    client.close()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0),
        (b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n", 1),
        (b"hello", 1),
    ],
)
def test_healthy_is_what_answers_200(answer: bytes, code: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_once, args=(listener, answer))
        thread.start()
        assert main(["healthcheck", f"--web.listen-address=:{listener.getsockname()[1]}"]) == code
        thread.join()


def test_nobody_there_is_unhealthy(free_port: Callable[[], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["healthcheck", f"--web.listen-address=127.0.0.1:{free_port()}"]) == 1
    assert "no answer from" in capsys.readouterr().err


def test_a_bad_address_is_bad_usage() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["healthcheck", "--web.listen-address=nowhere"])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("commands", "found"),
    [
        ({1: ["python", "/opt/exporter/bin/wechat-miniprogram-exporter"]}, (":10950", None)),
        (
            {
                1: ["tini", "--", "wechat-miniprogram-exporter"],
                7: [
                    "python",
                    "/bin/wechat-miniprogram-exporter",
                    "--config.file",
                    "c",
                    "--web.listen-address=:8080",
                ],
            },
            (":8080", None),
        ),
        (
            {
                1: [
                    "python",
                    "-m",
                    "exporter",
                    "demo",
                    "--web.listen-address",
                    "[::1]:7",
                    "--web.config.file=w.yaml",
                ]
            },
            ("[::1]:7", "w.yaml"),
        ),
        (
            {
                3: ["python", "/bin/wechat-miniprogram-exporter", "healthcheck"],
                4: ["python", "/bin/wechat-miniprogram-exporter", "check", "--config.file=c"],
                25: ["python", "/bin/wechat-miniprogram-exporter", "serve", "--web.listen-address=:9"],
            },
            (":9", None),
        ),
        ({1: ["sh"], 2: [], 3: ["python", "-m", "http.server"]}, (":10950", None)),
    ],
)
def test_the_exporter_beside_it_is_found_by_its_command_line(
    tmp_path: Path, commands: dict[int, list[str]], found: tuple[str, str | None]
) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "99").mkdir()  # over already
    for number, words in commands.items():
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    assert exporter_beside(tmp_path) == found


def test_without_flags_the_exporter_beside_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(module, "_PROC", tmp_path)
        (tmp_path / "1").mkdir()
        command = (
            f"python\0/bin/wechat-miniprogram-exporter\0--web.listen-address=:{listener.getsockname()[1]}\0"
        )
        (tmp_path / "1" / "cmdline").write_text(command)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        thread = threading.Thread(target=answer_once, args=(listener, answer))
        thread.start()
        assert main(["healthcheck"]) == 0
        thread.join()

import socket
import threading
from collections.abc import Callable

import pytest

from exporter.cli import main


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

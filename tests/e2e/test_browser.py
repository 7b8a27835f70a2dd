"""The status page in a real browser."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.running import Running, running

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
)


@pytest.fixture(scope="module")
def demo(free_port: Callable[[], int]) -> Iterator[Running]:
    port = free_port()
    with running(port, "demo", f"--web.listen-address=127.0.0.1:{port}") as demo:
        demo.wait_until(lambda: demo.get("/-/ready").ok)
        yield demo


@pytest.fixture
def browse(program: Callable[[str], str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        return subprocess.run(
            [program("chromium"), *FLAGS, profile, *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    return run


@pytest.mark.parametrize(
    ("lang", "heading", "word"), [("en", "Page views", "Failing"), ("zh", "访问次数", "失败")]
)
def test_the_page_is_drawn_with_its_style_and_breaks_no_rule_of_its_own(
    demo: Running,
    browse: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    lang: str,
    heading: str,
    word: str,
) -> None:
    picture = tmp_path / "page.png"
    shot = browse(f"--screenshot={picture}", "--window-size=1400,1200", f"{demo.base_url}/?lang={lang}")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000  # an unstyled or empty page is smaller
    page = browse("--dump-dom", f"{demo.base_url}/?lang={lang}")
    for text in (heading, word, "coffee-shop", "早餐车"):
        assert text in page.stdout
    logged = shot.stderr + page.stderr
    assert "Content Security Policy" not in logged
    assert "Refused to" not in logged

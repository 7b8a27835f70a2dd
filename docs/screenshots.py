"""Takes the pictures of README in both languages by Chromium: the demo's status page, its alerts in a chat.

Run: python -m docs.screenshots
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import requests

from docs.alert_picture import alert_messages, chat_page, free_port

PICTURES: Final = Path(__file__).parent / "pictures"
SIZE: Final = "1280,900"
_ALERT_SIZE: Final = "800,296"
_VIEWS: Final = {
    "status.png": "lang=en&sort=visit_pv",
    "status.zh-CN.png": "lang=zh&sort=visit_pv",
    "failing.png": "lang=en&state=failing",
    "failing.zh-CN.png": "lang=zh&state=failing",
}
"""Figures lead; what fails, and what to do about it, comes second."""
_ALERTS: Final = {"alert.png": "en", "alert.zh-CN.png": "zh"}
_START_SECONDS: Final = 60
_ROUND_SECONDS: Final = 5  # in which every app of the demo is asked


@contextlib.contextmanager
def _demo() -> Iterator[str]:
    """Run the demo; gives its address."""
    address = f"127.0.0.1:{free_port()}"
    words = [sys.executable, "-m", "exporter", "demo", f"--web.listen-address={address}"]
    demo = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - ours
    try:
        end = time.monotonic() + _START_SECONDS
        while not _is_ready(f"http://{address}/-/ready"):
            if time.monotonic() > end or demo.poll() is not None:
                raise SystemExit("the demo does not start")
            time.sleep(0.2)
        time.sleep(_ROUND_SECONDS)
        yield address
    finally:
        demo.terminate()
        demo.wait()


def _is_ready(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def _take(url: str, picture: Path, size: str, profile: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("needs chromium")
    subprocess.run(  # noqa: S603 - our own words
        [
            *(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={profile}", f"--window-size={size}", f"--screenshot={picture}", url),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    sys.stdout.write(f"{picture} written\n")


def main() -> int:
    """Write a PNG for each view and for the alerts, in each language."""
    PICTURES.mkdir(exist_ok=True)
    with _demo() as address, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for picture, view in _VIEWS.items():
            _take(f"http://{address}/?{view}", PICTURES / picture, SIZE, folder / "profile")
        messages = alert_messages(address, folder)
        for picture, language in _ALERTS.items():
            page = folder / f"{language}.html"
            page.write_text(chat_page(language, messages[language]), "utf-8")
            _take(page.as_uri(), PICTURES / picture, _ALERT_SIZE, folder / "profile")
    return 0


if __name__ == "__main__":
    sys.exit(main())

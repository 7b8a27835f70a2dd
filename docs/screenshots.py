"""Takes the pictures of README: the demo's status page in both languages, by Chromium.

Run: python -m docs.screenshots
"""

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import requests

PICTURES: Final = Path(__file__).parent / "pictures"
SIZE: Final = "1280,900"
_VIEWS: Final = {
    "status.png": "lang=en&sort=visit_pv",
    "status.zh-CN.png": "lang=zh&sort=visit_pv",
    "failing.png": "lang=en&state=failing",
    "failing.zh-CN.png": "lang=zh&state=failing",
}
"""Figures lead; what fails, and what to do about it, comes second."""
_START_SECONDS: Final = 60
_ROUND_SECONDS: Final = 5  # in which every app of the demo is asked


@contextlib.contextmanager
def _demo() -> Iterator[str]:
    """Run the demo; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    words = [sys.executable, "-m", "exporter", "demo", f"--web.listen-address={address}"]
    demo = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - ours
    try:
        end = time.monotonic() + _START_SECONDS
        while not _is_ready(f"http://{address}/-/ready"):
            if time.monotonic() > end or demo.poll() is not None:
                raise SystemExit("the demo does not start")
            time.sleep(0.2)
        time.sleep(_ROUND_SECONDS)
        yield f"http://{address}"
    finally:
        demo.terminate()
        demo.wait()


def _is_ready(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def main() -> int:
    """Write a PNG for each view in each language."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("needs chromium")
    PICTURES.mkdir(exist_ok=True)
    with _demo() as address, tempfile.TemporaryDirectory() as profile:
        for name, view in _VIEWS.items():
            picture = PICTURES / name
            subprocess.run(  # noqa: S603 - our own words
                [
                    *(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                    *(f"--user-data-dir={profile}", f"--window-size={SIZE}", f"--screenshot={picture}"),
                    f"{address}/?{view}",
                ],
                check=True,
                capture_output=True,
                timeout=120,
            )
            sys.stdout.write(f"{picture} written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

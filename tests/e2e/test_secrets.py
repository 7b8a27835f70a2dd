"""Every output of a whole run, searched for every secret, token and password that was used in it."""

import base64
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import bcrypt
import pytest
import requests
import yaml

from exporter.config import load
from exporter.simulator.faults import Fault
from exporter.simulator.fleet import fake_appid, fleet
from exporter.simulator.server import Conditions, Simulator
from exporter.simulator.tokens import TokenDesk
from exporter.web import webconfig
from tests.running import COMMAND, Running, running

PASSWORD = "not-a-real-password"
HEADER = "not-a-real-service-key"
VARIABLE = "not-a-real-variable"
HASH = bcrypt.hashpw(PASSWORD.encode(), b"$2b$04$" + b"abcdefghijklmnopqrstuu").decode()
NOISY = (
    *(Fault.RESET, Fault.HTML_200, Fault.HTTP_502, Fault.REDIRECT, Fault.CUT_SHORT, Fault.MALFORMED_JSON),
    *(Fault.TOKEN_REJECTED, Fault.TOKEN_REJECTED_ONCE, Fault.UNKNOWN_ERRCODE, Fault.DIRTY_TEXT, Fault.GIANT),
    Fault.DRIP,
)
ALICE = {"Authorization": "Basic " + base64.b64encode(f"alice:{PASSWORD}".encode()).decode()}
FORMS: tuple[dict[str, str], ...] = ({}, {"Accept": "application/openmetrics-text"})
PAGES = ("/metrics", "/", "/?lang=zh", "/-/ready", "/-/healthy", "/nowhere")


class Told:
    """All that came out, by where."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def add(self, where: str, text: str) -> None:
        self.texts[where] = self.texts.get(where, "") + text

    def having(self, secrets: set[str]) -> list[str]:
        """Where one of them stands, as it is or encoded."""
        forms = {form for secret in secrets for form in encodings(secret)}
        return [where for where, text in self.texts.items() if any(form in text for form in forms)]


def encodings(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret, safe=""), encoded[:-2], secret[: len(secret) * 2 // 3]}


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every token that the stand-in WeChat ever issues."""
    issued: set[str] = set()
    for name in ("stable", "classic"):
        real: Callable[..., tuple[str, int]] = getattr(TokenDesk, name)

        def issue(
            desk: TokenDesk, *args: object, real: Callable[..., tuple[str, int]] = real
        ) -> tuple[str, int]:
            token, left = real(desk, *args)
            issued.add(token)
            return token, left

        monkeypatch.setattr(TokenDesk, name, issue)
    return issued


@pytest.fixture
def wechat(tokens: set[str]) -> Iterator[Simulator]:
    with Simulator(fleet(6, seed=1), Conditions(always_published=True)) as simulator:
        yield simulator


def settings(wechat: Simulator, folder: Path) -> dict[str, object]:
    """One app per way to a token, each with secrets of its own."""
    inline, filed, classic, variable, service, lent = wechat.apps
    (folder / "secret").write_text(filed.secret)
    apps = [
        {"appid": inline.appid, "secret": inline.secret},
        {"appid": filed.appid, "secret_file": str(folder / "secret")},
        {"appid": classic.appid, "token": {"type": "access_token", "secret": classic.secret}},
        {"appid": variable.appid, "secret": "${TEST_APP_SECRET}"},
        {
            "appid": service.appid,
            "token": {
                "type": "http",
                "url": f"{wechat.base_url}/token/{{appid}}?key={HEADER}",
                "headers": {"Authorization": f"Bearer {HEADER}"},
            },
        },
        {"appid": lent.appid, "token": {"type": "file", "path": str(folder / "token")}},
    ]
    return {
        "wechat": {"base_url": wechat.base_url, "timeout": "1s"},
        "refresh": {"interval": "1s", "requests_per_second": 0},
        "storage": {"url": "sqlite:///exporter.db"},
        "apps": apps,
    }


def ask_everything(exporter: Running, told: Told) -> None:
    for path in PAGES:
        for headers in ({}, ALICE, {"Authorization": "Basic " + base64.b64encode(b"alice:no").decode()}):
            for form in FORMS:
                answer = exporter.get(path, **headers, **form)
                told.add(path, answer.text + str(answer.headers))


def up(exporter: Running, number: int) -> bool:
    page = exporter.get("/metrics", **ALICE).text
    return re.search(rf'_up{{appid="{fake_appid(number)}".*}} 1\n', page) is not None


def test_no_output_of_a_whole_run_has_a_secret_in_it(
    wechat: Simulator,
    tokens: set[str],
    tmp_path: Path,
    free_port: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told()
    variable = wechat.apps[3].secret
    monkeypatch.setenv("TEST_APP_SECRET", variable)
    (tmp_path / "token").write_text(f"{VARIABLE}-of-another-program")
    config, web = tmp_path / "config.yaml", tmp_path / "web.yaml"
    good = settings(wechat, tmp_path)
    config.write_text(yaml.safe_dump(good))
    web.write_text(f"basic_auth_users: {{alice: {HASH}}}\n")
    secrets = {app.secret for app in wechat.apps[:4]} | {PASSWORD, HEADER, VARIABLE, HASH}

    told.add("repr", repr(load(config, {"TEST_APP_SECRET": variable})))
    told.add("repr", repr(webconfig.load(web, {})))
    port = free_port()
    flags = (f"--config.file={config}", f"--web.config.file={web}")
    more = (f"--web.listen-address=127.0.0.1:{port}", "--log.level=debug", "--web.enable-lifecycle")
    with running(port, *flags, *more) as exporter:
        exporter.wait_until(lambda: up(exporter, 1))
        ask_everything(exporter, told)
        for faults in zip(*[iter(NOISY)] * 4, strict=True):  # one for each app
            for app, fault in zip(wechat.apps, faults, strict=False):
                wechat.set_fault(app.appid, fault)
            seen = wechat.calls()
            exporter.wait_until(lambda seen=seen: wechat.calls() >= seen + 4)  # type: ignore[misc]
            told.add("/metrics", exporter.get("/metrics", **ALICE).text)
        ask_everything(exporter, told)
        config.write_text(yaml.safe_dump(good).replace("secret:", "secrte:").replace("headers:", "haeders:"))
        web.write_text(f"basic_auth_users: {{alice: {PASSWORD}, {PASSWORD}: {HASH}, bob: [{HASH}]}}\n")
        refused = requests.post(exporter.base_url + "/-/reload", headers=ALICE, timeout=10)
        assert refused.status_code == 500
        told.add("/-/reload", refused.text)
        web.write_text(f"basic_auth_users: {{alice: {HASH}}}\n")
        refused = requests.post(exporter.base_url + "/-/reload", headers=ALICE, timeout=10)
        assert "unknown key" in refused.text
        told.add("/-/reload", refused.text)
        checked = subprocess.run([*COMMAND, "check", *flags], capture_output=True, check=False, text=True)
        told.add("check", checked.stdout + checked.stderr)
        config.write_text(yaml.safe_dump(good))
        checked = subprocess.run(
            [*COMMAND, "check", "--online", *flags], capture_output=True, check=False, text=True
        )
        told.add("check --online", checked.stdout + checked.stderr)
        assert exporter.stop(signal.SIGTERM) == 0
        told.add("log", exporter.output())
    for file in tmp_path.glob("exporter.db*"):
        told.add("store", file.read_bytes().decode("latin-1"))

    assert "app failing" in told.texts["log"]
    assert len(tokens) >= 6
    assert told.having(secrets | tokens) == []
    assert Told.having(told, {"daily_visit"}) != []  # the search itself finds what is there

"""Every output of a whole run, searched for every secret, token and password that was used in it."""

import base64
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bcrypt
import pytest
import requests
import yaml

from exporter.config import load
from exporter.simulator.faults import Fault
from exporter.simulator.fleet import fake_appid, fleet
from exporter.simulator.platforms import PlatformDesk, SimPlatform
from exporter.simulator.server import Conditions, Simulator
from exporter.simulator.tokens import TokenDesk
from exporter.web.webconfig import loading as webconfig
from tests.redis_server import RedisServer, redis_server
from tests.running import COMMAND, Running, running, serving

PASSWORD = "not-a-real-password"
NEW_PASSWORD = "another-fake-password"
KEY = "bm90LWEtcmVhbC1rZXktbm90LWEtcmVhbC1rZXktISE="
PLATFORM = SimPlatform("main", "wxfa4ec00000000001", "not-a-real-component-secret")
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


class RunOutput:
    """All that came out, by where."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def add(self, where: str, text: str) -> None:
        self.texts[where] = self.texts.get(where, "") + text

    def having(self, secrets: set[str]) -> list[str]:
        """Return where one of them stands, as it is or encoded."""
        forms = {form for secret in secrets for form in encodings(secret)}
        return [where for where, text in self.texts.items() if any(form in text for form in forms)]


def encodings(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret, safe=""), encoded[:-2], secret[: len(secret) * 2 // 3]}


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return every token, refresh token and ticket that the stand-in WeChat ever issues."""
    issued: set[str] = set()
    for name in ("stable", "classic", "issue"):
        real: Callable[..., tuple[str, int]] = getattr(TokenDesk, name)

        def issue(
            desk: TokenDesk, *args: object, real: Callable[..., tuple[str, int]] = real
        ) -> tuple[str, int]:
            token, left = real(desk, *args)
            issued.add(token)
            return token, left

        monkeypatch.setattr(TokenDesk, name, issue)
    fresh = PlatformDesk._fresh

    def issue_fresh(desk: PlatformDesk) -> str:
        text = fresh(desk)
        issued.add(text)
        return text

    monkeypatch.setattr(PlatformDesk, "_fresh", issue_fresh)
    return issued


@pytest.fixture
def wechat(tokens: set[str]) -> Iterator[Simulator]:
    with Simulator(fleet(6, seed=1), Conditions(always_published=True)) as simulator:
        yield simulator


def settings(wechat: Simulator, folder: Path) -> dict[str, object]:
    """Return one app per way to a token, each with secrets of its own."""
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
        "storage": {"url": "sqlite:///exporter.db", "encryption_key": KEY},
        "apps": apps,
    }


def ask_everything(exporter: Running, output: RunOutput) -> None:
    for path in PAGES:
        for headers in ({}, ALICE, {"Authorization": "Basic " + base64.b64encode(b"alice:no").decode()}):
            for form in FORMS:
                answer = exporter.get(path, **headers, **form)
                output.add(path, answer.text + str(answer.headers))


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
    output = RunOutput()
    variable = wechat.apps[3].secret
    monkeypatch.setenv("TEST_APP_SECRET", variable)
    (tmp_path / "token").write_text(f"{VARIABLE}-of-another-program")
    config, web = tmp_path / "config.yaml", tmp_path / "web.yaml"
    good = settings(wechat, tmp_path)
    config.write_text(yaml.safe_dump(good))
    web.write_text(f"basic_auth_users: {{alice: {HASH}}}\n")
    secrets = {app.secret for app in wechat.apps[:4]} | {PASSWORD, HEADER, VARIABLE, HASH, KEY}

    output.add("repr", repr(load(config, {"TEST_APP_SECRET": variable})))
    output.add("repr", repr(webconfig.load(web, {})))
    port = free_port()
    flags = (f"--config.file={config}", f"--web.config.file={web}")
    more = (f"--web.listen-address=127.0.0.1:{port}", "--log.level=debug", "--web.enable-lifecycle")
    with running(port, *flags, *more) as exporter:
        exporter.wait_until(lambda: up(exporter, 1))
        ask_everything(exporter, output)
        for faults in zip(*[iter(NOISY)] * 4, strict=True):  # one for each app
            for app, fault in zip(wechat.apps, faults, strict=False):
                wechat.faults.switch(app.appid, fault)
            seen = wechat.calls()
            exporter.wait_until(lambda seen=seen: wechat.calls() >= seen + 4)  # type: ignore[misc]
            output.add("/metrics", exporter.get("/metrics", **ALICE).text)
        ask_everything(exporter, output)
        config.write_text(yaml.safe_dump(good).replace("secret:", "secrte:").replace("headers:", "haeders:"))
        web.write_text(f"basic_auth_users: {{alice: {PASSWORD}, {PASSWORD}: {HASH}, bob: [{HASH}]}}\n")
        refused = requests.post(exporter.base_url + "/-/reload", headers=ALICE, timeout=10)
        assert refused.status_code == 500
        output.add("/-/reload", refused.text)
        web.write_text(f"basic_auth_users: {{alice: {HASH}}}\n")
        refused = requests.post(exporter.base_url + "/-/reload", headers=ALICE, timeout=10)
        assert "unknown key" in refused.text
        output.add("/-/reload", refused.text)
        checked = subprocess.run([*COMMAND, "check", *flags], capture_output=True, check=False, text=True)
        output.add("check", checked.stdout + checked.stderr)
        config.write_text(yaml.safe_dump(good))
        checked = subprocess.run(
            [*COMMAND, "check", "--online", *flags], capture_output=True, check=False, text=True
        )
        output.add("check --online", checked.stdout + checked.stderr)
        assert exporter.stop(signal.SIGTERM) == 0
        output.add("log", exporter.output())
    for file in tmp_path.glob("exporter.db*"):
        output.add("store", file.read_bytes().decode("latin-1"))

    assert "app failing" in output.texts["log"]
    assert len(tokens) >= 5
    assert output.having(secrets | tokens) == []
    assert RunOutput.having(output, {"daily_visit"}) != []  # the search itself finds what is there


@pytest.fixture
def redis(
    program: Callable[[str], str], tmp_path: Path, free_port: Callable[[], int]
) -> Iterator[RedisServer]:
    password = ("--requirepass", PASSWORD)
    with redis_server(program, tmp_path / "redis", free_port(), *password) as server:
        yield server


@pytest.fixture
def platform(tokens: set[str]) -> Iterator[Simulator]:
    conditions = Conditions(always_published=True)
    with Simulator(fleet(4, seed=1), conditions, platforms=[PLATFORM]) as simulator:
        yield simulator


def shared_settings(wechat: Simulator, redis: RedisServer, folder: Path) -> dict[str, object]:
    """Return settings of a stable, a classic and two discovered accounts, with a storage's password."""
    stable, classic = wechat.apps[:2]
    (folder / "ticket").write_text(wechat.new_ticket("main"))
    (folder / "password").write_text(PASSWORD)
    (folder / "key").write_text(KEY)
    return {
        "wechat": {"base_url": wechat.base_url, "timeout": "1s"},
        "refresh": {"interval": "1s", "requests_per_second": 0},
        "storage": {
            "url": redis.url,
            "password_file": str(folder / "password"),
            "encryption_key_file": str(folder / "key"),
        },
        "apps": [
            {"appid": stable.appid, "secret": stable.secret},
            {"appid": classic.appid, "token": {"type": "access_token", "secret": classic.secret}},
        ],
        "platforms": [
            {
                "name": "main",
                "component_appid": PLATFORM.component_appid,
                "component_appsecret": PLATFORM.secret,
                "verify_ticket": {"file": str(folder / "ticket")},
                "discover": True,
            }
        ],
    }


def content(client: Any) -> str:
    """Return all that Redis has: names, values, and the values as it would hand them to another Redis."""
    output = []
    for key in client.scan_iter():
        kind = client.type(key)
        read = {"string": client.get, "hash": client.hgetall}.get(kind) or (
            lambda key: client.zrange(key, 0, -1, withscores=True)
        )
        output += [key, repr(read(key))]
    return "\n".join(output)


def test_with_a_key_neither_redis_nor_any_output_has_a_secret_in_it(
    platform: Simulator,
    redis: RedisServer,
    tokens: set[str],
    tmp_path: Path,
    free_port: Callable[[], int],
) -> None:
    output = RunOutput()
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(shared_settings(platform, redis, tmp_path)))
    output.add("repr", repr(load(config, {})))
    with serving(config, free_port(), "--log.level=debug") as exporter:
        exporter.wait_until(lambda: all(up(exporter, number) for number in range(1, 5)))
        platform.faults.switch(fake_appid(1), Fault.TOKEN_REJECTED_ONCE)
        admin: Any = redis.client(password=PASSWORD)
        admin.config_set("requirepass", NEW_PASSWORD)
        admin.client_kill_filter(_type="normal", skipme=True)
        exporter.wait_until(lambda: "storage fails" in exporter.output())
        output.add("/metrics", exporter.get("/metrics").text)
        (tmp_path / "password").write_text(NEW_PASSWORD)
        exporter.wait_until(lambda: "storage works again" in exporter.output())
        ask_everything(exporter, output)
        checked = subprocess.run(
            [*COMMAND, "check", "--online", f"--config.file={config}"],
            capture_output=True,
            check=False,
            text=True,
        )
        output.add("check --online", checked.stdout + checked.stderr)
        assert exporter.stop(signal.SIGTERM) == 0
        output.add("log", exporter.output())
    output.add("redis", content(admin))
    admin.close()
    redis.kill()
    for file in filter(Path.is_file, (tmp_path / "redis").rglob("*")):
        output.add("redis' files", file.read_bytes().decode("latin-1"))

    secrets = {app.secret for app in platform.apps[:2]} | {PASSWORD, NEW_PASSWORD, KEY, PLATFORM.secret}
    assert len(tokens) >= 2 + 1 + 2 * 3  # a stable and a classic token, the component's, the accounts'
    assert output.having(secrets | tokens) == []
    kept = (
        "credential:refresh_token/",
        "credential:listing/",
        "credential:access_token/",
        "credential:component_token/",
    )
    assert all(f"wechat-miniprogram:{name}" in output.texts["redis"] for name in kept)
    assert "sealed:" in output.texts["redis' files"]


def test_without_a_key_the_tokens_are_there_so_that_the_search_would_find_them(
    platform: Simulator,
    redis: RedisServer,
    tokens: set[str],
    tmp_path: Path,
    free_port: Callable[[], int],
) -> None:
    settings: Any = shared_settings(platform, redis, tmp_path)
    del settings["storage"]["encryption_key_file"]
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(settings))
    with serving(config, free_port()) as exporter:
        exporter.wait_until(lambda: all(up(exporter, number) for number in range(1, 5)))
    output = RunOutput()
    client: Any = redis.client(password=PASSWORD)
    output.add("redis", content(client))
    client.close()
    assert output.having(tokens) == ["redis"]

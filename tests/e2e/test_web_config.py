"""`--web.config.file` with real peers: Prometheus, curl and openssl."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bcrypt
import pytest
import requests

from exporter.cli import main
from tests.certificates import Authority
from tests.running import Running, running

HASH = bcrypt.hashpw(b"sesame", b"$2b$05$" + b"abcdefghijklmnopqrstuu").decode()
SERVER = "cert_file: server.pem, key_file: server.key"
MUTUAL = f"{SERVER}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem"
OLD_TLS = ("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
CONFIG = """
wechat: {base_url: "http://127.0.0.1:9"}
storage: {url: "memory://"}
apps: [{appid: wx0123456789abcdef, secret: not-a-real-secret}]
"""
JOB = """
  - job_name: {job}
    scheme: https
    basic_auth: {{username: prometheus, password: {password}}}
    tls_config: {{ca_file: ca.pem, cert_file: {client}.pem, key_file: {client}.key}}
    static_configs: [{{targets: ["{target}"]}}]
"""
CLIENTS = {
    "ours": ("prometheus", "sesame"),
    "guess": ("prometheus", "wrong"),
    "other": ("stranger", "sesame"),
}


class Secured:
    """An exporter behind a web configuration, and the peers that talk to it."""

    def __init__(self, exporter: Running, folder: Path, port: int, program: Callable[[str], str]) -> None:
        self.exporter = exporter
        self.folder = folder
        self.port = port
        self.program = program

    def curl(self, path: str, *options: str, scheme: str = "https") -> tuple[int, str]:
        """Return exit code, and status code with the headers."""
        url = f"{scheme}://127.0.0.1:{self.port}{path}"
        command = [self.program("curl"), "-s", "--max-time", "5", "-D", "-", "-o", "body", *options, url]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False, text=True)
        return done.returncode, done.stdout

    def s_client(self, *options: str) -> str:
        """Return what openssl tells of a handshake."""
        command = [self.program("openssl"), "s_client", "-connect", f"127.0.0.1:{self.port}", *options]
        done = subprocess.run(
            command, cwd=self.folder, input=b"Q\n", capture_output=True, check=False, timeout=10
        )
        return (done.stdout + done.stderr).decode(errors="replace")

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, self.exporter.output()
            time.sleep(0.1)


Secure = Callable[[str], Secured]


@pytest.fixture
def secure(tmp_path: Path, free_port: Callable[[], int], program: Callable[[str], str]) -> Iterator[Secure]:
    """Start an exporter with a web configuration of that text; its WeChat is away."""
    authority = Authority(tmp_path)
    for name in ("server", "prometheus", "stranger"):
        authority.issue(name)
    port = free_port()
    path = tmp_path / "web.yaml"
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    address = f"--web.listen-address=127.0.0.1:{port}"
    command = running(port, f"--config.file={config}", address, f"--web.config.file={path}")

    def start(text: str) -> Secured:
        path.write_text(text)
        secured = Secured(command.__enter__(), tmp_path, port, program)
        secured.until(lambda: _listens(port))
        return secured

    yield start
    command.__exit__(None, None, None)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_prometheus_scrapes_with_its_certificate_and_password_and_nobody_else_does(
    secure: Secure, free_port: Callable[[], int]
) -> None:
    secured = secure(
        f"tls_server_config: {{{MUTUAL}, client_allowed_sans: [prometheus]}}\n"
        f"basic_auth_users: {{prometheus: {HASH}}}\n"
    )
    config = secured.folder / "prometheus.yaml"
    target = f"localhost:{secured.port}"
    jobs = (
        JOB.format(job=job, client=client, password=password, target=target)
        for job, (client, password) in CLIENTS.items()
    )
    config.write_text("global: {scrape_interval: 1s}\nscrape_configs:" + "".join(jobs))
    port = free_port()
    process = subprocess.Popen(
        [
            secured.program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={secured.folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
    )
    query = f"http://127.0.0.1:{port}/api/v1/query?query=last_over_time(up[1m])"
    found: dict[str, str] = {}

    def scraped() -> bool:
        try:
            result = requests.get(query, timeout=5).json()["data"]["result"]
        except (requests.ConnectionError, requests.JSONDecodeError, KeyError):
            return False  # it does not listen yet, or answers that it is not ready
        found.update((each["metric"]["job"], each["value"][1]) for each in result)
        return len(found) == len(CLIENTS)

    try:
        secured.until(scraped)
    finally:
        process.terminate()
        process.wait(20)
    assert found == {"ours": "1", "guess": "0", "other": "0"}


def test_curl_meets_the_same_rules_on_every_path(secure: Secure) -> None:
    secured = secure(
        f"tls_server_config: {{{SERVER}}}\nbasic_auth_users: {{alice: {HASH}}}\n"
        "http_server_config: {headers: {Strict-Transport-Security: max-age=60, X-Frame-Options: deny}}\n"
    )
    for path in ("/metrics", "/", "/-/healthy", "/nowhere", "/%2e%2e/metrics", "//metrics", "/style.css"):
        _, report = secured.curl(path, "--cacert", "ca.pem")
        assert report.startswith("HTTP/1.1 401"), path
        assert "strict-transport-security: max-age=60" in report
        assert "x-frame-options: deny" in report
        assert "x-content-type-options: nosniff" in report
        assert "server:" not in report.lower()
        assert (secured.folder / "body").read_text() == "Unauthorized\n"
    for _ in range(2):  # the second one is remembered
        _, report = secured.curl("/metrics", "--cacert", "ca.pem", "--user", "alice:sesame")
        assert report.startswith("HTTP/1.1 200")
        assert report.count("strict-transport-security: max-age=60") == 1
        assert "wechat_miniprogram_info{" in (secured.folder / "body").read_text("utf-8")
    assert secured.curl("/metrics", "--user", "alice:sesame")[0] == 60  # curl does not know the authority
    assert secured.curl("/metrics", scheme="http")[0] != 0


@pytest.mark.parametrize(
    ("settings", "agreed"),
    [
        ("", {("-tls1_2",): "TLSv1.2", ("-tls1_3",): "TLSv1.3", OLD_TLS: ""}),
        ("min_version: TLS13", {("-tls1_2",): ""}),
        ("max_version: TLS12", {("-tls1_3",): ""}),
        ("min_version: TLS11", {OLD_TLS: "TLSv1.1"}),
        (
            "max_version: TLS12, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]",
            {
                ("-tls1_2",): "ECDHE-ECDSA-AES256-GCM-SHA384",
                ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"): "",
            },
        ),
        (
            "curve_preferences: [CurveP384]",
            {
                ("-tls1_3", "-curves", "P-384:P-256"): "secp384r1",
                ("-tls1_3", "-curves", "P-256"): "",
            },
        ),
    ],
)
def test_openssl_agrees_on_what_the_file_says_and_on_nothing_else(
    secure: Secure, settings: str, agreed: dict[tuple[str, ...], str]
) -> None:
    secured = secure(f"tls_server_config: {{{SERVER}{', ' if settings else ''}{settings}}}")
    for options, choice in agreed.items():
        report = secured.s_client("-CAfile", "ca.pem", *options)
        if choice:
            assert choice in report, options
            assert "Verify return code: 0 (ok)" in report
        else:
            assert "Cipher is (NONE)" in report, options


def test_a_client_without_a_certificate_is_let_in_only_where_none_is_needed(secure: Secure) -> None:
    optional = MUTUAL.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    secured = secure(f"tls_server_config: {{{optional}}}")
    ours = ("--cert", "prometheus.pem", "--key", "prometheus.key")
    foreign = Authority(secured.folder, "elsewhere").issue("foreigner")
    assert secured.curl("/-/healthy", "--cacert", "ca.pem")[1].startswith("HTTP/1.1 200")
    assert secured.curl("/-/healthy", "--cacert", "ca.pem", *ours)[1].startswith("HTTP/1.1 200")
    refused, _ = secured.curl(
        "/-/healthy", "--cacert", "ca.pem", "--cert", foreign.cert.name, "--key", foreign.key.name
    )
    assert refused != 0


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_refused_client_certificate_is_logged_once_and_not_a_thousand_times(
    secure: Secure, version: str
) -> None:
    secured = secure(f"tls_server_config: {{{MUTUAL}, client_allowed_sans: [prometheus]}}")
    foreign = Authority(secured.folder, "elsewhere").issue("foreigner")
    tls = ("--cacert", "ca.pem", "--tls-max", version)
    for options in ((), ("--cert", foreign.cert.name, "--key", foreign.key.name)) * 5:
        assert secured.curl("/-/healthy", *tls, *options)[0] != 0
    secured.curl("/-/healthy", *tls, "--cert", "stranger.pem", "--key", "stranger.key")
    lines = [line for line in secured.exporter.output().splitlines() if "client certificate refused" in line]
    assert len(lines) == 1
    assert "client=127.0.0.1" in lines[0]
    assert 'error="none was sent"' in lines[0]


def test_rotated_certificates_and_users_take_effect_and_a_bad_file_does_not(secure: Secure) -> None:
    secured = secure(f"tls_server_config: {{{SERVER}}}\nbasic_auth_users: {{alice: {HASH}}}\n")
    alice = ("--user", "alice:sesame", "--cacert", "ca.pem")
    assert secured.curl("/-/healthy", *alice)[1].startswith("HTTP/1.1 200")

    Authority(secured.folder).issue("server")  # another authority of the same name
    secured.until(lambda: secured.curl("/-/healthy", *alice)[1].startswith("HTTP/1.1 200"))

    path = secured.folder / "web.yaml"
    path.write_text(f"tls_server_config: {{{SERVER}}}\nbasic_auth_users: {{bob: {HASH}}}\n")
    secured.until(lambda: secured.curl("/-/healthy", *alice)[1].startswith("HTTP/1.1 401"))
    bob = ("--user", "bob:sesame", "--cacert", "ca.pem")
    assert secured.curl("/-/healthy", *bob)[1].startswith("HTTP/1.1 200")

    path.write_text("basic_auth_users: {carol: sesame}\n")
    secured.until(lambda: "web configuration refused, the old one stays" in secured.exporter.output())
    assert secured.curl("/-/healthy", *bob)[1].startswith("HTTP/1.1 200")
    assert "sesame" not in secured.exporter.output()


@pytest.mark.parametrize(
    "text",
    [
        f"tls_server_config: {{{SERVER}}}",
        f"basic_auth_users: {{alice: {HASH}}}",
        f"tls_server_config: {{{MUTUAL}}}\nbasic_auth_users: {{alice: {HASH}}}",
        "",
    ],
    ids=["tls", "users", "both", "nothing"],
)
def test_the_health_check_needs_neither_password_nor_certificate(secure: Secure, text: str) -> None:
    secured = secure(text)
    address = f"--web.listen-address=127.0.0.1:{secured.port}"
    assert main(["healthcheck", address, f"--web.config.file={secured.folder / 'web.yaml'}"]) == 0


def test_check_and_serve_refuse_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text("apps: [{appid: wx0123456789abcdef, secret: not-a-real-secret}]")
    flags = [f"--config.file={tmp_path / 'config.yaml'}", f"--web.config.file={tmp_path / 'web.yaml'}"]
    (tmp_path / "web.yaml").write_text("basic_auth_users: {alice: sesame}\n")
    for command in ("check", "serve"):
        assert main([command, *flags]) == 2
        assert "web.yaml:1: basic_auth_users.alice: the text is not a bcrypt hash" in capsys.readouterr().err
    (tmp_path / "web.yaml").write_text(f"basic_auth_users: {{alice: {HASH}}}\n")
    assert main(["check", *flags]) == 0
    assert "web.yaml: OK\n" in capsys.readouterr().out

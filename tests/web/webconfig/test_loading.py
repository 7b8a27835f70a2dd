"""Whole files: the good ones load, the bad ones give exactly the errors in their first lines."""

import shutil
import ssl
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.config.problems import ConfigError
from exporter.web.webconfig.loading import WebConfig, load
from tests.certificates import Authority

HERE = Path(__file__).parent
GOOD = sorted(path.name for path in (HERE / "good").glob("*.yaml"))
BAD = sorted(path.name for path in (HERE / "bad").glob("*.yaml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return all sample files beside the certificates that they name."""
    folder = tmp_path_factory.mktemp("web")
    authority = Authority(folder)
    for name in ("server", "other"):
        authority.issue(name)
    authority.issue("encrypted", b"sesame")
    (folder / "garbage.pem").write_text("sesame")
    for path in (*(HERE / "good").iterdir(), *(HERE / "bad").iterdir()):
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gives_the_errors_that_it_announces(name: str, inside: Path) -> None:
    lines = Path(name).read_text("utf-8").splitlines()
    announced = [line.removeprefix("# error: ") for line in lines if line.startswith("# error: ")]
    with pytest.raises(ConfigError) as caught:
        load(Path(name), {})
    assert list(caught.value.problems) == announced
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_loads(name: str, inside: Path) -> None:
    assert load(Path(name), {}).files[0] == Path(name)


@pytest.mark.parametrize("name", ["empty.yaml", "only-comments.yaml", "switched-off.yaml"])
def test_a_file_that_asks_for_nothing_switches_nothing_on(name: str, inside: Path) -> None:
    assert load(Path(name), {}) == WebConfig(files=(Path(name),))


def test_a_file_with_every_key_loads_as_written(inside: Path) -> None:
    config = load(Path("everything.yaml"), {})
    assert config.tls is not None
    assert config.tls.verify_mode is ssl.CERT_REQUIRED
    assert config.tls.maximum_version is ssl.TLSVersion.TLSv1_2
    chosen = [each["name"] for each in config.tls.get_ciphers() if each["protocol"] != "TLSv1.3"]
    assert chosen == ["ECDHE-ECDSA-AES256-GCM-SHA384"]
    assert not config.tls.options & ssl.OP_CIPHER_SERVER_PREFERENCE
    assert config.allowed_sans == {"prometheus", "127.0.0.1"}
    assert dict(config.headers)[b"x-frame-options"] == b"deny"
    assert list(config.users) == ["prometheus"]
    assert (config.rate_limit.interval, config.rate_limit.burst) == (0.1, 20)
    assert [path.name for path in config.files] == ["everything.yaml", "server.pem", "server.key", "ca.pem"]


def test_without_a_word_about_it_tls_is_of_version_1_2_or_newer(inside: Path) -> None:
    context = load(Path("tls.yaml"), {}).tls
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_NONE
    assert context.options & ssl.OP_CIPHER_SERVER_PREFERENCE


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("client-none.yaml", ssl.CERT_NONE),
        ("client-request.yaml", ssl.CERT_NONE),
        ("client-if-given.yaml", ssl.CERT_OPTIONAL),
    ],
)
def test_what_is_asked_of_clients(name: str, mode: ssl.VerifyMode, inside: Path) -> None:
    context = load(Path(name), {}).tls
    assert context is not None
    assert context.verify_mode is mode


def test_certificate_key_and_authority_can_be_written_in_place(inside: Path) -> None:
    texts = {"cert": "server.pem", "key": "server.key", "client_ca": "ca.pem"}
    lines = ["tls_server_config:", "  client_auth_type: RequireAndVerifyClientCert"]
    for key, file in texts.items():
        lines += [f"  {key}: |", *(f"    {line}" for line in Path(file).read_text("ascii").splitlines())]
    Path("inline.yaml").write_text("\n".join(lines))
    config = load(Path("inline.yaml"), {})
    assert config.tls is not None
    assert config.tls.get_ca_certs()
    assert config.files == (Path("inline.yaml"),)


def test_neither_hash_nor_key_is_in_a_repr(inside: Path) -> None:
    assert "$2y$" not in repr(load(Path("everything.yaml"), {}))


def test_a_missing_file_is_a_clear_error(inside: Path) -> None:
    with pytest.raises(ConfigError, match=r"^none\.yaml: No such file or directory$"):
        load(Path("none.yaml"), {})


KEYS = st.sampled_from(
    [
        *(
            "tls_server_config",
            "http_server_config",
            "basic_auth_users",
            "rate_limit",
            "cert_file",
            "key_file",
        ),
        *(
            "client_auth_type",
            "client_allowed_sans",
            "min_version",
            "cipher_suites",
            "headers",
            "burst",
            "key",
        ),
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["server.pem", "1s"])
)
DATA = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ANY = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def only_config_errors(content: bytes) -> None:
    Path("any.yaml").write_bytes(content)
    try:
        load(Path("any.yaml"), {})
    except ConfigError as error:
        assert all(line.startswith("any.yaml") and "\n" not in line for line in error.problems)  # noqa: PT017


@ANY
@given(st.binary(max_size=120))
def test_arbitrary_bytes_never_raise_anything_else(inside: Path, content: bytes) -> None:
    only_config_errors(content)


@ANY
@given(st.dictionaries(KEYS, DATA, max_size=4))
def test_arbitrary_data_never_raises_anything_else(inside: Path, data: object) -> None:
    only_config_errors(yaml.safe_dump(data).encode("utf-8", "surrogatepass"))

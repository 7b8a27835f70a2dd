import os
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from structlog.typing import FilteringBoundLogger

from exporter.config.problems import ConfigError
from exporter.web.webconfig import watch as module
from exporter.web.webconfig.loading import WebConfig
from exporter.web.webconfig.watch import WebConfigWatch
from tests.certificates import Authority

HASH = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4)).decode()
TLS = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n"
MUTUAL = TLS.replace("}", ", client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert}")
SECTIONS = {
    "users": f"basic_auth_users: {{alice: {HASH}}}\n",
    "tls": TLS,
    "mutual": MUTUAL,
    "given": MUTUAL.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven"),
    "sans": MUTUAL.replace("}", ", client_allowed_sans: [prometheus]}"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_text(f"basic_auth_users: {{alice: {HASH}}}\n")
    return path


@pytest.fixture
def taken() -> list[WebConfig]:
    return []


@pytest.fixture
def watch(path: Path, taken: list[WebConfig], log: FilteringBoundLogger) -> WebConfigWatch:
    return WebConfigWatch(path, {}, taken.append, log)


def look(watch: WebConfigWatch) -> None:
    """Look as often as a change needs that is over."""
    for _ in range(2):
        watch.look()


def test_a_bad_file_is_an_error_at_the_start(tmp_path: Path, log: FilteringBoundLogger) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        WebConfigWatch(tmp_path / "none.yaml", {}, lambda _: None, log)


def test_what_did_not_change_is_not_read_again(watch: WebConfigWatch, taken: list[WebConfig]) -> None:
    look(watch)
    assert len(taken) == 1


def test_a_new_user_is_taken_over(watch: WebConfigWatch, path: Path, taken: list[WebConfig]) -> None:
    path.write_text(f"basic_auth_users: {{alice: {HASH}, bob: {HASH}}}\n")
    look(watch)
    assert [list(config.users) for config in taken] == [["alice"], ["alice", "bob"]]


def test_a_bad_new_file_is_refused_and_logged_once(
    watch: WebConfigWatch, path: Path, taken: list[WebConfig], events: list[Any]
) -> None:
    path.write_text("basic_auth_users: {alice: sesame}\n")
    look(watch)
    look(watch)
    assert len(taken) == 1
    assert [event["event"] for event in events] == ["web configuration refused, the old one stays"]
    assert "web.yaml:1: basic_auth_users.alice" in events[0]["error"]
    assert "sesame" not in events[0]["error"]


def test_a_rotated_certificate_is_noticed_though_the_file_stays(
    tmp_path: Path, path: Path, taken: list[WebConfig], log: FilteringBoundLogger
) -> None:
    Authority(tmp_path).issue("server")
    path.write_text(TLS)
    watch = WebConfigWatch(path, {}, taken.append, log)
    Authority(tmp_path).issue("server")
    look(watch)
    assert taken[1].tls is not taken[0].tls


def test_a_key_that_comes_later_than_its_certificate_is_waited_for(
    tmp_path: Path, path: Path, taken: list[WebConfig], log: FilteringBoundLogger, events: list[Any]
) -> None:
    old = Authority(tmp_path).issue("server").key.read_bytes()
    path.write_text(TLS)
    watch = WebConfigWatch(path, {}, taken.append, log)
    new = Authority(tmp_path).issue("server").key
    right = new.read_bytes()
    new.write_bytes(old)
    look(watch)
    assert "the key does not belong to the certificate" in events[0]["error"]
    new.write_bytes(right)
    os.utime(new, ns=(1, 1))
    look(watch)
    assert len(taken) == 2


def test_a_file_that_is_gone_is_logged_and_the_old_one_stays(
    watch: WebConfigWatch, path: Path, taken: list[WebConfig], events: list[Any]
) -> None:
    path.unlink()
    look(watch)
    assert len(taken) == 1
    assert "No such file" in events[0]["error"]


def test_a_file_that_is_being_written_is_read_when_it_stays_still(
    watch: WebConfigWatch, path: Path, taken: list[WebConfig], events: list[Any]
) -> None:
    watch.look()
    for length in (10, 20, 30):
        path.write_text(path.read_text()[:length])
        assert not watch.look()
    path.write_text(f"basic_auth_users: {{bob: {HASH}}}\n")
    assert [watch.look() for _ in range(3)] == [False, True, False]
    assert [list(config.users) for config in taken] == [["alice"], ["bob"]]
    assert [event["event"] for event in events] == ["web configuration read"]


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("users", "", "basic_auth_users"),
        ("users", "# nothing\n", "basic_auth_users"),
        ("users, tls", "tls", "basic_auth_users"),
        ("users, tls", "users", "tls_server_config"),
        ("mutual", "tls", "tls_server_config.client_auth_type"),
        ("mutual", "given", "tls_server_config.client_auth_type"),
        ("given", "tls", "tls_server_config.client_auth_type"),
        ("sans", "mutual", "tls_server_config.client_allowed_sans"),
    ],
)
def test_protection_that_is_gone_from_the_file_stays_in_force(
    tmp_path: Path,
    taken: list[WebConfig],
    log: FilteringBoundLogger,
    events: list[Any],
    before: str,
    after: str,
    key: str,
) -> None:
    Authority(tmp_path).issue("server")
    path = tmp_path / "web.yaml"
    path.write_text("".join(SECTIONS.get(name, name) for name in before.split(", ")))
    watch = WebConfigWatch(path, {}, taken.append, log)
    path.write_text("".join(SECTIONS.get(name, name) for name in after.split(", ")))
    for _ in range(3):
        look(watch)
    assert len(taken) == 1
    (event,) = events
    assert f"{key} is in force and no longer in the file" in event["error"]
    assert watch.problem == event["error"]
    path.write_text("".join(SECTIONS.get(name, name) for name in before.split(", ")) + "# again\n")
    look(watch)
    assert watch.problem is None


@pytest.mark.parametrize(("before", "after"), [("tls", "sans"), ("# nothing\n", "users"), ("mutual", "sans")])
def test_protection_may_be_added_at_any_time(
    tmp_path: Path, taken: list[WebConfig], log: FilteringBoundLogger, before: str, after: str
) -> None:
    Authority(tmp_path).issue("server")
    path = tmp_path / "web.yaml"
    path.write_text(SECTIONS.get(before, before))
    watch = WebConfigWatch(path, {}, taken.append, log)
    path.write_text(SECTIONS.get(after, after))
    look(watch)
    assert len(taken) == 2


def test_what_made_a_reading_fail_is_looked_at_again_whatever_it_was(
    watch: WebConfigWatch, taken: list[WebConfig], events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> WebConfig:
        raise ConfigError(("server.key: Permission denied",))

    monkeypatch.setattr(module, "load", unreadable)
    watch.reload()
    assert [watch.look() for _ in range(3)] == [False, True, True]
    monkeypatch.undo()
    look(watch)  # no file has another time or size: a mode was changed
    assert len(taken) == 2
    assert watch.problem is None
    assert [each["event"] for each in events] == [
        "web configuration refused, the old one stays",
        "web configuration read",
    ]

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.secret import Secret
from exporter.store.encryption import Seal
from exporter.store.interface import StoreError
from tests.wechat.lines import everything_in

OLD = "bm90LWEtcmVhbC1rZXktbm90LWEtcmVhbC1rZXktISE="
NEW = "YW5vdGhlci1mYWtlLWtleS1hbm90aGVyLWZha2Uta2U="
TEXT = "not-a-real-refresh-token"


def seal(key: str) -> Seal:
    return Seal(Secret(key))


@given(st.text())
def test_what_is_sealed_is_opened_again(text: str) -> None:
    some = seal(OLD)
    assert some.open(some.close(text)) == text


def test_nothing_of_the_text_or_the_key_can_be_read(tmp_path: Path) -> None:
    some = seal(OLD)
    kept = some.close(TEXT)
    assert "not-a-real" not in kept
    assert some.close(TEXT) != kept  # equal texts do not look equal
    assert OLD not in repr(some)


def test_texts_from_before_there_was_a_key_are_read_as_they_are() -> None:
    assert seal(OLD).open(TEXT) == TEXT


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    rotated = seal(f"{NEW}, {OLD}")
    assert rotated.open(seal(OLD).close(TEXT)) == TEXT
    assert seal(NEW).open(rotated.close(TEXT)) == TEXT


def test_another_key_is_refused_with_an_advice() -> None:
    kept = seal(OLD).close(TEXT)
    with pytest.raises(StoreError, match="put the old one behind the new one") as refused:
        seal(NEW).open(kept)
    assert kept not in everything_in(refused.value)


def test_a_text_that_was_changed_is_refused() -> None:
    kept = seal(OLD).close(TEXT)
    with pytest.raises(StoreError):
        seal(OLD).open(kept[:-4] + "AAA=")


def test_without_a_key_texts_are_kept_as_they_are_and_sealed_ones_ask_for_it() -> None:
    plain = Seal(None)
    assert plain.open(plain.close(TEXT)) == TEXT
    with pytest.raises(StoreError, match=r"set storage\.encryption_key_file"):
        plain.open(seal(OLD).close(TEXT))


def test_a_key_is_what_fernet_makes(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(Fernet.generate_key() + b"\n")
    some = Seal(Secret(path=tmp_path / "key"))
    assert some.open(some.close(TEXT)) == TEXT


@pytest.mark.parametrize("key", ["sesame-sesame", "", f"{OLD},sesame-sesame", f"{OLD},"])
def test_what_is_no_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(StoreError, match="not 32 bytes as URL-safe base64") as refused:
        seal(key)
    report = str(refused.value) + repr(refused.value)
    assert "sesame" not in report
    assert OLD not in report


def test_a_missing_key_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        Seal(Secret(path=tmp_path / "missing"))


def test_a_key_that_is_replaced_in_its_file_is_used_without_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(OLD)
    some = Seal(Secret(path=path))
    kept = some.close(TEXT)
    assert some.is_current(kept)
    path.write_text(f"{NEW},{OLD}")
    assert some.open(kept) == TEXT
    assert not some.is_current(kept)
    assert some.is_current(some.close(TEXT))
    assert not some.is_current(TEXT)


def test_a_key_file_that_vanishes_is_reported_when_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(OLD)
    some = Seal(Secret(path=path))
    path.unlink()
    with pytest.raises(StoreError, match="No such file"):
        some.close(TEXT)

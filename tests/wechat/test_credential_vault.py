"""The value learned last stays, whatever happens in between."""

import pytest

from exporter.store.memory import MemoryStore
from exporter.wechat.credential_vault import Record, Vault, VaultError, credible
from tests.building import NOON


def put(vault: Vault, number: int) -> int | None:
    """Keep a number in place of a lower one."""
    return Record(vault, "key", int, int).save(lambda kept: number if (kept or 0) <= number else None)


def test_a_newer_value_takes_the_place_of_an_older_one_alone() -> None:
    vault = MemoryStore()
    assert [put(vault, number) for number in (2, 1, 3)] == [2, None, 3]
    assert vault.credential("key") == "3"


@pytest.mark.parametrize(("meanwhile", "kept"), [(4, "5"), (6, "6")])
def test_what_another_exporter_has_put_in_between_is_compared_with_too(meanwhile: int, kept: str) -> None:
    class Quick(MemoryStore):
        quick = True

        def put(self, key: str, expected: str | None, new: str) -> bool:
            if self.quick:
                self.quick = False
                super().put(key, expected, str(meanwhile))
            return super().put(key, expected, new)

    vault = Quick()
    put(vault, 5)
    assert vault.credential("key") == kept


def test_a_storage_that_contradicts_itself_does_not_keep_a_thread_for_ever() -> None:
    class Contradicting(MemoryStore):
        def put(self, key: str, expected: str | None, new: str) -> bool:
            return False

    with pytest.raises(VaultError):
        put(Contradicting(), 1)


@pytest.mark.parametrize("text", ["", "{", "null", '"x"', "[]"])
def test_what_cannot_be_understood_is_nothing_and_is_replaced(text: str) -> None:
    vault = MemoryStore()
    vault.put("key", None, text)
    assert Record(vault, "key", int, int).load() is None
    assert put(vault, 1) == 1


@pytest.mark.parametrize(("ahead", "counts"), [(-86_400, True), (300, True), (301, False)])
def test_a_moment_far_ahead_is_of_a_wrong_clock(ahead: float, *, counts: bool) -> None:
    assert (credible(NOON + ahead, NOON) > 0) is counts

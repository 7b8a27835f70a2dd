"""Whatever was learned last stays, whoever comes in between."""

import pytest

from exporter.store.memory import MemoryStore
from exporter.wechat.vault import VaultError, credible, put_newest
from tests.building import NOON


def put(vault: MemoryStore, number: int) -> bool:
    return put_newest(vault, "key", str(number), lambda kept: kept is None or int(kept) <= number)


def test_a_newer_text_takes_the_place_of_an_older_one_alone() -> None:
    vault = MemoryStore()
    assert [put(vault, number) for number in (2, 1, 3)] == [True, False, True]
    assert vault.credential("key") == "3"


@pytest.mark.parametrize(("meanwhile", "kept"), [(4, "5"), (6, "6")])
def test_what_another_exporter_has_put_in_between_is_compared_with_too(meanwhile: int, kept: str) -> None:
    class Vault(MemoryStore):
        quick = True

        def put(self, key: str, expected: str | None, new: str) -> bool:
            if self.quick:
                self.quick = False
                super().put(key, expected, str(meanwhile))
            return super().put(key, expected, new)

    vault = Vault()
    put(vault, 5)
    assert vault.credential("key") == kept


def test_a_storage_that_contradicts_itself_does_not_keep_a_thread_for_ever() -> None:
    class Vault(MemoryStore):
        def put(self, key: str, expected: str | None, new: str) -> bool:
            return False

    with pytest.raises(VaultError):
        put(Vault(), 1)


@pytest.mark.parametrize(("ahead", "counts"), [(-86_400, True), (300, True), (301, False)])
def test_a_moment_far_ahead_is_of_a_wrong_clock(ahead: float, *, counts: bool) -> None:
    assert (credible(NOON + ahead, NOON) > 0) is counts

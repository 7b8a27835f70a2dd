"""What is of exporters that share a storage."""

from dataclasses import dataclass, field

from exporter.store.interface import StoreError
from exporter.store.memory import MemoryStore
from exporter.store.shared_store import is_shared, turns
from tests.discovery.scenes import Turns
from tests.wechat.lines import Clock


@dataclass
class Shared(Turns):
    """A storage that several use, as far as it is asked for here."""

    clock: Clock = field(default_factory=Clock)
    tokens: None = None
    away: bool = False

    def take(self, duty: str, holder: str, seconds: float) -> bool:
        if self.away:
            raise StoreError("cannot write storage redis://cache/0: Connection refused")
        return super().take(duty, holder, seconds)


def test_a_storage_of_one_exporter_is_not_shared() -> None:
    assert not is_shared(MemoryStore())
    assert turns(MemoryStore()) is None


def test_a_turn_is_of_one_exporter_and_of_none_while_the_storage_is_away() -> None:
    store = Shared()
    first, second = turns(store), turns(store)  # type: ignore[arg-type]
    assert first is not None
    assert second is not None
    assert first("accounts/wx")
    assert not second("accounts/wx")
    assert first("accounts/wx")
    store.clock.now += 181
    assert second("accounts/wx")
    store.away = True
    assert not second("accounts/wx")

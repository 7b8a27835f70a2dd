"""A source of tokens that a test scripts."""

from collections.abc import Callable
from dataclasses import dataclass, field

from exporter.wechat.failures.failure import CallError, Failure
from exporter.wechat.tokens.cache import Token, TokenSource


@dataclass(eq=False)
class Source(TokenSource):
    """Gives each fetch, by its number, the result of `outcome`; calls `meanwhile` before it."""

    outcome: Callable[[int], Token | Failure]
    kind: str = "stable_token"
    fetches: int = 0
    refused: list[str] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def fetch(self) -> Token:
        self.fetches += 1
        self.meanwhile()
        found = self.outcome(self.fetches)
        if isinstance(found, Failure):
            raise CallError(found)
        return found

    def fingerprint(self) -> bytes:
        return b""

    def refuse(self, value: str) -> None:
        self.refused.append(value)

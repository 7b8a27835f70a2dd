"""Where tokens are kept for all exporters of a fleet: what WeChat's side wants of a shared storage."""

from typing import Protocol

from exporter.wechat.tokens import Token


class TokenPool(Protocol):
    """Keeps tokens under keys; safe to use from many threads. Every method raises VaultError."""

    def token(self, key: str) -> Token | None:
        """What was kept last under that key; None where nothing was, or it has ended."""

    def lock(self, key: str, seconds: float) -> int | None:
        """The right to fetch that token, as a number greater than all before; None: another has it."""

    def keep(self, key: str, token: Token, fence: int) -> bool:
        """Keep what was fetched and give the right back; False where the right had passed to another."""

    def unlock(self, key: str, fence: int) -> None:
        """Give the right back without a token."""

    def drop(self, key: str, value: str) -> None:
        """Forget a token that WeChat refused, unless another one is kept by now."""

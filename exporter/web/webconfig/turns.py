"""Lets one in at a time, and clients in turn: whoever asks in great number waits behind itself."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Used by one thread, the event loop's."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # by client, whose turn is next first

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait till it is this client's turn; it lasts as long as the block."""
        if self._taken:
            await self._wait(client)
        self._taken = True
        try:
            yield
        finally:
            self._next()

    async def _wait(self, client: str) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(future)
        try:
            await future
        except asyncio.CancelledError:
            if not future.cancelled():  # it had just got the turn
                self._next()
            raise

    def _next(self) -> None:
        while self._waiting:
            client, line = next(iter(self._waiting.items()))
            future = line.popleft()
            del self._waiting[client]
            if line:
                self._waiting[client] = line  # behind the others
            if not future.done():
                future.set_result(None)
                return  # still taken
        self._taken = False

import asyncio
from collections.abc import Coroutine

import pytest

from exporter.web.webconfig.turns import Turns


def took(*clients: str, cancelled: int | None = None, waits: float = 0.001) -> list[str]:
    """The order in which clients that came in this order had their turns; one of them gives up at once."""
    order: list[str] = []

    async def wait(turns: Turns, client: str) -> None:
        async with turns.turn(client[0]):
            order.append(client)
            await asyncio.sleep(waits)

    async def run() -> None:
        turns = Turns()
        tasks = [asyncio.create_task(wait(turns, client)) for client in clients]
        await asyncio.sleep(0)
        if cancelled is not None:
            tasks[cancelled].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    return order


def test_one_client_is_served_in_the_order_of_its_asking() -> None:
    assert took("a1", "a2", "a3") == ["a1", "a2", "a3"]


def test_clients_take_turns_however_often_one_asks() -> None:
    assert took("a1", "a2", "a3", "a4", "b1", "c1", "b2") == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


@pytest.mark.parametrize("cancelled", [0, 1, 2])
def test_who_gives_up_stops_nobody(cancelled: int) -> None:
    order = took("a1", "a2", "b1", cancelled=cancelled)
    assert set(order) >= {"a1", "a2", "b1"} - {("a1", "a2", "b1")[cancelled]}


def test_who_gives_up_just_as_its_turn_comes_passes_it_on() -> None:
    async def run() -> bool:
        turns = Turns()
        reached = False

        async def second() -> None:
            async with turns.turn("b"):
                pytest.fail("it had given up")

        async def third() -> None:
            nonlocal reached
            async with turns.turn("c"):
                reached = True

        async with turns.turn("a"):
            gives_up, waits = start(second()), start(third())
            await asyncio.sleep(0)
        gives_up.cancel()  # it has the turn by now, and did not run yet
        await asyncio.gather(gives_up, waits, return_exceptions=True)
        return reached

    assert asyncio.run(run())


def start(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    return asyncio.create_task(work)

"""The watch over platforms: how new their tickets are, and what follows from a new one."""

import pytest

from exporter.config.settings import Secret, TicketCallback
from exporter.refresh.platforms import PlatformWatch, Turn
from exporter.simulator.fleet import DEMO_PLATFORM
from exporter.wechat.tickets import PushedTicket, Ticket
from tests.refresh.scenes import Scene


def test_the_age_of_the_ticket_is_told_every_five_minutes(scene: Scene) -> None:
    watch = scene.watch()
    came_at = scene.ticket.stat().st_mtime
    for seconds in (0, 299, 1):
        scene.clock.now += seconds
        watch.look_at_tickets()
    assert scene.gauges.tickets == [came_at, came_at]
    scene.ticket.unlink()
    scene.clock.now += 300
    watch.look_at_tickets()
    assert len(scene.gauges.tickets) == 2


class Pushed:
    """A watch over a platform whose tickets WeChat pushes to some exporter, and what it was told."""

    def __init__(self, scene: Scene, turn: Turn | None = lambda _: True) -> None:
        scene.source = TicketCallback(Secret(DEMO_PLATFORM.token), Secret(DEMO_PLATFORM.aes_key))
        self.scene = scene
        self.renewed: list[str] = []
        self.watch = self.opened(turn)

    def opened(self, turn: Turn | None) -> PlatformWatch:
        watch = self.scene.watch(turn)
        watch.renewed = self.renewed.append
        return watch

    def push(self) -> None:
        """A ticket comes to another exporter, which keeps it in the vault."""
        ticket = Ticket(self.scene.sim.new_ticket("main"), self.scene.clock.now)
        PushedTicket(DEMO_PLATFORM.component_appid, self.scene.vault).keep(ticket)

    def looks(self, *waits: float) -> list[str]:
        """Of which platforms it says that they have a new ticket, when it looks after these seconds."""
        self.renewed.clear()
        for seconds in waits:
            self.scene.clock.now += seconds
            self.watch.look_at_tickets()
        return list(self.renewed)


@pytest.fixture
def pushed(scene: Scene) -> Pushed:
    return Pushed(scene)


def test_a_ticket_pushed_to_another_exporter_is_gone_on_with_within_half_a_minute(pushed: Pushed) -> None:
    assert pushed.looks(0) == []
    pushed.scene.turn(pushed.watch)
    assert pushed.watch.apps() == []  # there is no ticket to list with
    pushed.push()
    assert pushed.looks(29) == []
    assert pushed.looks(1) == ["main"]
    assert pushed.scene.gauges.tickets == [pushed.scene.clock.now - 30]
    pushed.scene.turn(pushed.watch)
    assert len(pushed.watch.apps()) == 3
    assert pushed.looks(30, 30, 300) == []


def test_each_newer_ticket_is_news(pushed: Pushed) -> None:
    pushed.push()
    pushed.looks(0)
    for _ in range(3):
        pushed.scene.clock.now += 600
        pushed.push()
        assert pushed.looks(30, 30) == ["main"]


def test_a_ticket_that_is_there_at_the_start_is_no_news(pushed: Pushed) -> None:
    pushed.push()
    assert pushed.looks(0, 30) == []
    assert pushed.scene.gauges.tickets != []


def test_a_ticket_that_came_to_this_exporter_itself_is_news_once(pushed: Pushed) -> None:
    pushed.looks(0)
    pushed.push()
    pushed.watch.ticket_came("main", pushed.scene.clock.now)
    assert pushed.renewed == ["main"]
    assert pushed.looks(30, 30) == []


def test_with_a_vault_of_its_own_an_exporter_need_not_look_for_what_came_elsewhere(scene: Scene) -> None:
    pushed = Pushed(scene, turn=None)
    pushed.looks(0)
    pushed.push()
    assert pushed.looks(30, 300) == []
    assert len(scene.gauges.tickets) == 1

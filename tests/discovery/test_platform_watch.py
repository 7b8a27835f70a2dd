"""The watch over platforms: the age of tickets, the effect of a new one, the states."""

import os
from collections.abc import Callable

import pytest

from exporter.config.platforms import TicketCallback
from exporter.config.secret import Secret
from exporter.discovery.platform_state import PlatformState
from exporter.discovery.platform_watch import PlatformWatch
from exporter.simulator.fleet import DEMO_PLATFORM
from exporter.wechat.failures.failure import Reason
from exporter.wechat.platform.tickets import PushedTicketSource, Ticket
from tests.discovery.scenes import Scene


def state(watch: PlatformWatch) -> PlatformState:
    (found,) = watch.states()
    return found


class Tickets:
    """A watch over a platform, with tickets that come to it and its findings."""

    def __init__(self, scene: Scene, *, pushed: bool) -> None:
        if pushed:
            scene.source = TicketCallback(Secret(DEMO_PLATFORM.token), Secret(DEMO_PLATFORM.aes_key))
        scene.ticket.unlink()
        self.scene = scene
        self.watch = scene.watch()
        self.come: Callable[[], None] = self._push if pushed else self._write

    def _write(self) -> None:
        self.scene.ticket.write_text(self.scene.sim.new_ticket("main"))
        os.utime(self.scene.ticket, (self.scene.clock.now, self.scene.clock.now))

    def _push(self) -> None:
        """Let a ticket come to another exporter, which keeps it in the vault."""
        ticket = Ticket(self.scene.sim.new_ticket("main"), self.scene.clock.now)
        PushedTicketSource(DEMO_PLATFORM.component_appid, self.scene.vault).keep(ticket)

    def looks(self, *waits: float) -> list[str]:
        """Look after each of some seconds; return the platforms reported to have a new ticket."""
        renewed = []
        for seconds in waits:
            self.scene.clock.now += seconds
            renewed += [name for name, _ in self.watch.look_at_credentials()]
        return renewed


@pytest.fixture(params=[True, False], ids=["pushed to another exporter", "file"])
def tickets(request: pytest.FixtureRequest, scene: Scene) -> Tickets:
    return Tickets(scene, pushed=request.param)


def test_a_ticket_that_comes_late_is_gone_on_with_at_the_next_look(tickets: Tickets) -> None:
    assert tickets.looks(0) == []
    tickets.scene.turn(tickets.watch)
    assert tickets.watch.apps() == []  # there is no ticket to list with
    tickets.come()
    came_at = tickets.scene.clock.now
    assert tickets.looks(15) == ["main"]
    assert state(tickets.watch).ticket_at == came_at
    tickets.scene.turn(tickets.watch)
    assert len(tickets.watch.apps()) == 3
    assert tickets.looks(15, 15, 300) == []


def test_a_fault_while_looking_does_not_end_the_search(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = scene.watch()
    monkeypatch.setattr(watch, "look_at_credentials", lambda: 1 / 0)
    assert watch.look().apps_changed
    assert len(watch.apps()) == 3


def test_each_newer_ticket_is_news(tickets: Tickets) -> None:
    tickets.come()
    tickets.looks(0)
    for _ in range(3):
        tickets.scene.clock.now += 600
        tickets.come()
        assert tickets.looks(15, 15) == ["main"]


def test_a_ticket_that_is_there_at_the_start_is_no_news(tickets: Tickets) -> None:
    tickets.come()
    assert tickets.looks(0, 15) == []


@pytest.mark.parametrize("looked", [True, False])
def test_a_ticket_that_came_to_this_exporter_itself_is_news_once(scene: Scene, *, looked: bool) -> None:
    tickets = Tickets(scene, pushed=True)
    if looked:
        tickets.looks(0)
    tickets.come()
    tickets.watch.ticket_came("main")
    assert tickets.looks(0) == ["main"]
    assert tickets.looks(15, 15) == []


def test_a_secret_that_is_written_is_gone_on_with_at_the_next_look(scene: Scene) -> None:
    scene.secret_file = scene.ticket.with_name("secret")
    scene.secret_file.write_text("not-the-right-fake-secret")
    watch = scene.watch()
    watch.look_at_credentials()
    scene.turn(watch)
    scene.secret_file.unlink()  # in the midst of being replaced
    assert watch.look_at_credentials() == []
    scene.secret_file.write_text(DEMO_PLATFORM.secret)
    assert watch.look_at_credentials() == [("main", {Reason.INVALID_SECRET, Reason.INVALID_APPID})]
    scene.turn(watch)
    assert len(watch.apps()) == 3


# How a platform is


def test_from_the_start_a_platform_is_on_show(scene: Scene) -> None:
    scene.watch()
    assert scene.shown == [PlatformState("main", discovers=True)]


def test_without_a_ticket_the_state_says_so_and_since_when(scene: Scene) -> None:
    scene.source = TicketCallback(Secret(DEMO_PLATFORM.token), Secret(DEMO_PLATFORM.aes_key))
    watch = scene.watch()
    begun = scene.clock.now
    for _ in range(3):
        watch.look_at_credentials()
        scene.turn(watch)
        watch._show()
        scene.clock.now += 60
    found = state(watch)
    assert found.failure is not None
    assert found.failure.reason is Reason.THIRD_PARTY_TICKET
    assert "POST /wechat/ticket/NAME" in found.failure.advice.en
    assert (found.failing_since, found.ticket_at, found.listed_at) == (begun, None, None)
    assert watch.settled  # ready: through a load balancer the first ticket reaches only those that are


def test_a_wrong_secret_of_the_platform_leads_to_the_platforms_console(scene: Scene) -> None:
    scene.secret = "not-the-right-fake-secret"
    watch = scene.watch()
    watch.look_at_credentials()
    scene.turn(watch)
    found = state(watch)
    assert found.failure is not None
    assert (found.failure.reason, found.failure.errcode) == (Reason.INVALID_SECRET, 40125)
    assert "open.weixin.qq.com > 管理中心 > 第三方平台" in found.failure.advice.en
    assert "mp.weixin" not in found.failure.advice.en
    assert found.ticket_at == scene.ticket.stat().st_mtime


def test_the_state_counts_the_accounts(scene: Scene) -> None:
    desk = scene.sim.platforms["main"]
    desk.official.add("wx00000000000000aa")
    desk.authorise("wx00000000000000aa")
    desk.authorise("wx00000000000000bb", exchanged=False)
    watch = scene.watch()
    watch.look_at_credentials()
    scene.turn(watch)
    watch._show()
    shown = scene.shown[-1]
    assert (shown.apps, shown.others, shown.unknown, shown.without_token) == (3, 1, 0, 1)
    assert (shown.listed_at, shown.failure, shown.failing_since) == (scene.clock.now, None, None)

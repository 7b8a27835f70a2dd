"""Where verify tickets come from, on a clock that stands still."""

import os
from pathlib import Path

import pytest

from exporter.config.platforms import TicketFile, TicketHttp
from exporter.wechat.endpoints import HTTP_TICKET
from exporter.wechat.failures.advice import NO_TICKET
from exporter.wechat.failures.failure import Failure, Reason
from exporter.wechat.platform.tickets import FileTicketSource, HttpTicketSource, Ticket, TicketSource
from tests.wechat.lines import Clock, Observed, failure_of, opened, outcome
from tests.wechat.peers import Peer, says, says_in_turn, whole


def refused(source: TicketSource) -> Failure:
    return failure_of(source.ticket)


def test_a_ticket_file_is_read_each_time_and_came_when_it_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "ticket"
    source = FileTicketSource(TicketFile(path))
    assert refused(source).detail == f"verify ticket file {path}: No such file or directory"
    for value, came_at in (("one", 1000.0), ("two", 2000.0)):
        path.write_text(f"\ufeff{value}\n")
        os.utime(path, (came_at, came_at))
        assert (source.ticket().value, source.ticket().received_at) == (value, came_at)


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff", b'{"ticket": "T"}'])
def test_a_file_without_a_usable_ticket_leads_to_the_advice_about_tickets(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "ticket"
    path.write_bytes(content)
    problem = refused(FileTicketSource(TicketFile(path)))
    assert (problem.reason, problem.advice) == (Reason.THIRD_PARTY_TICKET, NO_TICKET)


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (b"TICKET", None),
        (b'{"component_verify_ticket":"TICKET","errcode":null}', None),
        (b'{"data":{"ticket":"TICKET"}}', "data.ticket"),
    ],
)
def test_an_address_gives_the_ticket_as_text_or_under_its_field(answer: bytes, field: str | None) -> None:
    with Peer(says(whole(answer))) as service, opened("http://wechat.invalid") as client:
        assert HttpTicketSource(TicketHttp(service.url, field), client).ticket().value == "TICKET"


@pytest.mark.parametrize("status", ["404 Not Found", "503 Service Unavailable", "200 OK"])
def test_whatever_an_address_answers_instead_there_is_no_ticket(status: str) -> None:
    observed = Observed()
    with (
        Peer(says(whole(b'{"errcode":40001,"errmsg":"no"}', status=status))) as service,
        opened("http://wechat.invalid", observed=observed) as client,
    ):
        problem = refused(HttpTicketSource(TicketHttp(service.url), client))
    assert (problem.reason, problem.advice) == (Reason.THIRD_PARTY_TICKET, NO_TICKET)
    assert observed.calls == [(HTTP_TICKET, Reason.THIRD_PARTY_TICKET)]


def test_an_address_is_asked_once_a_minute_and_four_times_as_often_without_a_ticket(clock: Clock) -> None:
    answers = [b"", b"ONE", b"ONE", b"TWO"]
    begun, asked = clock.now, []
    with (
        Peer(says_in_turn(map(whole, answers))) as service,
        opened("http://wechat.invalid", clock=clock) as client,
    ):
        source = HttpTicketSource(TicketHttp(service.url), client)
        for second in range(150):
            found = outcome(source.ticket)
            assert isinstance(found, Failure) == (second < 15)
            asked.append(len(service.received))
            clock.now += 1
    assert [second for second in range(1, 150) if asked[second] > asked[second - 1]] == [15, 75, 135]
    assert found == Ticket("TWO", begun + 135)


def test_an_address_asked_by_a_clock_that_was_ahead_is_asked_again(clock: Clock) -> None:
    with (
        Peer(says_in_turn(map(whole, [b"ONE", b"TWO"]))) as service,
        opened("http://wechat.invalid", clock=clock) as client,
    ):
        source = HttpTicketSource(TicketHttp(service.url), client)
        assert source.ticket().value == "ONE"
        clock.now -= 86_400
        assert source.ticket().value == "TWO"

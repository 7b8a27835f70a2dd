import gzip
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from structlog.typing import FilteringBoundLogger

from exporter.backfill import victoriametrics
from exporter.backfill.journal import Journal
from exporter.backfill.periods import Span
from exporter.backfill.samples import SampleShape, row_lines
from exporter.backfill.victoriametrics import ATTEMPTS, Push, PushError, Target, read_target
from tests.building import NOON, YESTERDAY, make_app, make_row

APP = make_app(1, "奶茶")
SPAN = Span(YESTERDAY - timedelta(days=9), YESTERDAY)
SHAPE = SampleShape({}, None, int(NOON))
TARGET = Target("http://someone:password@metrics.example/import?key=value", "http://metrics.example/import")


class Wire(requests.adapters.BaseAdapter):
    """A session that answers with given statuses, then 204; None breaks the connection."""

    def __init__(self, *statuses: int | None) -> None:
        super().__init__()
        self.statuses = list(statuses)
        self.bodies: list[str] = []
        self.seen: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        self.seen.append(request)
        status = self.statuses.pop(0) if self.statuses else 204
        if status is None:
            raise requests.ConnectionError(f"cannot reach {request.url}")
        answer = requests.Response()
        answer.status_code = status
        answer._content = b"cannot parse\nline 1"
        if status == 204:
            assert isinstance(request.body, bytes)
            self.bodies.append(gzip.decompress(request.body).decode())
        return answer

    def close(self) -> None:
        pass


Send = Callable[..., int]


@pytest.fixture
def journal() -> Journal:
    journal = Journal("")
    journal.keep([(APP.appid, day, make_row(day), NOON) for day in SPAN.newest_first()])
    return journal


@pytest.fixture
def send(journal: Journal, log: FilteringBoundLogger) -> Send:
    def run(wire: Wire, target: Target = TARGET, shape: SampleShape = SHAPE, span: Span = SPAN) -> int:
        with requests.Session() as session:
            session.mount("http://", wire)
            return Push(session, target, shape, log, lambda _: None).send(journal, [APP], span)

    return run


def test_rows_arrive_compressed_in_the_text_format(send: Send) -> None:
    wire = Wire()
    assert send(wire) == 10
    days = sorted(SPAN.newest_first())
    assert wire.bodies == ["".join(row_lines(APP, make_row(day), SHAPE) for day in days)]
    assert str(wire.seen[0].url).endswith("@metrics.example/import?key=value")
    assert wire.seen[0].headers["Authorization"].startswith("Basic ")


def test_what_was_taken_is_not_sent_again_to_the_same_target(send: Send) -> None:
    send(Wire(), span=Span(SPAN.first, SPAN.first))
    assert send(Wire()) == 9
    assert send(second := Wire()) == 0
    assert not second.seen
    assert send(Wire(), target=Target("http://other.example/", "other")) == 10
    assert send(Wire(), shape=SampleShape({"job": "wechat"}, None, int(NOON))) == 10


def test_batches_are_small_and_kept_one_by_one(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(victoriametrics, "BATCH_BYTES", 3000)
    wire = Wire(204, 204, 400)
    with pytest.raises(PushError, match="HTTP status 400 cannot parse line 1"):
        send(wire)
    taken = sum(body.count("by_date_visit_pv") for body in wire.bodies)
    assert 0 < taken < 10
    assert send(Wire()) == 10 - taken


@pytest.mark.parametrize("passing", [None, 500, 503, 429])
def test_what_may_pass_is_tried_again(passing: int | None, send: Send, events: list[Any]) -> None:
    assert send(Wire(passing, passing)) == 10
    assert [event["event"] for event in events] == ["push failed, trying again"] * 2 + ["pushed"]


@pytest.mark.parametrize("status", [None, 503])
def test_it_gives_up_in_the_end_without_showing_the_password(
    status: int | None, send: Send, events: list[Any]
) -> None:
    wire = Wire(*[status] * 99)
    with pytest.raises(PushError) as caught:
        send(wire)
    assert len(wire.seen) == ATTEMPTS
    shown = f"{caught.value}{caught.value.__context__}{events}"
    assert "password" not in shown
    assert "key=value" not in shown


@pytest.mark.parametrize("status", [301, 400, 404])
def test_a_refusal_is_not_tried_again(status: int, send: Send) -> None:
    wire = Wire(status)
    with pytest.raises(PushError, match=f"http://metrics.example/import: HTTP status {status}"):
        send(wire)
    assert len(wire.seen) == 1


@pytest.mark.parametrize(
    ("message", "url", "place"),
    [
        ("http://vm:8428", "http://vm:8428/api/v1/import/prometheus", "http://vm:8428/api/v1/import/prometheus"),
        ("http://vm:8428/", "http://vm:8428/api/v1/import/prometheus", None),
        ("https://u:p@vm/insert/0/prometheus/api/v1/import/prometheus?k=v", None, "https://vm/insert/0/prometheus/api/v1/import/prometheus"),
        ("http://[::1]:8428/x", "http://[::1]:8428/x", "http://[::1]:8428/x"),
    ],
)  # fmt: skip
def test_an_address_without_a_path_is_victoriametrics_own(
    message: str, url: str | None, place: str | None
) -> None:
    target = read_target(message)
    assert target.url == (url or message)
    assert place in (None, target.place)


@pytest.mark.parametrize("message", ["vm:8428", "ftp://vm", "http://", "/path"])
def test_an_address_without_http_and_host_is_refused(message: str) -> None:
    with pytest.raises(ValueError, match="not an http:// or https:// URL"):
        read_target(message)

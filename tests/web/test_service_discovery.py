import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from exporter.config.apps import App
from exporter.shards import THE_WHOLE, Shard, owner
from exporter.web import service_discovery as module
from exporter.web.service_discovery import Targets
from tests.building import make_app
from tests.web.asking import Answer, ask

APPS = [make_app(number, f"app {number}", (("team", "retail"),)) for number in range(1, 21)]


def asked(query: str = "", shard: Shard = THE_WHOLE, *templates: str, **headers: str) -> Answer:
    targets = Targets(lambda: APPS, shard, templates, "/metrics")
    app = Starlette(routes=[Route("/sd", targets.answer)])
    return ask(app, "GET", "/sd", query, **({"host": "exporter:10950"} | headers))


def groups(query: str = "", shard: Shard = THE_WHOLE, *templates: str) -> list[dict[str, Any]]:
    answer = asked(query, shard, *templates)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    found: list[dict[str, Any]] = json.loads(answer.body)
    return found


def test_one_exporter_names_itself_as_it_was_asked() -> None:
    (group,) = groups()
    assert group["targets"] == ["exporter:10950"]
    assert group["labels"]["__scheme__"] == "http"
    assert group["labels"]["__metrics_path__"] == "/metrics"


def test_every_shard_is_a_target_with_its_replicas() -> None:
    found = groups("", Shard(1, 3), "a-{shard}.wechat:10950", "b-{shard}.wechat:10950")
    assert [group["targets"] for group in found] == [
        [f"a-{number}.wechat:10950", f"b-{number}.wechat:10950"] for number in range(3)
    ]


def test_a_shard_that_knows_no_addresses_names_itself_alone() -> None:
    (group,) = groups("", Shard(1, 3))
    assert group["labels"]["__meta_wechat_miniprogram_shard"] == "1"


def test_every_app_can_be_a_target_at_the_shard_that_has_it() -> None:
    found = groups("per=app", Shard(0, 3), "exporter-{shard}:10950")
    assert [group["labels"]["__param_appid"] for group in found] == [app.appid for app in APPS]
    for group in found:
        appid = group["labels"]["__param_appid"]
        target = f"exporter-{owner(appid, 3)}:10950"
        assert group["targets"] == [target]
        assert group["labels"]["instance"] == f"{target}/{appid}"
    assert found[0]["labels"]["__meta_wechat_miniprogram_name"] == "app 1"
    assert found[0]["labels"]["__meta_wechat_miniprogram_label_team"] == "retail"


def test_replicas_of_an_app_differ_in_their_instance() -> None:
    found = groups("per=app", THE_WHOLE, "a:1", "b:1")
    assert len({group["labels"]["instance"] for group in found}) == len(found) == 2 * len(APPS)


def test_without_addresses_a_shard_names_only_its_own_apps() -> None:
    shards = [groups("per=app", Shard(number, 2)) for number in range(2)]
    named = [group["labels"]["__param_appid"] for shard in shards for group in shard]
    assert sorted(named) == [app.appid for app in APPS]


def test_no_label_of_a_target_hides_one_of_the_metrics() -> None:
    for group in groups("per=app"):
        assert {name for name in group["labels"] if not name.startswith("__")} == {"instance"}


@pytest.mark.parametrize("query", ["per=team", "per="])
def test_an_unknown_per_is_refused(query: str) -> None:
    assert asked(query).status == 400


def test_names_are_data_whatever_is_in_them() -> None:
    app = App("wx0123456789abcdef", 'a "b"\n<c>', (), APPS[0].token)
    (group,) = json.loads(responses(Targets(lambda: [app], THE_WHOLE, (), "/metrics"), "exporter:1")[0])
    assert group["labels"]["__meta_wechat_miniprogram_name"] == 'a "b"\n<c>'


@pytest.mark.parametrize(
    ("server", "target"),
    [
        (("10.0.0.1", 10950), "10.0.0.1:10950"),
        (("::1", 10950), "[::1]:10950"),
        (("2001:db8::5", 80), "[2001:db8::5]:80"),
    ],
)
def test_without_a_host_header_the_address_of_the_server_is_named(
    server: tuple[str, int], target: str
) -> None:
    answers = responses(Targets(lambda: APPS, THE_WHOLE, (), "/metrics"), "", server=server)
    for group in json.loads(answers[0]):
        assert group["targets"] == [target]


# Of many apps


def responses(targets: Targets, *hosts: str, server: tuple[str, int] = ("127.0.0.1", 1)) -> list[bytes]:
    """Return the answers to simultaneous requests for the apps, one per host."""

    def request(host: str) -> Request:
        headers = [(b"host", host.encode())] if host else []
        scope = {"type": "http", "scheme": "http", "query_string": b"per=app", "server": server}
        return Request(scope | {"path": "/sd", "headers": headers})

    async def run() -> list[bytes]:
        return [bytes(each.body) for each in await asyncio.gather(*map(targets.answer, map(request, hosts)))]

    return asyncio.run(run())


class Watched(Targets):
    """Targets that record the answers made."""

    def __init__(self, apps: list[Sequence[App]], *templates: str, shard: Shard = THE_WHOLE) -> None:
        super().__init__(lambda: apps[-1], shard, templates, "/metrics")
        self.made = 0
        self.threads: set[int] = set()
        self.at_once = threading.Semaphore(1)

    def _made(self, wish: tuple[str, str, str], apps: Sequence[App]) -> bytes:
        assert self.at_once.acquire(blocking=False), "two at once"
        self.made += 1
        self.threads.add(threading.get_ident())
        made = super()._made(wish, apps)
        self.at_once.release()
        return made


def test_answers_are_made_outside_of_the_event_loop_and_one_at_a_time() -> None:
    targets = Watched([APPS])
    responses(targets, *(f"exporter-{number}:1" for number in range(20)))
    assert targets.made == 20
    assert threading.get_ident() not in targets.threads


def test_no_text_is_long_in_the_making(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def dumps(found: object, **options: Any) -> str:
        written.append(json.JSONEncoder(**options).encode(found))
        return written[-1]

    monkeypatch.setattr("exporter.web.service_discovery.json.dumps", dumps)
    responses(Targets(lambda: APPS, THE_WHOLE, (), "/metrics"), "exporter:1")
    assert len(written) == len(APPS)


def test_the_same_answer_is_made_once_while_the_apps_are_the_same_ones() -> None:
    apps: list[Sequence[App]] = [APPS]
    targets = Watched(apps)
    first, *others = responses(targets, *["exporter:1"] * 5)
    others += responses(targets, "exporter:1")
    assert all(other is first for other in others)
    assert targets.made == 1
    apps.append(APPS[:-1])
    (changed,) = responses(targets, "exporter:1")
    assert len(json.loads(changed)) == len(APPS) - 1
    assert targets.made == 2


def test_with_addresses_given_it_does_not_matter_which_one_was_asked() -> None:
    targets = Watched([APPS], "exporter-{shard}:1")
    responses(targets, *(f"name-{number}:1" for number in range(5)))
    assert targets.made == 1


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the appids whose shards were worked out."""
    seen: list[str] = []

    def draw(appid: str, total: int) -> int:
        seen.append(appid)
        return owner(appid, total)

    monkeypatch.setattr(module, "owner", draw)
    return seen


def test_the_shard_of_an_app_is_worked_out_once(drawn: list[str]) -> None:
    apps: list[Sequence[App]] = [APPS[1:]]
    targets = Watched(apps, "exporter-{shard}:1", shard=Shard(0, 3))
    responses(targets, "exporter:1")
    apps.append(APPS)
    responses(targets, "exporter:1")
    assert sorted(drawn) == [app.appid for app in APPS]

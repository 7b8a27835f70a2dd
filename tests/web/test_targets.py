import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from exporter.config.settings import App
from exporter.shards import THE_WHOLE, Shard, owner
from exporter.web.targets import Targets
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


def test_replicas_of_an_app_are_told_apart() -> None:
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
def test_another_wish_is_refused(query: str) -> None:
    assert asked(query).status == 400


def test_names_are_data_whatever_is_in_them() -> None:
    app = App("wx0123456789abcdef", 'a "b"\n<c>', (), APPS[0].token)
    targets = Targets(lambda: [app], THE_WHOLE, (), "/metrics")
    (group,) = targets.per_app("exporter:1", {})
    assert json.loads(json.dumps(group))["labels"]["__meta_wechat_miniprogram_name"] == 'a "b"\n<c>'

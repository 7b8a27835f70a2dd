"""Several exporters with one Redis against one stand-in WeChat that counts its calls."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from exporter.beijing import yesterday
from exporter.simulator.daily_figures import row
from exporter.simulator.fleet import config_yaml, fleet
from exporter.simulator.server import Conditions, Simulator
from tests.redis_server import RedisServer, redis_server
from tests.running import Running, serving

APPS = 12
INTERVAL = 1.0
PV = "wechat_miniprogram_daily_visit_pv"
ASKED = ("wechat_miniprogram_exporter_api_requests_total", (("endpoint", "getDailyVisitTrend"),))


class Fleet:
    """A stand-in WeChat, a Redis and a configuration; exporters come and go."""

    def __init__(self, wechat: Simulator, redis: RedisServer, folder: Path, ports: Callable[[], int]) -> None:
        self.wechat = wechat
        self.redis = redis
        self.path = folder / "config.yaml"
        self._ports = ports
        settings = yaml.safe_load(
            config_yaml(wechat.apps, wechat.base_url, timeout="2s", interval=f"{INTERVAL:g}s", concurrency=8)
        )
        settings["refresh"] |= {"requests_per_second": 0, "history_days": 1, "revisit_days": 0}
        settings["storage"] = {"url": redis.url}
        self.path.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")

    def apps(self) -> list[dict[str, object]]:
        """Return the apps as the configuration has them."""
        found: list[dict[str, object]] = yaml.safe_load(self.path.read_text("utf-8"))["apps"]
        return found

    def write(self, apps: list[dict[str, object]]) -> None:
        """Change the apps of the exporters that are started from now on."""
        settings = yaml.safe_load(self.path.read_text("utf-8")) | {"apps": apps}
        self.path.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")

    @contextmanager
    def exporter(self, shard: int = 0, total: int = 1) -> Iterator[Running]:
        with serving(self.path, self._ports(), f"--shard={shard}", f"--total-shards={total}") as exporter:
            yield exporter

    def expected(self) -> dict[str, float]:
        day = yesterday(self.wechat.clock.now())
        return {app.appid: float(row(app.appid, day, app.size)["visit_pv"]) for app in self.wechat.apps}

    def token_calls(self) -> int:
        return self.wechat.calls(endpoint="stable_token")


@pytest.fixture
def some(tmp_path: Path, program: Callable[[str], str], free_port: Callable[[], int]) -> Iterator[Fleet]:
    with (
        redis_server(program, tmp_path / "redis", free_port()) as redis,
        Simulator(fleet(APPS, seed=1), Conditions(always_published=True, latency_seconds=0.01)) as wechat,
    ):
        yield Fleet(wechat, redis, tmp_path, free_port)


def shown(exporter: Running) -> dict[str, float]:
    return {dict(labels)["appid"]: value for (_, labels), value in exporter.samples(PV).items()}


def asked(exporter: Running) -> float:
    return exporter.samples(ASKED[0])[ASKED]


def test_two_replicas_each_ask_and_fetch_every_token_once_together(some: Fleet) -> None:
    with some.exporter() as first, some.exporter() as second:
        for exporter in (first, second):
            exporter.wait_until(lambda exporter=exporter: shown(exporter) == some.expected())  # type: ignore[misc]
            exporter.wait_until(lambda exporter=exporter: asked(exporter) >= 2 * APPS)  # type: ignore[misc]
            assert exporter.get("/-/ready").ok
        assert some.token_calls() == APPS


def test_a_replica_that_dies_costs_the_other_nothing_and_its_successor_begins_with_all_rows(
    some: Fleet,
) -> None:
    with some.exporter() as first, some.exporter() as second:
        for exporter in (first, second):
            exporter.wait_until(lambda exporter=exporter: shown(exporter) == some.expected())  # type: ignore[misc]
        first.process.kill()
        before = asked(second)
        second.wait_until(lambda: asked(second) >= before + APPS)
        assert shown(second) == some.expected()
        with some.exporter() as third:  # shows everything before anybody is asked
            assert shown(third) == some.expected()
        assert some.token_calls() == APPS


def test_an_update_that_adds_an_app_goes_through_replica_by_replica(some: Fleet) -> None:
    whole = some.apps()
    some.write(apps=whole[:-1])
    with ExitStack() as stack:
        replicas = [stack.enter_context(some.exporter()) for _ in range(2)]
        for each in replicas:
            each.wait_until(lambda each=each: each.get("/-/ready").ok)  # type: ignore[misc]
        some.write(apps=whole)
        for old in replicas:
            new = stack.enter_context(some.exporter())
            new.wait_until(lambda new=new: new.get("/-/ready").ok)  # type: ignore[misc]
            assert shown(new) == some.expected()
            assert old.stop() == 0
    assert some.token_calls() == APPS


def test_the_union_of_the_shards_is_the_whole(some: Fleet) -> None:
    with ExitStack() as stack:
        shards = [stack.enter_context(some.exporter(number, 3)) for number in range(3)]
        for shard in shards:
            shard.wait_until(lambda shard=shard: shard.get("/-/ready").ok)  # type: ignore[misc]
        pages = [shown(shard) for shard in shards]
        assert sum(len(page) for page in pages) == APPS
        assert {appid: value for page in pages for appid, value in page.items()} == some.expected()
        for number, shard in enumerate(shards):
            samples = shard.samples()
            assert samples["wechat_miniprogram_exporter_shard", ()] == number
            assert samples["wechat_miniprogram_exporter_total_shards", ()] == 3


def test_without_redis_all_go_on_from_memory_and_store_again_when_it_is_back(some: Fleet) -> None:
    errors = ("wechat_miniprogram_exporter_storage_errors_total", ())
    with some.exporter() as first, some.exporter() as second:
        for exporter in (first, second):
            exporter.wait_until(lambda exporter=exporter: shown(exporter) == some.expected())  # type: ignore[misc]
            exporter.wait_until(lambda exporter=exporter: asked(exporter) >= APPS)  # type: ignore[misc]
        some.redis.kill()  # each has every token
        for exporter in (first, second):
            exporter.wait_until(lambda exporter=exporter: exporter.samples(errors[0])[errors] > 0)  # type: ignore[misc]
            before = asked(exporter)
            exporter.wait_until(lambda: asked(exporter) >= before + 2 * APPS)  # noqa: B023 - used at once
            assert shown(exporter) == some.expected()
        some.redis.start()
        some.redis.client().flushall()
        first.wait_until(lambda: len(list(some.redis.client().scan_iter("*:figures:*"))) == APPS)
        assert shown(first) == shown(second) == some.expected()
        assert some.token_calls() == APPS


def test_one_shard_more_fetches_no_token_and_shows_everything_at_once(some: Fleet) -> None:
    with ExitStack() as stack:
        two = [stack.enter_context(some.exporter(number, 2)) for number in range(2)]
        for shard in two:
            shard.wait_until(lambda shard=shard: shard.get("/-/ready").ok)  # type: ignore[misc]
        for shard in two:
            assert shard.stop() == 0
    with ExitStack() as stack:
        three = [stack.enter_context(some.exporter(number, 3)) for number in range(3)]
        pages = [shown(shard) for shard in three]  # before anybody was asked
        assert sum(len(page) for page in pages) == APPS
        assert {appid: value for page in pages for appid, value in page.items()} == some.expected()
        assert some.token_calls() == APPS

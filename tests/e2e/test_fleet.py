"""Several exporters with one Redis against one stand-in WeChat that counts its calls."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from exporter.simulator.data import row
from exporter.simulator.fleet import config_yaml, fleet
from exporter.simulator.server import Conditions, Simulator
from exporter.trend import yesterday
from tests.redis_server import RedisServer, redis_server
from tests.running import Running, serving

APPS = 24
INTERVAL = 3.0
PV = "wechat_miniprogram_daily_visit_pv"
LEADER = ("wechat_miniprogram_exporter_leader", ())


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

    def refresh(self, **changes: object) -> None:
        """Change how the exporters that are started from now on ask."""
        settings = yaml.safe_load(self.path.read_text("utf-8"))
        settings["refresh"] |= changes
        self.path.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")

    @contextmanager
    def exporter(self, shard: int = 0, total: int = 1) -> Iterator[Running]:
        with serving(self.path, self._ports(), f"--shard={shard}", f"--total-shards={total}") as exporter:
            yield exporter

    def expected(self) -> dict[str, float]:
        day = yesterday(self.wechat.clock.now())
        return {app.appid: float(row(app.appid, day, app.size)["visit_pv"]) for app in self.wechat.apps}

    def data_calls(self) -> dict[str, int]:
        return {
            app.appid: self.wechat.calls(endpoint="daily_visit_trend", appid=app.appid)
            for app in self.wechat.apps
        }

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
    return {
        dict(labels)["appid"]: value for (name, labels), value in exporter.samples().items() if name == PV
    }


def by_date(exporter: Running) -> int:
    """How many apps and dates are on show."""
    return sum(name == "wechat_miniprogram_by_date_visit_pv" for name, _ in exporter.samples())


def leads(exporter: Running) -> bool:
    return exporter.samples().get(LEADER) == 1


def test_of_two_replicas_one_asks_and_both_show_the_same(some: Fleet) -> None:
    with some.exporter() as first, some.exporter() as second:
        for exporter in (first, second):
            exporter.wait_until(lambda exporter=exporter: shown(exporter) == some.expected())  # type: ignore[misc]
            exporter.wait_until(lambda exporter=exporter: exporter.get("/-/ready").ok)  # type: ignore[misc]
        assert [leads(first), leads(second)] == [True, False]
        before, start = some.data_calls(), time.monotonic()
        first.wait_until(lambda: min(some.data_calls()[appid] - before[appid] for appid in before) >= 3)
        rounds = (time.monotonic() - start) / INTERVAL
        calls = sum(some.data_calls().values()) - sum(before.values())
        assert calls <= APPS * (rounds + 2)  # two replicas that both ask would make twice as many
        assert some.token_calls() == APPS
        assert (
            second.samples()[
                "wechat_miniprogram_exporter_api_requests_total", (("endpoint", "getDailyVisitTrend"),)
            ]
            == 0
        )


def test_when_the_one_that_asks_dies_the_other_takes_over_and_needs_no_new_token(some: Fleet) -> None:
    with some.exporter() as first, some.exporter() as second:
        second.wait_until(lambda: shown(second) == some.expected())
        first.process.kill()
        before = some.data_calls()
        second.wait_until(lambda: leads(second))
        second.wait_until(lambda: min(some.data_calls()[appid] - before[appid] for appid in before) >= 1)
        assert shown(second) == some.expected()
        assert some.token_calls() == APPS
        with some.exporter() as third:  # shows everything before anybody is asked
            assert shown(third) == some.expected()
            third.wait_until(lambda: third.samples().get(LEADER) == 0)


def test_one_that_stops_gives_its_duty_back_at_once(some: Fleet) -> None:
    with some.exporter() as first, some.exporter() as second:
        first.wait_until(lambda: leads(first))
        assert first.stop() == 0
        second.wait_until(lambda: leads(second), seconds=4)


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


def test_without_redis_all_go_on_from_memory_and_agree_when_it_is_back(some: Fleet) -> None:
    with some.exporter() as first, some.exporter() as second:
        second.wait_until(lambda: shown(second) == some.expected())
        some.redis.kill()
        errors = ("wechat_miniprogram_exporter_storage_errors_total", ())
        for exporter in (first, second):
            exporter.wait_until(lambda exporter=exporter: exporter.samples()[errors] > 0)  # type: ignore[misc]
        before = some.data_calls()
        first.wait_until(lambda: min(some.data_calls()[appid] - before[appid] for appid in before) >= 2)
        assert shown(first) == shown(second) == some.expected()
        some.redis.start()
        first.wait_until(lambda: leads(first) != leads(second), seconds=20)
        assert shown(first) == shown(second) == some.expected()
        assert some.token_calls() <= 2 * APPS  # the second one may have had to ask once: no storm
        refresh = "wechat_miniprogram_last_refresh_timestamp_seconds"

        def refreshed(exporter: Running) -> dict[object, float]:
            return {key: value for key, value in exporter.samples().items() if key[0] == refresh}

        first.wait_until(lambda: refreshed(first) == refreshed(second))


def test_a_redis_that_lost_everything_is_filled_again(some: Fleet) -> None:
    with some.exporter() as first:
        first.wait_until(lambda: shown(first) == some.expected())
        some.redis.client().flushall()
        some.redis.kill()
        some.redis.start()
        client = some.redis.client()
        first.wait_until(lambda: len(list(client.scan_iter("*:rows:*"))) == APPS)
        assert some.token_calls() == APPS


def test_one_shard_more_asks_nobody_again_and_fetches_no_token(some: Fleet) -> None:
    some.refresh(interval="60s", history_days=3)
    with ExitStack() as stack:
        two = [stack.enter_context(some.exporter(number, 2)) for number in range(2)]
        for shard in two:
            shard.wait_until(lambda: set(some.data_calls().values()) == {3})  # yesterday and the two before
        for shard in two:
            shard.wait_until(lambda shard=shard: by_date(shard) == 3 * len(shown(shard)))  # type: ignore[misc]
            assert shard.stop() == 0
    with ExitStack() as stack:
        three = [stack.enter_context(some.exporter(number, 3)) for number in range(3)]
        pages = [shown(shard) for shard in three]  # before anybody was asked
        assert sum(len(page) for page in pages) == APPS
        assert {appid: value for page in pages for appid, value in page.items()} == some.expected()
        for shard in three:
            shard.wait_until(lambda shard=shard: leads(shard))  # type: ignore[misc]
            assert by_date(shard) == 3 * len(shown(shard))
        assert set(some.data_calls().values()) == {3}
        assert some.token_calls() == APPS


def test_a_kill_in_the_middle_of_a_round_costs_at_most_one_call_more_and_no_date(some: Fleet) -> None:
    some.refresh(interval="60s", history_days=3, concurrency=1)
    with some.exporter() as first, some.exporter() as second:
        leader, other = (first, second) if leads(first) else (second, first)
        other.wait_until(lambda: sum(some.data_calls().values()) >= APPS // 2)
        leader.process.kill()
        other.wait_until(lambda: by_date(other) == 3 * APPS, seconds=40)
        assert shown(other) == some.expected()
        asked = Counter(
            (call.appid, call.date)
            for call in some.wechat.ledger.recent()
            if call.endpoint == "daily_visit_trend"
        )
        assert len(asked) == 3 * APPS
        assert max(asked.values()) <= 2
        assert some.token_calls() <= APPS + 1  # the one under way when it was killed

"""Simulated mini programs, and fleets: a dozen with names and faults, or any number of healthy ones."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from random import Random
from typing import Final

import yaml

from exporter.beijing import midnight
from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.quota import QUOTA
from exporter.simulator.faults import Fault
from exporter.simulator.platforms import SimPlatform

USUAL_PUBLICATION: Final = time(8, 5)
_TEAMS: Final = ("retail", "food", "travel", "media", "services")
_STAY_TIME_UV: Final = frozenset({"stay_time_uv"})  # WeChat's example omits it


@dataclass(frozen=True, slots=True)
class SimApp:
    """A simulated mini program.

    `size`: visitors on an ordinary day. `published_at`: Beijing time at which the day before becomes
    available. `left_out`: figures that WeChat omits. `fault`: the fault at the start.
    """

    appid: str
    secret: str = field(repr=False)
    name: str
    size: int = 1000
    published_at: time = USUAL_PUBLICATION
    left_out: frozenset[str] = frozenset()
    labels: tuple[tuple[str, str], ...] = ()
    fault: Fault = Fault.NONE

    def publication(self, day: date) -> int:
        """Return the Unix time from which the row of `day` is available."""
        at = self.published_at
        return midnight(day + timedelta(days=1)) + at.hour * 3600 + at.minute * 60 + at.second


def fake_appid(number: int) -> str:
    """Return a well-formed appid that nobody owns: `wxfa4e` and the number in twelve digits."""
    return f"wxfa4e{number:012d}"


def fake_secret(number: int) -> str:
    """Return an obviously fake secret."""
    return f"not-a-real-secret-{number:04d}"


DEMO_PLATFORM: Final = SimPlatform("main", "wxfa4ec00000000001", "not-a-real-component-secret")
"""A third-party platform that all mini programs have authorised."""


def demo_fleet() -> tuple[SimApp, ...]:
    """Return five healthy mini programs, and one for each common fault."""
    return (
        _app(1, "coffee-shop", 4200, "food"),
        _app(2, "奶茶小铺", 12800, "food"),
        _app(3, "city-metro", 55500, "travel"),
        _app(4, "书店会员", 860, "retail", left_out=_STAY_TIME_UV),
        _app(5, "weekend-hikes", 310, "travel", fault=Fault.ABOVE_COHORT),  # of one dataset alone
        _app(6, "社区团购", 7300, "retail", published_at=time(10, 30)),
        _app(7, "flower-market", 950, "retail", fault=Fault.WRONG_SECRET),
        _app(8, "家政到家", 640, "services", fault=Fault.IP),
        _app(9, "museum-guide", 480, "travel", fault=Fault.PERMISSION),
        _app(10, "早餐车", 1500, "food", fault=Fault.NOT_READY),
        _app(11, "photo-prints", 720, "services", fault=Fault.HANG),
        _app(12, "天气小报", 9100, "media", fault=Fault.MALFORMED_JSON),
        _app(13, "daily-quiz", 3300, "media", fault=Fault.QUOTA_DAILY),
        _app(14, "消消乐园", 21000, "media", fault=Fault.MINI_GAME),
        _app(15, "old-campaign", 90, "retail", fault=Fault.FROZEN),
        _app(16, "空房子", 60, "services", fault=Fault.EMPTY),
    )


def fleet(count: int, seed: int) -> tuple[SimApp, ...]:
    """Return `count` healthy mini programs, which depend only on the seed.

    They have from dozens to a million visitors a day, and publish from 07:00 to 11:29 Beijing.
    """
    random = Random(seed)  # noqa: S311 - no secret is drawn
    return tuple(
        SimApp(
            appid=fake_appid(number),
            secret=fake_secret(number),
            name=f"app-{number:05d}",
            size=round(10 ** random.uniform(1.5, 6)),
            published_at=time(random.randint(7, 10), random.randint(0, 59)),
            left_out=_STAY_TIME_UV if random.random() < 0.1 else frozenset(),  # noqa: PLR2004 - one in ten
            labels=(("team", random.choice(_TEAMS)),),
        )
        for number in range(1, count + 1)
    )


ALL_DATASETS: Final = (*(dataset.name for dataset in CATALOGUE if dataset is not DAILY_TREND), QUOTA)
"""The datasets that `config_yaml` can switch on."""


def config_yaml(
    apps: Iterable[SimApp],
    base_url: str,
    *,
    timeout: str = "10s",
    interval: str = "1h",
    concurrency: int = 16,
    datasets: Iterable[str] = (),
) -> str:
    """Return a complete exporter configuration for apps at a simulator's address.

    It keeps nothing on disk, and switches `datasets` on with their defaults.
    """
    on: dict[str, dict[str, object]] = {name: {} for name in datasets}
    configuration = {
        "wechat": {"base_url": base_url, "timeout": timeout},
        "refresh": {"interval": interval, "concurrency": concurrency},
        "storage": {"url": "memory://"},
        **({"datasets": on} if on else {}),
        "apps": [
            {"appid": app.appid, "name": app.name, "labels": dict(app.labels), "secret": app.secret}
            for app in apps
        ],
    }
    return yaml.safe_dump(configuration, allow_unicode=True, sort_keys=False)


def _app(
    number: int,
    name: str,
    size: int,
    team: str,
    *,
    published_at: time = USUAL_PUBLICATION,
    left_out: frozenset[str] = frozenset(),
    fault: Fault = Fault.NONE,
) -> SimApp:
    return SimApp(
        fake_appid(number), fake_secret(number), name, size, published_at, left_out, (("team", team),), fault
    )

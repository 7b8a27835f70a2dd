"""The settings for the rest of the program: plain frozen values, comparable for a reload.

An installation may have 100,000 apps, so all classes have slots, and nothing is kept twice.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from exporter.config.apps import APP, App
from exporter.config.ca_certificates import certificates
from exporter.config.datasets import DATASETS, DatasetSettings
from exporter.config.lists import ListRule
from exporter.config.platforms import PLATFORM, Platform
from exporter.config.rules import DurationRule, FileRule, NumberRule
from exporter.config.sections import Key, Section
from exporter.config.storage import STORAGE, StorageSettings
from exporter.config.text_rules import BASE_URL


@dataclass(frozen=True, slots=True)
class WechatSettings:
    """WeChat's address (no trailing slash) and the timeout of a whole call, in seconds.

    `private_ca`: certificates, as PEM, to trust beside the usual ones.
    """

    base_url: Annotated[
        str,
        Key(
            BASE_URL,
            "Where WeChat's interface answers: another region of it, a proxy, a test server. With "
            "http:// tokens and secrets travel in the clear.",
        ),
    ] = "https://api.weixin.qq.com"
    timeout: Annotated[
        float,
        Key(DurationRule(0.1, 300), "How long a whole call may take, from connecting to the last byte."),
    ] = 10.0
    private_ca: Annotated[
        str,
        Key(
            FileRule(certificates),
            "Certificates (PEM) of a private CA, or of a proxy that inspects TLS; trusted besides "
            "the usual ones, for WeChat, token services and ticket services. Read at the start and on a "
            "reload.",
            name="ca_file",
        ),
    ] = dataclasses.field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RefreshSettings:
    """How often (seconds), how far back (days) and how fast (0: no limit) to ask WeChat."""

    interval: Annotated[
        float,
        Key(
            DurationRule(1, 86_400), "Time between rounds; every round asks for yesterday's row of every app."
        ),
    ] = 3600.0
    history_days: Annotated[
        int,
        Key(
            NumberRule(1, 400),
            "Dates shown by the by-date metrics, yesterday included; 1 switches those metrics off.",
        ),
    ] = 9
    revisit_days: Annotated[
        int,
        Key(
            NumberRule(0, 400),
            "Recent dates that are asked for again once a day, in case WeChat corrected them.",
        ),
    ] = 3
    concurrency: Annotated[
        int, Key(NumberRule(1, 1024), "Calls to WeChat that may be under way at the same time.")
    ] = 16
    requests_per_second: Annotated[
        float,
        Key(
            NumberRule(0, 100_000, "a number from 0 (no limit) to 100000", whole=False),
            "Most calls to WeChat per second, all apps together; 0 means no limit.",
        ),
    ] = 50.0


@dataclass(frozen=True, slots=True)
class MainFile:
    """The configuration file without its apps, which are read one by one."""

    wechat: Annotated[WechatSettings, Key(Section(WechatSettings), "WeChat's interface.")]
    refresh: Annotated[RefreshSettings, Key(Section(RefreshSettings), "When and how fast to ask.")]
    datasets: Annotated[tuple[DatasetSettings, ...], Key(DATASETS, "WeChat's tables beside the daily trend.")]
    storage: Annotated[StorageSettings, Key(STORAGE, "Where rows are kept.")]
    apps: Annotated[tuple[App, ...], Key(ListRule(APP, ""), "The mini programs to report on.")] = ()
    apps_files: Annotated[
        tuple[str, ...],
        Key(
            ListRule(FileRule(), "a list of paths or patterns"),
            "Files with more apps, as paths or patterns (apps.d/*.yaml) relative to this file.",
        ),
    ] = ()
    platforms: Annotated[
        tuple[Platform, ...],
        Key(ListRule(PLATFORM, ""), "Third-party platforms that mini programs have authorised."),
    ] = ()


MAIN_FILE: Final = Section(MainFile)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one configuration file and of the files that it names."""

    path: Path
    wechat: WechatSettings
    refresh: RefreshSettings
    storage: StorageSettings
    apps: tuple[App, ...]
    platforms: tuple[Platform, ...] = ()
    datasets: tuple[DatasetSettings, ...] = ()

    @property
    def longest_call(self) -> float:
        """Return the longest duration of a call to WeChat, in seconds, including its wait for a turn."""
        rate = self.refresh.requests_per_second
        return self.wechat.timeout + (self.refresh.concurrency / rate if rate else 0.0)

    def datasets_of(self, app: App) -> tuple[DatasetSettings, ...]:
        """Return an app's datasets beside the daily trend."""
        return tuple(each for each in self.datasets if app.has(each.name))

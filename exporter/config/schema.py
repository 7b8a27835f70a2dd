"""What may stand in a configuration file: every key with its rule, default and meaning.

The checks, the error messages and the reference in the docs are all made from these models. A new section
is one more field of `MainFile`.
"""

from pathlib import Path
from typing import Annotated, Union, get_args, get_origin

from pydantic import Field
from pydantic.fields import FieldInfo

from exporter.config import texts
from exporter.config.authorities import certificates
from exporter.config.datasets import DatasetName, DatasetsEntry
from exporter.config.entries import Appid, Entry, FilePath, Place, SecretEntry, TokenEntry
from exporter.config.platforms import PlatformEntry
from exporter.config.rules import AnyRule, DurationRule, NumberRule, Rule
from exporter.config.settings import App, RefreshSettings, StableToken, WechatSettings
from exporter.config.storage import StorageEntry

Text = Annotated[str, Rule("a text")]
LabelName = Annotated[
    str, Rule("a label name (letters, digits and _, no digit first, not two _ first)", texts.label)
]


def rule_of(field: FieldInfo) -> AnyRule | None:
    """The rule of a field that holds a single value."""
    marks = field.metadata
    if get_origin(field.annotation) is Union:  # `rule | None`
        marks = list(getattr(get_args(field.annotation)[0], "__metadata__", ()))
    return next((mark for mark in marks if isinstance(mark, AnyRule)), None)


class WechatEntry(Entry):
    """The section `wechat`."""

    base_url: Annotated[str, Rule("an http:// or https:// URL with a host", texts.base_url)] = Field(
        default="https://api.weixin.qq.com",
        description="Where WeChat's interface answers: another region of it, a proxy, a test server. With "
        "http:// tokens and secrets travel in the clear.",
    )
    timeout: Annotated[float, DurationRule(0.1, 300)] = Field(
        default=10.0,
        description="How long a whole call may take, from connecting to the last byte.",
    )
    ca_file: FilePath | None = Field(
        default=None,
        description="Certificates (PEM) of a private CA, or of a proxy that inspects TLS; trusted besides "
        "the usual ones, for WeChat and for whoever keeps tokens. Read at the start and on a reload.",
    )

    def settings(self, place: Place) -> WechatSettings:
        """The section as the program uses it."""
        private_ca = certificates(Path(place.path(self.ca_file))) if self.ca_file else ""
        return WechatSettings(self.base_url, self.timeout, private_ca)


class RefreshEntry(Entry):
    """The section `refresh`."""

    interval: Annotated[float, DurationRule(1, 86_400)] = Field(
        default=3600.0,
        description="Time between rounds; every round asks for yesterday's row of every app.",
    )
    history_days: Annotated[int, NumberRule("a whole number from 1 to 400", 1, 400)] = Field(
        default=9,
        description="Dates shown by the by-date metrics, yesterday included; 1 switches those metrics off.",
    )
    revisit_days: Annotated[int, NumberRule("a whole number from 0 to 400", 0, 400)] = Field(
        default=3,
        description="Recent dates that are asked for again once a day, in case WeChat corrected them.",
    )
    concurrency: Annotated[int, NumberRule("a whole number from 1 to 1024", 1, 1024)] = Field(
        default=16,
        description="Calls to WeChat that may be under way at the same time.",
    )
    requests_per_second: Annotated[
        float, NumberRule("a number from 0 (no limit) to 100000", 0, 100_000, whole=False)
    ] = Field(
        default=50.0, description="Most calls to WeChat per second, all apps together; 0 means no limit."
    )

    def settings(self) -> RefreshSettings:
        """The section as the program uses it."""
        return RefreshSettings(
            self.interval, self.history_days, self.revisit_days, self.concurrency, self.requests_per_second
        )


class AppEntry(SecretEntry):
    """One item of `apps`."""

    appid: Appid = Field(description="The mini program's appid; it becomes the label appid.")
    name: Annotated[str, Rule(f"a name of 1 to {texts.LONGEST_NAME} characters", texts.name)] | None = Field(
        default=None, description="A name for people; it becomes the label name. Without it: the appid."
    )
    labels: dict[LabelName, Text] = Field(
        default_factory=dict, description="More labels, for the info metric."
    )
    token: TokenEntry | None = Field(
        default=None, description="How to get the token, if not from a secret as the default way does."
    )
    datasets: list[DatasetName] | None = Field(
        default=None, description="Only these of the section datasets, [] for none. Without it: all of them."
    )

    def settings(self, place: Place) -> App:
        """The app as the program uses it."""
        token = (
            StableToken(self.source(place)) if self.token is None else self.token.settings(self.appid, place)
        )
        labels = place.once(sorted(self.labels.items()))
        datasets = None if self.datasets is None else tuple(dict.fromkeys(self.datasets))
        return App(self.appid, self.name or self.appid, labels, token, datasets)


class AppsFile(Entry):
    """A file of `apps_files`; a bare list is taken for its `apps`."""

    apps: list[AppEntry] = Field(default_factory=list, description="Mini programs to report on.")


class MainFile(Entry):
    """The configuration file."""

    wechat: WechatEntry = Field(default_factory=WechatEntry, description="WeChat's interface.")
    refresh: RefreshEntry = Field(default_factory=RefreshEntry, description="When and how fast to ask.")
    datasets: DatasetsEntry = Field(
        default_factory=DatasetsEntry, description="WeChat's tables beside the daily trend."
    )
    storage: StorageEntry = Field(default_factory=StorageEntry, description="Where rows are kept.")
    apps: list[AppEntry] = Field(default_factory=list, description="The mini programs to report on.")
    apps_files: list[FilePath] = Field(
        default_factory=list,
        description="Files with more apps, as paths or patterns (apps.d/*.yaml) relative to this file.",
    )
    platforms: list[PlatformEntry] = Field(
        default_factory=list, description="Third-party platforms that mini programs have authorised."
    )

"""Third-party platforms in the configuration: their keys, and the rules that concern several of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from exporter.config import texts
from exporter.config.credentials import one_of, readable
from exporter.config.entries import (
    Appid,
    Entry,
    FilePath,
    HeaderName,
    HeaderValue,
    Place,
    PlatformName,
    SecretText,
    secret_of,
)
from exporter.config.problems import KeyPath, Problem, shown
from exporter.config.rules import BooleanRule, DurationRule, Rule
from exporter.config.settings import (
    App,
    Discovery,
    Platform,
    Secret,
    ThirdParty,
    TicketCallback,
    TicketFile,
    TicketHttp,
)

EXTRA_MODULES: Final = ("cryptography", "defusedxml")
_SOURCES: Final = ("file", "http", "callback")

AesKey = Annotated[str, Rule("an EncodingAESKey (43 letters and digits)", texts.aes_key, hidden=True)]
AppidPattern = Annotated[str, Rule("an appid, or a pattern of appids such as wx12*", texts.appid_pattern)]


class TicketHttpEntry(Entry):
    """`verify_ticket: {http: …}`."""

    url: Annotated[str, Rule("an http:// or https:// URL with a host", texts.plain_url)] = Field(
        description="The URL to GET the newest component_verify_ticket from."
    )
    field: Annotated[str, Rule("a key's name", texts.filled)] | None = Field(
        default=None,
        description="The key of the ticket in the answer's JSON; without it `component_verify_ticket`, or "
        "the whole answer where that is not JSON.",
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description="Headers to send, such as Authorization."
    )


class TicketCallbackEntry(Entry):
    """`verify_ticket: {callback: …}`."""

    token: SecretText | None = Field(
        default=None, description="The platform's 消息校验Token; better kept in a file."
    )
    token_file: FilePath | None = Field(default=None, description="A file that holds it.")
    encoding_aes_key: AesKey | None = Field(
        default=None, description="The platform's 消息加解密Key; better kept in a file."
    )
    encoding_aes_key_file: FilePath | None = Field(default=None, description="A file that holds it.")


class VerifyTicketEntry(Entry):
    """Where a platform's verify ticket comes from: exactly one of the keys."""

    file: FilePath | None = Field(
        default=None,
        description="Another program writes the newest ticket to this file; it need not exist yet.",
    )
    http: TicketHttpEntry | None = Field(default=None, description="Another program hands it out over HTTP.")
    callback: TicketCallbackEntry | None = Field(
        default=None, description="WeChat pushes it to the exporter: POST /wechat/ticket/NAME."
    )

    def settings(self, place: Place) -> TicketFile | TicketHttp | TicketCallback:
        """The source as the program uses it; `problems` has seen to it that there is one."""
        if self.file is not None:
            return TicketFile(Path(place.path(self.file)))
        if self.http is not None:
            return TicketHttp(self.http.url, self.http.field, place.once(self.http.headers.items()))
        if self.callback is None:
            raise TypeError("a verify ticket has a source")
        given = self.callback
        return TicketCallback(
            _required(given.token, given.token_file, place),
            _required(given.encoding_aes_key, given.encoding_aes_key_file, place),
        )


class PlatformEntry(Entry):
    """One item of `platforms`."""

    name: PlatformName = Field(description="A name for people and for apps to refer to.")
    component_appid: Appid = Field(description="The platform's own appid.")
    component_appsecret: SecretText | None = Field(
        default=None, description="The platform's AppSecret; better kept in a file."
    )
    component_appsecret_file: FilePath | None = Field(
        default=None, description="A file that holds the platform's AppSecret."
    )
    verify_ticket: VerifyTicketEntry = Field(description="Where its component_verify_ticket comes from.")
    discover: Annotated[bool, BooleanRule()] = Field(
        default=False, description="Whether every account that has authorised the platform becomes an app."
    )
    discover_interval: Annotated[float, DurationRule(1, 86_400)] = Field(
        default=3600.0, description="Time between two lookups of the accounts."
    )
    include: list[AppidPattern] = Field(
        default_factory=list, description="Only these accounts, as appids or patterns; none means all."
    )
    exclude: list[AppidPattern] = Field(
        default_factory=list, description="Not these accounts, as appids or patterns; stronger than include."
    )

    def settings(self, place: Place) -> Platform:
        """The platform as the program uses it."""
        discovery = Discovery(self.discover_interval, tuple(self.include), tuple(self.exclude))
        return Platform(
            self.name,
            self.component_appid,
            _required(self.component_appsecret, self.component_appsecret_file, place),
            self.verify_ticket.settings(place),
            discovery if self.discover else None,
        )


def problems(found: object, place: Place) -> Iterator[Problem]:
    """What is wrong with the platforms, read from the plain data, but for what the schema says itself."""
    seen: dict[tuple[str, str], int] = {}
    for index, platform in enumerate(found if isinstance(found, list) else ()):
        if not isinstance(platform, dict):
            continue
        path: KeyPath = ("platforms", index)
        for key in ("name", "component_appid"):
            value = platform.get(key)
            if isinstance(value, str):
                first = seen.setdefault((key, value.lower()), index)
                if first != index:
                    what = f"{shown(value)} is configured already (first in platforms[{first}])"
                    yield Problem((*path, key), what)
        yield from _secret(platform, "component_appsecret", path, place)
        ticket = platform.get("verify_ticket")
        if isinstance(ticket, dict):
            yield from one_of(ticket, _SOURCES, (*path, "verify_ticket"))
            if isinstance(ticket.get("callback"), dict):
                yield from _callback(ticket["callback"], (*path, "verify_ticket", "callback"), place)


def unknown_platforms(apps: Iterable[tuple[App, KeyPath]], known: Sequence[str]) -> Iterator[Problem]:
    """Apps whose platform is not configured, each with the place of the app."""
    for app, path in apps:
        if isinstance(app.token, ThirdParty) and app.token.platform not in known:
            allowed = ", ".join(known) or "none is configured"
            what = f"{shown(app.token.platform)} is not one of the platforms (there are: {allowed})"
            yield Problem((*path, "token", "platform"), what)


def _callback(found: Mapping[str, object], path: KeyPath, place: Place) -> Iterator[Problem]:
    yield from _secret(found, "token", path, place)
    for problem in _secret(found, "encoding_aes_key", path, place):
        yield problem
        return
    written = found.get("encoding_aes_key_file")
    if isinstance(written, str):
        try:
            texts.aes_key(Secret(path=place.path(written)).read())
        except ValueError:
            what = f"{shown(written)} does not hold an EncodingAESKey (43 letters and digits)"
            yield Problem((*path, "encoding_aes_key_file"), what)
    missing = [module for module in EXTRA_MODULES if find_spec(module) is None]
    if missing:
        yield Problem(
            path,
            f"needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            "pip install '.[third-party]' in the checkout",
        )


def _secret(found: Mapping[str, object], key: str, path: KeyPath, place: Place) -> Iterator[Problem]:
    yield from one_of(found, (key, f"{key}_file"), path)
    yield from readable(found, f"{key}_file", path, place)


def _required(value: str | None, file: str | None, place: Place) -> Secret:
    secret = secret_of(value, file, place)
    if secret is None:
        raise TypeError("a secret has a value or a file")
    return secret

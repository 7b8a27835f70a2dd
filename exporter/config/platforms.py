"""Third-party platforms in the configuration: their keys, and the rules across platforms."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

from exporter.config.lists import ListRule
from exporter.config.problems import KeyPath, Pairs, Problems, shown
from exporter.config.rules import BooleanRule, DurationRule, FileRule
from exporter.config.secret import Secret, secret_rule
from exporter.config.sections import Key, SecretKey, Section
from exporter.config.text_rules import APPID, APPID_PATTERN, KEY_NAME, PLATFORM_NAME, REQUEST_URL, matching
from exporter.config.token_types import HEADERS

EXTRA_MODULES: Final = ("cryptography", "defusedxml")

_AES_KEY: Final = secret_rule("an EncodingAESKey (43 letters and digits)", matching(r"[A-Za-z0-9]{43}"))
_ACCOUNTS: Final = ListRule(APPID_PATTERN, "a list of appids and patterns")


@dataclass(frozen=True, slots=True)
class TicketFile:
    """Another program writes the newest verify ticket to the file `path`."""

    path: Path


@dataclass(frozen=True, slots=True)
class TicketHttp:
    """Another program answers GET `url` with the ticket, or with JSON that has it under the key `field`."""

    url: Annotated[str, Key(REQUEST_URL, "The URL to GET the newest component_verify_ticket from.")] = (
        dataclasses.field(repr=False)
    )
    field: Annotated[
        str | None,
        Key(
            KEY_NAME,
            "The key of the ticket in the answer's JSON; without it `component_verify_ticket`, or "
            "the whole answer where that is not JSON.",
        ),
    ] = None
    headers: Annotated[Pairs, HEADERS] = dataclasses.field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class TicketCallback:
    """WeChat pushes verify tickets to this exporter: `token` signs, `aes_key` encrypts the pushes."""

    token: Annotated[
        Secret,
        SecretKey(
            "The platform's 消息校验Token; better kept in a file.", "A file that holds the 消息校验Token."
        ),
    ]
    aes_key: Annotated[
        Secret,
        SecretKey(
            "The platform's 消息加解密Key; better kept in a file.",
            "A file that holds the 消息加解密Key.",
            _AES_KEY,
            name="encoding_aes_key",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Discovery:
    """All accounts that authorise a platform become apps; they are listed every `interval` seconds.

    `include` and `exclude` hold appids and patterns such as `wx12*`; an empty `include` means all.
    """

    interval: float
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


TicketSettings = TicketFile | TicketHttp | TicketCallback


@dataclass(frozen=True, slots=True)
class Platform:
    """A third-party platform: its credential and the source of its verify ticket."""

    name: str
    component_appid: str
    component_appsecret: Secret
    ticket: TicketSettings
    discovery: Discovery | None = None


def _callback_modules(_callback: Mapping[str, object], path: KeyPath, problems: Problems) -> None:
    missing = [module for module in EXTRA_MODULES if find_spec(module) is None]
    if missing:
        problems.add(
            path,
            f"needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            "pip install '.[third-party]' in the checkout",
        )


def _one(**sources: TicketSettings | None) -> TicketSettings:
    return next(source for source in sources.values() if source is not None)


_TICKET: Final = Section(
    _one,
    {
        "file": Key(
            FileRule(lambda path: TicketFile(Path(path))),
            "Another program writes the newest ticket to this file; it need not exist yet.",
            default=None,
        ),
        "http": Key(Section(TicketHttp), "Another program hands it out over HTTP.", default=None),
        "callback": Key(
            Section(TicketCallback, check=_callback_modules),
            "WeChat pushes it to the exporter: POST /wechat/ticket/NAME.",
            default=None,
        ),
    },
    one_of=("file", "http", "callback"),
)


def _platform(
    name: Annotated[str, Key(PLATFORM_NAME, "A name for people and for apps to refer to.")],
    component_appid: Annotated[str, Key(APPID, "The platform's own appid.")],
    component_appsecret: Annotated[
        Secret,
        SecretKey(
            "The platform's AppSecret; better kept in a file.", "A file that holds the platform's AppSecret."
        ),
    ],
    verify_ticket: Annotated[TicketSettings, Key(_TICKET, "Where its component_verify_ticket comes from.")],
    discover: Annotated[  # noqa: FBT002 - the configuration's own switch
        bool, Key(BooleanRule(), "Whether every account that has authorised the platform becomes an app.")
    ] = False,
    discover_interval: Annotated[
        float, Key(DurationRule(1, 86_400), "Time between two lookups of the accounts.")
    ] = 3600.0,
    include: Annotated[
        tuple[str, ...], Key(_ACCOUNTS, "Only these accounts, as appids or patterns; none means all.")
    ] = (),
    exclude: Annotated[
        tuple[str, ...], Key(_ACCOUNTS, "Not these accounts, as appids or patterns; stronger than include.")
    ] = (),
) -> Platform:
    discovery = Discovery(discover_interval, include, exclude) if discover else None
    return Platform(name, component_appid, component_appsecret, verify_ticket, discovery)


PLATFORM: Final = Section(_platform)


def check_repeated(found: object, problems: Problems) -> None:
    """Add a problem for each name and each appid that an earlier platform of the file has."""
    seen: dict[tuple[str, str], int] = {}
    for index, platform in enumerate(found if isinstance(found, list) else ()):
        for key in ("name", "component_appid"):
            value = platform.get(key) if isinstance(platform, dict) else None
            if isinstance(value, str):
                first = seen.setdefault((key, value.lower()), index)
                if first != index:
                    what = f"{shown(value)} is configured already (first in platforms[{first}])"
                    problems.add(("platforms", index, key), what)

"""The accounts that have authorised a platform: which of them become apps, and under which names."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from exporter.config.settings import App, Discovery, ThirdParty
from exporter.config.texts import LONGEST_NAME

NAME_SECONDS: Final = 86_400.0  # a merchant may rename the account


@dataclass(frozen=True, slots=True)
class Account:
    """One account: its name ('' while unknown), when WeChat was last asked for it (Unix time, 0: never)."""

    name: str = ""
    asked_at: float = 0.0


Accounts = Mapping[str, Account]


def wanted(appids: Iterable[str], discovery: Discovery) -> list[str]:
    """The accounts that the lists `include` and `exclude` leave, in WeChat's order."""
    included = discovery.include or ("*",)
    return [appid for appid in appids if _matches(appid, included) and not _matches(appid, discovery.exclude)]


def listed(appids: Iterable[str], known: Accounts) -> dict[str, Account]:
    """The accounts of a new list; what is known of those that were there before is kept."""
    return {appid: known.get(appid, Account()) for appid in appids}


def unnamed(accounts: Accounts, now: float) -> list[str]:
    """The accounts whose names are to be asked for: first those without one, then those asked long ago."""
    due = [appid for appid, account in accounts.items() if account.asked_at + NAME_SECONDS <= now]
    return sorted(due, key=lambda appid: accounts[appid].asked_at)


def name_in(body: dict[str, Any]) -> str:
    """The account's name in an answer of api_get_authorizer_info; '' where none can be shown."""
    info = body.get("authorizer_info")
    found = info.get("nick_name") if isinstance(info, dict) else None
    if not isinstance(found, str):
        return ""
    return "".join(character for character in found if character.isprintable()).strip()[:LONGEST_NAME]


def app_of(appid: str, account: Account, platform: str) -> App:
    """The app that an account becomes."""
    return App(appid, account.name or appid, (), ThirdParty(platform))


@dataclass(frozen=True, slots=True)
class Roll:
    """The accounts of a platform as they are stored, for a restart and for other exporters.

    `listed_at`, `saved_at`: Unix times of the list and of the last change; `without_token`: how many of the
    list could not become apps.
    """

    accounts: Accounts
    listed_at: float = 0.0
    saved_at: float = 0.0
    without_token: int = 0


def written(roll: Roll) -> str:
    """The accounts as a text to be stored."""
    return json.dumps(
        {
            "listed_at": roll.listed_at,
            "saved_at": roll.saved_at,
            "without_token": roll.without_token,
            "accounts": {appid: [each.name, each.asked_at] for appid, each in roll.accounts.items()},
        }
    )


def read(text: str | None) -> Roll | None:
    """The accounts of a stored text; None where there is none that can be understood."""
    with suppress(ValueError, TypeError, AttributeError, KeyError):
        found = json.loads(text or "")
        named = found.get("accounts", found)  # the first versions stored these alone
        accounts = {appid: Account(str(name), float(asked_at)) for appid, (name, asked_at) in named.items()}
        if named is found:
            return Roll(accounts)
        return Roll(
            accounts, float(found["listed_at"]), float(found["saved_at"]), int(found["without_token"])
        )
    return None


def _matches(appid: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(appid.lower(), pattern.lower()) for pattern in patterns)

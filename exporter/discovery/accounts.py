"""The accounts that have authorised a platform, and the apps that they become."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from exporter.config.apps import App
from exporter.config.platforms import Discovery
from exporter.config.text_rules import LONGEST_NAME
from exporter.config.token_types import ThirdParty
from exporter.not_before import NotBefore
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason

INFO_SECONDS: Final = 7 * 86_400.0
"""Seconds for which an account's identification is good: its kind never changes, its name rarely."""

_SECOND_LOOK: Final = 180.0  # seconds until the loss of more than half of the accounts is believed


@dataclass(frozen=True, slots=True)
class Account:
    """An account: its name ('' while unknown) and the Unix time of the last call for it (0: never).

    `is_app`: whether it is a mini program, not an official account; None while unknown.
    """

    name: str = ""
    asked_at: float = 0.0
    is_app: bool | None = None


Accounts = Mapping[str, Account]


def wanted(appids: Iterable[str], discovery: Discovery) -> list[str]:
    """Return the accounts that `include` and `exclude` select, in WeChat's order."""
    included = discovery.include or ("*",)
    return [appid for appid in appids if _matches(appid, included) and not _matches(appid, discovery.exclude)]


def listed(appids: Iterable[str], known: Accounts) -> dict[str, Account]:
    """Return the accounts of a new list, with what is known of earlier ones."""
    return {appid: known.get(appid, Account()) for appid in appids}


def to_ask_for(accounts: Accounts, now: float) -> list[str]:
    """Return the accounts to identify: new ones first, then those identified long ago."""
    due = [
        appid for appid, each in accounts.items() if not each.asked_at <= now < each.asked_at + INFO_SECONDS
    ]
    return sorted(due, key=lambda appid: accounts[appid].asked_at)


def read_info(body: dict[str, Any]) -> tuple[str, bool]:
    """Return an account's name ('' if it has none to show), and whether it is a mini program.

    `body` is an answer of api_get_authorizer_info: an official account has no MiniProgramInfo.
    """
    info = body.get("authorizer_info")
    if not isinstance(info, dict):
        raise CallError(failure(Reason.MALFORMED, "the answer has no authorizer_info"))
    found = info.get("nick_name")
    name = found if isinstance(found, str) else ""
    shown = "".join(character for character in name if character.isprintable()).strip()[:LONGEST_NAME]
    return shown, isinstance(info.get("MiniProgramInfo"), dict)


def app_of(appid: str, account: Account, platform: str) -> App:
    """Return the app for an account."""
    return App(appid, account.name or appid, (), ThirdParty(platform, discovered=True))


@dataclass(frozen=True, slots=True)
class AccountList:
    """The accounts of a platform, as stored for restarts and other exporters.

    `listed_at`, `saved_at`: Unix times of the list and of the last change; `without_token`: the number of
    listed accounts that could not become apps.
    """

    accounts: Accounts
    listed_at: float = 0.0
    saved_at: float = 0.0
    without_token: int = 0

    def json(self) -> object:
        """Return the list as JSON to store."""
        return {
            "listed_at": self.listed_at,
            "saved_at": self.saved_at,
            "without_token": self.without_token,
            "accounts": {
                appid: [each.name, each.asked_at, each.is_app] for appid, each in self.accounts.items()
            },
        }

    @classmethod
    def of_json(cls, found: Any) -> "AccountList":  # noqa: ANN401 - JSON
        """Return the list from stored JSON, also that of versions before 1.0."""
        if "accounts" not in found:  # the first versions stored only the accounts
            found = {"accounts": found, "listed_at": 0, "saved_at": 0, "without_token": 0}
        accounts = {appid: _account(*stored) for appid, stored in found["accounts"].items()}
        return cls(accounts, float(found["listed_at"]), float(found["saved_at"]), int(found["without_token"]))


def _account(name: object, asked_at: Any, *kind: bool | None) -> Account:  # noqa: ANN401 - JSON
    """Return a stored account; one without a kind, of a version before 1.0, stays an app for now."""
    if not kind:
        return Account(str(name), 0.0 * float(asked_at), is_app=True)
    return Account(str(name), float(asked_at), None if kind[0] is None else bool(kind[0]))


def _matches(appid: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(appid.lower(), pattern.lower()) for pattern in patterns)


@dataclass(slots=True)
class MassLossCheck:
    """Believes the loss of more than half of the accounts only if it persists for some minutes."""

    _after: NotBefore | None = None

    def left(self, listed: int, known: int, now: float) -> float:
        """Return the seconds until a list of `listed` accounts is believed, if `known` were known before."""
        left = 0.0
        if 2 * listed < known:
            self._after = self._after or NotBefore.after(_SECOND_LOOK, now)
            left = self._after.left(now)
        if not left:
            self._after = None
        return left

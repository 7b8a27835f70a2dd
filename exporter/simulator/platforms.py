"""Third-party platforms: tickets, component tokens, accounts with rotating refresh tokens, the list.

They are stricter than WeChat to reveal mistakes: they refuse a used refresh token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from exporter.simulator.messages import CallInfo, RefusedError, Request
from exporter.simulator.tokens import TokenDesk, TokenKind

_PREFIX: Final = "/cgi-bin/component/"
ENDPOINTS: Final = {
    f"{_PREFIX}{name}": name.removeprefix("api_")
    for name in (
        "api_component_token",
        "api_authorizer_token",
        "api_get_authorizer_list",
        "api_get_authorizer_info",
    )
}
TICKET_SECONDS: Final = 12 * 3600
_LARGEST_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class SimPlatform:
    """A third-party platform; `token` signs and `aes_key` (43 characters) encrypts its pushes."""

    name: str
    component_appid: str
    secret: str = field(repr=False)
    token: str = field(default="not-a-real-push-token", repr=False)
    aes_key: str = field(default="notARealEncodingAESKey" + "0" * 21, repr=False)


class PlatformDesk:
    """WeChat's state of a platform; its switches work at any time.

    `rotates`: each use of a refresh token returns a new one and invalidates the old one. `ip_allowed`: if
    false, 61004. `lists_refresh_tokens`: whether the list has them. `permitted`: permission set 18; if false,
    61007. `official`: authorised accounts that are not mini programs.
    """

    def __init__(self, platform: SimPlatform, tokens: TokenDesk, names: Mapping[str, str]) -> None:
        self.platform = platform
        self.rotates = True
        self.lists_refresh_tokens = True
        self.ip_allowed = True
        self.permitted = True
        self.official: set[str] = set()  # accounts that are not mini programs
        self._tokens = tokens
        self._names = names
        self._tickets: dict[str, float] = {}
        self._refresh_tokens: dict[str, str] = {}
        self._serial = 0

    @property
    def accounts(self) -> dict[str, str]:
        """Return the authorised accounts with their refresh tokens; '' if the code was never exchanged."""
        return dict(self._refresh_tokens)

    def new_ticket(self, now: float) -> str:
        """Return a new ticket, valid for twelve hours; earlier ones stay valid."""
        ticket = f"ticket@@@{self._fresh()}"
        self._tickets[ticket] = now + TICKET_SECONDS
        return ticket

    def authorise(self, appid: str, *, exchanged: bool = True) -> str:
        """Authorise an account (again): return a new refresh token and invalidate the old one."""
        self._refresh_tokens[appid] = f"refreshtoken@@@{self._fresh()}" if exchanged else ""
        return self._refresh_tokens[appid]

    def withdraw(self, appid: str) -> None:
        """Withdraw an account's authorisation."""
        self._refresh_tokens.pop(appid, None)

    def component_token(self, asked: Mapping[str, object], now: float) -> object:
        """Answer api_component_token."""
        if asked.get("component_appsecret") != self.platform.secret:
            raise RefusedError(40125)
        if not self.ip_allowed:
            raise RefusedError(61004)
        good_till = self._tickets.get(str(asked.get("component_verify_ticket")))
        if good_till is None:
            raise RefusedError(61006)
        if good_till <= now:
            raise RefusedError(61005)
        text, lifetime = self._tokens.issue(self.platform.component_appid, TokenKind.COMPONENT, now)
        return {"component_access_token": text, "expires_in": lifetime}

    def authorizer_token(self, asked: Mapping[str, object], now: float, call: CallInfo) -> object:
        """Answer api_authorizer_token."""
        appid = str(asked.get("authorizer_appid"))
        if appid in self._names:
            call.appid = appid
        if appid not in self._refresh_tokens:
            raise RefusedError(61003)
        if (
            not self._refresh_tokens[appid]
            or asked.get("authorizer_refresh_token") != self._refresh_tokens[appid]
        ):
            raise RefusedError(61023)
        if self.rotates:
            self.authorise(appid)
        text, lifetime = self._tokens.issue(appid, TokenKind.AUTHORIZER, now)
        return {
            "authorizer_access_token": text,
            "expires_in": lifetime,
            "authorizer_refresh_token": self._refresh_tokens[appid],
        }

    def page(self, asked: Mapping[str, object]) -> object:
        """Answer api_get_authorizer_list."""
        offset, count = asked.get("offset"), asked.get("count")
        if not isinstance(offset, int) or not isinstance(count, int) or not 0 < count <= _LARGEST_PAGE:
            raise RefusedError(47001)
        return {
            "total_count": len(self._refresh_tokens),
            "list": [
                {"authorizer_appid": appid, "auth_time": 1_700_000_000}
                | ({"refresh_token": token} if token and self.lists_refresh_tokens else {})
                for appid, token in list(self._refresh_tokens.items())[offset : offset + count]
            ],
        }

    def info(self, asked: Mapping[str, object], call: CallInfo) -> object:
        """Answer api_get_authorizer_info."""
        appid = str(asked.get("authorizer_appid"))
        if appid not in self._refresh_tokens:
            raise RefusedError(61003)
        if appid in self._names:
            call.appid = appid
        granted = [{"funcscope_category": {"id": 18}}] if self.permitted else []
        kind = {} if appid in self.official else {"MiniProgramInfo": {"visit_status": 0}}
        return {
            "authorizer_info": {"nick_name": self._names.get(appid, "an official account"), **kind},
            "authorization_info": {"authorizer_appid": appid, "func_info": granted},
        }

    def check_data_call(self, appid: str) -> None:
        """Raise RefusedError for a data call with this platform's token, as its state requires."""
        if appid not in self._refresh_tokens:
            raise RefusedError(61003)
        if not self.ip_allowed:
            raise RefusedError(61004)
        if not self.permitted:
            raise RefusedError(61007)

    def _fresh(self) -> str:
        self._serial += 1
        return blake2b(f"{self.platform.component_appid} {self._serial}".encode()).hexdigest()[:43]


@dataclass(frozen=True, slots=True)
class PlatformRules:
    """The component interfaces of all platforms, by their appids."""

    desks: Mapping[str, PlatformDesk]
    tokens: TokenDesk = field(default_factory=TokenDesk)

    def answer(self, request: Request, now: float, call: CallInfo) -> object:
        """Return the JSON value of an answer; raise RefusedError."""
        asked = request.json_object()
        endpoint = ENDPOINTS[request.path]
        component_appid = asked.get("component_appid")
        if not component_appid:
            raise RefusedError(41018)
        desk = self.desks.get(str(component_appid))
        if desk is None:
            raise RefusedError(61011)
        if endpoint == "component_token":
            return desk.component_token(asked, now)
        self._check_token(request, desk, now)
        if endpoint == "authorizer_token":
            return desk.authorizer_token(asked, now, call)
        return desk.page(asked) if endpoint == "get_authorizer_list" else desk.info(asked, call)

    def _check_token(self, request: Request, desk: PlatformDesk, now: float) -> None:
        token = request.parameter("component_access_token") or request.parameter("access_token")
        if not token:
            raise RefusedError(41001)
        owner, kind = self.tokens.holder(token, now)
        if kind is not TokenKind.COMPONENT:
            raise RefusedError(61014)
        if owner != desk.platform.component_appid:
            raise RefusedError(40001)
        if not desk.ip_allowed:
            raise RefusedError(61004)

    def check_data_call(self, appid: str) -> None:
        """Raise RefusedError for a data call with an authorizer token, as the platform's state requires."""
        platforms = [desk for desk in self.desks.values() if appid in desk.accounts]
        if not platforms:
            raise RefusedError(61003)
        platforms[0].check_data_call(appid)

"""WeChat's rules for its interfaces: from a request to a reply, without waiting.

They are strict, and check in this order: token, method, body, dates, the app's fault, publication.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Final

from exporter.beijing import yesterday
from exporter.datasets.catalogue import BY_INTERFACE, BY_PATH
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.datasets.period import DAY, Period
from exporter.datasets.quota import QUOTA, QUOTA_PATH, written_quota
from exporter.simulator.call_log import CallLog, CallRecord
from exporter.simulator.conditions import Clock, Conditions
from exporter.simulator.dataset_bodies import body
from exporter.simulator.fault_effects import compact_json, delivered, distorted
from exporter.simulator.faults import CallKind, Fault, FaultBoard
from exporter.simulator.fleet import SimApp
from exporter.simulator.messages import PLAIN, CallInfo, RefusedError, Reply, Request, errmsg, refusal
from exporter.simulator.platforms import ENDPOINTS, PlatformRules
from exporter.simulator.tokens import TokenDesk, TokenKind

TREND_PATH: Final = DAILY_TREND.path
STABLE_TOKEN_PATH: Final = "/cgi-bin/stable_token"  # noqa: S105 - a path
TOKEN_PATH: Final = "/cgi-bin/token"  # noqa: S105 - a path
FUNCTION_PATH: Final = "/tcb/invokecloudfunction"
CLOUD_ENV: Final = "prod-1"
CLOUD_FUNCTION: Final = "visitTrend"
DAILY_LIMIT: Final = 100_000  # calls per account, interface and day
_ENDPOINTS: Final = {
    **{path: dataset.name for path, dataset in BY_PATH.items()},
    TREND_PATH: "daily_visit_trend",
    QUOTA_PATH: QUOTA,
    STABLE_TOKEN_PATH: "stable_token",
    TOKEN_PATH: "token",
    FUNCTION_PATH: "cloud_function",
    **ENDPOINTS,
}
_WIRE_DATE: Final = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class WechatRules:
    """The interfaces of all apps."""

    apps: Mapping[str, SimApp]
    clock: Clock
    tokens: TokenDesk
    faults: FaultBoard
    log: CallLog
    conditions: Conditions
    platforms: PlatformRules
    _serials: Iterator[int] = field(default_factory=lambda: count(1))

    def answer(self, request: Request) -> Reply:
        """Return WeChat's reply to any request that is not for the simulator's controls."""
        now = self.clock.now()
        endpoint = _ENDPOINTS.get(request.path, "other")
        call = CallInfo()
        try:
            answer = self._answer(request, now, call)
        except RefusedError as error:
            call.outcome = str(error.errcode)
            refused = refusal(error.errcode, request.client_ip, now, next(self._serials))
            answer = Reply(refused, content_type=PLAIN, seconds=self.conditions.latency_seconds)
        self.log.record(CallRecord(now, endpoint, call.appid, call.date, call.outcome))
        return answer

    def _answer(self, request: Request, now: float, call: CallInfo) -> Reply:
        if request.path in BY_PATH:
            return self._data(request, now, call, BY_PATH[request.path])
        if request.path in ENDPOINTS:
            payload = self.platforms.answer(request, now, call)
            return self._json(payload, Fault.NONE)
        interfaces = {
            QUOTA_PATH: self._quota,
            STABLE_TOKEN_PATH: self._stable_token,
            TOKEN_PATH: self._classic_token,
            FUNCTION_PATH: self._cloud_function,
        }
        if request.path not in interfaces:
            raise RefusedError(40066)
        return interfaces[request.path](request, now, call)

    def _data(self, request: Request, now: float, call: CallInfo, dataset: Dataset) -> Reply:
        call.appid = self._caller(request, now)
        asked = request.json_object(form_errcode=61500)
        begin, end = _date(asked.get("begin_date")), _date(asked.get("end_date"))
        return self._table(dataset, Period(begin, end), now, call, Fault.NONE)

    def _quota(self, request: Request, now: float, call: CallInfo) -> Reply:
        if not request.parameter("access_token"):  # there is no cloud call for it
            raise RefusedError(41001)
        call.appid = self._caller(request, now)
        path = request.json_object().get("cgi_path")
        if not isinstance(path, str) or not path.startswith("/"):
            raise RefusedError(76003)
        if path not in _ENDPOINTS:
            raise RefusedError(76021)
        fault = self._fault(call, CallKind.DATA, QUOTA)
        spent = path in BY_PATH and self.faults.spends_quota(call.appid, BY_PATH[path].name)
        used = DAILY_LIMIT if spent else self.log.used(_ENDPOINTS[path], call.appid, now)
        return self._json(written_quota(DAILY_LIMIT, used), fault)

    def _caller(self, request: Request, now: float) -> str:
        """Return the account of a data call, by its token or its origin."""
        if token := request.parameter("access_token"):
            appid, kind = self.tokens.holder(token, now)
            if kind in (TokenKind.COMPONENT, TokenKind.CLOUDBASE):
                raise RefusedError(61015)
            if kind is TokenKind.AUTHORIZER:
                self.platforms.check_data_call(appid)
            return appid
        if token := request.parameter("cloudbase_access_token"):
            appid, kind = self.tokens.holder(token, now)
            if kind is not TokenKind.CLOUDBASE:
                raise RefusedError(40001)
            return appid
        appid = request.parameter("from_appid") or self.conditions.hosting_appid
        if not self.conditions.hosting_appid:
            raise RefusedError(41001)
        if appid not in self.apps:
            raise RefusedError(40013)
        return appid

    def _cloud_function(self, request: Request, now: float, call: CallInfo) -> Reply:
        if not (token := request.parameter("access_token")):
            raise RefusedError(41001)
        call.appid, kind = self.tokens.holder(token, now)
        if kind not in (TokenKind.STABLE, TokenKind.CLASSIC):
            raise RefusedError(48001)
        asked = request.json_object()
        if request.parameter("env") != CLOUD_ENV:
            raise RefusedError(85088)
        if request.parameter("name") != CLOUD_FUNCTION:
            raise RefusedError(-501000)
        returned: object
        interface = asked.get("interface", DAILY_TREND.interface)
        try:
            dataset = _granted(interface)
            begin, end = _date(asked.get("beginDate")), _date(asked.get("endDate"))
            inner = self._table(dataset, Period(begin, end), now, call, Fault.CAMEL_CASE)
        except RefusedError as error:  # like deploy/cloud-function, it returns errors that it caught
            call.outcome = str(error.errcode)
            text = f"openapi.analysis.{interface}:fail {errmsg(error.errcode, request.client_ip)}"
            returned = compact_json({"errCode": error.errcode, "errMsg": text}).decode()
        else:
            if not inner.is_plain:
                return inner
            returned = inner.body.decode("utf-8", "replace")
        return self._json({"errcode": 0, "errmsg": "ok", "resp_data": returned}, Fault.NONE)

    def _table(self, dataset: Dataset, asked: Period, now: float, call: CallInfo, shape: Fault) -> Reply:
        app = self.apps[call.appid]
        call.date = dataset.request(asked)["begin_date"]
        newest = dataset.calendar.newest(yesterday(now))
        if asked > newest or not _is_period(dataset, asked):
            raise RefusedError(61501)
        exempt = Fault.NOT_READY if asked < newest else Fault.NONE
        fault = self._fault(call, CallKind.DATA, dataset.name, exempt)
        if not self._published(app, asked, now):
            raise RefusedError(61503 if dataset.calendar is DAY else 61501)
        whole = body(app, dataset, asked, lambda each: self._published(app, each, now))
        changed = distorted(whole, dataset, asked, shape if fault is Fault.NONE else fault)
        return self._json(changed, fault)

    def _published(self, app: SimApp, period: Period, now: float) -> bool:
        at = period.end if self.conditions.always_published else app.publication(period.last)
        return at <= now

    def _stable_token(self, request: Request, now: float, call: CallInfo) -> Reply:
        asked = request.json_object()
        forced = asked.get("force_refresh", False)
        if not isinstance(forced, bool):
            raise RefusedError(47001)
        fault = self._identified(asked, call)
        if forced:
            self.log.record_forced(call.appid)
        issue = self.tokens.force if forced else self.tokens.stable
        return self._token(issue(call.appid, now), fault)

    def _classic_token(self, request: Request, now: float, call: CallInfo) -> Reply:
        if request.method != "GET":
            raise RefusedError(43001)
        asked = {name: request.parameter(name) for name in ("grant_type", "appid", "secret")}
        fault = self._identified(asked, call)
        return self._token(self.tokens.classic(call.appid, now), fault)

    def _identified(self, asked: Mapping[str, object], call: CallInfo) -> Fault:
        """Check a token call's three parameters; return the app's fault, for the caller to apply."""
        if asked.get("grant_type") != "client_credential":
            raise RefusedError(40002)
        appid, secret = asked.get("appid"), asked.get("secret")
        if not appid:
            raise RefusedError(41002)
        if not secret:
            raise RefusedError(41004)
        app = self.apps.get(appid) if isinstance(appid, str) else None
        if app is None:
            raise RefusedError(40013)
        call.appid = app.appid
        if secret != app.secret:
            raise RefusedError(40125)
        return self._fault(call, CallKind.TOKEN)

    def _token(self, issued: tuple[str, int], fault: Fault) -> Reply:
        return self._json(dict(zip(("access_token", "expires_in"), issued, strict=True)), fault)

    def _json(self, payload: object, fault: Fault) -> Reply:
        return delivered(compact_json(payload), fault, self.conditions)

    def _fault(self, call: CallInfo, on: CallKind, table: str = "", exempt: Fault = Fault.NONE) -> Fault:
        active = self.faults.take(call.appid, on, table)
        if active is None or active.fault is exempt:
            return Fault.NONE
        if active.errcode is not None:
            raise RefusedError(active.errcode)
        call.outcome = active.fault.value
        return active.fault


def _date(found: object) -> date:
    if not isinstance(found, str) or not _WIRE_DATE.fullmatch(found):
        raise RefusedError(61500)
    try:
        return date.fromisoformat(found)
    except ValueError:
        raise RefusedError(61500) from None


def _granted(interface: object) -> Dataset:
    """Return the dataset of an interface that deploy/cloud-function may call; refuse others."""
    if str(interface) not in BY_INTERFACE:
        raise RefusedError(-604101)
    return BY_INTERFACE[str(interface)]


def _is_period(dataset: Dataset, asked: Period) -> bool:
    """Return whether dates are those of one of the dataset's periods, as WeChat requires."""
    try:
        return dataset.calendar.starting(asked.first) == asked
    except ValueError:
        return False

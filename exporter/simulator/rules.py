"""WeChat's rules for the three documented interfaces: a request in, an answer out, nothing waited for.

Strict where WeChat is strict, so that a client's mistakes show. Checked in this order: the token, the
method, the body, the dates, the app's fault, publication.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from exporter.simulator import data
from exporter.simulator.accounts import SimApp
from exporter.simulator.calls import Progress, first, json_object
from exporter.simulator.clock import Clock
from exporter.simulator.distortions import Waits, compact_json, delivered, trend_payload
from exporter.simulator.faults import Call, Fault, FaultBoard
from exporter.simulator.ledger import CallRecord, Ledger
from exporter.simulator.messages import PLAIN, Answer, Delivery, Request
from exporter.simulator.platforms import ENDPOINTS, PlatformRules
from exporter.simulator.refusals import RefusedError, errmsg, refusal
from exporter.simulator.tokens import Kind, TokenDesk
from exporter.trend import wire_date, yesterday

TREND_PATH: Final = "/datacube/getweanalysisappiddailyvisittrend"
STABLE_TOKEN_PATH: Final = "/cgi-bin/stable_token"  # noqa: S105 - a path
TOKEN_PATH: Final = "/cgi-bin/token"  # noqa: S105 - a path
FUNCTION_PATH: Final = "/tcb/invokecloudfunction"
OK: Final = 200
CLOUD_ENV: Final = "prod-1"
CLOUD_FUNCTION: Final = "visitTrend"
_ENDPOINTS: Final = {
    TREND_PATH: "daily_visit_trend",
    STABLE_TOKEN_PATH: "stable_token",
    TOKEN_PATH: "token",
    FUNCTION_PATH: "cloud_function",
    **ENDPOINTS,
}
_FAILED: Final = "openapi.analysis.getDailyVisitTrend:fail "
_WIRE_DATE: Final = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class Rules:
    """The interfaces of all apps: `always_published` makes yesterday's row available at any hour.

    `hosting_appid`: calls without a token come from inside that account's cloud hosting; empty: from outside.
    """

    apps: Mapping[str, SimApp]
    clock: Clock
    desk: TokenDesk
    faults: FaultBoard
    ledger: Ledger
    waits: Waits
    always_published: bool
    serials: Iterator[int]
    platforms: PlatformRules = field(default_factory=lambda: PlatformRules({}))
    hosting_appid: str = ""

    def answer(self, request: Request) -> Answer:
        """WeChat's answer to any request that is not for the simulator's own controls."""
        now = self.clock.now()
        endpoint = _ENDPOINTS.get(request.path, "other")
        progress = Progress()
        try:
            answer = self._answer(request, now, progress)
        except RefusedError as error:
            progress.outcome = str(error.errcode)
            body = refusal(error.errcode, request.client_ip, now, next(self.serials))
            answer = Answer(body, content_type=PLAIN, seconds=self.waits.latency)
        self.ledger.record(CallRecord(now, endpoint, progress.appid, progress.date, progress.outcome))
        return answer

    def _answer(self, request: Request, now: float, progress: Progress) -> Answer:
        if request.path == TREND_PATH:
            return self._trend(request, now, progress)
        if request.path == STABLE_TOKEN_PATH:
            return self._stable_token(request, now, progress)
        if request.path == TOKEN_PATH:
            return self._classic_token(request, now, progress)
        if request.path == FUNCTION_PATH:
            return self._cloud_function(request, now, progress)
        if request.path in ENDPOINTS:
            payload = self.platforms.answer(request, now, progress)
            return delivered(compact_json(payload), Fault.NONE, self.waits)
        raise RefusedError(40066)

    def _trend(self, request: Request, now: float, progress: Progress) -> Answer:
        progress.appid = self._caller(request, now)
        asked = json_object(request, form_errcode=61500)
        begin, end = _date(asked.get("begin_date")), _date(asked.get("end_date"))
        return self._row(begin, end, now, progress, Fault.NONE)

    def _caller(self, request: Request, now: float) -> str:
        """The account that a data call is for, by the token or by where it comes from."""
        token = first(request.query, "access_token")
        if token:
            appid, kind = self.desk.holder(token, now)
            if kind in (Kind.COMPONENT, Kind.CLOUDBASE):
                raise RefusedError(61015)
            if kind is Kind.AUTHORIZER:
                self.platforms.check_data_call(appid)
            return appid
        token = first(request.query, "cloudbase_access_token")
        if token:
            appid, kind = self.desk.holder(token, now)
            if kind is not Kind.CLOUDBASE:
                raise RefusedError(40001)
            return appid
        appid = first(request.query, "from_appid") or self.hosting_appid
        if not self.hosting_appid:
            raise RefusedError(41001)
        if appid not in self.apps:
            raise RefusedError(40013)
        return appid

    def _cloud_function(self, request: Request, now: float, progress: Progress) -> Answer:
        token = first(request.query, "access_token")
        if not token:
            raise RefusedError(41001)
        progress.appid, kind = self.desk.holder(token, now)
        if kind not in (Kind.STABLE, Kind.CLASSIC):
            raise RefusedError(48001)
        asked = json_object(request, form_errcode=47001)
        if first(request.query, "env") != CLOUD_ENV:
            raise RefusedError(85088)
        if first(request.query, "name") != CLOUD_FUNCTION:
            raise RefusedError(-501000)
        returned: object
        try:
            begin, end = _date(asked.get("beginDate")), _date(asked.get("endDate"))
            inner = self._row(begin, end, now, progress, Fault.CAMEL_CASE)
        except RefusedError as error:  # as deploy/cloud-function does, it returns what it caught
            progress.outcome = str(error.errcode)
            text = errmsg(error.errcode, request.client_ip)
            returned = compact_json({"errCode": error.errcode, "errMsg": _FAILED + text}).decode()
        else:
            if inner.delivery is not Delivery.WHOLE or inner.status != OK or inner.headers:
                return inner
            returned = inner.body.decode("utf-8", "replace")
        body = compact_json({"errcode": 0, "errmsg": "ok", "resp_data": returned})
        return delivered(body, Fault.NONE, self.waits)

    def _row(self, begin: date, end: date, now: float, progress: Progress, shape: Fault) -> Answer:
        app = self.apps[progress.appid]
        progress.date = wire_date(begin)
        newest = yesterday(now)
        if begin != end or end > newest:
            raise RefusedError(61501)
        fault = self._fault(progress, Call.DATA, exempt=Fault.NOT_READY if begin < newest else None)
        if not self.always_published and app.publication(begin) > now:
            raise RefusedError(61503)
        row = data.row(app.appid, begin, app.size)
        for name in app.left_out:
            del row[name]
        return delivered(
            compact_json(trend_payload(row, begin, shape if fault is Fault.NONE else fault)),
            fault,
            self.waits,
        )

    def _stable_token(self, request: Request, now: float, progress: Progress) -> Answer:
        asked = json_object(request, form_errcode=47001)
        forced = asked.get("force_refresh", False)
        if not isinstance(forced, bool):
            raise RefusedError(47001)
        fault = self._identified(asked, progress)
        if forced:
            self.ledger.record_forced(progress.appid)
            return self._token(self.desk.force(progress.appid, now), fault)
        return self._token(self.desk.stable(progress.appid, now), fault)

    def _classic_token(self, request: Request, now: float, progress: Progress) -> Answer:
        if request.method != "GET":
            raise RefusedError(43001)
        names = ("grant_type", "appid", "secret")
        fault = self._identified({name: first(request.query, name) for name in names}, progress)
        return self._token(self.desk.classic(progress.appid, now), fault)

    def _identified(self, asked: Mapping[str, object], progress: Progress) -> Fault:
        """Check a token call's three parameters; the fault that remains to be acted out."""
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
        progress.appid = app.appid
        if secret != app.secret:
            raise RefusedError(40125)
        return self._fault(progress, Call.TOKEN)

    def _token(self, issued: tuple[str, int], fault: Fault) -> Answer:
        text, expires_in = issued
        return delivered(compact_json({"access_token": text, "expires_in": expires_in}), fault, self.waits)

    def _fault(self, progress: Progress, call: Call, exempt: Fault | None = None) -> Fault:
        active = self.faults.take(progress.appid, call)
        if active is None or active.fault is exempt:
            return Fault.NONE
        if active.errcode is not None:
            raise RefusedError(active.errcode)
        progress.outcome = active.fault.value
        return active.fault


def _date(found: object) -> date:
    if not isinstance(found, str) or not _WIRE_DATE.fullmatch(found):
        raise RefusedError(61500)
    try:
        return date.fromisoformat(found)
    except ValueError:
        raise RefusedError(61500) from None

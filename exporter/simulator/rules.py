"""WeChat's rules for the three documented interfaces: a request in, an answer out, nothing waited for.

Strict where WeChat is strict, so that a client's mistakes show. Checked in this order: the token, the
method, the body, the dates, the app's fault, publication.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import parse_qs

from exporter.simulator import data
from exporter.simulator.accounts import SimApp
from exporter.simulator.clock import Clock
from exporter.simulator.distortions import Waits, compact_json, delivered, trend_payload
from exporter.simulator.faults import Call, Fault, FaultBoard
from exporter.simulator.ledger import CallRecord, Ledger
from exporter.simulator.messages import PLAIN, Answer, Request
from exporter.simulator.refusals import RefusedError, refusal
from exporter.simulator.tokens import TokenDesk
from exporter.trend import wire_date, yesterday

TREND_PATH: Final = "/datacube/getweanalysisappiddailyvisittrend"
STABLE_TOKEN_PATH: Final = "/cgi-bin/stable_token"  # noqa: S105 - a path
TOKEN_PATH: Final = "/cgi-bin/token"  # noqa: S105 - a path
_ENDPOINTS: Final = {TREND_PATH: "daily_visit_trend", STABLE_TOKEN_PATH: "stable_token", TOKEN_PATH: "token"}
_WIRE_DATE: Final = re.compile(r"[0-9]{8}")
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class _Progress:
    """What is known of a call so far, for the ledger."""

    appid: str = ""
    date: str = ""
    outcome: str = "ok"


@dataclass(frozen=True, slots=True)
class Rules:
    """The interfaces of all apps: `always_published` makes yesterday's row available at any hour."""

    apps: Mapping[str, SimApp]
    clock: Clock
    desk: TokenDesk
    faults: FaultBoard
    ledger: Ledger
    waits: Waits
    always_published: bool
    serials: Iterator[int]

    def answer(self, request: Request) -> Answer:
        """WeChat's answer to any request that is not for the simulator's own controls."""
        now = self.clock.now()
        endpoint = _ENDPOINTS.get(request.path, "other")
        progress = _Progress()
        try:
            answer = self._answer(request, now, progress)
        except RefusedError as error:
            progress.outcome = str(error.errcode)
            body = refusal(error.errcode, request.client_ip, now, next(self.serials))
            answer = Answer(body, content_type=PLAIN, seconds=self.waits.latency)
        self.ledger.record(CallRecord(now, endpoint, progress.appid, progress.date, progress.outcome))
        return answer

    def _answer(self, request: Request, now: float, progress: _Progress) -> Answer:
        if request.path == TREND_PATH:
            return self._trend(request, now, progress)
        if request.path == STABLE_TOKEN_PATH:
            return self._stable_token(request, now, progress)
        if request.path == TOKEN_PATH:
            return self._classic_token(request, now, progress)
        raise RefusedError(40066)

    def _trend(self, request: Request, now: float, progress: _Progress) -> Answer:
        token = _first(request.query, "access_token")
        if not token:
            raise RefusedError(41001)
        progress.appid = self.desk.owner(token, now)
        app = self.apps[progress.appid]
        asked = _json_object(request, form_errcode=61500)
        begin, end = _date(asked.get("begin_date")), _date(asked.get("end_date"))
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
        return delivered(compact_json(trend_payload(row, begin, fault)), fault, self.waits)

    def _stable_token(self, request: Request, now: float, progress: _Progress) -> Answer:
        asked = _json_object(request, form_errcode=47001)
        forced = asked.get("force_refresh", False)
        if not isinstance(forced, bool):
            raise RefusedError(47001)
        fault = self._identified(asked, progress)
        if forced:
            self.ledger.record_forced(progress.appid)
            return self._token(self.desk.force(progress.appid, now), fault)
        return self._token(self.desk.stable(progress.appid, now), fault)

    def _classic_token(self, request: Request, now: float, progress: _Progress) -> Answer:
        if request.method != "GET":
            raise RefusedError(43001)
        names = ("grant_type", "appid", "secret")
        fault = self._identified({name: _first(request.query, name) for name in names}, progress)
        return self._token(self.desk.classic(progress.appid, now), fault)

    def _identified(self, asked: Mapping[str, object], progress: _Progress) -> Fault:
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

    def _fault(self, progress: _Progress, call: Call, exempt: Fault | None = None) -> Fault:
        active = self.faults.take(progress.appid, call)
        if active is None or active.fault is exempt:
            return Fault.NONE
        if active.errcode is not None:
            raise RefusedError(active.errcode)
        progress.outcome = active.fault.value
        return active.fault


def _first(query: str, name: str) -> str:
    return parse_qs(query).get(name, [""])[0]


def _json_object(request: Request, form_errcode: int) -> Mapping[str, object]:
    """The decoded body of a POST; `form_errcode` refuses one that is form-encoded."""
    if request.method != "POST":
        raise RefusedError(43002)
    if not request.body:
        raise RefusedError(44002)
    if request.content_type.startswith(_FORM):
        raise RefusedError(form_errcode)
    try:
        asked = json.loads(request.body)
    except ValueError:
        raise RefusedError(47001) from None
    if not isinstance(asked, dict):
        raise RefusedError(47001)
    return asked


def _date(found: object) -> date:
    if not isinstance(found, str) or not _WIRE_DATE.fullmatch(found):
        raise RefusedError(61500)
    try:
        return date.fromisoformat(found)
    except ValueError:
        raise RefusedError(61500) from None

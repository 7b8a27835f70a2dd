"""The simulator's HTTP controls under /_sim/: calls, apps, faults, the clock."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from exporter.simulator.faults import CallKind, Fault
from exporter.simulator.fleet import SimApp
from exporter.simulator.messages import Reply, Request
from exporter.simulator.platforms import PlatformDesk
from exporter.simulator.rules import WechatRules

PREFIX: Final = "/_sim/"
Asked = Mapping[str, object]


class ControlError(Exception):
    """A control call is impossible; `status` is the HTTP status, the text says what is needed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Control:
    """Answers the paths under PREFIX; `configuration` returns an exporter configuration as YAML."""

    rules: WechatRules
    configuration: Callable[[], str]
    platforms: Mapping[str, PlatformDesk] = field(default_factory=dict)
    push: Callable[[str, str], object] = lambda _platform, _url: None

    def answer(self, request: Request) -> Reply:
        """Return the answer to a control call; errors have a 4xx status and `{"error": text}`."""
        try:
            return self._answer(request)
        except ControlError as error:
            return _json({"error": str(error)}, error.status)

    def _answer(self, request: Request) -> Reply:
        rest = request.path.removeprefix(PREFIX)
        if rest == "config" and request.method == "GET":
            text = self.configuration().encode()
            return Reply(text, content_type="application/yaml; charset=utf-8", counted=False)
        routes: dict[tuple[str, str], Callable[[], object]] = {
            ("GET", "calls"): self._calls,
            ("DELETE", "calls"): self._clear,
            ("GET", "apps"): lambda: [self._app(app) for app in self.rules.apps.values()],
            ("GET", "faults"): lambda: {fault: fault.meaning for fault in Fault},
            ("GET", "clock"): self._now,
            ("POST", "clock"): lambda: self._set_clock(_asked(request)),
            ("GET", "platforms"): lambda: [self._platform(desk) for desk in self.platforms.values()],
        }
        route = routes.get((request.method, rest))
        if route is not None:
            return _json(route())
        match rest.split("/"):
            case ["apps", appid, "fault"] if request.method == "POST":
                if appid not in self.rules.apps:
                    raise ControlError(404, f"no app {appid}; GET {PREFIX}apps lists them")
                return _json(self._switch(appid, _asked(request)))
            case ["platforms", name, verb]:
                return _json(self._of_platform(name, verb, request))
        known = ", ".join(f"{method} {PREFIX}{path}" for method, path in routes)
        raise ControlError(
            404,
            f"{request.method} {request.path} is unknown; there are: {known}, GET {PREFIX}config, "
            f"POST {PREFIX}apps/{{appid}}/fault, GET {PREFIX}platforms/{{name}}/ticket, "
            f"POST {PREFIX}platforms/{{name}}/push",
        )

    def _calls(self) -> object:
        calls: dict[str, dict[str, int]] = {}
        outcomes: dict[str, dict[str, int]] = {}
        for (endpoint, appid, outcome), count in self.rules.log.counts().items():
            for table, key in ((calls, appid), (outcomes, outcome)):
                row = table.setdefault(endpoint, {})
                row[key] = row.get(key, 0) + count
        return {
            "calls": calls,
            "outcomes": outcomes,
            "force_refresh": self.rules.log.forced(),
            "in_flight": self.rules.log.in_flight,
        }

    def _clear(self) -> object:
        self.rules.log.clear()
        return self._calls()

    def _now(self) -> object:
        return {"now": self.rules.clock.now()}

    def _set_clock(self, asked: Asked) -> object:
        if set(asked) not in ({"now"}, {"advance"}):
            raise ControlError(400, 'say {"now": UNIX_TIME} or {"advance": SECONDS}')
        if "now" in asked:
            self.rules.clock.set(_number(asked, "now"))
        else:
            self.rules.clock.advance(_number(asked, "advance"))
        return self._now()

    def _switch(self, appid: str, asked: Asked) -> object:
        unknown = set(asked) - {"fault", "on", "times", "errcode", "dataset"}
        if unknown:
            raise ControlError(
                400, f"unknown: {', '.join(sorted(unknown))}; allowed: fault, on, times, errcode, dataset"
            )
        try:
            fault = Fault(str(asked.get("fault")))
            on = CallKind(str(asked["on"])) if "on" in asked else None
            times = int(_number(asked, "times")) if "times" in asked else None
            errcode = int(_number(asked, "errcode")) if "errcode" in asked else None
            dataset = str(asked.get("dataset", ""))
            self.rules.faults.switch(appid, fault, on=on, times=times, errcode=errcode, dataset=dataset)
        except ValueError as error:
            raise ControlError(400, f"{error}; GET {PREFIX}faults lists the faults") from None
        return self._app(self.rules.apps[appid])

    def _of_platform(self, name: str, verb: str, request: Request) -> object:
        desk = self.platforms.get(name)
        if desk is None:
            raise ControlError(404, f"no platform {name}; GET {PREFIX}platforms lists them")
        if (request.method, verb) == ("GET", "ticket"):  # as a platform's server would provide it
            return {"component_verify_ticket": desk.new_ticket(self.rules.clock.now())}
        if (request.method, verb) == ("POST", "push"):
            url = _asked(request).get("url")
            if not isinstance(url, str):
                raise ControlError(400, 'say {"url": ADDRESS}')
            self.push(name, url)
            return {"pushing": url}
        raise ControlError(404, "there are: GET ticket, POST push")

    def _platform(self, desk: PlatformDesk) -> object:
        platform = desk.platform
        return {
            "name": platform.name,
            "component_appid": platform.component_appid,
            "component_appsecret": platform.secret,
            "token": platform.token,
            "encoding_aes_key": platform.aes_key,
            "accounts": list(desk.accounts),
        }

    def _app(self, app: SimApp) -> object:
        return {
            "appid": app.appid,
            "name": app.name,
            "size": app.size,
            "published_at": f"{app.published_at:%H:%M}",
            "labels": dict(app.labels),
            "faults": self.rules.faults.shown(app.appid),
        }


def _asked(request: Request) -> Asked:
    try:
        asked = json.loads(request.body)
    except ValueError as error:
        raise ControlError(400, f"the body is no JSON: {error}") from None
    if not isinstance(asked, dict):
        raise ControlError(400, "the body is no JSON object")
    return asked


def _number(asked: Asked, name: str) -> float:
    found = asked[name]
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ControlError(400, f"{name} is {found!r}, not a number")
    return found


def _json(payload: object, status: int = 200) -> Reply:
    body = json.dumps(payload, ensure_ascii=False).encode() + b"\n"
    return Reply(body, status, "application/json; charset=utf-8", counted=False)

"""The simulator: a server thread on a loopback port, and switches for Python callers."""

import contextlib
import importlib
import threading
from collections.abc import Iterable

from exporter.simulator.call_log import CallLog
from exporter.simulator.conditions import USUAL, Clock, Conditions
from exporter.simulator.control import PREFIX, Control, ControlError
from exporter.simulator.faults import FaultBoard
from exporter.simulator.fleet import SimApp, config_yaml
from exporter.simulator.listener import Listener
from exporter.simulator.messages import Reply, Request
from exporter.simulator.platforms import PlatformDesk, PlatformRules, SimPlatform
from exporter.simulator.rules import WechatRules
from exporter.simulator.tokens import TokenDesk

__all__ = ["Conditions", "Simulator"]


class Simulator(Listener):
    """A stand-in WeChat, whose `base_url` takes the place of https://api.weixin.qq.com.

    Its `clock`, `faults`, `tokens` and `platforms` may be changed at any time; `log` has the calls. The
    host is a loopback address, else it raises ListenAddressError; port 0 is any free one. All apps have
    authorised the first platform.
    """

    def __init__(
        self,
        apps: Iterable[SimApp],
        conditions: Conditions = USUAL,
        host: str = "127.0.0.1",
        port: int = 0,
        platforms: Iterable[SimPlatform] = (),
    ) -> None:
        self.apps = tuple(apps)
        by_appid = {app.appid: app for app in self.apps}
        if len(by_appid) != len(self.apps):
            raise ValueError("two apps have the same appid")
        self.clock = Clock(conditions.time_source)
        self.log = CallLog()
        self.faults = FaultBoard()
        self.tokens = TokenDesk()
        for app in self.apps:
            self.faults.switch(app.appid, app.fault)
        names = {app.appid: app.name for app in self.apps}
        desks = [PlatformDesk(platform, self.tokens, names) for platform in platforms]
        self.platforms = {desk.platform.name: desk for desk in desks}
        for desk in desks[:1]:
            for app in self.apps:
                desk.authorise(app.appid)
        self._rules = WechatRules(
            apps=by_appid,
            clock=self.clock,
            tokens=self.tokens,
            faults=self.faults,
            log=self.log,
            conditions=conditions,
            platforms=PlatformRules({desk.platform.component_appid: desk for desk in desks}, self.tokens),
        )
        self._control = Control(self._rules, self.configuration, self.platforms, self._push_later)
        super().__init__(host, port, self._answer, self.log)

    def configuration(self) -> str:
        """Return an exporter configuration for this simulator's apps, as YAML text."""
        return config_yaml(self.apps, self.base_url)

    def new_ticket(self, platform: str) -> str:
        """Return a new verify ticket of the platform with a name."""
        return self.platforms[platform].new_ticket(self.clock.now())

    def push_ticket(self, platform: str, url: str) -> tuple[int, str]:
        """Push a new verify ticket to a platform's address; return the answer's status and text."""
        from exporter.simulator import pushes  # noqa: PLC0415 - needs the extra third-party

        fields = {"ComponentVerifyTicket": self.new_ticket(platform)}
        desk, now = self.platforms[platform], self.clock.now()
        return pushes.send(url, pushes.push(desk.platform, now, "component_verify_ticket", fields))

    def _push_later(self, platform: str, url: str) -> None:
        """Push a new verify ticket from another thread, as the simulator's must continue to answer."""
        try:
            importlib.import_module("exporter.simulator.pushes")
        except ImportError as error:
            lacking = f"a push needs {error.name}: pip install '.[third-party]' in the checkout"
            raise ControlError(501, lacking) from None
        threading.Thread(target=self._push_quietly, args=(platform, url), daemon=True).start()

    def _push_quietly(self, platform: str, url: str) -> None:
        with contextlib.suppress(OSError):  # nobody listens: WeChat ignores that too
            self.push_ticket(platform, url)

    def calls(self, endpoint: str | None = None, appid: str | None = None, outcome: str | None = None) -> int:
        """Count the calls answered since the last `log.clear()`, all or those that match.

        `endpoint`: stable_token, token, daily_visit_trend, cloud_function, component_token, authorizer_token,
        get_authorizer_list, get_authorizer_info or other. `appid`: empty for calls of unknown apps.
        `outcome`: ok, an errcode as text, or a fault's name.
        """
        wanted = (endpoint, appid, outcome)
        return sum(
            count
            for key, count in self.log.counts().items()
            if all(want in (None, has) for want, has in zip(wanted, key, strict=True))
        )

    def _answer(self, request: Request) -> Reply:
        if request.path.startswith(PREFIX):
            return self._control.answer(request)
        return self._rules.answer(request)

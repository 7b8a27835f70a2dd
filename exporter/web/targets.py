"""/sd: what Prometheus is to scrape, for its http_sd_configs.

Source: https://prometheus.io/docs/prometheus/latest/http_sd/
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from exporter.config.settings import App
from exporter.shards import Shard, owner

TARGETS_PATH: Final = "/sd"
_META: Final = "__meta_wechat_miniprogram"
_UNCACHED: Final = {"Cache-Control": "no-store"}

Group = dict[str, Any]
"""One item of the answer: `targets` and `labels`."""


class Targets:
    """Answers with one target per shard, or with `?per=app` with one per app, each of its own page."""

    def __init__(
        self,
        apps: Callable[[], Sequence[App]],
        shard: Shard,
        templates: Sequence[str],
        telemetry_path: str,
    ) -> None:
        """`apps`: of all shards. `templates`: HOST:PORT with {shard}, one per replica; none: as asked."""
        self._apps = apps
        self._shard = shard
        self._templates = templates
        self._telemetry_path = telemetry_path

    async def answer(self, request: Request) -> Response:
        """The groups as JSON; 400 for another wish."""
        per = request.query_params.get("per", "shard")
        if per not in ("shard", "app"):
            return PlainTextResponse("per is shard or app\n", 400, _UNCACHED)
        asked = request.headers.get("host") or ":".join(map(str, request.scope["server"]))
        common = {"__scheme__": request.url.scheme, "__metrics_path__": self._telemetry_path}
        groups = self.per_app if per == "app" else self.per_shard
        found = await run_in_threadpool(lambda: list(groups(asked, common)))
        return JSONResponse(found, headers=_UNCACHED)

    def per_shard(self, asked: str, common: dict[str, str]) -> Iterator[Group]:
        """Every shard; without templates this one alone, as it knows no other's address."""
        numbers: Iterable[int] = range(self._shard.total) if self._templates else (self._shard.number,)
        for number in numbers:
            labels = {**common, f"{_META}_shard": str(number)}
            yield {"targets": self._at(number, asked), "labels": labels}

    def per_app(self, asked: str, common: dict[str, str]) -> Iterator[Group]:
        """Every app at the shard that has it; `instance` tells them apart, as `up` has no label appid."""
        for app in self._apps():
            number = owner(app.appid, self._shard.total)
            if not self._templates and number != self._shard.number:
                continue
            labels = {
                **common,
                "__param_appid": app.appid,
                f"{_META}_shard": str(number),
                f"{_META}_appid": app.appid,
                f"{_META}_name": app.name,
                **{f"{_META}_label_{name}": value for name, value in app.labels},
            }
            for target in self._at(number, asked):
                yield {"targets": [target], "labels": {**labels, "instance": f"{target}/{app.appid}"}}

    def _at(self, number: int, asked: str) -> list[str]:
        return [each.replace("{shard}", str(number)) for each in self._templates] or [asked]

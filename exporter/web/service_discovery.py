"""HTTP service discovery: the targets for Prometheus at /sd.

Source: https://prometheus.io/docs/prometheus/latest/http_sd/
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from exporter.config.apps import App
from exporter.shards import Shard, owner

TARGETS_PATH: Final = "/sd"
_META: Final = "__meta_wechat_miniprogram"
_UNCACHED: Final = {"Cache-Control": "no-store"}
_MOST_APPS: Final = 200_000  # appids with a cached shard

TargetsQuery = tuple[str, str, str]
"""The part of a request that an answer depends on: `per`, scheme, address."""


class Targets:
    """Answers with a target per shard or, with `?per=app`, per app, each with its own page.

    It makes one answer at a time, and reuses the last one until request or apps differ.
    """

    def __init__(
        self, apps: Callable[[], Sequence[App]], shard: Shard, templates: Sequence[str], telemetry_path: str
    ) -> None:
        """Prepare answers.

        `apps`: of all shards. `templates`: HOST:PORT with {shard}, one per replica; none for the address of
        the request.
        """
        self._apps = apps
        self._shard = shard
        self._templates = templates
        self._telemetry_path = telemetry_path
        self._making = asyncio.Lock()  # waiting for it blocks no thread
        self._last: tuple[TargetsQuery, Sequence[App], bytes] | None = None  # 100,000 apps make some 40 MB
        self._owner = lru_cache(maxsize=_MOST_APPS)(partial(owner, total=shard.total))

    async def answer(self, request: Request) -> Response:
        """Answer with the target groups as JSON, or with 400 if `per` is neither shard nor app."""
        per = request.query_params.get("per", "shard")
        if per not in ("shard", "app"):
            return PlainTextResponse("per is shard or app\n", 400, _UNCACHED)
        asked = "" if self._templates else request.headers.get("host") or _address(*request.scope["server"])
        query = per, request.scope["scheme"], asked
        async with self._making:
            apps = self._apps()
            if self._last is None or self._last[0] != query or self._last[1] is not apps:
                self._last = query, apps, await run_in_threadpool(self._made, query, apps)
            body = self._last[2]
        return Response(body, media_type="application/json", headers=_UNCACHED)

    def _made(self, query: TargetsQuery, apps: Sequence[App]) -> bytes:
        """Write the answer group by group, as writing one large text would block other threads."""
        per, scheme, asked = query
        common = {"__scheme__": scheme, "__metrics_path__": self._telemetry_path}
        groups = self._per_app(apps, asked, common) if per == "app" else self._per_shard(asked, common)
        written = (json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() for each in groups)
        return b"[%b]" % b",".join(written)

    def _per_shard(self, asked: str, common: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Yield every shard's group; without templates only this one's, as other addresses are unknown."""
        numbers: Iterable[int] = range(self._shard.total) if self._templates else (self._shard.number,)
        for number in numbers:
            labels = {**common, f"{_META}_shard": str(number)}
            yield {"targets": self._at(number, asked), "labels": labels}

    def _per_app(self, apps: Sequence[App], asked: str, common: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Yield every app's group; `instance` distinguishes apps, as `up` has no label appid."""
        for app in apps:
            number = self._owner(app.appid)
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


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

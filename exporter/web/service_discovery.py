"""/sd: what Prometheus is to scrape, for its http_sd_configs.

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
_MOST_APPS: Final = 200_000  # whose shard is remembered

TargetsQuery = tuple[str, str, str]
"""What an answer depends on beside the apps: per what, the scheme, the address that was asked."""


class Targets:
    """Answers with one target per shard, or with `?per=app` with one per app, each of its own page.

    Answers are made one at a time; the last one is kept as long as the apps are the same ones.
    """

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
        self._making = asyncio.Lock()  # waiting for it takes no thread from others
        self._last: tuple[TargetsQuery, Sequence[App], bytes] | None = None  # 100,000 apps make some 40 MB
        self._owner = lru_cache(maxsize=_MOST_APPS)(partial(owner, total=shard.total))

    async def answer(self, request: Request) -> Response:
        """Answer with the groups as JSON, or with 400 where `per` is neither shard nor app."""
        per = request.query_params.get("per", "shard")
        if per not in ("shard", "app"):
            return PlainTextResponse("per is shard or app\n", 400, _UNCACHED)
        asked = "" if self._templates else request.headers.get("host") or _address(*request.scope["server"])
        wish = per, request.scope["scheme"], asked
        async with self._making:
            apps = self._apps()
            if self._last is None or self._last[0] != wish or self._last[1] is not apps:
                self._last = wish, apps, await run_in_threadpool(self._made, wish, apps)
            body = self._last[2]
        return Response(body, media_type="application/json", headers=_UNCACHED)

    def _made(self, wish: TargetsQuery, apps: Sequence[App]) -> bytes:
        """Make the answer's bytes group by group, as nothing else runs while one text is made."""
        per, scheme, asked = wish
        common = {"__scheme__": scheme, "__metrics_path__": self._telemetry_path}
        groups = self._per_app(apps, asked, common) if per == "app" else self._per_shard(asked, common)
        written = (json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() for each in groups)
        return b"[%b]" % b",".join(written)

    def _per_shard(self, asked: str, common: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Yield every shard; without templates this one alone, as it knows no other's address."""
        numbers: Iterable[int] = range(self._shard.total) if self._templates else (self._shard.number,)
        for number in numbers:
            labels = {**common, f"{_META}_shard": str(number)}
            yield {"targets": self._at(number, asked), "labels": labels}

    def _per_app(self, apps: Sequence[App], asked: str, common: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Yield every app at its shard; `instance` sets them apart, as `up` has no label appid."""
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

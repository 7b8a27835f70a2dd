"""openapi/quota/get 查询API调用额度: WeChat's own count of an account's calls to one interface today.

A call asks for one path at any time, so it is not a table of periods. There is no cloud call for it.
Source: https://developers.weixin.qq.com/doc/oplatform/openApi/OpenApiDoc/basic-info/quota/getApiQuota.html
"""

from collections.abc import Mapping
from typing import Final

from exporter.datasets.body_parsing import MalformedRowError, figures, one_object
from exporter.datasets.field import Field

QUOTA: Final = "quota"
"""The dataset's name in configuration and labels."""

QUOTA_PATH: Final = "/cgi-bin/openapi/quota/get"
QUOTA_LABELS: Final = ("cgi_path",)


QUOTA_FIELDS: Final = (
    Field(
        "daily_limit",
        "当天该账号可调用该接口的次数",
        "Limit",
        "calls that the account may make to this interface today",
        metric="api_quota_daily_limit",
    ),
    Field(
        "used",
        "当天已经调用的次数",
        "Used",
        "calls made to this interface today, those of other programs included",
        metric="api_quota_used",
    ),
    Field(
        "remain", "当天剩余调用次数", "Left", "calls to this interface left today", metric="api_quota_remain"
    ),
)


def quota_request(cgi_path: str) -> Mapping[str, str]:
    """Return the body of the call that asks for the quota of an interface."""
    return {"cgi_path": cgi_path}


def quota_due(place: int, of: int, now: float, interval: float, asked_at: float | None) -> bool:
    """Return whether a round at `now` asks for the quota of the interface at `place` (from 0) `of` several.

    The interfaces in use are spread over the `interval` (seconds), so that a round asks for few of them once
    all are known. `asked_at`: Unix time of the last call for this one; None if there was none.
    """
    if asked_at is None:
        return True
    offset = interval * place / of
    return (now - offset) // interval > (asked_at - offset) // interval


def read_quota(body: Mapping[str, object]) -> tuple[int | float | None, ...]:
    """Return limit, used and left calls in the order of QUOTA_FIELDS; raise MalformedRowError."""
    if "quota" not in body:
        raise MalformedRowError("there is no 'quota'")
    values = figures(one_object(body["quota"], "'quota'"), QUOTA_FIELDS)
    if all(value is None for value in values):
        raise MalformedRowError("the quota has none of the documented figures")
    return values


def written_quota(daily_limit: int, used: int) -> Mapping[str, object]:
    """Return WeChat's body for an account that has made `used` of `daily_limit` calls."""
    remain = max(0, daily_limit - used)
    quota = {"daily_limit": daily_limit, "used": used, "remain": remain}
    return {"errcode": 0, "errmsg": "ok", "quota": quota}

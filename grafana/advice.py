"""The status page's advice as Grafana value mappings, so that a table can say what to do."""

from typing import Final

from exporter.wechat.failures.advice import UNKNOWN, Advice
from exporter.wechat.failures.errcodes import CODELESS, ERRCODES
from exporter.wechat.failures.failure import Reason
from grafana.texts import Language

JOINED_BY: Final = "/"
"""Stands between reason and errcode in the label that is mapped."""


def advice_mappings(language: Language) -> list[dict[str, object]]:
    """Map `reason/errcode` to the advice: each known pair, then each reason with any other code."""
    exact = {
        f"{code.reason}{JOINED_BY}{code.code}": {
            "index": index,
            "text": code.failure.outlook.text(language),
        }
        for index, code in enumerate(ERRCODES.values())
    }
    usual: dict[Reason, Advice] = {Reason.UNKNOWN_ERRCODE: UNKNOWN}
    for code in (*CODELESS, *ERRCODES.values()):
        usual.setdefault(code.reason, code.failure.outlook)
    others: list[dict[str, object]] = [
        {
            "type": "regex",
            "options": {
                "pattern": f"{reason}{JOINED_BY}.*",  # Grafana sets ^ and $ itself
                "result": {
                    "index": len(exact) + index,
                    "text": getattr(usual[reason], language),
                },
            },
        }
        for index, reason in enumerate(Reason)
    ]
    return [{"type": "value", "options": exact}, *others]

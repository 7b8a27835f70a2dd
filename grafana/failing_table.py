"""The table of what needs attention: which mini programs fail, why, and what to do."""

from typing import Final

from grafana_foundation_sdk.builders.table import Panel

from grafana.advice import JOINED_BY, advice_mappings
from grafana.dashboard import link_to_app
from grafana.overrides import override
from grafana.panels import Size
from grafana.tables import listing
from grafana.targets import Query
from grafana.texts import Words

_LABELS: Final = "appid, name, reason, errcode"


def failing_table(words: Words, key: str, errors: str, size: Size) -> Panel:
    """Make a table of what fails, with the exporter's advice; `errors` selects what names the reasons."""
    advised = f'label_join({errors}, "advice", "{JOINED_BY}", "reason", "errcode")'
    columns = {
        "name": words.word("app"),
        "reason": words.word("reason"),
        "errcode": words.word("errcode"),
        "advice": words.word("advice"),
        "appid": words.word("appid"),
    }
    query = Query(f"max by ({_LABELS}, advice) ({advised})")
    panel = listing(words, key, [query], columns, words.word("reason"), size)
    panel.no_value(words.word("nothing_fails"))
    panel.override_by_name(words.word("app"), [override("links", [link_to_app(words)])])
    panel.override_by_name(columns["errcode"], [override("noValue", words.word("no_value"))])
    return panel.override_by_name(
        words.word("advice"),
        [
            override("mappings", advice_mappings(words.language)),
            override("custom.minWidth", 420),
            override("custom.inspect", value=True),
            override("custom.cellOptions", {"type": "auto", "wrapText": True}),
        ],
    )

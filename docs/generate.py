"""Writes the reference pages of docs/ from the code, so that they cannot drift: run by `make docs`.

Prose is in docs/templates/, docs/wording.py and docs/chinese.yaml; names, types, units, defaults, errcodes
and advice come from the program's own tables. `--check` writes nothing and fails where a page would change.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from docs import datasets, reliability
from docs.wording import ACTIONS, HEALTH, PAUSES_DATASET, REASONS
from exporter.config import key_reference
from exporter.datasets.daily_trend import FIELDS
from exporter.datasets.field import Field
from exporter.discovery.platform_state import PlatformState
from exporter.exposition import app_families
from exporter.exposition.family import NAMESPACE, Family
from exporter.exposition.telemetry import Telemetry
from exporter.wechat.failures.advice import Advice
from exporter.wechat.failures.errcodes import CODELESS, ERRCODES, errcode_failure
from exporter.wechat.failures.failure import Action, Failure, Reason
from prometheus.expressions import change, dated_before, newest, on_show, per_date, weighted_mean

DOCS: Final = Path(__file__).parent

_NO_ONES_CODE: Final = 999_999
OWN_PREFIX: Final = f"{NAMESPACE}_exporter_"


class OwnFamily(NamedTuple):
    """One family of the exporter's own metrics, as a scrape shows it."""

    name: str
    type: str
    unit: str
    labels: str
    help: str


class Code(NamedTuple):
    """One way to a reason: WeChat's code (a dash without one), its cause, what the exporter does."""

    code: str
    cause: str
    does: str


class ReasonSection(NamedTuple):
    """Everything about one reason; `advices` has each advice with the codes that it is for."""

    reason: Reason
    meaning: str
    codes: tuple[Code, ...]
    advices: tuple[tuple[tuple[Code, ...], Advice], ...]


class ConfigSection(NamedTuple):
    """The keys below one heading of the configuration's reference."""

    title: str
    rows: list[key_reference.KeyRow]


def metrics_context() -> dict[str, Any]:
    """What docs/templates/metrics.md.jinja is filled with."""
    figures: list[tuple[Field, Family, Family]] = list(
        zip(FIELDS, app_families.DAILY, app_families.BY_DATE, strict=False)
    )
    return {
        "figures": figures,
        "dates": (app_families.DAILY[-1], app_families.BY_DATE[-1]),
        "health": HEALTH,
        "own": list(own_families()),
        "reasons": list(Reason),
        "promql": {
            "newest": newest("visit_pv"),
            "table": on_show("visit_pv"),
            "mean": weighted_mean(newest("stay_time_session_seconds"), newest("session_cnt")),
            "week_before": change(newest("visit_pv"), dated_before("visit_pv", 7)),
            "bar": per_date("visit_pv"),
        },
    }


def configuration_context() -> dict[str, Any]:
    """What docs/templates/configuration.md.jinja is filled with."""
    sections: dict[str, list[key_reference.KeyRow]] = {}
    for row in key_reference.rows():
        sections.setdefault(_heading(row.key), []).append(row)
    return {
        "sections": [
            ConfigSection(title, sorted(rows, key=lambda row: row.default != "required"))
            for title, rows in sections.items()
        ]
    }


def errors_context() -> dict[str, Any]:
    """What docs/templates/errors.md.jinja is filled with."""
    actions = [*ACTIONS.values(), PAUSES_DATASET]
    return {"actions": actions, "sections": [reason_section(reason) for reason in Reason]}


PAGES: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    f"{page}{language}.md": context
    for page, context in (
        ("metrics", metrics_context),
        ("configuration", configuration_context),
        ("errors", errors_context),
        ("datasets", datasets.context),
    )
    for language in ("", ".zh-CN")
} | {"reliability.zh-CN.md": reliability.context}


def own_families() -> Iterator[OwnFamily]:
    """The exporter's own families, read from what it would answer to a scrape."""
    telemetry = Telemetry(lambda: 0.0)
    telemetry.storage_written(succeeded=True)
    telemetry.platforms([PlatformState("main", discovers=True)])  # without one, no sample
    page = telemetry.render(openmetrics=True).decode()
    for family in text_string_to_metric_families(page):
        if family.name.startswith(OWN_PREFIX):
            names = {name for sample in family.samples for name in sample.labels if name != "le"}
            suffix = "_total" if family.type == "counter" else ""
            unit = "seconds" if family.name.endswith("_seconds") else ""
            yield OwnFamily(
                family.name + suffix, family.type, unit, ", ".join(sorted(names)), family.documentation
            )


def reason_section(reason: Reason) -> ReasonSection:
    """All ways to a reason, and what to do about each."""
    told = [
        (Code("–" if row.code is None else str(row.code), row.cause, _done(row.failure)), row.advice)
        for row in (*ERRCODES.values(), *CODELESS)
        if row.reason is reason
    ]
    if reason is Reason.UNKNOWN_ERRCODE:
        other = errcode_failure(_NO_ONES_CODE, "")
        told.append((Code("any other", "a code that is not on this page", _done(other)), other.advice))
    advices: dict[Advice, list[Code]] = {}
    for code, advice in told:
        advices.setdefault(advice, []).append(code)
    return ReasonSection(
        reason,
        REASONS[reason],
        tuple(code for code, _ in told),
        tuple((tuple(codes), advice) for advice, codes in advices.items()),
    )


def _done(problem: Failure) -> str:
    """What the exporter does about it, in two or three words."""
    of_dataset = problem.action is Action.SUSPEND and not problem.refuses_account
    return (PAUSES_DATASET if of_dataset else ACTIONS[problem.action])[0]


def render(page: str, texts: Mapping[str, str] | None = None) -> str:
    """Return one page as it should be; `texts` has the Chinese of what comes from the code."""
    environment = Environment(
        loader=FileSystemLoader(DOCS / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = cell
    environment.filters["chinese"] = (chinese() if texts is None else texts).__getitem__
    return environment.get_template(f"{page}.jinja").render(PAGES[page]())


@cache
def chinese() -> Mapping[str, str]:
    """Return the Chinese of each English text that a page takes from the code."""
    texts: dict[str, str] = yaml.safe_load((Path(__file__).parent / "chinese.yaml").read_text("utf-8"))
    return texts


def cell(text: object) -> str:
    """A text as a Markdown table's cell may have it."""
    return str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def main(argv: Sequence[str]) -> int:
    """Write the pages; with `--check` only say which differ, exit code 1 if any."""
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a page would change")
    check = parser.parse_args(argv).check
    stale = [page for page in PAGES if _written(DOCS / page) != render(page)]
    for page in stale:
        if check:
            sys.stderr.write(f"docs/{page} is not as the code has it: run `make docs`\n")
        else:
            (DOCS / page).write_text(render(page), "utf-8")
            sys.stdout.write(f"docs/{page} written\n")
    return 1 if check and stale else 0


def _heading(key: str) -> str:
    if key.startswith("apps[].token{"):
        return f"apps[].token, type {key[len('apps[].token{') : key.index('}')]}"
    return key.rpartition(".")[0] or "apps_files"


def _written(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

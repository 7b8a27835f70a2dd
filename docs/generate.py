"""Writes the reference pages of docs/ from the code, so that they cannot drift: run by `make docs`.

Prose is in docs/templates/, docs/wording.py and docs/chinese.yaml; names, types, units, defaults, errcodes
and advice come from the program's own tables. `--check` writes nothing and fails where a page would change.
A text of the code that docs/chinese.yaml does not have ends the run with exit code 1 and is named.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from docs import datasets, key_reference, reliability
from docs.wording import ACTIONS, HEALTH, PAUSES_DATASET, REASONS
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


class MissingChineseError(Exception):
    """Chinese pages lack texts; `texts` has them in English, in the order of the pages."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(
            "docs/chinese.yaml lacks the Chinese of these texts; "
            "add a line for each, then run `make docs` again:\n"
            + "".join(f"  {json.dumps(text, ensure_ascii=False)}: …\n" for text in texts)
        )
        self.texts = tuple(texts)


class OwnFamily(NamedTuple):
    """A family of the exporter's own metrics, as a scrape shows it."""

    name: str
    type: str
    unit: str
    labels: str
    help: str


class Code(NamedTuple):
    """A way to a reason: WeChat's code (or a dash), its cause, and what the exporter does."""

    code: str
    cause: str
    does: str


class ReasonSection(NamedTuple):
    """A reason with its codes; `advices` pairs each advice with the codes it is for."""

    reason: Reason
    meaning: str
    codes: tuple[Code, ...]
    advices: tuple[tuple[tuple[Code, ...], Advice], ...]


class ConfigSection(NamedTuple):
    """The keys below one heading of the configuration's reference."""

    title: str
    rows: list[key_reference.KeyRow]


def metrics_context() -> dict[str, Any]:
    """Return the variables of docs/templates/metrics.md.jinja."""
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
    """Return the variables of docs/templates/configuration.md.jinja."""
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
    """Return the variables of docs/templates/errors.md.jinja."""
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
    """Yield the exporter's own families, parsed from its answer to a scrape."""
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
    """Collect all codes that lead to a reason, and the advice for each."""
    rows = [
        (Code("–" if row.code is None else str(row.code), row.cause, _done(row.failure)), row.advice)
        for row in (*ERRCODES.values(), *CODELESS)
        if row.reason is reason
    ]
    if reason is Reason.UNKNOWN_ERRCODE:
        other = errcode_failure(_NO_ONES_CODE, "")
        rows.append((Code("any other", "a code that is not on this page", _done(other)), other.advice))
    advices: dict[Advice, list[Code]] = {}
    for code, advice in rows:
        advices.setdefault(advice, []).append(code)
    return ReasonSection(
        reason,
        REASONS[reason],
        tuple(code for code, _ in rows),
        tuple((tuple(codes), advice) for advice, codes in advices.items()),
    )


def _done(problem: Failure) -> str:
    """Return the exporter's reaction to a failure, in two or three words."""
    of_dataset = problem.action is Action.SUSPEND and not problem.refuses_account
    return (PAUSES_DATASET if of_dataset else ACTIONS[problem.action])[0]


def render(page: str, texts: Mapping[str, str] | None = None) -> str:
    """Return the text of a page.

    Args:
        page: its path below docs/.
        texts: the Chinese of each English text of the code; by default that of docs/chinese.yaml.

    Raises:
        MissingChineseError: `texts` lacks some.
    """
    known = chinese() if texts is None else texts
    missing: dict[str, None] = {}

    def translated(text: str) -> str:
        if text not in known:
            missing[text] = None
            return ""
        return known[text]

    environment = Environment(
        loader=FileSystemLoader(DOCS / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = cell
    environment.filters["chinese"] = translated
    written = environment.get_template(f"{page}.jinja").render(PAGES[page]())
    if missing:
        raise MissingChineseError(list(missing))
    return written


@cache
def chinese() -> Mapping[str, str]:
    """Load docs/chinese.yaml: English text -> Chinese."""
    texts: dict[str, str] = yaml.safe_load((Path(__file__).parent / "chinese.yaml").read_text("utf-8"))
    return texts


def cell(text: object) -> str:
    """Escape a text for a cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def main(argv: Sequence[str]) -> int:
    """Write the pages that differ from the code; with `--check` only report them.

    Returns:
        the exit code: 1 where `--check` finds a page that differs, or where a page lacks Chinese texts.
    """
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a page would change")
    check = parser.parse_args(argv).check
    try:
        pages = _render_all()
    except MissingChineseError as error:
        sys.stderr.write(str(error))
        return 1
    stale = {page: text for page, text in pages.items() if _written(DOCS / page) != text}
    for page, text in stale.items():
        if check:
            sys.stderr.write(f"docs/{page} differs from the code: run `make docs`\n")
        else:
            (DOCS / page).write_text(text, "utf-8")
            sys.stdout.write(f"docs/{page} written\n")
    return 1 if check and stale else 0


def _render_all() -> dict[str, str]:
    """Return every page's text; raise one MissingChineseError for all of them."""
    pages: dict[str, str] = {}
    missing: dict[str, None] = {}
    for page in PAGES:
        try:
            pages[page] = render(page)
        except MissingChineseError as error:
            missing.update(dict.fromkeys(error.texts))
    if missing:
        raise MissingChineseError(list(missing))
    return pages


def _heading(key: str) -> str:
    if key.startswith("apps[].token{"):
        return f"apps[].token, type {key[len('apps[].token{') : key.index('}')]}"
    return key.rpartition(".")[0] or "apps_files"


def _written(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

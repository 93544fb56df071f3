"""Writes what is made of the table of actions and of the shipped files, the JSON Schema of a scenario file, the pages of facts and of the library: ``python -m tests.scenarios.pages``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import scenarios
from scenarios.actions.table import ACTIONS
from scenarios.certify.statement import schema as statement_schema
from scenarios.file.cases import cases
from scenarios.file.schema import scenario_schema
from scenarios.file.shipped import SCENARIOS
from scenarios.parts.expected import Fact
from scenarios.run_wide import FACTS
from tests.simulator.ror.billing.pages import schema_text

SCHEMA = Path(scenarios.__file__).with_name("scenario.schema.json")
STATEMENT_SCHEMA = SCHEMA.parent / "certify" / "sut.schema.json"
PAGE = SCHEMA.parents[1] / "docs" / "scenario-facts.md"
HEAD = """# Facts of scenarios

What `expect` can name, by action ([scenarios.md](scenarios.md#what-is-expected)); made of the table of actions by `make pages`. Of *text* and *yes or no* a value, `one_of` or `absent` can be expected, of what
has an order `at_least`, `at_most` and `within` too.
"""

LIBRARY = PAGE.with_name("scenario-library.md")
LIBRARY_HEAD = """# Shipped scenarios

What each shows and the requirements that its actions and expectations cite, by folder; made of the files by `make pages`. `ami scenario run FOLDER` plays a folder, `ami scenario show NAME` tells one in words
([scenarios.md](scenarios.md)). *Cases*: how many its matrix makes.
"""


def rows(facts: Iterable[Fact]) -> Iterator[str]:
    yield from ("", "| fact | is | what it tells |", "|---|---|---|")
    for fact in facts:
        yield f"| `{fact.name}` | {fact.kind}{f', {fact.unit}' if fact.unit else ''} | {fact.label} |"


def page() -> str:
    """The page of facts."""
    lines = [HEAD]
    for row in ACTIONS.values():
        lines += [f"\n## `{row.do}`", "", row.doc, *rows(row.facts)]
    return "\n".join(
        [*lines, "\n## The run", "", "In a row of `expect` beside the timeline, under `run`.", *rows(FACTS), ""]
    )


def library() -> str:
    """The page of the library."""
    folders: dict[str, list[str]] = {}
    for name, path in SCENARIOS.files().items():
        its = [one.value for one in cases(path)]
        cited = {
            verify: None
            for one in (*its[0]["timeline"], *its[0].get("expect", ()))
            for verify in one.get("verifies", ())
        }
        row = f"| `{name}` | {its[0]['title']} | {len(its) if len(its) > 1 else ''} | {', '.join(cited)} |"
        folders.setdefault(str(path.parent.relative_to(SCENARIOS.folder)), []).append(row)
    lines = [LIBRARY_HEAD]
    for folder, its_rows in sorted(folders.items()):
        lines += [f"\n## `{folder}`", "", "| scenario | shows | cases | cites |", "|---|---|---|---|", *its_rows]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(scenario_schema()), encoding="utf-8")
    STATEMENT_SCHEMA.write_text(schema_text(statement_schema()), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    LIBRARY.write_text(library(), encoding="utf-8")

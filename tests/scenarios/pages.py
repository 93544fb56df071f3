"""Writes what is made of the table of actions, the JSON Schema of a scenario file and the page of facts: ``python -m tests.scenarios.pages``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import scenarios
from scenarios.actions.table import ACTIONS
from scenarios.expected import Fact
from scenarios.run_wide import FACTS
from scenarios.schema import scenario_schema
from tests.simulator.ror.billing.pages import schema_text

SCHEMA = Path(scenarios.__file__).with_name("scenario.schema.json")
PAGE = SCHEMA.parents[1] / "docs" / "scenario-facts.md"
HEAD = """# Facts of scenarios

What `expect` can name, by action ([scenarios.md](scenarios.md#what-is-expected)); made of the table of actions by `make pages`. Of *text* and *yes or no* a value, `one_of` or `absent` can be expected, of what
has an order `at_least`, `at_most` and `within` too.
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


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(scenario_schema()), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")

"""Coverage: of each requirement of the registry which scenarios show it, what is made to fail by it, which tests stand in, why no scenario does.

Read off the files, without a run: what a scenario cites in ``verifies``, and what the seven steps show of a balance call that comes so far.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scenarios.actions.market.balance_call import BalanceCall
from scenarios.actions.market.rebill import Rebill
from scenarios.errors import ScenarioError
from scenarios.file.schema import Scenario
from scenarios.judging.findings import SHOWN
from scenarios.rules.registry import REGISTRY, Row
from simulator.ror.call.analysis import Question
from simulator.verdicts import Mark, verdict_on

#: What each outcome of a balance call comes to.
_STEPS = {
    "answered": ("S1", "S2", "S3", "S4", "S5", "S6", "S7", "swept", "answered"),
    "not_needed": ("S1", "S2", "S6", "S7"),
}
_NO_ANSWER = ("S1", "S2", "S3")
#: The columns of the table.
HEAD = ("id", "source", "actor", "conformance", "text", "shown by", "made to fail by", "tests", "why not", "state")


@dataclass(frozen=True, slots=True)
class Covered:
    """A requirement. ``shown_by``: scenarios; ``fails_by``: mutants that bend it; ``state``: the verdict of the runs that were looked at."""

    row: Row
    shown_by: tuple[str, ...]
    fails_by: tuple[str, ...]
    state: Mark

    @property
    def missing(self) -> bool:
        """Whether nothing shows it and nothing says why."""
        return not (self.shown_by or self.row.tests or self.row.why_not)

    def cells(self) -> tuple[str, ...]:
        """As a row of a table, under ``HEAD``."""
        row, by = self.row, (self.shown_by, self.fails_by, self.row.tests)
        why = row.why_not or row.untested
        said = (row.id, row.source, row.actor, row.conformance, row.text)
        return (*said, *(" ".join(one) for one in by), why, self.state.value)


def cited(scenario: Scenario) -> set[str]:
    """The ids that a scenario bears on, run or not."""
    found = {ident for one in scenario.timeline for ident in one.verifies}
    found.update(ident for one in scenario.expect for ident in one.verifies)
    if scenario.timeline[-1].at.date() > scenario.world.first_day:
        found.update(SHOWN["posted"])
    for action in scenario.timeline:
        if isinstance(action, BalanceCall):
            parts = [*_STEPS.get(action.expect.of("outcome"), _NO_ANSWER)]
            if action.question is not Question.LAST_BILL:
                parts.append("usage reviewed")
            found.update(*(SHOWN.get(part, ()) for part in parts), {part for part in parts if part[0] == "S"})
            found.update(SHOWN["asked"] if "S3" in parts else ())
        elif isinstance(action, Rebill):
            found.update(SHOWN["billed again"])
    return found


def coverage(scenarios: Iterable[Scenario], mutants: Path | None = None, runs: Path | None = None) -> list[Covered]:
    """Every requirement. mutants: a folder of tables whose column ``bends`` names ids. runs: a folder of results, in folders of any depth.

    Raises ScenarioError where a table bends an id that is none, or a folder holds nothing of the kind.
    """
    shown: dict[str, list[str]] = {}
    for scenario in scenarios:
        for ident in cited(scenario):
            shown.setdefault(ident, []).append(scenario.name)
    bent = {} if mutants is None else _bent(mutants)
    marks = {} if runs is None else _marks(runs)
    return [
        Covered(row, tuple(shown.get(ident, ())), tuple(bent.get(ident, ())), verdict_on(marks.get(ident, ())))
        for ident, row in REGISTRY.items()
    ]


def as_csv(found: Iterable[Covered]) -> str:
    """The table as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(one.cells() for one in found)
    return out.getvalue()


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.rglob(pattern))
    if not found:
        text = f"There is no {pattern} in the folder."
        raise ScenarioError("coverage.nothing_there", text, str(folder), "Name the folder that holds them.")
    return found


def _bent(folder: Path) -> dict[str, list[str]]:
    bent: dict[str, list[str]] = {}
    for file in _files(folder, "*.csv"):
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                for ident in (row.get("bends") or "").split():
                    if ident not in REGISTRY:
                        text = f"{row['id']} bends '{ident}', which is no requirement."
                        raise ScenarioError("coverage.bends.unknown", text, str(file), "Mend the id.")
                    bent.setdefault(ident, []).append(row["id"])
    return bent


def _marks(folder: Path) -> dict[str, list[Mark]]:
    marks: dict[str, list[Mark]] = {}
    for file in _files(folder, "result.json"):
        try:
            for ident, mark in json.loads(file.read_text(encoding="utf-8"))["requirements"].items():
                marks.setdefault(ident, []).append(Mark(mark))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            text = f"This is no result of a run: {type(error).__name__}."
            raise ScenarioError(
                "coverage.result", text, str(file), "Run the scenario again, or name another folder."
            ) from None
    return marks

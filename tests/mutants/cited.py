"""The trial of mutants by scenarios: a shipped one must pass. Nothing collects it; a mutant that bends what a scenario cites is played by it.

As a command it prints as JSON which scenarios cite each requirement, the quickest first: in a process of its own, for who plays mutants imports nothing of ours.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenarios.coverage import cited
from scenarios.lint import load_cases
from scenarios.many import size
from scenarios.run import run_and_judge
from scenarios.shipped import SCENARIOS
from simulator.verdicts import exit_code_of


@pytest.mark.parametrize("name", SCENARIOS.names())
def test_a_shipped_scenario_passes(name: str, tmp_path: Path) -> None:
    for one in load_cases(SCENARIOS.files()[name]):
        verdict = run_and_judge(one, tmp_path / one.name).verdict
        failed = [(it.label, it.failures) for it in verdict.judged if it.failures]
        assert exit_code_of(verdict.mark) == 0, failed


def citing() -> dict[str, list[str]]:
    """By requirement the shipped files that cite it, the quickest first."""
    cases = {name: load_cases(file) for name, file in SCENARIOS.files().items()}
    found: dict[str, list[str]] = {}
    for name, its in sorted(cases.items(), key=lambda one: sum(map(size, one[1]))):
        for ident in sorted(set().union(*map(cited, its))):
            found.setdefault(ident, []).append(name)
    return found


if __name__ == "__main__":
    print(json.dumps(citing()))

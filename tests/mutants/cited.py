"""The shipped scenarios as trials of mutants: what each cites, and whether it passes.

As a command it prints that as JSON: in a process of its own, for who plays mutants imports nothing of ours.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from scenarios.coverage import cited
from scenarios.file.lint import load_cases
from scenarios.file.shipped import SCENARIOS
from scenarios.many import size
from scenarios.run import run_and_judge
from simulator.verdicts import Mark, exit_code_of


class Red(NamedTuple):
    """Why a scenario has not passed: its first failure, the requirements that failed with it, and its mark: where it is not ``failed``, nothing was shown."""

    why: str
    requirements: list[str]
    mark: Mark


def failed(name: str, folder: Path) -> Red | None:
    """What fails of a shipped scenario, of the first of its cases that does; if none does, of the first that does not pass; None if all pass."""
    found = None
    for one in load_cases(SCENARIOS.files()[name]):
        verdict = run_and_judge(one, folder / one.name).verdict
        if exit_code_of(verdict.mark):
            why = [f"{it.label}: {failure}" for it in verdict.judged for failure in it.failures]
            ids = [ident for ident, mark in verdict.requirements.items() if mark is Mark.FAILED]
            red = Red(f"{one.name}: {(why or [verdict.mark.value])[0]}", ids, verdict.mark)
            if red.mark is Mark.FAILED:
                return red
            found = found or red
    return found


def told(only: Iterable[str] = ()) -> dict[str, dict[str, list[str]]]:
    """``citing``: by requirement the shipped files that cite it, the quickest first. ``digests``: of each file, one of all that makes its cases.

    only: names of files to look at; all unless given.
    """
    wanted = {*only} or {*SCENARIOS.files()}
    cases = {name: load_cases(file) for name, file in SCENARIOS.files().items() if name in wanted}
    citing: dict[str, list[str]] = {}
    for name, its in sorted(cases.items(), key=lambda one: sum(map(size, one[1]))):
        for ident in sorted(set().union(*map(cited, its))):
            citing.setdefault(ident, []).append(name)
    texts = {name: "".join(one.model_dump_json() for one in its) for name, its in cases.items()}
    digests = {name: [hashlib.blake2b(text.encode(), digest_size=16).hexdigest()] for name, text in texts.items()}
    return {"citing": citing, "digests": digests}


if __name__ == "__main__":
    print(json.dumps(told(sys.argv[1:])))

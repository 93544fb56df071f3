"""The shipped systems of strangers, and what each can do wrong: the command that starts one, by Python alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from scenarios import twins
from scenarios.errors import ScenarioError
from simulator.input.mistakes import did_you_mean

FOLDER = Path(twins.__path__[0])


@cache
def mutants(role: str) -> dict[str, list[str]]:
    """By what a role's system can do wrong, the options that have it do so."""
    found: dict[str, list[str]] = {}
    tables = [(f"{role}_faults", "--fault"), (f"{role}_habits", "--habit")]
    # Of an SMT its file site is a part.
    for table, option in (*tables, ("site_faults", "--site-fault")) if role == "smt" else tables:
        path = FOLDER / f"{table}.json"
        for name, told in json.loads(path.read_text("utf-8")).items() if path.is_file() else ():
            found[name] = [option, f"{name}/fault" if isinstance(told.get("fault"), dict) else name]
    return found


def command(role: str, mutant: str, port: int, words: Sequence[str]) -> list[str]:
    """The command of a role's system. Raises ScenarioError for a role or a mutant that there is not."""
    file = FOLDER / f"{role}.py"
    if not file.is_file():
        known = sorted(one.stem for one in FOLDER.glob("*.py") if one.stem != "__init__")
        raise ScenarioError("certify.twin", f"There is no stranger's {role}.", "ROLE", did_you_mean(role, known))
    wrong = mutants(role)
    if mutant and mutant not in wrong:
        text = f"The stranger's {role} has no mutant {mutant}."
        raise ScenarioError("certify.mutant", text, "--mutant", did_you_mean(mutant, wrong))
    listens = ["--port", str(port)] if role != "ror" else []
    return [sys.executable, "-I", str(file), *listens, *(wrong[mutant] if mutant else []), *words]

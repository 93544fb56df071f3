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
#: What others of their files can do wrong, by role.
_MORE = {
    "headend": {"poster_faults.json": "--post"},
    "smt": {"site_faults.json": "--site-fault", "portal_faults.json": "--portal-fault"},
    "ror": {"bills_faults.json": "--bill-fault"},
}
#: By option the file that takes it, in place of the role's own.
_BESIDE = {"--post": "poster.py", "--portal-fault": "portal.py"}


def tables(role: str) -> dict[str, str]:
    """The tables of what a role's system can do wrong, each with its option; what a head-end posts is its poster's, an SMT's file site and a retailer's bills are a part of it."""
    named = {f"{role}_faults.json": "--fault", f"{role}_habits.json": "--habit"}
    named |= _MORE.get(role, {})
    return {table: option for table, option in named.items() if (FOLDER / table).is_file()}


@cache
def mutants(role: str) -> dict[str, list[str]]:
    """By what a role's system can do wrong, the options that have it do so."""
    found: dict[str, list[str]] = {}
    for table, option in tables(role).items():
        for name, told in json.loads((FOLDER / table).read_text("utf-8")).items():
            which = option != "--post" and isinstance(told.get("fault"), dict)
            found[name] = [option, f"{name}/fault" if which else name]
    return found


def command(role: str, mutant: str, port: int, words: Sequence[str]) -> list[str]:
    """The command of a role's system. Raises ScenarioError for a role or a mutant that there is not."""
    # What has a statement takes a role; the other files are parts of those.
    known = sorted(one.stem for one in FOLDER.glob("*.yaml"))
    if role not in known:
        text = f"There is no stranger's {role}."
        if (FOLDER / f"{role}.py").is_file():
            text = f"{role} is a part of a stranger's system, and takes no place by itself."
        raise ScenarioError("certify.twin", text, "ROLE", did_you_mean(role, known))
    file = FOLDER / f"{role}.py"
    wrong = mutants(role)
    if mutant and mutant not in wrong:
        text = f"The stranger's {role} has no mutant {mutant}."
        raise ScenarioError("certify.mutant", text, "--mutant", did_you_mean(mutant, wrong))
    # What is posted is beside what is answered, a portal before what it asks; each starts that.
    file = FOLDER / _BESIDE.get(wrong.get(mutant, [""])[0], file.name)
    listens = ["--port", str(port)] if role != "ror" else []
    return [sys.executable, "-I", str(file), *listens, *(wrong[mutant] if mutant else []), *words]

"""Mutant x id: each thing that a stranger's system can do wrong fails the ids it names and no other: ``python -m tests.scenarios.certify.matrix [ROLE] [--full]``.

A mutant plays the steps that bear on its ids; with ``--full`` all of them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from scenarios.certify.judged import result_of
from scenarios.certify.observed import observed
from scenarios.certify.run import Certification
from scenarios.certify.statement import load
from scenarios.certify.strangers import FOLDER, mutants, tables
from scenarios.rules.certified import of_role
from simulator.verdicts import Mark

#: What a mutant breaks beside what it names: the first is laid over answers too that shall tell of no read; the other's quarter hours end an hour late.
ALSO = {"METER-NOT-ALLOWED": {"HE-STRANGER", "HE-TOO-LATE"}, "NAIVE-TIME": {"AMB-6"}}


def names(role: str, mutant: str) -> set[str]:
    """The ids that a mutant is to fail."""
    rows = [json.loads((FOLDER / table).read_text("utf-8")) for table in tables(role)]
    row = next(told[mutant] for told in rows if mutant in told)
    its = {one.id for one in of_role(role)}
    return (set(row.get("certify") or row.get("fails", [mutant])) | ALSO.get(mutant, set())) & its


def statement(role: str, mutant: str = "", **otherwise: Any) -> str:
    """The statement of a stranger's system, that of one that does something wrong; otherwise: what it says in place of the shipped one."""
    said = yaml.safe_load((FOLDER / f"{role}.yaml").read_text("utf-8")) | otherwise
    if mutant:
        said["start"]["argv"] += mutants(role)[mutant]
        said.setdefault("tolerances", {})["answer_s"] = 2.5
    return yaml.safe_dump(said)


def certified(
    role: str, out: Path, mutant: str = "", *, only: tuple[str, ...] = (), **otherwise: Any
) -> dict[str, Any]:
    """The verdict on one."""
    text = statement(role, mutant, **otherwise)
    out.mkdir(parents=True, exist_ok=True)
    written = out.with_suffix(".yaml")
    written.write_text(text, "utf-8")
    said = load(written)
    assert not Certification(said, text, out, only, lambda _done, _of: None, lambda _url, _brief: None).go()
    return result_of(said, observed(out))


def failed(result: dict[str, Any]) -> set[str]:
    """The ids that failed."""
    return {one["id"] for one in result["ids"] if one["mark"] == Mark.FAILED}


def main() -> None:
    """Play the matrix; exit 1 where a mutant fails other ids than it names."""
    full = "--full" in sys.argv
    roles = [one for one in sys.argv[1:] if not one.startswith("-")] or ["headend"]
    # Each waits more than it works.
    with ProcessPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        lines = pool.map(
            _cell, *zip(*((role, mutant, full) for role in roles for mutant in mutants(role)), strict=True)
        )
        wrong = 0
        for caught, line in lines:
            wrong += not caught
            print(line, flush=True)
    sys.exit(1 if wrong else 0)


def _cell(role: str, mutant: str, full: bool) -> tuple[bool, str]:
    """Whether a mutant fails what it names, and a line of that."""
    began, ids = time.monotonic(), names(role, mutant)
    with tempfile.TemporaryDirectory() as made:
        result = certified(role, Path(made) / "out", mutant, only=() if full else tuple(sorted(ids)))
    found = failed(result)
    said = "caught" if found == ids else f"LIVES: fails {sorted(found)}, not {sorted(ids)}; {result['why']}"
    return found == ids, f"{role} {mutant:<20} {time.monotonic() - began:5.1f} s  {said}"


if __name__ == "__main__":
    main()

"""Twin-mutant x other side: in each flight of a system that does something wrong and an honest other one, that one is named and no other: ``python -m tests.scenarios.certify.flights [ROLE|MUTANT...] [--full]``.

A mutant plays what bears on its ids, and a head-end's the retailer's bills beside; with ``--full`` all of both plans.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scenarios.certify.flight import result_of_flight
from scenarios.certify.observed import observed
from scenarios.certify.run import Certification
from scenarios.certify.statement import load
from scenarios.certify.strangers import mutants
from simulator.verdicts import Mark
from tests.scenarios.certify.matrix import names, statement

ROLES = ("ror", "headend")
#: What a retailer is asked beside the connectivity test that rests on what a head-end answers: over 48 hours of it.
BILLS = ("AMB-7",)


def flown(out: Path, role: str = "", mutant: str = "", only: tuple[str, ...] = ()) -> dict[str, Any]:
    """The verdict on a flight; one of its systems does something wrong."""
    out.mkdir(parents=True, exist_ok=True)
    texts = {one: statement(one, mutant if one == role else "") for one in ROLES}
    said = {}
    for one, text in texts.items():
        path = out.with_name(f"{out.name}-{one}.yaml")
        path.write_text(text, "utf-8")
        said[one] = load(path)
    beside = (said["headend"], texts["headend"])
    run = Certification(said["ror"], texts["ror"], out, only, lambda _d, _of: None, lambda _u, _b: None, beside)
    assert not run.go()
    return result_of_flight(said, observed(out))


def bearing(role: str, mutant: str) -> tuple[str, ...]:
    """The ids that a mutant's flight looks at."""
    return (*sorted(names(role, mutant)), *(BILLS if role == "headend" else ()))


def cell(out: Path, role: str, mutant: str, only: tuple[str, ...]) -> str:
    """What is wrong with what is said of a flight with a mutant; empty for nothing."""
    wanted = names(role, mutant)
    result = flown(out, role, mutant, only)
    failed = {one["id"] for one in result["faults"]}
    if result["guilty"] != [role]:
        return f"{result['guilty']} named: {sorted(failed)}; {result['why']}"
    if not wanted <= failed:
        return f"fails {sorted(failed)}, not {sorted(wanted)}"
    uncited = [one["id"] for one in result["faults"] if not one["exchanges"]]
    if uncited:
        return f"no exchange contradicts {uncited}"
    other = next(one for one in result["parties"] if one != role)
    told = [one for one in result["parties"][other]["ids"] if one["mark"] not in (Mark.PASSED, Mark.SKIPPED)]
    return f"of the other {[one['id'] for one in told]}" if told else ""


def main() -> None:
    """Fly every cell, or those of some mutants; exit 1 where another one is named."""
    chosen = [one for one in sys.argv[1:] if one != "--full"]
    wrong, began = 0, time.monotonic()
    cells = [(role, one) for role in ROLES for one in mutants(role)]
    cells = [one for one in cells if not chosen or {*one} & {*chosen}]
    with tempfile.TemporaryDirectory() as made:
        for role, mutant in cells:
            since = time.monotonic()
            said = cell(Path(made) / mutant, role, mutant, () if "--full" in sys.argv else bearing(role, mutant))
            wrong += bool(said)
            print(f"{role} {mutant:<20} {time.monotonic() - since:5.1f} s  {said or 'named'}", flush=True)
    print(f"{len(cells)} flights, {wrong} wrong, {time.monotonic() - began:.0f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

"""``make mutants``: faults put into the product one at a time, each to be found by the test that it names.

A mutant is a row of a table in this folder: a text that its file holds once, and what stands there instead. It is played on a copy of the tree, and
killed when a test of ``killed_by`` fails; without it all of them pass. Two copies are played at once, each mutant in a process forked from this one,
which has imported what takes long and is not ours.

A row may name the requirements that its mutant bends (``bends``): then with ``--cited`` it is played by the quickest shipped scenario that cites one of
them, and with ``--cited --full`` by each, and each must fail. What bends a part of a rule that not every such scenario is about names those that are
(``shown_by``), and the part (``part``). A scenario that falls over (``crashed``) or is inconclusive has killed nothing. What was played so is not played
again while neither the product nor the scenario has changed.
"""

from __future__ import annotations

import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants.by_scenarios import played_by_scenarios
from tests.mutants.by_tests import played_by_tests
from tests.mutants.trial import Fate, Mutant, mutants, warm


def shown(chosen: Iterable[Mutant], fates: Iterable[Fate]) -> Table:
    """The table of fates: a row a room."""
    table = Table("room", "played", "killed", "alive", "equivalent")
    total = Counter(one.mutant.room for one in fates)
    killed = Counter(one.mutant.room for one in fates if one.fate == "killed")
    even = Counter(mutant.room for mutant in chosen if mutant.equivalent)
    for room in total | even:
        table.add_row(room, *map(str, (total[room], killed[room], total[room] - killed[room], even[room])))
    table.add_section()
    table.add_row("all", *map(str, (total.total(), killed.total(), (total - killed).total(), even.total())))
    return table


def main(wanted: list[str]) -> int:
    """Play mutants, or all: by id, or as ``id=test`` by another test than its own; by scenarios with ``--cited``, by each with ``--full`` too.

    0: all were killed or are equivalent; 1: one is alive; 2: it could not be played.
    """
    known, options = (
        {mutant.id: mutant for mutant in mutants()},
        {one for one in wanted if one in ("--cited", "--full")},
    )
    wanted = [one for one in wanted if one not in options]
    chosen = [] if wanted else list(known.values())
    for each in wanted:
        name, _, by = each.partition("=")
        if name not in known:
            print(f"mutants.unknown: there is no mutant '{name}'.", file=sys.stderr)
            return 2
        given = replace(known[name], shown_by=(by,)) if options else replace(known[name], killed_by=(by,))
        chosen.append(given if by else known[name])
    begun = time.monotonic()
    # Who is told to end ends what he has begun.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    warm()
    # Not one that is removed at the end of a process: each that is forked would.
    work = Path(tempfile.mkdtemp(prefix="ami-mutants-"))
    try:
        fates = (
            played_by_scenarios(chosen, work, each="--full" in options) if options else played_by_tests(chosen, work)
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if fates is None:
        return 2
    alive = [one for one in fates if one.fate != "killed"]
    for one in alive:
        print(f"{one.mutant.id} is {one.fate}: {one.mutant.file}: {one.mutant.text!r} -> {one.mutant.replacement!r}")
        print(f"  by {one.by}" + (f"\n{one.said}" if one.fate == "broken" else ""))
    Console(width=100).print(shown(chosen, fates))
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{time.monotonic() - begun:.0f} s, {spent.ru_utime + spent.ru_stime:.0f} s of CPU")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

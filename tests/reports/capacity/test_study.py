"""What a study and a what-if print, against outcomes made by hand; the commands end to end on a tiny day, and what cannot be run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.capacity.study import lines
from reports.capacity.whatif import lines as if_lines
from simulator.capacity.levels import JudgedLevel, StudyVerdict, level_of
from simulator.capacity.outcome import Assumption, Knee, Outcome
from simulator.verdicts import Mark
from tests.simulator.capacity.outcomes import FIRST_IS_BEST, cells, made

WORKERS = Assumption("workers", "tries under way", "", 400.0, 100.0, 1000.0, "D", "a test")
KNEE = Knee(
    "day-0", "smt-today", "told_in_call>=0.4", "demand", 1.0, 8.0, 9.0, 7.0, 700.0, "workers at the head-end", {}, ()
)


def moved() -> Outcome:
    """With few workers the first policy tells a tenth fewer, always; with many nothing moves."""
    few = [[[(told - 0.1, usd) for told, usd in of] for of in policies[:1]] for policies in FIRST_IS_BEST[:1]]
    same = [policies[:1] for policies in FIRST_IS_BEST[:1]]
    found = made(FIRST_IS_BEST)
    changed = {**found.cells, **cells(few, "workers=100"), **cells(same, "workers=1000")}
    return replace(found, cells=changed, tornado=[WORKERS])


def test_a_tornado_tells_what_moves_by_how_much() -> None:
    text = list(lines(moved(), StudyVerdict(())))
    assert text[2:] == ["  tries under way [D]: 100 | 400 | 1,000", "    day-0 under smt-today: -10.0 | +0.0 ="]


@pytest.mark.parametrize(
    ("knee", "says"),
    [
        (
            KNEE,
            "is kept up to demand 8, 700 requests a day more than in the study, and no longer at 9; what binds: workers at the head-end.",
        ),
        (
            KNEE._replace(broken=None, binds=""),
            "is kept up to demand 8 at least, 700 requests a day more than in the study.",
        ),
        (KNEE._replace(kept=None, broken=1.0), "is not kept even at demand 1."),
    ],
)
def test_a_knee_tells_where_it_breaks_and_what_binds(knee: Knee, says: str) -> None:
    outcome = replace(made(FIRST_IS_BEST), knees=[knee])
    assert list(lines(outcome, StudyVerdict(())))[-1] == f"day-0 under smt-today: told_in_call>=0.4 {says}"


def test_levels_are_told_by_workload() -> None:
    judged = JudgedLevel(level_of("usd<=1"), "day-0", (Mark.PASSED, Mark.FAILED))
    assert list(lines(made(FIRST_IS_BEST), StudyVerdict((judged,))))[-1] == "usd<=1 on day-0: partly"


def test_a_what_if_tells_both_and_by_how_much() -> None:
    text = [" ".join(line.split()) for line in if_lines(made([FIRST_IS_BEST[0]]))]
    assert text[0] == "Day 0, 100 requests a day to be expected; means of 2 draws, ± half of the paired 95 % interval."
    for line in (
        "store-only smt-today then more by",
        "told in the call, % of call centres' reads 55.0 44.5 -10.5 ± 6.4",
        "tries at meters 50 50 0 ± 0 =",
        "dollars a day by which bills told are off 28 17 -10",
        "store-only SMT-HOUR: ror_call_centre 22, ror_bulk 22, customer 22, home_automation 22, csp 22",
    ):
        assert line in text
    assert "one draw, a first glance" in next(if_lines(made([[[(0.5, 0.1)], [(0.5, float("nan"))]]])))

"""What becomes of a clause follows from the figures of its two policies alone, and turns with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reports.capacity.clauses import CLAUSES, IN_THE_RULE, Held, Verdict, held, rivals
from reports.capacity.compare import TOLD, USD
from reports.capacity.words import effects, trade, what_turns, what_turns_the_answer
from scenarios.file.shipped import STUDIES
from simulator.capacity.study import load_study
from tests.reports.capacity.outcomes import PATIENCE, WORKERS, Figures, outcome

HAVING, LACKING = "smt-today-guarded:amount=8", "smt-today"
BASE: Figures = (0.5, 0.3, 1000)


def judged(having: Sequence[Figures], lacking: Sequence[Figures] = (BASE, BASE), replications: int = 3) -> Held:
    (found,) = held(outcome({LACKING: lacking, HAVING: having}, replications=replications))
    return found


@pytest.mark.parametrize(
    ("having", "verdict"),
    [
        # In a storm alone more are told.
        ([BASE, (0.6, 0.3, 1000)], Verdict.TAKEN),
        # And what is lost elsewhere is less.
        ([(0.49, 0.3, 1000), (0.6, 0.3, 1000)], Verdict.TAKEN),
        ([(0.5, 0.35, 1000), BASE], Verdict.REFUSED),
        ([(0.6, 0.4, 1000), BASE], Verdict.TRADE),
        ([(0.5, 0.3, 700), BASE], Verdict.FOR_BANDWIDTH),
        ([(0.5, 0.3, 1300), BASE], Verdict.REFUSED),
        ([BASE, BASE], Verdict.ALIKE),
    ],
)
def test_a_clause_is_judged_by_regret_in_what_is_told_and_in_dollars_then_by_tries(
    having: list[Figures], verdict: Verdict
) -> None:
    assert judged(having).verdict is verdict


def test_one_replication_tells_nothing_apart() -> None:
    assert judged([(0.9, 0.1, 10), (0.9, 0.1, 10)], replications=1).verdict is Verdict.ALIKE


def test_effects_say_where_they_are_largest_and_over_all() -> None:
    found = judged([(0.51, 0.29, 500), (0.6, 0.3, 500)])
    assert effects(found) == (
        "call centres' reads told in the call +10.0 points ± 0.0 on day-1 (+1.0 to +10.0 over all); "
        "the bill told off by -1.0 cents ± 0.0 on day-0 (-1.0 to 0.0 over all); tries at meters -50.0 % ± 0.1"
    )


@pytest.mark.parametrize(("having", "more"), [((0.6, 0.4, 1000), "more callers"), ((0.4, 0.2, 1000), "fewer are told")])
def test_a_trade_says_what_is_got_for_what(having: Figures, more: str) -> None:
    assert more in trade(judged([having, BASE]))


def test_what_turns_a_clause_is_named_with_its_value_and_mark() -> None:
    better: Figures = (0.6, 0.2, 1000)
    by = {LACKING: [BASE], HAVING: [better]}
    changed = {
        (policy, one.change(end)): by[policy] for policy in by for one in (WORKERS, PATIENCE) for end in ("low", "high")
    }
    (steady,) = held(outcome(by, [WORKERS, PATIENCE], changed))
    assert (
        what_turns(steady)
        == "On day-0, 3 replications: None of the 2 assumptions moved turns it, at its low or its high."
    )
    changed[HAVING, WORKERS.change("low")] = [(0.4, 0.4, 1000)]
    turned = outcome(by, [WORKERS, PATIENCE], changed)
    (found,) = held(turned)
    assert found.verdict is Verdict.TAKEN
    assert what_turns(found) == (
        "On day-0, 3 replications: Of the 2 assumptions moved it is turned by tries under way at the head-end at 100 [D]: not taken in."
    )
    for measure in (TOLD, USD):
        (other,) = rivals(turned, measure).turned
        assert (other[0].end, other[1]) == ("low", [LACKING])
        assert what_turns_the_answer(turned, measure).endswith(
            f"on day-0, 3 replications, among {LACKING} and {HAVING}, of which {HAVING} is best with nothing moved: "
            f"Of the 2 assumptions moved it is turned by tries under way at the head-end at 100 [D]: {LACKING}."
        )


@pytest.mark.parametrize(
    ("low", "says"),
    [
        ((0.6, 0.2, 1000), "and none turns that."),
        ((0.4, 0.4, 1000), "; that is turned by tries under way at the head-end at 100 [D]: not taken in."),
    ],
)
def test_what_was_moved_where_the_verdict_is_another_turns_nothing_that_is_printed(low: Figures, says: str) -> None:
    better: Figures = (0.6, 0.2, 1000)
    by = {LACKING: [BASE, BASE], HAVING: [better, (0.6, 0.5, 1000)]}
    change = WORKERS.change("low")
    made = outcome(by, [WORKERS], {(LACKING, change): [BASE, BASE], (HAVING, change): [low, low]})
    cells = {key: of for key, of in made.cells.items() if not key.change or key.workload == "day-0"}
    (found,) = held(replace(made, cells=cells))
    assert found.verdict is Verdict.TRADE
    assert what_turns(found).startswith(
        "Not known: the one assumption was moved on day-0, 3 replications, alone, where with nothing moved "
        'it is not "a trade, left open" but "taken in"'
    )
    assert what_turns(found).endswith(says)


def test_what_no_two_policies_were_moved_under_is_said() -> None:
    by = {LACKING: [BASE], HAVING: [BASE]}
    (found,) = held(outcome(by, [WORKERS], {(LACKING, WORKERS.change("low")): [BASE]}))
    assert what_turns(found) == "Not tried: no assumption was moved under both policies."


def test_a_clause_whose_policies_were_not_played_is_not_judged() -> None:
    assert list(held(outcome({LACKING: [BASE], "store-only": [BASE]}))) == []


def test_every_clause_is_of_policies_that_there_are() -> None:
    played = {one.name for name in STUDIES.names() for one in load_study(STUDIES.files()[name]).policies}
    assert {name for one in (*CLAUSES, *IN_THE_RULE) for name in (one.having, one.lacking)} <= played

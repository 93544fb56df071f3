"""What stands beside a study's answer follows from its cells: how far the lead goes where what is assumed is otherwise, and who else is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import escape

from reports.capacity import headline
from reports.capacity.compare import TOLD, USD
from reports.capacity.page import assumptions, render
from reports.capacity.throttle_study import text
from simulator.capacity.outcome import Outcome
from simulator.capacity.told import ALL, READS, STATUSES
from simulator.smt.throttle.limits import RequesterClass
from tests.reports.capacity.outcomes import PATIENCE, WORKERS, Figures, outcome
from tests.reports.capacity.study_page import kept

FIRST, SECOND, UNMOVED = "push-to-smt", "smt-today", "store-only"


def moved(push: float = 0.9, today: float = 0.5) -> Outcome:
    """The first leads by 40 points, before a third under which nothing was moved by 35; at low patience what is told."""
    by: dict[str, list[Figures]] = {FIRST: [(0.9, 0.1, 9)], SECOND: [(0.5, 0.3, 9)], UNMOVED: [(0.55, 0.4, 0)]}
    changed = {
        (policy, one.change(end)): by[policy]
        for policy in (FIRST, SECOND)
        for one in (WORKERS, PATIENCE)
        for end in ("low", "high")
    }
    changed[FIRST, PATIENCE.change("low")] = [(push, 0.2, 9)]
    changed[SECOND, PATIENCE.change("low")] = [(today, 0.2, 9)]
    return outcome(by, [WORKERS, PATIENCE], changed)


def leads(made: Outcome) -> list[str]:
    return [one for one in headline.beside(made) if one.startswith("The lead of ")]


def test_a_lead_has_its_range_over_the_ends_of_what_is_assumed_and_what_moves_it_most() -> None:
    assert leads(moved(0.7, 0.6))[0] == (
        "The lead of push-to-smt in what is told is 10.0 to 40.0 points where one of the 2 assumptions moved is at its low or high; with none moved "
        "40.0 points (day-0, 3 replications; among push-to-smt and smt-today). What moves it most: mean patience of a caller (60 .. 240 s [D]): "
        "10.0 / 40.0 points; tries under way at the head-end (100 .. 1000 [D]): 40.0 / 40.0 points."
    )


def test_a_lead_that_is_lost_is_below_nothing() -> None:
    told, usd = leads(moved(0.4, 0.6))
    assert "is -20.0 to 40.0 points where" in told
    assert ", and below 0 another one leads;" in told
    assert (
        "is $0.000 to 0.200 where one of the 2 assumptions moved is at its low or high; with none moved $0.200 (" in usd
    )


def test_a_lead_that_was_not_tried_has_the_draws_noise_alone() -> None:
    alone = "The ± of the lead of push-to-smt is the noise of the draws alone: under it and another policy no assumption was moved."
    under_one = moved()
    cells = {key: of for key, of in under_one.cells.items() if not key.change or key.policy == FIRST}
    for made in (replace(moved(), tornado=[]), replace(under_one, cells=cells)):
        assert [one for one in headline.beside(made) if "lead" in one] == [alone]
    assert not leads(outcome({FIRST: [(0.9, 0.1, 9)]}))
    assert not leads(outcome({FIRST: [(0.9, 0.1, 9)], SECOND: [(0.9, 0.1, 9)]}))


def test_it_stands_where_the_answer_does(tmp_path: Path) -> None:
    made = moved(0.7, 0.6)
    told = headline.as_json(made)
    json.dumps(told, allow_nan=False)
    low = next(
        one for one in told["lead"]["told_in_call"]["ends"] if (one["knob"], one["end"]) == ("patience_s", "low")
    )
    assert (low["value"], low["lead"]) == (60, pytest.approx(0.1))
    assert told["lead"]["told_in_call"]["nothing_moved"] == pytest.approx(0.4)
    page, document = render(made, tmp_path).read_text(encoding="utf-8"), text(made)
    assert f"> {told['answer']}\n" in document
    assert len(told["beside"]) == 4
    for sentence in told["beside"]:
        assert page.index(escape(sentence)) < page.index("<table")
        assert f"* {sentence}\n" in document


def test_each_assumption_has_the_lead_at_its_ends_beside_what_it_moves() -> None:
    made = moved(0.7, 0.6)
    found = {one["title"]: (one["lead_told"], one["lead_usd"]) for one in assumptions(made, FIRST)}
    assert found == {WORKERS.title: ("40.0 / 40.0", "20.0 / 20.0"), PATIENCE.title: ("10.0 / 40.0", "0.0 / 20.0")}
    assert {one["lead_told"] for one in assumptions(outcome({FIRST: [(0.9, 0.1, 9)]}, [WORKERS]), FIRST)} == {"- / -"}
    assert "| 10.0 / 40.0 | 0.0 / 20.0 |" in text(made)


def test_the_shipped_lead_is_held_to_each_workload_s_cells() -> None:
    """By another way: where push leads most and least, on the workload on which the others' best lacks most."""
    shipped = kept()
    for judged in (TOLD, USD):
        found = headline.led(shipped, judged)
        assert found is not None
        assert found.tried is not None
        for at, lead in found.ends:
            means = {
                (workload, policy): judged.sign
                * float(
                    shipped.series(workload, policy, judged.measure, change=at.assumption.change(at.end))[
                        : found.tried.replications
                    ].mean()
                )
                for workload in found.tried.workloads
                for policy in found.policies
            }
            lacks = {
                policy: max(
                    max(means[workload, of] for of in found.policies) - means[workload, policy]
                    for workload in found.tried.workloads
                )
                for policy in found.policies
            }
            own = lacks.pop(found.policy)
            assert lead == pytest.approx(min(lacks.values()) - own)


def test_the_answer_says_of_whom_it_speaks_and_how_much_that_is() -> None:
    made = outcome({FIRST: [(0.9, 0.1, 9), (0.9, 0.1, 9)], SECOND: [(0.5, 0.3, 9), (0.5, 0.3, 9)]})
    cells = {
        key: {
            **of,
            READS: replace(of[READS], planned=30 if key.workload == "day-0" else 4),
            ALL: replace(of[ALL], planned=200),
        }
        for key, of in made.cells.items()
    }
    assert "least regret in call centres' interval reads told" in headline.answer(made)
    assert list(headline.of_whom(replace(made, cells=cells))) == [
        "Call centres' interval reads are 2.0 to 15.0 % of a workload's requests, and 4.0 to 30.0 % of what call centres ask."
    ]


def test_one_workload_has_one_share() -> None:
    assert "are 100.0 % of a workload's requests, and 100.0 % of what" in next(headline.of_whom(moved()))


def test_what_the_best_does_to_others_is_told_where_it_is_furthest_from_the_best() -> None:
    made = outcome({FIRST: [(0.9, 0.1, 9), (0.9, 0.1, 9)], SECOND: [(0.5, 0.3, 9), (0.5, 0.3, 9)]})
    group = str(RequesterClass.CUSTOMER)
    said = {("day-0", FIRST): 0.8, ("day-0", SECOND): 0.9, ("day-1", FIRST): 0.1, ("day-1", SECOND): 0.4}
    cells = {
        key: {
            **of,
            group: replace(of[group], told_in_call=said[key.workload, key.policy]),
            STATUSES: replace(of[STATUSES], told_in_call=float("nan")),
        }
        for key, of in made.cells.items()
    }
    found = next(headline.beside(replace(made, cells=cells)))
    assert found.startswith(
        "Of all else push-to-smt tells in the call, where it is furthest from the best: all that call centres ask 90.3 % on day-0 (nobody surely more); "
    )
    assert "customers 10.0 % on day-1 (40.0 at best); " in found
    assert "power statuses" not in found


def test_who_is_not_named_is_not_told_of() -> None:
    alike = outcome({FIRST: [(0.9, 0.1, 9)], SECOND: [(0.9, 0.1, 9)]})
    assert not list(headline.beside(alike))
    two = list(headline.beside(outcome({FIRST: [(0.9, 0.1, 9)], SECOND: [(0.9, 0.1, 9)], UNMOVED: [(0.1, 0.9, 9)]})))
    assert [one.split()[3] for one in two] == [FIRST, SECOND]

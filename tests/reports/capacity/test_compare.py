"""The answer of a comparison turns with its figures; tables, JSON and CSV say what the cells say; the command, its bounds and its mistakes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meters.errors import UserError
from reports.capacity.compare import answer, as_json, lines, wanted, write_csv
from reports.commands.capacity import app
from reports.commands.capacity_compare import WORKLOADS, presets, shipped_workloads
from simulator.capacity.compare import CONTENDED, GROUPS, MEASURES, Cell, Comparison, Told
from simulator.capacity.workload.chosen import shipped
from simulator.smt.throttle.policy import preset
from tests.simulator.capacity.workload.planned import plan

#: Told in the call and dollars, by workload, policy and replication.
Figures = Sequence[Sequence[Sequence[tuple[float, float]]]]
FIRST_IS_BEST: Figures = [
    [[(0.50, 0.30), (0.60, 0.20)], [(0.40, 0.20), (0.49, 0.11)]],
    [[(0.50, 0.10), (0.60, 0.10)], [(0.40, 0.10), (0.50, 0.10)]],
]


def told(share: float, usd: float) -> Told:
    return Told(100, 10, share, share, 0.0, 0.2, 50, 100, 70.0, 140.0, usd, 0.1, {"SMT-HOUR": 22})


def made(figures: Figures) -> Comparison:
    names = ("smt-today", "store-only")[: len(figures[0])]
    cells = [
        Cell(workload, policy, replication, dict.fromkeys(GROUPS, told(*one)))
        for workload, policies in enumerate(figures)
        for policy, of in enumerate(policies)
        for replication, one in enumerate(of)
    ]
    plans = [plan(name=f"day-{at}") for at in range(len(figures))]
    return Comparison(plans, [preset(name) for name in names], len(figures[0][0]), cells)


def turned(figures: Figures, turn: Callable[[float, float], tuple[float, float]]) -> Figures:
    return [[[turn(*one) for one in of] for of in policies] for policies in figures]


def test_the_answer_names_who_leads_surely_and_by_how_much() -> None:
    assert answer(made(FIRST_IS_BEST)) == (
        "Over 2 workloads the least regret in what is told in the call: smt-today, by 10.5 points (± 6.4) before store-only; "
        "in dollars: store-only, by $0.095 (± 0.064) before smt-today."
    )


def test_the_answer_turns_when_the_figures_turn() -> None:
    other = answer(made(turned(FIRST_IS_BEST, lambda share, usd: (1 - share, 1 - usd))))
    assert "told in the call: store-only, by 10.5 points" in other
    assert "in dollars: smt-today, by $0.095" in other


def test_an_unsure_lead_is_none() -> None:
    unsure = [[[(0.5, 0.3), (0.6, 0.2)], [(0.4, 0.3), (0.9, 0.1)]]]
    assert answer(made(unsure)) == (
        "On day-0 the least regret in what is told in the call: all policies cannot be told apart; "
        "in dollars: all policies cannot be told apart."
    )
    assert "One replication, which tells nothing apart" in "\n".join(
        lines(made([[[(0.5, 0.3)], [(0.4, 0.3)]]]), CONTENDED)
    )


def test_nobody_leads_who_is_alone_or_where_nobody_calls() -> None:
    assert "call: smt-today, which was played alone" in answer(made([[[(0.5, 0.3), (0.5, 0.3)]]]))
    nan = float("nan")
    nobody = made([[[(nan, nan)], [(nan, nan)]]])
    assert "call: no policy, for a workload has no call centre's reads" in answer(nobody)
    assert as_json(nobody, CONTENDED)["regret"] == {"told_in_call": None, "usd": None}
    assert "regret\n" not in "\n".join(lines(nobody, CONTENDED))


def test_tables_tell_means_worst_case_regret_and_who_is_not_told_apart() -> None:
    text = list(lines(made(FIRST_IS_BEST), CONTENDED))
    told = [" ".join(line.split()) for line in text]
    for line in (
        "smt-today 55.0 55.0 55.0 0.0 ±0.0",
        "store-only 44.5 45.0 44.5 10.5 ±6.4",
        "store-only 0.155 0.100 = 0.155 0.000 ±0.000",
        "store-only SMT-HOUR 20.0 20.0",
    ):
        assert line in told
    assert any("400 tries under way at the head-end" in line for line in told)
    assert max(map(len, text[1:])) <= 120


def test_json_tells_each_cell_with_its_interval() -> None:
    found = as_json(made(FIRST_IS_BEST), CONTENDED)
    json.dumps(found, allow_nan=False)
    cell = found["cells"][1]
    assert (cell["workload"], cell["policy"]) == ("day-0", "store-only")
    assert set(cell["told"]) == set(GROUPS)
    assert set(cell["told"]["csp"]) == {*MEASURES, "refused_by"}
    assert cell["told"]["csp"]["refused_by"] == {"SMT-HOUR": pytest.approx(0.2)}
    assert cell["less_the_first"]["told_in_call"]["mean"] == pytest.approx(-0.105)
    regret = found["regret"]["told_in_call"]
    assert regret["leaders"] == ["smt-today"]
    assert regret["policies"][1]["on"] == "day-0"
    assert found["assumed"]["workers"] == 400


def test_csv_has_a_row_for_each_cell_replication_and_group(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    write_csv(made([[[(0.5, float("nan"))], [(0.4, 0.1)]]]), path)
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 2 * len(GROUPS)
    assert (found[0]["policy"], found[0]["group"], found[0]["usd"]) == ("smt-today", "call_centre_reads", "")
    assert (found[-1]["told_in_call"], found[-1]["refused SMT-HOUR"]) == ("0.4", "22")
    with pytest.raises(UserError, match=r"capacity\.compare\.csv"):
        write_csv(made([[[(0.5, 0.1)], [(0.4, 0.1)]]]), tmp_path)


def test_what_a_cell_must_keep_is_held_against_its_mean() -> None:
    comparison = made(FIRST_IS_BEST)
    assert list(wanted("told_in_call>=0.45").missed(comparison)) == [
        "not kept: told_in_call>=0.45: 0.445 on day-0 under store-only"
    ]
    assert list(wanted("customer.refused < 0.3").missed(comparison)) == []
    assert len(list(wanted("all.meter_reads>50").missed(comparison))) == 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("told_in_call", "no measure, sign and number"),
        ("told_in_cal>=0.5", "Did you mean told_in_call"),
        ("costumer.refused<0.1", "Did you mean customer"),
    ],
)
def test_a_bound_that_cannot_be_read_is_told(text: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        wanted(text)
    assert caught.value.code == "capacity.compare.assert"
    assert says in str(caught.value)


SMALL = """name: tiny
day: 2026-08-12
fleet: {tdsps: [{name: Oncor, meters: 20000}]}
calls: {ror_call_centre: {reads: 200}}
"""


def test_the_command_compares_a_workload_of_ones_own(tmp_path: Path) -> None:
    mine, cells = tmp_path / "tiny.yaml", tmp_path / "cells.csv"
    mine.write_text(SMALL, "utf-8")
    words = ["compare", str(mine), "--policy", "smt-today", "--policy", "store-only", "--replications", "2"]
    one = CliRunner().invoke(app, [*words, "--workers", "1", "--csv", str(cells), "--assert", "usd<=0.0001"])
    assert one.exit_code == 1, one.output
    assert one.stdout.startswith("On tiny the least regret in what is told in the call: ")
    assert one.stdout.splitlines()[-1].startswith("not kept: usd<=0.0001: 0.")
    assert one.stdout.splitlines()[-1].endswith(" on tiny under store-only")
    assert len(cells.read_text("utf-8").splitlines()) == 1 + 2 * 2 * len(GROUPS)
    other = CliRunner().invoke(app, [*words, "--workers", "2", "--json", "--assert", "usd<=9"])
    assert other.exit_code == 0, other.output
    found = json.loads(other.stdout)
    assert found["answer"] == one.stdout.splitlines()[0]
    assert found["not_kept"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["ordinary-dya"], "capacity.workload.unreadable"),
        (["ordinary-day", "--policy", "smt-todya"], "policy.unknown"),
        (["ordinary-day", "ordinary-day"], "capacity.compare.twice"),
        (["ordinary-day", "--policy", "smt-today", "--policy", "smt-today"], "capacity.compare.twice"),
        (["ordinary-day", "--csv", "none/cells.csv"], "capacity.compare.csv"),
        (["ordinary-day", "--assert", "all"], "capacity.compare.assert"),
    ],
)
def test_what_cannot_be_compared_is_told_before_anything_is_played(words: list[str], code: str) -> None:
    ran = CliRunner().invoke(app, ["compare", *words])
    assert isinstance(ran.exception, UserError)
    assert (ran.exception.code, ran.exception.exit_code) == (code, 2)
    assert ran.exception.mend


def test_names_that_are_offered_are_there() -> None:
    assert {*WORKLOADS} <= {*shipped()}
    assert shipped_workloads("b") == ["beryl-2024", "bill-surge-x3", "bulk-40000"]
    assert presets("store") == ["store-within", "store-only"]

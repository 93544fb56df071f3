"""The answer of a comparison turns with its figures; tables, JSON and CSV say what the cells say; the command, its bounds and its mistakes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from meters.errors import UserError
from reports.capacity.compare import lines, write_csv
from reports.capacity.headline import answer
from simulator.capacity.told import GROUPS, MEASURES
from tests.simulator.capacity.outcomes import FIRST_IS_BEST, Figures, made


def turned(figures: Figures, turn: Callable[[float, float], tuple[float, float]]) -> Figures:
    return [[[turn(*one) for one in of] for of in policies] for policies in figures]


def test_the_answer_names_who_leads_surely_and_by_how_much() -> None:
    assert answer(made(FIRST_IS_BEST)) == (
        "Over 2 workloads the least regret in call centres' interval reads told in the call: smt-today, by 10.5 points (± 6.4) before store-only; "
        "in dollars: store-only, by $0.095 (± 0.064) before smt-today."
    )


def test_the_answer_turns_when_the_figures_turn() -> None:
    other = answer(made(turned(FIRST_IS_BEST, lambda share, usd: (1 - share, 1 - usd))))
    assert "told in the call: store-only, by 10.5 points" in other
    assert "in dollars: smt-today, by $0.095" in other


def test_an_unsure_lead_is_none() -> None:
    unsure = [[[(0.5, 0.3), (0.6, 0.2)], [(0.4, 0.3), (0.9, 0.1)]]]
    assert answer(made(unsure)) == (
        "On day-0 the least regret in call centres' interval reads told in the call: all policies cannot be told apart; "
        "in dollars: all policies cannot be told apart."
    )
    assert "One replication, which tells nothing apart" in "\n".join(lines(made([[[(0.5, 0.3)], [(0.4, 0.3)]]])))


def test_nobody_leads_who_is_alone_or_where_nobody_calls() -> None:
    assert "call: smt-today, which was played alone" in answer(made([[[(0.5, 0.3), (0.5, 0.3)]]]))
    nan = float("nan")
    nobody = made([[[(nan, nan)], [(nan, nan)]]])
    assert "call: no policy, for a workload has no call centre's reads" in answer(nobody)
    assert nobody.as_json()["regret"] == {"told_in_call": None, "usd": None}
    assert "regret\n" not in "\n".join(lines(nobody))


def test_tables_tell_means_worst_case_regret_and_who_is_not_told_apart() -> None:
    text = list(lines(made(FIRST_IS_BEST)))
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
    found = made(FIRST_IS_BEST).as_json()
    json.dumps(found, allow_nan=False)
    cell = found["summary"][1]
    assert (cell["workload"], cell["policy"]) == ("day-0", "store-only")
    assert set(cell["told"]) == set(GROUPS)
    assert set(cell["told"]["csp"]) == {*MEASURES, "refused_by"}
    assert cell["told"]["csp"]["refused_by"] == {"SMT-HOUR": 22}
    beside = found["less_the_first"]["told_in_call"][1]
    assert (beside["workload"], beside["policy"]) == ("day-0", "store-only")
    assert beside["mean"] == pytest.approx(-0.105)
    regret = found["regret"]["told_in_call"]
    assert regret["leaders"] == ["smt-today"]
    assert regret["policies"][1]["on"] == "day-0"
    assert found["assumed"]["network"]["workers"] == 400


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

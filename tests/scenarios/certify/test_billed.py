"""Bills of plans and usages that a retailer is handed: each slip of the stranger's bills fails the ids that it names and no other, and each id alone catches one."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from scenarios.actions.outside.golden_bill import GoldenBill, RecordedGoldenBill
from scenarios.certify.observed import Observation, Step
from scenarios.certify.plan import plan_of
from scenarios.certify.ror.billed import SEEN, Billed
from scenarios.certify.strangers import FOLDER
from scenarios.outside.golden import golden
from tests.scenarios.certify.matrix import names

BILL: Callable[[Any, Any], dict[str, Any]] = runpy.run_path(str(FOLDER / "bills.py"))["bill"]
FAULTS: dict[str, dict[str, Any]] = json.loads((FOLDER / "bills_faults.json").read_text("utf-8"))
#: What all bills of the plan are asked for.
ACTIONS = [
    (one.name, action)
    for one in plan_of("ror", ("BILLS", "PROJECTION"))
    for action in one.scenario.timeline
    if isinstance(action, GoldenBill)
]

#: A slip that an id alone catches: without its rule nothing would be found of it.
ALONE = {
    "BILL-TIERS": "TIER-OFF",
    "BILL-FREE": "NIGHTS-OFF",
    "BILL-TIMES": "NO-HOLIDAYS",
    "BILL-CREDIT": "CREDIT-ABOVE",
    "BILL-FEE": "FEE-AT-MOST",
    "BILL-BASE": "NEVER-WAIVED",
    "BILL-DELIVERY": "DELIVERY-BY-CYCLE",
    "BILL-PART": "PART-WHOLE",
    "BILL-TO-DATE": "TO-DATE-WHOLE",
    "BILL-PROJECTED": "NO-DAYS-LEFT",
    "BILL-TAX": "TAXED-CREDIT",
    "BILL-SUM": "SUM-OF-EXACT",
}


def billed(step: str, action: GoldenBill, bill: dict[str, Any] | None) -> Billed:
    """What was told of a bill."""
    at = "2026-08-09T10:00:00-05:00"
    record = RecordedGoldenBill.model_validate({"at": at, "ended_at": at, "bill": bill, "exit": 0})
    return Billed(Step(step, "", None, None), action, record, (1,))


@cache
def told(mutant: str) -> list[Billed]:
    """What the stranger tells of them all."""
    fault = FAULTS[mutant]["fault"] if mutant else {}
    return [billed(step, one, BILL(golden()[one.golden]["in"], fault)) for step, one in ACTIONS]


@cache
def contradicted(mutant: str) -> dict[str, list[Observation]]:
    """By id what its bills contradict it by."""
    found = {ident: [one for one in seen(told(mutant)) if one.held is False] for ident, seen in SEEN.items()}
    return {ident: its for ident, its in found.items() if its}


def test_an_honest_retailers_bills_hold_and_each_id_is_seen() -> None:
    assert contradicted("") == {}
    for ident, seen in SEEN.items():
        marks = [one.held for one in seen(told(""))]
        assert marks
        assert all(marks), ident


@pytest.mark.parametrize("mutant", FAULTS)
def test_a_slip_fails_the_ids_that_it_names_and_no_other(mutant: str) -> None:
    found = contradicted(mutant)
    assert set(found) == names("ror", mutant)
    assert all(one.exchanges == (1,) and "$" in one.said for its in found.values() for one in its)


@pytest.mark.parametrize("ident", SEEN)
def test_without_a_rule_a_slip_would_not_be_found(ident: str) -> None:
    assert set(contradicted(ALONE[ident])) == {ident}


def test_a_part_that_no_id_of_the_bill_looks_at_is_told_by_the_total() -> None:
    its = {action.golden: its for one in told("") if (action := one.action) and (its := one.record.bill)}
    bill = its["tiers-limit"]
    its["tiers-limit"] = {
        "lines": [*bill["lines"], ["base charge", "0.25"]],
        "total_usd": str(Decimal(bill["total_usd"]) + Decimal("0.25")),
    }
    those = [billed(step, one, its[one.golden]) for step, one in ACTIONS]
    found = {ident: [one for one in seen(those) if one.held is False] for ident, seen in SEEN.items()}
    assert {ident: len(seen) for ident, seen in found.items() if seen} == {"BILL-SUM": 1}
    assert "by the plan is $" in found["BILL-SUM"][0].said


@pytest.mark.parametrize("cents", [1, 2])
def test_a_part_may_be_off_by_a_cent_for_each_of_its_lines(cents: int) -> None:
    step, action = next((step, one) for step, one in ACTIONS if one.golden == "tiers-third")
    its = golden()[action.golden]["out"]
    # All three tiers in one line, and 3 or 6 cents too much.
    lines = [["energy charge", f"{150 + 0.03 * cents:.2f}"], *its["lines"][3:]]
    (seen,) = SEEN["BILL-TIERS"]([billed(step, action, its | {"lines": lines})])
    assert seen.held is (cents == 1)


@pytest.mark.parametrize("bill", [None, {}, {"lines": 1, "total_usd": "x"}, {"lines": [["energy charge", "x"]]}])
def test_of_a_bill_that_is_none_nothing_can_be_told(bill: dict[str, Any] | None) -> None:
    those = [billed(step, one, bill) for step, one in ACTIONS]
    assert {one.held for seen in SEEN.values() for one in seen(those)} == {None}

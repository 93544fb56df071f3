"""The bill engine gives the bills that were worked by hand, line by line to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from headend.ports import IntArray
from meters.calendar import INTERVAL_S, days, interval_ends, local
from simulator.ror.billing.bill import Bill, Usage, bill, bill_to_date
from simulator.ror.billing.money import exact_text
from simulator.ror.billing.plan import load_plan, shipped_plan, shipped_plans
from simulator.ror.usage import Energy
from tests.simulator.ror.billing.hand_bills import FOLDER, HandBill, hand_bills


def used(written: str, ends: list[int]) -> IntArray:
    """``100 Wh; 20:00-05:00 300 Wh``: in each quarter hour, by the local clock at which it begins."""
    rest, _, window = written.partition("; ")
    wh = np.full(len(ends), int(rest.split()[0]), dtype=np.int32)
    if window:
        hours, inside, _ = window.split()
        first, until = hours.split("-")
        clocks = [f"{local(end - INTERVAL_S):%H:%M}" for end in ends]
        meant = [first <= at < until if first < until else at >= first or at < until for at in clocks]
        wh[np.array(meant)] = int(inside)
    return wh


def made(one: HandBill) -> Bill:
    of = one.of
    plan = shipped_plan(of["plan"]) if of["plan"] in shipped_plans() else load_plan(FOLDER / f"{of['plan']}.yaml")
    first, last = date.fromisoformat(of["first"]), date.fromisoformat(of["last"])
    whole = int(of["whole_days"]) if of["whole_days"] else None
    usage: Usage
    if of["taken"].endswith("kWh"):
        usage = int(Decimal(of["taken"].split()[0]) * 1000)
    else:
        ends = np.concatenate([interval_ends(day) for day in days(first, last)])
        usage = Energy(ends, used(of["taken"], ends.tolist()), used(of["given"] or "0 Wh", ends.tolist()))
    if of["cycle_last"]:
        return bill_to_date(plan, usage, first, last, date.fromisoformat(of["cycle_last"]), whole)
    register = int(Decimal(of["register"]) * 1000) if of["register"] else None
    return bill(plan, usage, first, last, whole, register_wh=register)


@pytest.mark.parametrize("one", hand_bills(), ids=lambda one: one.name)
def test_a_bill_is_what_was_worked_by_hand(one: HandBill) -> None:
    found = made(one)
    assert [(line.kind.value, line.amount) for line in found.lines] == [(line.kind, line.amount) for line in one.lines]
    assert found.total == one.total
    for line, by_hand in zip(found.lines, one.lines, strict=True):
        if by_hand.unit == "kWh x c/kWh":
            quantity, price = Decimal(by_hand.quantity), abs(Decimal(by_hand.price))
            assert line.text.endswith(f"{exact_text(quantity)} kWh at {exact_text(price)} c/kWh")

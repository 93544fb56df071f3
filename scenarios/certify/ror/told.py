"""What is seen of the bill that a retailer tells a caller, held against what the meter holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from meters.calendar import INTERVAL_S, Seconds, day_of_interval, day_start, epoch, iso
from meters.errors import MeterError
from meters.kernels.jit import as_written
from scenarios.certify.ror.calls import Called, Seen
from scenarios.certify.said import READS, dollars
from simulator.ror.billing.bill import bill_to_date

#: A bill may differ from ours by so much for how lines are rounded. A default of this project.
_ROUNDED_USD = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class _Bill:
    """What was told: to where, Wh, dollars."""

    to: Seconds
    wh: int
    usd: Decimal


def _bill(call: Called) -> _Bill | None:
    told = call.record.bill or {}
    try:
        return _Bill(epoch(str(told["to"])), int(told["wh"]), dollars(told["total_usd"]))
    except (KeyError, ValueError, TypeError, MeterError):
        return None


def _runs_still(calls: Sequence[Called]) -> Seen:
    for call in calls:
        bill = _bill(call)
        if bill is not None and call.action.question == "balance":
            until = call.last_end
            served = (call.answer.get("gap") or {}).get("end")
            until = min(until, epoch(served)) if served else until
            yield call.saw(
                bill.to <= until,
                f"it bills to {iso(bill.to)}, and the last whole quarter hour that it was told ends {iso(until)}",
            )


def _left_open(calls: Sequence[Called]) -> Seen:
    for call in calls:
        uncovered, told = call.answer.get("uncovered"), call.record.bill
        if uncovered and call.answer.get("statusCode") == "PEN":
            yield call.saw(None, "its request was not answered while the caller waited")
        elif uncovered and told is not None:
            yield call.saw(bool(told.get("uncovered")), "it tells nothing of what the gap leaves open")


def _rests_on(calls: Sequence[Called]) -> Seen:
    for call in calls:
        told = call.record.bill
        if told is not None and call.answer.get("intervals"):
            said = json.dumps([told.get("parts"), told.get("sentences")]).lower()
            yield call.saw(
                "non-vee" in said or "non_vee" in said, "it does not tell what of the bill rests on non-VEE data"
            )


def _balances(calls: Sequence[Called]) -> Iterator[Called]:
    """The calls of which the bill is looked at. What was asked for twice, or never looked at, is told by itself."""
    for call in calls:
        if call.action.question == "balance" and call.own and len(call.filed) == 1 and call.to(READS):
            yield call


def _takes_its_own(calls: Sequence[Called]) -> Seen:
    """Of an answer to another request nothing is billed."""
    for call in _balances(calls):
        others, bill = call.others, _bill(call)
        if others and (bill is None or bill.to <= call.last_end):
            held, said = (None, "no bill is told") if bill is None else _wh_against(call, bill, call.answer)
            # Each interval of that answer is more than the meter's; a bill of less lacks something else.
            if bill is not None and not held and bill.wh < _meter_wh(call, bill, call.answer):
                held = None
            yield call.saw(held, f"SMT answered with what was read for another request, and {said}", others)


def _right(calls: Sequence[Called]) -> Seen:
    """The bill: told in time, on the Wh that the meter holds, at the prices of the plan."""
    for call in _balances(calls):
        told, bill, served = call.record, _bill(call), call.answer
        if served.get("statusCode") != "0":
            continue
        if told.bill is None or bill is None:
            yield call.saw(None, "no bill is told")
            continue
        if told.told_at is not None and told.told_at > call.hung_up:
            yield call.saw(
                False, f"the bill is told at {iso(told.told_at)}, and the caller hung up at {iso(call.hung_up)}"
            )
            continue
        if bill.to > call.last_end:
            continue
        yield call.saw(*_held_against(call, bill, served))


def _meter_wh(call: Called, bill: _Bill, served: dict[str, Any]) -> int:
    """What the meter holds of the cycle to where is billed, but for what the gap leaves open."""
    assert call.step.recording is not None
    account = call.step.recording.scenario.account_of(call.action)
    held = call.held
    open_still = [(epoch(one["start"]), epoch(one["end"])) for one in served.get("uncovered") or []]
    first = day_start(account.cycle_first)
    return sum(
        its
        for end, (its, _) in held.items()
        if first < end <= bill.to and not any(start < end <= until for start, until in open_still)
    )


def _wh_against(call: Called, bill: _Bill, served: dict[str, Any]) -> tuple[bool | None, str]:
    assert call.step.recording is not None
    account = call.step.recording.scenario.account_of(call.action)
    held = call.truth.get(call.esiid, {})
    first, wh = day_start(account.cycle_first), _meter_wh(call, bill, served)
    if not held:
        return None, "nobody knows what the meter holds"
    if bill.to % INTERVAL_S or bill.to <= first or bill.to > day_start(account.cycle_last + timedelta(days=1)):
        return False, f"it bills to {iso(bill.to)}, which is no quarter hour of the cycle"
    known = "it was told" if call.step.link else "the meter holds"
    return bill.wh == wh, f"it bills {bill.wh} Wh to {iso(bill.to)}, and {known} {wh} Wh"


def _held_against(call: Called, bill: _Bill, served: dict[str, Any]) -> tuple[bool | None, str]:
    held, said = _wh_against(call, bill, served)
    if not held:
        return held, said
    assert call.step.recording is not None
    account = call.step.recording.scenario.account_of(call.action)
    last = day_of_interval(bill.to)
    # One of a few: compiled code would take longer to be there, and 100 MB, of whoever judges a bundle.
    with as_written():
        ours = bill_to_date(
            account.rates, bill.wh, account.cycle_first, last, account.cycle_last, account.full_cycle_days
        ).total
    return abs(ours - bill.usd) <= _ROUNDED_USD, f"it tells ${bill.usd}, and by the plan {bill.wh} Wh come to ${ours}"


#: By id what is seen of it.
SEEN: dict[str, Callable[[Sequence[Called]], Seen]] = {
    "S6": _rests_on,
    "AMB-5": _takes_its_own,
    "AMB-6": _runs_still,
    "AMB-7": _left_open,
    "AMB-12": _right,
}

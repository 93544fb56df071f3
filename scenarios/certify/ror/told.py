"""What is seen of the bill that a retailer tells a caller, held against what the meter holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from meters.calendar import INTERVAL_S, Seconds, day_of_interval, day_start, epoch, iso
from meters.errors import MeterError
from meters.kernels.jit import as_written
from scenarios.certify.ror.calls import Called, Seen
from scenarios.certify.said import ODR, READS, dollars, rows_of
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
        if bill is not None:
            until = call.last_end
            served = (call.answer.get("gap") or {}).get("end")
            until = min(until, epoch(served)) if served else until
            yield call.saw(
                bill.to <= until,
                f"it bills to {iso(bill.to)}, and the last whole quarter hour that it was told ends {iso(until)}",
            )


def _left_open(calls: Sequence[Called]) -> Seen:
    for call in calls:
        uncovered, told = call.uncovered, call.record.bill
        if uncovered and call.answer.get("statusCode") == "PEN":
            yield call.saw(None, "its request was not answered while the caller waited")
        elif uncovered and told is not None:
            spans = _spans(told)
            yield call.saw(
                spans == _joined(uncovered),
                f"the gap is left open {_written(_joined(uncovered))}, and it tells {_written(spans)}",
            )


def _spans(told: dict[str, Any]) -> list[tuple[Seconds, Seconds]]:
    """What a bill tells to be open; nothing for what is no span."""
    try:
        return _joined([(epoch(str(one["start"])), epoch(str(one["end"]))) for one in rows_of(told, "uncovered")])
    except (KeyError, ValueError, MeterError):
        return []


def _joined(spans: Sequence[tuple[Seconds, Seconds]]) -> list[tuple[Seconds, Seconds]]:
    """Spans in their order, those in one that follow each other."""
    found: list[tuple[Seconds, Seconds]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _written(spans: Sequence[tuple[Seconds, Seconds]]) -> str:
    first = [f"from {iso(start)} to {iso(end)}" for start, end in spans[:2]]
    return " and ".join(first) + (", and more" if len(spans) > len(first) else "") or "nothing of it"


def _rests_on(calls: Sequence[Called]) -> Seen:
    """By the Wh of its parts: what it says in words is not read."""
    for call in calls:
        told, bill = call.record.bill, _bill(call)
        if told is None or not call.answer.get("intervals"):
            continue
        # Of Wh that are wrong in all AMB-12 tells, or AMB-6.
        held, said = (None, "no bill is told") if bill is None else _wh_against(call, bill)
        if bill is None or not held:
            yield call.saw(None, said)
            continue
        parts = _parts(told)
        if parts is None:
            yield call.saw(False, "it does not tell by Wh what of the bill rests on non-VEE data")
            continue
        vee, other = parts
        meant = _meter_wh(call, bill, call.posted_to)
        said = f"{meant} Wh of the bill rest on non-VEE data, and it tells {other} beside {vee}, of {bill.wh} in all"
        yield call.saw(other == meant and vee + other == bill.wh, said)


def _parts(told: dict[str, Any]) -> tuple[int, int] | None:
    """The Wh that rest on VEE data and on others, by the names of a bill's parts; None where it has none."""
    parts = told.get("parts")
    if not isinstance(parts, dict):
        return None
    wh = [0, 0]
    try:
        for name, its in parts.items():
            wh["non-vee" in name.lower().replace("_", "-")] += int(its)
    except (TypeError, ValueError, OverflowError):
        return None
    return wh[0], wh[1]


def _balances(calls: Sequence[Called]) -> Iterator[Called]:
    """The calls of which the balance is looked at. What was asked for twice, or never looked at, is told by itself."""
    for call in calls:
        if call.action.question == "balance" and call.own and len(call.filed) == 1 and call.to(READS):
            yield call


def _takes_its_own(calls: Sequence[Called]) -> Seen:
    """Of an answer to another request nothing is billed."""
    for call in _balances(calls):
        others, bill = call.others, _bill(call)
        if others and (bill is None or bill.to <= call.last_end):
            held, said = (None, "no bill is told") if bill is None else _wh_against(call, bill)
            # Each interval of that answer is more than the meter's; a bill of less lacks something else.
            first = day_start(call.account.cycle_first)
            if bill is not None and not held and bill.wh < _meter_wh(call, bill, first):
                held = None
            yield call.saw(held, f"SMT answered with what was read for another request, and {said}", others)


def _right(calls: Sequence[Called]) -> Seen:
    """The bill: told in time, on the Wh that the meter holds to where the retailer knows it, at the prices of the plan; whatever was asked for, and whatever came of it."""
    for call in calls:
        told, bill, done = call.record, _bill(call), call.answer.get("statusCode") == "0"
        # What was asked for twice, never looked at, or taken from another's answer is told by itself.
        if len(call.filed) > 1 or (call.to(ODR) and not call.to(READS)) or (call.others and not done):
            continue
        if bill is None:
            its = told.bill is not None and told.bill.get("total_usd") is not None
            if its or (done and call.own):
                yield call.saw(False, "what is told is no bill" if its else "no bill is told")
            continue
        if told.told_at is not None and told.told_at > call.hung_up:
            yield call.saw(
                False, f"the bill is told at {iso(told.told_at)}, and the caller hung up at {iso(call.hung_up)}"
            )
            continue
        if call.action.question == "last_bill" and bill.to <= day_start(call.account.cycle_first):
            # That is what was asked.
            yield call.saw(
                None, f"it tells the last bill, to {iso(bill.to)}, and nobody knows what the meter held then"
            )
            continue
        # What it was told in an earlier call of the flight is known to nobody else.
        if bill.to > call.last_end or (call.step.link and not done and bill.to > call.reaches):
            continue
        yield call.saw(*_held_against(call, bill))


def _meter_wh(call: Called, bill: _Bill, since: Seconds) -> int:
    """What the meter holds from an instant to where is billed, but for what the gap leaves open."""
    open_still = call.uncovered
    return sum(
        its
        for end, (its, _) in call.held.items()
        if since < end <= bill.to and not any(start < end <= until for start, until in open_still)
    )


def _wh_against(call: Called, bill: _Bill) -> tuple[bool | None, str]:
    account = call.account
    first, wh = day_start(account.cycle_first), _meter_wh(call, bill, day_start(account.cycle_first))
    if not call.truth.get(call.esiid):
        return None, "nobody knows what the meter holds"
    if bill.to % INTERVAL_S or bill.to <= first or bill.to > day_start(account.cycle_last + timedelta(days=1)):
        return False, f"it bills to {iso(bill.to)}, which is no quarter hour of the cycle"
    known = "it was told" if call.step.link else "the meter holds"
    return bill.wh == wh, f"it bills {bill.wh} Wh to {iso(bill.to)}, and {known} {wh} Wh"


def _held_against(call: Called, bill: _Bill) -> tuple[bool | None, str]:
    held, said = _wh_against(call, bill)
    if not held:
        return held, said
    if bill.to < call.reaches:
        return False, f"it bills to {iso(bill.to)}, and what it was told reaches to {iso(call.reaches)}"
    account, last = call.account, day_of_interval(bill.to)
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

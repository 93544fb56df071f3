"""How a verdict's facts are put in words, the same for the terminal and the page: evidence, the rows of the bills."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from scenarios.judging.result import label
from scenarios.stamps import clock, is_stamp, stamp
from simulator.ror.call.answer import ToldOn
from simulator.ror.call.basis import Kind
from simulator.verdicts import Mark

#: Units by the end of a key; the key is told without it.
_UNITS = {"_usd": "$", "_wh": "Wh", "_s": "s"}

_WORDS = {"esiid": "ESI ID", "lse": "LSE", "vee": "VEE", "h": "hours"}


class BillRow(NamedTuple):
    """A bill in one line. ``usage_wh`` and ``usd`` may be unknown."""

    name: str
    reaches: str
    usage_wh: int | None
    usd: str | None
    note: str = ""


def tally(result: dict[str, Any]) -> str:
    """How many of the steps and checks passed, and what became of the others; what failed is named beside it."""
    kinds = [(kind, result[kind]) for kind in ("steps", "checks") if result[kind]]
    counts = [f"{sum(one['mark'] == Mark.PASSED for one in judged)} of {len(judged)} {kind}" for kind, judged in kinds]
    other = [
        f"{label(one)} {one['mark']}"
        for _, judged in kinds
        for one in judged
        if one["mark"] not in (Mark.PASSED, Mark.FAILED)
    ]
    counts[0] += " passed"
    return ", ".join(counts) + (f" ({', '.join(other)})" if other else "")


def requirements_text(result: dict[str, Any]) -> str:
    """The requirements by mark: how many passed and failed, which did neither."""
    states = result["requirements"]
    found = [f"{list(states.values()).count(mark)} {mark}" for mark in (Mark.PASSED, Mark.FAILED)]
    for mark in (Mark.INCONCLUSIVE, Mark.PARTLY, Mark.EVIDENCE, Mark.SKIPPED, Mark.NOT_EXERCISED):
        its = [ident for ident, state in states.items() if state == mark]
        found += [f"{mark}: {', '.join(its)}"] if its else []
    return "; ".join([", ".join(found[:2]), *found[2:]])


def evidence_text(evidence: dict[str, Any]) -> list[str]:
    """Each fact as ``name value``; unknown ones are left out."""
    return [_fact(key, value) for key, value in evidence.items() if value not in (None, [], {})]


def _fact(key: str, value: Any) -> str:
    name, unit = key, ""
    for end, its in _UNITS.items():
        if key.endswith(end):
            name, unit = key.removesuffix(end), its
    name = " ".join(_WORDS.get(word, word) for word in name.split("_"))
    if key == "seconds_to_state":
        return "after " + ", ".join(f"{seconds} s {state}" for state, seconds in value.items() if state != "requested")
    if key == "running_interval":
        return f"running interval apart: {value['wh']} Wh in {value['seconds']} s"
    if key in ("seconds_to_answer", "seconds"):
        return f"{value} s to the answer"
    if unit == "$":
        return f"{name} ${value}"
    if unit == "Wh":
        return f"{name} {int(value):,} Wh"
    return f"{name} {_value(value)}{' ' + unit if unit else ''}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items())
    if isinstance(value, int):
        return f"{value:,}"
    return clock(value) if is_stamp(str(value)) else str(value)


def instant_name(told_on: str, kinds: Iterable[str]) -> str:
    """What a bill on VEE data alone is called. told_on: of its call. kinds: what its quarter hours rest on."""
    if told_on == ToldOn.OWN_DAYS:
        return "Own days, on VEE data"
    return "At once, part expected" if Kind.EXPECTED in kinds else "At once, on VEE data"


def bill_rows(result: dict[str, Any]) -> list[BillRow]:
    """The bills of a result: as told at once, with the gap, projected, made again on VEE data."""
    bills, cycle_last = result["bills"], result["account"]["cycle_last"]
    rows = []
    for key in ("instant", "with_gap"):
        if bills[key] is not None:
            bill, name = bills[key], "With the gap (told)"
            if key == "instant":
                name = instant_name(result["call"]["told_on"], [part["kind"] for part in bill["rests_on"]])
            low, high = (bill["owed_usd"][side] for side in ("low", "high"))
            band = "" if low == high else f"eight of ten: ${low} to ${high}"
            rows.append(BillRow(name, stamp(bill["to"]), bill["usage_wh"], bill["total_usd"], band))
    if bills["projected"] is not None:
        bill = bills["projected"]
        usd = bill["usd"]
        band = f"eight of ten: ${usd['low']} to ${usd['high']}, {bill['low_wh'] / 1000:,.3f} to {bill['high_wh'] / 1000:,.3f} kWh; ${usd['expected']} in the mean"
        rows.append(
            BillRow("Projected, whole cycle", f"end of {cycle_last}", bill["usage_wh"], bill["total_usd"], band)
        )
    if bills["rebilled"] is not None:
        bill = bills["rebilled"]
        note = f"difference ${bill['difference_usd']}" if bill["difference_usd"] is not None else "not comparable"
        rows.append(BillRow("Re-billed on VEE data", stamp(bill["instant"]), bill["vee_wh"], bill["vee_usd"], note))
    return rows


def rests_rows(result: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """What the bill told and the projected one rest on: their parts, which add up to them."""
    bills = result["bills"]
    told = bills["with_gap"] or bills["instant"]
    named = (("The bill told", told), ("Projected, whole cycle", bills["projected"]))
    return [(name, bill["rests_on"]) for name, bill in named if bill is not None]


def kwh_text(wh: int | None) -> str:
    """Wh as kWh with three decimals."""
    return "-" if wh is None else f"{wh / 1000:,.3f}"

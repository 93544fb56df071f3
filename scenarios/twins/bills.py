"""A retailer's bills, written from docs/plans.md and docs/profile.md alone: what is taken by quarter hours or in all, and a plan, give the lines of a bill.

``ror.py`` and ``vectors.py`` read this file and ask ``bill`` for {"lines": [[kind, dollars], ...], "total_usd": ...}; it has no roofs and no closing
registers, and says so. A bill is that of a cycle, of a part of one (``whole_days``), to date (``cycle_last``), or projected (``expected`` is what
the days left are to bring). A fault is a row of bills_faults.json: ``be`` is what it is instead of HONEST; ``do`` says what is done to a question
before it is answered: ["set", path, value], ["drop", path], ["add", path, number], the path's names with dots between, through every row of a list.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

CENTRAL, QUARTER, DAY = ZoneInfo("America/Chicago"), timedelta(minutes=15), timedelta(days=1)
Json = dict[str, Any]
Line = tuple[str, Fraction]
Used = dict[tuple[int, bool, bool, int], Fraction]
#: A day, and a time of it: HH:MM.
Begin = tuple[date, str]
#: rounding: of a line; holidays: are kept; elapsed: hours are counted from midnight; by_day: delivery is priced by its day; step: each tier has its own
#: price, else all have the last one's; accrues: monthly amounts of a bill to date by the day; untaxed: kinds that taxes leave out; printed: the total is
#: that of the rounded lines; ahead: what is expected decides credits; credits: free delivery is taken off; extra: lines of its own making.
HONEST: Json = {"rounding": ROUND_HALF_UP, "holidays": True, "elapsed": False, "by_day": True, "step": True}
HONEST |= {"accrues": True, "untaxed": [], "printed": True, "ahead": True, "credits": True, "extra": []}


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CENTRAL).astimezone(UTC)


@cache
def begins_of(day: date, elapsed: bool) -> list[Begin]:
    """When a day's quarter hours begin by the local clock."""
    count = (midnight(day + DAY) - midnight(day)) // QUARTER
    if elapsed:
        local = [datetime.combine(day, time()) + number * QUARTER for number in range(count)]
    else:
        local = [(midnight(day) + number * QUARTER).astimezone(CENTRAL) for number in range(count)]
    return [(one.date(), one.isoformat()[11:16]) for one in local]


@cache
def inside(hours: str, now: str) -> bool:
    first, until = hours.split("-")
    return first <= now < until if first < until else now >= first or now < until


@cache
def holiday(on: date) -> bool:
    """One of the six that ERCOT counts as off-peak; one on a Sunday is kept on Monday."""
    first = {month: on.replace(month=month, day=1) for month in (5, 9, 11)}
    memorial = max(first[5] + timedelta(n) for n in range(31) if (first[5] + timedelta(n)).weekday() == 0)
    labor = min(first[9] + timedelta(n) for n in range(7) if (first[9] + timedelta(n)).weekday() == 0)
    thanks = min(first[11] + timedelta(n) for n in range(21, 28) if (first[11] + timedelta(n)).weekday() == 3)
    fixed = [on.replace(month=month, day=day) for month, day in ((1, 1), (7, 4), (12, 25))]
    return on in {memorial, labor, thanks, *(one + DAY if one.weekday() == 6 else one for one in fixed)}


def on_day(when: Json, on: date, be: Json) -> bool:
    """Whether a price may hold on a day."""
    kept = be["holidays"] and holiday(on)
    kinds = {("weekday", "saturday", "sunday")[max(0, on.weekday() - 4)]} - ({"weekday"} if kept else set())
    kinds |= {"holiday"} if kept else set()
    return (
        (not when.get("months") or str(on.month) in when["months"])
        and (not when.get("days") or bool(kinds & set(when["days"])))
        and when.get("first_day", "") <= on.isoformat() <= when.get("last_day", "9999")
    )


def in_hours(when: Json, now: str) -> bool:
    return not when.get("hours") or any(inside(hours, now) for hours in when["hours"])


def fits(when: Json, begins: Begin, be: Json) -> bool:
    """Whether a quarter hour begins within the times of a price."""
    return on_day(when, begins[0], be) and in_hours(when, begins[1])


def cents(dollars: Fraction, rounding: str = ROUND_HALF_UP) -> Decimal:
    return (Decimal(dollars.numerator) / Decimal(dollars.denominator)).quantize(Decimal("0.01"), rounding)


def charge_on(charges: list[Json], on: date) -> int:
    return max(number for number, one in enumerate(charges) if one["effective"] <= on.isoformat())


def used(of: Json, days: list[date], be: Json) -> Used:
    """kWh by price, by whether energy and delivery are free, by TDU charge; nothing if that is not told."""
    plan, taken, found = of["plan"], of["taken"], Counter[tuple[int, bool, bool, int]]()
    charged = {on: charge_on(plan["tdu"], on if be["by_day"] else days[0]) for on in days}
    if "kwh" in taken:
        plain = len(set(charged.values())) == len(plan["energy"]) == 1 and not plan.get("free")
        whole = Fraction(taken["kwh"]) + Fraction(of.get("expected", {}).get("kwh", 0))
        return {(0, False, False, charged[days[0]]): whole} if plain else {}

    @cache
    def held(day: date) -> tuple[tuple[int, ...], ...]:
        """Numbers of what is free on a day, and of its prices."""
        of_both = plan.get("free", []), plan["energy"]
        return tuple(tuple(number for number, one in enumerate(of) if on_day(one, day, be)) for of in of_both)

    @cache
    def at(windows: tuple[int, ...], prices: tuple[int, ...], now: str) -> tuple[int, bool, bool]:
        """The price at a time of a day with these, and whether energy and delivery are free then."""
        free = {plan["free"][number]["free"] for number in windows if in_hours(plan["free"][number], now)}
        price = next(number for number in prices if in_hours(plan["energy"][number], now))
        return price, bool(free - {"delivery"}), bool(free - {"energy"})

    for day in days:
        its = taken if day.isoformat() <= of["last"] else of["expected"]
        within, usual = its.get("within"), int(its["wh"])
        for (_, really), (on, now) in zip(begins_of(day, False), begins_of(day, be["elapsed"]), strict=True):
            wh = int(within["wh"]) if within and inside(within["hours"], really) else usual
            found[*at(*held(on), now), charged[day]] += wh
    return {key: Fraction(wh, 1000) for key, wh in found.items()}


def energy(prices: list[Json], kwh: Used, days: list[date], cycle: int, be: Json) -> Iterator[Line]:
    """What energy costs, by price and tier; what is free in a line of its own."""
    for number, price in enumerate(prices):
        its = sum((one for (of, free, *_), one in kwh.items() if of == number and not free), Fraction(0))
        on_days = days if price.get("prorate") == "days" else []
        held = Fraction(sum(any(fits(price, one, be) for one in begins_of(on, False)) for on in on_days), cycle)
        lower, tiers = Fraction(0), price.get("tiers") or [price]
        if not be["step"]:
            tiers = [next(one for one in tiers if its <= Fraction(one.get("up_to_kwh", 10**9)))]
        for tier in tiers:
            upper = Fraction(tier.get("up_to_kwh", 10**9)) * (held if on_days else 1)
            if its > lower or (lower == 0 and len(prices) == 1):
                yield "energy charge", (min(its, upper) - lower) * Fraction(tier["cents_per_kwh"]) / 100
            lower = upper
    if any(one for (_, free, *_), one in kwh.items() if free):
        yield "energy charge", Fraction(0)


def delivery(charges: list[Json], kwh: Used, days: list[date], cycle: int, be: Json) -> Iterator[Line]:
    """What the TDSP charges, by the day."""
    counted = Counter(charge_on(charges, on if be["by_day"] else days[0]) for on in days)
    for charge, count in sorted(counted.items()):
        price = Fraction(charges[charge]["cents_per_kwh"]) / 100
        its = {key: one for key, one in kwh.items() if key[3] == charge}
        yield "TDU delivery, monthly", Fraction(charges[charge]["monthly"]) * Fraction(count, cycle)
        yield "TDU delivery, per kWh", sum(its.values(), Fraction(0)) * price
        credited = sum((one for key, one in its.items() if key[2]), Fraction(0))
        if credited and be["credits"]:
            yield "TDU delivery, credited", -credited * price


def priced(of: Json, kwh: Used, days: list[date], cycle: int, be: Json) -> Iterator[Line]:
    """The lines before taxes."""
    plan, total = of["plan"], sum(kwh.values(), Fraction(0))

    def part(which: Json, usual: str = "whole") -> Fraction:
        return Fraction(which["amount"]) * (Fraction(len(days), cycle) if which.get("prorate", usual) == "days" else 1)

    base, fee = plan.get("base_charge"), plan.get("minimum_usage_fee")
    if base and total < Fraction(base.get("waived_from_kwh", 10**9)):
        yield "base charge", part(base, "days")
    yield from energy(plan["energy"], kwh, days, cycle, be)
    yield from delivery(plan["tdu"], kwh, days, cycle, be)
    if fee and ("cycle_last" not in of or "expected" in of):
        most = Fraction(fee["threshold_kwh"])
        if total < most or (total == most and fee["direction"] == "at_most"):
            yield "minimum-usage fee", part(fee)
    decided = total if be["ahead"] else Fraction(of["taken"].get("kwh", total))
    for credit in plan.get("bill_credits", []):
        low, high = Fraction(credit["from_kwh"]), Fraction(credit.get("to_kwh", 10**9))
        if low < decided <= high if credit.get("direction") == "above" else low <= decided < high:
            yield "bill credit", -part(credit)


def bill(of: Json, fault: Json) -> Json:
    """Lines and total, by the day and the quarter hour."""
    of, be = bent(of, fault.get("do", [])), HONEST | fault.get("be", {})
    first, last = date.fromisoformat(of["first"]), date.fromisoformat(of["last"])
    open_to = date.fromisoformat(of.get("cycle_last") or of["last"])
    to = open_to if "expected" in of else last
    days = [first + number * DAY for number in range((to - first).days + 1)]
    kwh = used(of, days, be)
    if not kwh or "export" in of["plan"] or "register" in of:
        return {"cannot": "no roofs, no closing registers, no sums where times decide"}
    cycle = int(of.get("whole_days", ((open_to if be["accrues"] else to) - first).days + 1))
    exact = [*priced(of, kwh, days, cycle, be), *((kind, Fraction(usd)) for kind, usd in be["extra"])]
    lines = [(kind, cents(dollars, be["rounding"])) for kind, dollars in exact]
    taxed = Fraction(max(sum(amount for kind, amount in lines if kind not in be["untaxed"]), Decimal(0)))
    for tax in of["plan"].get("taxes", []):
        exact.append(("tax", taxed * Fraction(tax["percent"]) / 100))
        lines.append(("tax", cents(exact[-1][1], be["rounding"])))
    total = sum(one for _, one in lines) if be["printed"] else cents(sum((one for _, one in exact), Fraction(0)))
    return {"lines": [[kind, str(one)] for kind, one in lines], "total_usd": str(total)}


def bent(of: Json, steps: list[list[Any]]) -> Json:
    """A question after a fault's steps."""
    made: Json = json.loads(json.dumps(of))
    for do, path, *value in steps:
        *way, name = path.split(".")
        for one in places(made, way):
            was = one.pop(name, None)
            if do == "set":
                one[name] = value[0]
            elif do == "add" and was is not None:
                one[name] = str(Decimal(was) + value[0])
    return made


def places(within: Any, way: list[str]) -> Iterator[Json]:
    """What lies at the end of a path."""
    if isinstance(within, list):
        for one in within:
            yield from places(one, way)
    elif not way:
        yield within
    elif way[0] in within:
        yield from places(within[way[0]], way[1:])

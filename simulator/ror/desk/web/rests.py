"""What is owed, what of the bill is known how, and what a read is worth: taken from the record of a call. Pure.

Each figure that a sentence may say has a place on the page; ``places`` tells which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from simulator.ror.call.basis import Kind
from simulator.web.bills import MoneyParts, MoneyRow, Total
from simulator.web.kinds import ACTUAL, ESTIMATED, EXPECTED, METER, MISSING, STORE
from simulator.web.words import kwh, money

#: How a kind of the bill is drawn; what is no energy is not.
_DRAWN: Mapping[Kind, str] = {
    Kind.VEE_ACTUAL: ACTUAL,
    Kind.VEE_ESTIMATED: ESTIMATED,
    Kind.STORE: STORE,
    Kind.METER: METER,
    Kind.EXPECTED: EXPECTED,
    Kind.NOT_DELIVERED: EXPECTED,
    Kind.NEVER_POSTED: MISSING,
    Kind.OTHER_ROR: MISSING,
    Kind.REGISTER: ACTUAL,
}
#: What the next posting puts right.
NOT_POSTED = {
    "not validated": (Kind.STORE, Kind.METER),
    "expected": (Kind.EXPECTED, Kind.NOT_DELIVERED),
}
#: What is said of dollars by what they rest on.
_MARKED = {"validated": (Kind.VEE_ACTUAL,), "estimated": (Kind.VEE_ESTIMATED,), **NOT_POSTED}


class Line(NamedTuple):
    """A line of a sum: what it is, how much in words, and its place."""

    word: str
    amount: str
    anchor: str = ""
    note: str = ""


def told_stand(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The bill that the caller is told: on the most that is known."""
    found: dict[str, Any] | None = answer["with_gap"] or answer["instant"]["stand"]
    return found


def owed_of(answer: Mapping[str, Any]) -> list[Line]:
    """What is owed now, as a sum: the last bill, what was paid, and what of this cycle is billed."""
    own, stand = answer["own_record"], told_stand(answer)
    books = Decimal(own["amount_due_usd"])
    due = f"due {own['due']}{', past due' if own['past_due'] else ''}" if own["due"] else "no bill has been sent yet"
    lines = [
        Line("Last bill", money(Decimal(own["last_bill_usd"])), "last", due),
        Line("Paid since", money(-Decimal(own["paid_usd"])), "paid"),
        Line("From before", money(books), "before"),
    ]
    if stand is None:
        return lines
    bill, owed = Decimal(stand["bill"]["total_usd"]), stand["owed_usd"]
    lines.append(Line("This cycle so far", money(bill), "cycle", f"to {stand['to'][:16].replace('T', ' ')}, with tax"))
    band = ""
    if owed["low"] != owed["high"]:
        band = f"in eight of ten ways {money(books + Decimal(owed['low']))} to {money(books + Decimal(owed['high']))}"
    return [*lines, Line("Owed now", money(books + bill), "owed", band)]


def parts_of(answer: Mapping[str, Any]) -> MoneyParts | None:
    """What the bill rests on, beside what it rests on without the read."""
    stand, alone = told_stand(answer), answer["instant"]["stand"]
    if stand is None:
        return None
    beside = None if answer["with_gap"] is None else alone
    mine, its = ({Kind(one["kind"]): one for one in (of or {}).get("rests_on", ())} for of in (stand, beside))
    rows = [_row(kind, mine.get(kind), its.get(kind)) for kind in Kind if kind in mine or kind in its]
    other = "" if beside is None else "without the read"
    return MoneyParts(rows, _total(stand), other, None if beside is None else _total(beside))


def _row(kind: Kind, mine: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> MoneyRow:
    none: Mapping[str, Any] = {"intervals": 0, "wh": 0, "usd": "0.00"}
    a, b = mine or none, other or none
    drawn = _DRAWN.get(kind, "")
    return MoneyRow(drawn, kind.value, a["intervals"], a["wh"], Decimal(a["usd"]), b["wh"], Decimal(b["usd"]))


def _total(stand: Mapping[str, Any]) -> Total:
    return Total(stand["bill"]["usage_wh"], Decimal(stand["bill"]["total_usd"]))


def marked_of(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How many dollars of the bill rest on what: word and amount, of what there is."""
    stand = told_stand(answer)
    parts = () if stand is None else stand["rests_on"]
    sums = {
        word: sum((Decimal(one["usd"]) for one in parts if Kind(one["kind"]) in kinds), Decimal(0))
        for word, kinds in _MARKED.items()
    }
    return [(word, money(usd)) for word, usd in sums.items() if usd]


def lines_of(stand: Mapping[str, Any]) -> list[Line]:
    """The bill line by line."""
    bill = stand["bill"]
    found = [Line(one["text"], money(Decimal(one["usd"]))) for one in bill["lines"]]
    return [*found, Line("Total, with tax", money(Decimal(bill["total_usd"])))]


def undecided_of(stand: Mapping[str, Any]) -> list[Line]:
    """What the rest of the cycle decides, and is not in the bill."""
    return [
        Line(one["text"], money(Decimal(one["usd"])), note=f"{one['kind']}, {one['standing']}")
        for one in stand["bill"]["undecided"]
    ]


def worth_of(answer: Mapping[str, Any]) -> list[Line]:
    """What a read was worth when it was decided on, as a sum; none where there was nothing to decide."""
    facts = answer["decision"]["facts"]
    worth = facts.get("read_worth")
    if worth is None:
        return []
    edges = [
        Line(f"At {kwh(one['at_wh']).removesuffix('.000')} kWh", money(Decimal(one["worth_usd"])), note=_doubt(one))
        for one in worth["edges"]
    ]
    return [
        Line("Error in the bill to date", money(Decimal(worth["bill_usd"])), note=f"{kwh(worth['gap_wh'])} kWh of the gap are expected"),
        *edges,
        Line("A read is worth", money(Decimal(worth["total_usd"])), "worth"),
        Line("It is asked for above", money(Decimal(facts["worth_asking_usd"])), "asking"),
    ]  # fmt: skip


def _doubt(edge: Mapping[str, Any]) -> str:
    now, then = (f"{100 * float(edge[name]):.0f}" for name in ("wrong", "wrong_after"))
    return f"{money(Decimal(edge['apart_usd']))} apart; the wrong side would be told {now} of 100 times, {then} once it is read"


def places(answer: Mapping[str, Any], parts: MoneyParts | None) -> dict[str, str]:
    """Anchors of the figures of what is owed and of the parts, as sentences write them; of two that are alike the first counts."""
    found: dict[str, str] = {}
    for text, anchor in _figures(answer, parts):
        found.setdefault(text, anchor)
    return found


def _figures(answer: Mapping[str, Any], parts: MoneyParts | None) -> Iterator[tuple[str, str]]:
    for line in reversed(owed_of(answer)):
        yield line.amount, line.anchor
        # The band stands in the note of its line.
        for figure in line.note.split() if line.anchor == "owed" else ():
            yield (figure, "owed") if figure.startswith("$") else ("", "")
    if parts is not None:
        yield kwh(parts.total.wh), "sum"
        for index, row in enumerate(parts.rows):
            yield kwh(row.wh), f"part-{index}"
    served = answer["request"]["served"]
    if served is not None and served["partial"] is not None:
        yield kwh(served["partial"]["wh"]), "since"

"""What is seen of a retailer's bills of plans and usages that it is handed, id by id: each part of a bill held against the golden one of the profile.

A part is what the lines of a kind come to, so that nobody need part his lines as we do. It may be off by a cent for each line of that kind.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from meters.calendar import to_s
from scenarios.actions.outside.golden_bill import GoldenBill, RecordedGoldenBill
from scenarios.certify.observed import Observation, Observed, Step
from scenarios.certify.said import dollars
from scenarios.outside.golden import golden

Seen = Iterator[Observation]
_CENT = Decimal("0.01")
TAX = "tax"
MONTHLY, PER_KWH, CREDITED = (f"TDU delivery, {what}" for what in ("monthly", "per kWh", "credited"))
BASE, ENERGY, FEE, CREDIT = "base charge", "energy charge", "minimum-usage fee", "bill credit"
Lines = list[tuple[str, Decimal]]


@dataclass(frozen=True)
class Billed:
    """A golden bill that was asked for. numbers: of the exchanges in which it was told."""

    step: Step
    action: GoldenBill
    record: RecordedGoldenBill
    numbers: tuple[int, ...]

    @property
    def lines(self) -> Lines | None:
        """The lines that were told; None where there are none, or one is none."""
        try:
            told = (self.record.bill or {})["lines"]
            return [(str(kind), dollars(amount)) for kind, amount in told]
        except (KeyError, ValueError, TypeError):
            return None

    @property
    def total(self) -> Decimal | None:
        """The dollars that were told in all."""
        try:
            return dollars((self.record.bill or {})["total_usd"])
        except (KeyError, ValueError):
            return None

    @property
    def golden(self) -> Lines:
        """The lines that were worked by hand."""
        return [(kind, Decimal(amount)) for kind, amount in golden()[self.action.golden]["out"]["lines"]]

    def saw(self, held: bool | None, said: str) -> Observation:
        """An observation of it."""
        return Observation(self.step.name, self.action.ref, held, said, self.numbers)


def bills(all_of_it: Observed) -> list[Billed]:
    """Every golden bill of the steps that can be judged."""
    return list(_billed(all_of_it))


def _billed(all_of_it: Observed) -> Iterator[Billed]:
    for step in all_of_it.steps:
        if step.own or step.recording is None:
            continue
        asked = [
            (action, record, array("q"))
            for action in step.recording.scenario.timeline
            if isinstance(action, GoldenBill)
            and isinstance(record := step.recording.actions.get(action.ref), RecordedGoldenBill)
        ]
        # A caller is told bills too, and there may be a million of them: of each its number is held, where it is one of these.
        for one in step.bills if asked else ():
            at = to_s(one.at_us)
            for _, record, numbers in asked:
                if record.at <= at <= record.ended_at:
                    numbers.append(one.n)
        for action, record, numbers in asked:
            yield Billed(step, action, record, tuple(numbers))


def _parts(ident: str, *kinds: str) -> Callable[[Sequence[Billed]], Seen]:
    """What the lines of these kinds come to, of the bills that are asked for an id's sake."""

    def seen(those: Sequence[Billed]) -> Seen:
        for one in _bearing(ident, those):
            told = one.lines
            if told is None:
                yield one.saw(None, f"no lines are told of the bill {one.action.golden}")
            else:
                off = next((off for kind in kinds if (off := _off(one, told, kind))), "")
                yield one.saw(not off, f"of the bill {one.action.golden} {off}")

    return seen


def _off(one: Billed, told: Lines, kind: str) -> str:
    """By what a part is off, in words; empty if it is right."""
    its, meant = ([amount for of, amount in lines if of == kind] for lines in (told, one.golden))
    found, right = sum(its, Decimal(0)), sum(meant, Decimal(0))
    return f"the {kind} is told as ${found}, and is ${right}" if abs(found - right) > _CENT * max(len(meant), 1) else ""


def _bearing(ident: str, those: Sequence[Billed]) -> Iterator[Billed]:
    return (one for one in those if ident in one.action.verifies)


def _taxes(those: Sequence[Billed]) -> Seen:
    """Of what it tells before taxes, so that another part's mistake is no mistake of the tax."""
    for one in _bearing("BILL-TAX", those):
        told = one.lines
        if told is None:
            yield one.saw(None, f"no lines are told of the bill {one.action.golden}")
            continue
        taxes = golden()[one.action.golden]["in"]["plan"]["taxes"]
        before = max(sum((amount for kind, amount in told if kind != TAX), Decimal(0)), Decimal(0))
        right = before * sum(Decimal(tax["percent"]) for tax in taxes) / 100
        found = sum((amount for kind, amount in told if kind == TAX), Decimal(0))
        yield one.saw(
            abs(found - right) <= _CENT * len(taxes),
            f"of the bill {one.action.golden} ${found} are told as taxes on ${before}, which are ${right:.2f}",
        )


def _sums(those: Sequence[Billed]) -> Seen:
    """Where each part is right the total is the golden one too: what no id looks at, and what the plan has not, is in no part."""
    whole = not any(seen.held is False for part in _PARTS.values() for seen in part(those))
    for one in those:
        told, total = one.lines, one.total
        if told is None or total is None:
            yield one.saw(None, f"no total or no lines are told of the bill {one.action.golden}")
            continue
        right, meant = (sum((amount for _, amount in lines), Decimal(0)) for lines in (told, one.golden))
        if total != right:
            yield one.saw(False, f"the bill {one.action.golden} is told as ${total}, and its lines come to ${right}")
        else:
            off = whole and abs(total - meant) > _CENT * len(one.golden)
            yield one.saw(not off, f"the bill {one.action.golden} is told as ${total}, and by the plan is ${meant}")


_PARTS: dict[str, Callable[[Sequence[Billed]], Seen]] = {
    ident: _parts(ident, *kinds)
    for ident, kinds in {
        "BILL-TIERS": (ENERGY,),
        "BILL-FREE": (ENERGY, CREDITED),
        "BILL-TIMES": (ENERGY,),
        "BILL-CREDIT": (CREDIT,),
        "BILL-FEE": (FEE,),
        "BILL-BASE": (BASE,),
        "BILL-DELIVERY": (MONTHLY, PER_KWH),
        "BILL-PART": (BASE, MONTHLY),
        "BILL-TO-DATE": (BASE, MONTHLY, CREDIT),
        "BILL-PROJECTED": (ENERGY, MONTHLY, PER_KWH, CREDIT),
    }.items()
} | {"BILL-TAX": _taxes}
#: By id what is seen of it.
SEEN = _PARTS | {"BILL-SUM": _sums}

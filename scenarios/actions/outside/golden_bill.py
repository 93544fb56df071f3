"""``golden_bill``: a retailer that is not ours is handed a plan and a usage, and tells the bill."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from meters.calendar import iso
from scenarios.actions.action import Played, Row, Seen
from scenarios.outside.golden import golden
from scenarios.parts.expected import TEXT, TRUTH, Fact
from scenarios.parts.setting import Act
from scenarios.records.values import Instant, Record
from simulator.input.mistakes import did_you_mean

if TYPE_CHECKING:
    from scenarios.stage import Stage


def _golden(name: str) -> str:
    if name not in golden():
        raise ValueError(f"there is no golden bill {name}; {did_you_mean(name, golden())}")
    return name


class GoldenBill(Act):
    """A retailer that is not ours is handed the plan and the usage of a golden bill, and tells what it comes to."""

    golden: Annotated[str, AfterValidator(_golden)]


class RecordedGoldenBill(Record):
    """What became of it. bill: what the retailer told, None for nothing; exit: of its command."""

    at: Instant
    ended_at: Instant
    bill: dict[str, Any] | None
    exit: int | None


def _play(stage: Stage, action: GoldenBill) -> Played:
    runtime, outside, at = stage.runtime, stage.outside, stage.runtime.now()
    left: dict[str, Any] = {"bill": None, "exit": None}
    if outside is None or outside.call is None:
        yield runtime.env.timeout(0)
        return left | {"at": iso(at), "ended_at": iso(at)}
    asked = golden()[action.golden]["in"]
    brief = {
        "call": action.ref,
        "question": "bill",
        "patience": f"{outside.patience_s:g}",
        "now": iso(at),
        "esiid": stage.esiid(action),
        "meter_number": stage.meter_number(action),
        "first": asked["first"],
        "last": asked["last"],
        "plan": json.dumps(asked["plan"]),
        "usage": json.dumps({name: one for name, one in asked.items() if name != "plan"}),
    }
    telling = asyncio.ensure_future(outside.call(brief, runtime.now, stage.sandbox.wire))
    try:
        waits = True
        while waits:
            yield runtime.io("bill", action.ref, partial(asyncio.wait, [telling], timeout=outside.patience_s))
            # However long somebody by hand takes.
            waits = outside.by_hand and not telling.done()
    finally:
        if not telling.done():
            telling.cancel()
    if telling.done() and not telling.cancelled():
        its = telling.result()
        left = {name: its[name] for name in left}
    return left | {"at": iso(at), "ended_at": iso(runtime.now())}


def _tell(seen: Seen[GoldenBill, RecordedGoldenBill]) -> str:
    bill = seen.record and seen.record.bill
    return f"The retailer tells ${bill.get('total_usd')}." if bill else "The retailer tells no bill."


ROWS = (
    Row(
        "golden_bill",
        "Bill of a plan and a usage that a retailer is handed",
        GoldenBill,
        RecordedGoldenBill,
        _play,
        (
            Fact("told", TRUTH, "whether it told a bill", lambda seen: seen.record and seen.record.bill is not None),
            Fact("total_usd", TEXT, "the bill that it told", lambda seen: (bill := seen.record and seen.record.bill) and str(bill.get("total_usd")), unit="$"),
        ),
        _tell,
    ),
)  # fmt: skip

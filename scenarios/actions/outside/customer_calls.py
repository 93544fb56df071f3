"""``customer_calls``: a customer calls a retailer that is not ours, which does what it does; the clock goes on whenever it is quiet."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from meters.calendar import Seconds, iso, seconds, to_us
from scenarios.actions.action import Played, Row, Seen
from scenarios.outside.party import QUIET_S
from scenarios.parts.expected import COUNT, TEXT, TRUTH, Fact
from scenarios.parts.setting import Act
from scenarios.parts.written import DAY_S
from scenarios.records.values import Instant, Record

if TYPE_CHECKING:
    from scenarios.stage import Stage

#: Model seconds by which the clock goes on when the retailer is quiet, and after the caller's patience.
_TICK_S, _GRACE_S = seconds(10), seconds(900)
#: Wall seconds for which it is let act before the clock is looked at again; a barrier waits longer.
_TURN_S = 10.0


class CustomerCalls(Act):
    """A customer of the account calls the retailer that is not ours, and hears what it tells."""

    question: Literal["balance", "last_bill"] = "balance"
    patience_s: Seconds = Field(default=seconds(180), gt=0, le=DAY_S)
    tokens_end_s: Seconds | None = Field(
        default=None,
        gt=0,
        le=DAY_S,
        description="So long after the call SMT takes no token any more that was borne until then.",
    )
    stale: bool = Field(
        default=False,
        description="In the place of its answer SMT first tells that to another request, collected before its intervals ended.",
    )


class RecordedCustomerCall(Record):
    """What became of the call. bill: what the retailer told, None for nothing; told_at: when; exit: of its command."""

    at: Instant
    ended_at: Instant
    told_at: Instant | None
    bill: dict[str, Any] | None
    exit: int | None
    over: bool


SeenCall = Seen[CustomerCalls, RecordedCustomerCall]


def _play(stage: Stage, action: CustomerCalls) -> Played:
    runtime, outside, account = stage.runtime, stage.outside, stage.scenario.account_of(action)
    at = runtime.now()
    left: dict[str, Any] = {"told_at": None, "bill": None, "exit": None}
    if outside is None or outside.call is None:
        yield runtime.env.timeout(0)
        return left | {"at": iso(at), "ended_at": iso(at), "over": False}
    brief = {
        "call": action.ref,
        "question": action.question,
        "patience": str(action.patience_s),
        "now": iso(at),
        "esiid": stage.esiid(action),
        "meter_number": stage.meter_number(action),
        "first": account.cycle_first.isoformat(),
        "last": account.cycle_last.isoformat(),
    }
    plan = json.dumps(stage.plan(action).model_dump(mode="json", exclude_none=True))
    calling = asyncio.ensure_future(
        outside.call(brief | {"plan": plan, "usage": "{}"}, runtime.now, stage.sandbox.wire)
    )
    ends = action.tokens_end_s
    if action.stale:
        stage.call_backs.answer_with_anothers()
    waited_for: frozenset[str] = frozenset()
    until = at + action.patience_s + _GRACE_S
    # A clock that runs goes on by itself.
    quiet_s, turn_s = (_TICK_S / runtime.rate,) * 2 if runtime.rate else (QUIET_S, _TURN_S)
    try:
        # However long its command takes to begin, or somebody by hand.
        begun = False
        while not begun:
            begins = partial(stage.call_backs.begun, calling, outside.patience_s)
            begun = (yield runtime.io("call", f"{action.ref}/begins", begins)) or not outside.by_hand
        over = calling.done()
        while not over and runtime.now() < until:
            over = yield runtime.io(
                "call", action.ref, partial(stage.call_backs.quiet_or_over, calling, quiet_s, turn_s)
            )
            if over:
                break
            # What SMT has asked of a head-end that is not ours is waited for once, as long as that may take by the wall, while the clock stands.
            asked = (
                frozenset(stage.sandbox.smt.inquiries.waiting()) - waited_for
                if outside.headend_url and not runtime.rate
                else frozenset()
            )
            if asked:
                waited_for |= asked
                wait = partial(
                    stage.call_backs.answered, asked, stage.sandbox.smt.inquiries.waiting, outside.patience_s
                )
                yield runtime.io("answer", action.ref, wait)
            if not runtime.rate:
                yield runtime.env.timeout(to_us(_TICK_S))
            if ends is not None and runtime.now() >= at + ends:
                stage.call_backs.end_tokens()
                ends = None
    finally:
        if not calling.done():
            calling.cancel()
    if calling.done() and not calling.cancelled():
        left |= calling.result()
    return left | {"at": iso(at), "ended_at": iso(runtime.now()), "over": calling.done() and not calling.cancelled()}


def _told(name: str) -> Any:
    return lambda seen: (bill := seen.record and seen.record.bill) and bill.get(name)


def _tell(seen: SeenCall) -> str:
    record = seen.record
    if record is None or record.bill is None:
        return "The retailer tells no bill."
    return f"The retailer tells ${record.bill.get('total_usd')} by {record.bill.get('to')}."


ROWS = (
    Row(
        "customer_calls",
        "Call at a retailer that is not ours",
        CustomerCalls,
        RecordedCustomerCall,
        _play,
        (
            Fact("told", TRUTH, "whether it told a bill", lambda seen: seen.record and seen.record.bill is not None),
            Fact("total_usd", TEXT, "the bill that it told", lambda seen: (usd := _told("total_usd")(seen)) and str(usd), unit="$"),
            Fact("wh", COUNT, "usage that it told", _told("wh"), unit="Wh"),
        ),
        _tell,
    ),
)  # fmt: skip

"""What VEE data made of the bill that was told: taken from the record of a call. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from meters.calendar import epoch
from simulator.ror.call.basis import Kind
from simulator.ror.call.rebill import WITHIN_SHARE, WITHIN_USD, allowed
from simulator.ror.desk.web.rests import NOT_POSTED, told_stand
from simulator.ror.desk.wire import Call, CallState
from simulator.web.bills import BillRow, Rebilled
from simulator.web.words import instant, kwh, money

_TOLERANCE = f"{WITHIN_SHARE:.0%} or {money(WITHIN_USD)}".replace("%", " %")


def rebilled_of(call: Call) -> Rebilled | None:
    """The re-bill of a call, or what it waits for; None where no bill was told that can be made again."""
    again, stand = call.rebill, told_stand(call.answer) if call.answer else None
    if stand is None or call.state is not CallState.TOLD:
        return None
    due = [f"It is made at {instant(epoch(call.rebill_due))}, from what is posted by then."] if call.rebill_due else []
    if again is None:
        # Of a desk that was begun anew no call goes on.
        text = (
            "is made again once VEE data are posted"
            if due
            else "was not made again from VEE data: the desk was stopped before"
        )
        return Rebilled(f"The bill told {text}.", "waits" if due else "bad", list(_told(stand)), due)
    if again["satisfied"] is None:
        return Rebilled("VEE data do not reach to what was told.", "waits", list(_told(stand)), [_lacking(again), *due])
    at = f"Made at {instant(epoch(again['rebilled_at']))}, to the same instant."
    headline, tone = f"VEE data bear the bill out: it was within {_TOLERANCE}.", "good"
    if not again["satisfied"]:
        headline, tone = f"VEE data do not bear the bill out: it was further off than {_TOLERANCE}.", "bad"
    rows = [*_told(stand), *_apart(again)]
    lines = [(one["text"], money(Decimal(one["usd"]))) for one in again["vee_bill"]["lines"]]
    holes = [_lacking(again)] if again["holes"] else []
    return Rebilled(headline, tone, rows, [at, *holes], [*lines, ("Total, with tax", money(Decimal(again["vee_usd"])))])


def _told(stand: Mapping[str, Any]) -> Iterator[BillRow]:
    """What was told, and how much of it was not validated."""
    bill = stand["bill"]
    yield BillRow("Told to the caller", kwh(bill["usage_wh"]), money(Decimal(bill["total_usd"])), "rebill-told")
    for word, kinds in NOT_POSTED.items():
        its = [one for one in stand["rests_on"] if Kind(one["kind"]) in kinds]
        if its:
            usd = sum((Decimal(one["usd"]) for one in its), Decimal(0))
            yield BillRow(f"of it {word}", kwh(sum(one["wh"] for one in its)), money(usd))


def _apart(again: Mapping[str, Any]) -> Iterator[BillRow]:
    """The same on VEE data, what lies between, and how much of that is allowed."""
    vee, apart = Decimal(again["vee_usd"]), Decimal(again["difference_usd"])
    yield BillRow("On VEE data", kwh(again["vee_wh"]), money(vee), "rebill-vee")
    yield BillRow("Told less VEE", kwh(again["told_wh"] - again["vee_wh"]), money(apart), "rebill-apart")
    yield BillRow(f"Allowed either way, {_TOLERANCE}", "", money(allowed(vee)), "rebill-allowed")


def _lacking(again: Mapping[str, Any]) -> str:
    """Why VEE data do not reach."""
    if again["trouble"] is not None:
        return f"SMT gave none: {again['trouble']['reason'].rstrip('.')}. ({again['trouble']['code']})"
    holes = "; ".join(f"{instant(epoch(one['start']))} to {instant(epoch(one['end']))}" for one in again["holes"])
    return f"They leave out {holes}." if holes else "The day is not posted yet."

"""``rebill``: the bill of an earlier call, made again once VEE data are in, and held against the one told (AMB-12)."""

from __future__ import annotations

import functools
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from meters.calendar import day_end, day_of, seconds
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.market.balance_call import usage_columns
from scenarios.parts.expected import AMOUNT, COUNT, INSTANT, LACKING, NUMBER, TRUTH, Fact, Lacking
from scenarios.parts.setting import Act
from scenarios.records.actions import RecordedCall, RecordedRebill
from simulator.ror.call.rebill import rebill
from simulator.ror.errors import RorError
from simulator.ror.usage import Quality

if TYPE_CHECKING:
    from scenarios.stage import Stage


class Rebill(Act):
    """The bill of an earlier call once VEE data are in."""

    of: str


SeenRebill = Seen[Rebill, RecordedRebill]


def _play(stage: Stage, action: Rebill) -> Played:
    call = stage.kept.get(action.of)
    if call is None:
        return {"trouble": {"code": "scenario.call_not_over", "reason": "the call had not ended"}}
    client, account = stage.ror_client(action), call.account
    result = yield from rebill(stage.runtime, client, account, stage.plan(action), call, stage.sandbox.journal)
    first, last = account.cycle_first, day_of(stage.runtime.now()) - timedelta(days=1)
    fetch = functools.partial(client.intervals, account.esiid, first, last, action.ref)
    try:
        vee = yield stage.runtime.io("ror", f"{action.ref}/chart", fetch, lane="smt")
        stage.usage[action.of]["after_posting"] = usage_columns(vee, account)
    except RorError:
        pass
    return result.to_dict()


def _bills(seen: SeenRebill) -> tuple[Decimal, Decimal] | None:
    """The bill told and the one made again, $; None unless both are known."""
    told, vee = (None, None) if seen.record is None else (seen.record.told_usd, seen.record.vee_usd)
    return None if told is None or vee is None else (told, vee)


def _of(name: str) -> Any:
    return lambda seen: seen.record and getattr(seen.record, name)


def _same_bill(seen: SeenRebill) -> bool:
    call = seen.evidence.action(RecordedCall, seen.action.of)
    stand = call and call.stand
    return (stand and stand.bill.total_usd) == (seen.record and seen.record.told_usd)


def _difference_right(seen: SeenRebill) -> bool | None:
    bills = _bills(seen)
    return bills and seen.record and bills[0] - bills[1] == seen.record.difference_usd


def _within(seen: SeenRebill) -> bool | None:
    bills = _bills(seen)
    return bills and abs(bills[0] - bills[1]) <= seen.evidence.tolerance(bills[1])


def _tolerance(seen: SeenRebill) -> Decimal | None:
    bills = _bills(seen)
    return bills and seen.evidence.tolerance(bills[1]).quantize(Decimal("0.01"))


def _non_vee_left(seen: SeenRebill) -> int | Lacking:
    after = seen.evidence.usage_after(seen.action.of)
    return sum(one.quality is Quality.NON_VEE for one in after) if after else LACKING


def _vee_lacks(seen: SeenRebill) -> int | Lacking:
    """Intervals told, of the days posted before the re-bill, that VEE data do not have."""
    last = seen.evidence.last_lse((seen.record and seen.record.rebilled_at) or seconds(0))
    covered = 0 if last is None else day_end(last.operating_day)
    told = {one.end for one in seen.evidence.usage_at(seen.action.of) if one.end <= covered}
    return len(told - {one.end for one in seen.evidence.usage_after(seen.action.of)}) if told else LACKING


def _tell(seen: SeenRebill) -> str:
    record = seen.record or RecordedRebill()
    return (
        f"Told ${record.told_usd}, re-billed ${record.vee_usd} on VEE data to the same instant: "
        f"difference ${record.difference_usd}."
    )


#: What must hold of two bills that are compared: S7 asks the same.
COMPARED = ("known", "same_bill", "covered", "difference_right", "within")


def _implied(action: Rebill) -> dict[str, Any]:
    """Non-VEE intervals have given way to VEE ones: they never stay in a bill."""
    gone = {"non_vee_left": 0, "vee_lacks": 0, "known": True}
    return gone | (dict.fromkeys(COMPARED, True) if action.expect.of("within") else {})


ROWS = (
    Row(
        "rebill",
        "Re-bill",
        Rebill,
        RecordedRebill,
        _play,
        (
            Fact("instant", INSTANT, "instant of the bill told", _of("instant")),
            Fact("rebilled_at", INSTANT, "instant of the re-bill", _of("rebilled_at")),
            Fact("told_usd", NUMBER, "bill told", _of("told_usd"), unit="$"),
            Fact("vee_usd", NUMBER, "bill on VEE data", _of("vee_usd"), unit="$"),
            Fact("difference_usd", NUMBER, "difference of the two bills", _of("difference_usd"), unit="$"),
            Fact("told_wh", COUNT, "usage told", _of("told_wh"), unit="Wh"),
            Fact("vee_wh", COUNT, "usage on VEE data", _of("vee_wh"), unit="Wh"),
            Fact("tolerance_usd", AMOUNT, "how far they may lie from each other", _tolerance, unit="$"),
            Fact("covered", TRUTH, "VEE data reach to the instant of the bill told", _of("covered")),
            Fact("within", TRUTH, "the bill told is right (AMB-12)", _within),
            Fact("known", TRUTH, "both bills are known", lambda seen: _bills(seen) is not None, shown=False),
            Fact("same_bill", TRUTH, "the bill that is compared is the one told", _same_bill, shown=False),
            Fact("difference_right", TRUTH, "difference of the two bills", _difference_right, shown=False),
            Fact("non_vee_left", COUNT, "non-VEE intervals left after the posting", _non_vee_left, shown=False),
            Fact("vee_lacks", COUNT, "intervals told that VEE data lack", _vee_lacks, shown=False),
        ),
        _tell,
        required=("within",),
        implied=_implied,
    ),
)

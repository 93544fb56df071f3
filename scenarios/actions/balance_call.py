"""``balance_call``: a customer calls about the balance, and the retailer of the account works the call."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pydantic import Field

from meters.calendar import INTERVAL_S, Seconds, iso, seconds
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.requests import REFUSED, REQUEST, again, outcome, served, why
from scenarios.expected import COUNT, INSTANT, TRUTH, Fact
from scenarios.records.actions import RecordedCall, ServedAnswer
from scenarios.setting import Act
from scenarios.written import DAY_S
from simulator.ror.account import Account
from simulator.ror.call.analysis import Question
from simulator.ror.call.answer import ToldOn
from simulator.ror.call.inquiry import CallResult, balance_inquiry
from simulator.ror.call.on_demand import RequestEnd
from simulator.ror.pattern import weather_of
from simulator.ror.usage import UsageRecord

if TYPE_CHECKING:
    from scenarios.stage import Stage


class BalanceCall(Act):
    """A customer calls about the balance."""

    question: Question
    patience_s: Seconds = Field(gt=0, le=DAY_S)
    poll_s: Seconds = Field(default=seconds(5), gt=0, le=DAY_S)


SeenCall = Seen[BalanceCall, RecordedCall]


def _play(stage: Stage, action: BalanceCall) -> Played:
    account = stage.account(action)
    result: CallResult = yield from balance_inquiry(
        stage.runtime,
        stage.ror_client(action),
        account,
        stage.plan(action),
        action.question,
        action.ref,
        action.patience_s,
        action.poll_s,
        stage.sandbox.journal,
        weather=functools.partial(weather_of, seed=stage.world.seed, declared=stage.world.weather),
    )
    stage.kept[action.ref] = result
    stage.usage[action.ref] = {"at_call": usage_columns(result.usage, account), "served": _served(result)}
    return result.to_dict()


def usage_columns(record: UsageRecord, account: Account) -> dict[str, Any]:
    """The cycle's intervals in columns, for the charts."""
    cycle = record.within(account.cycle_start, account.cycle_end)
    return {name: getattr(cycle, name).tolist() for name in ("ends", "wh", "quality", "source")}


def _served(result: CallResult) -> dict[str, Any]:
    """The intervals that SMT handed on for the call, in columns, as they came: source and instant of collection of each."""
    status = result.request.status
    intervals = [] if status is None else status.intervals or []
    return {
        "ends": [seconds(interval.end.timestamp()) for interval in intervals],
        "wh": [interval.wh for interval in intervals],
        "source": [interval.source for interval in intervals],
        "collected_at": [seconds(interval.collectedAt.timestamp()) for interval in intervals],
    }


def _stored(seen: SeenCall) -> bool:
    """Whether the store held something for a call that was refused."""
    answer = served(seen)
    return bool(seen.record and seen.record.request.end is RequestEnd.REFUSED and answer and answer.from_store)


def _rests_on_store(seen: SeenCall) -> bool:
    stand, answer = seen.record and seen.record.stand, served(seen)
    return not _stored(seen) or (stand and stand.known_to) == (answer and answer.reaches_to)


def _tells_partial(seen: SeenCall) -> bool:
    return not _stored(seen) or (seen.record is not None and seen.record.told_on is ToldOn.PARTIAL)


def _tells_refusal(seen: SeenCall) -> bool:
    trouble = seen.record and seen.record.request.trouble
    code, sentences = ("-", []) if trouble is None or seen.record is None else (trouble.code, seen.record.sentences)
    return not _stored(seen) or any(code in one for one in sentences)


def _held(answer: ServedAnswer | None) -> str:
    """What the store holds of the gap, and what a read would have brought."""
    if answer is None or not answer.from_store or answer.gap is None:
        return ""
    needed, held = (answer.gap.end - answer.gap.start) // INTERVAL_S, answer.from_store
    return (
        f" The gap has {needed} intervals; the store holds {held}, to {iso(answer.reaches_to or answer.gap.start)} "
        f"(the other {needed - held} would take a meter read)."
    )


def _heard(call: RecordedCall) -> str:
    """The bill the caller hears all the same."""
    if call.stand is None:
        return ""
    marked = ", marked as told on partial data" if call.marks else ""
    return f" The caller is told ${call.stand.bill.total_usd} to date, to {iso(call.stand.to)}{marked}."


def _tell(seen: SeenCall) -> str:
    call, answer = seen.record, served(seen)
    if call is None:
        return "nothing recorded: "
    trouble = call.request.trouble
    match call.request.end:
        case RequestEnd.ANSWERED:
            store, meter = (answer and answer.from_store), (answer and answer.from_meter)
            return f"Answered with {store} intervals from the store and {meter} from the meter."
        case RequestEnd.REFUSED:
            return f"Refused. {why(trouble)}{again(trouble)}{_held(answer)}{_heard(call)}"
        case RequestEnd.NOT_MADE:
            return f"No on-demand request: {call.decision.reason}"
        case end:
            return f"{end.value}: {why(trouble)}"


def _implied(action: BalanceCall) -> dict[str, Any]:
    match action.expect.of("outcome"):
        case "not_needed":
            return {"needs_more": False, "vee_told": True, "ledger": []}
        case "refused":
            return REFUSED | {"rests_on_store": True, "tells_partial": True, "tells_refusal": True}
        case _:
            return {}


OUTCOME = outcome("answered", "refused", "failed", "not_needed")
ROWS = (
    Row(
        "balance_call",
        "Balance call",
        BalanceCall,
        RecordedCall,
        _play,
        (
            OUTCOME,
            Fact("asked_at", INSTANT, "instant of the question", lambda seen: seen.record and seen.record.asked_at),
            *REQUEST,
            Fact("store", COUNT, "intervals from the store", lambda seen: (answer := served(seen)) and answer.from_store),
            Fact("meter", COUNT, "intervals from the meter", lambda seen: (answer := served(seen)) and answer.from_meter),
            Fact("reaches_to", INSTANT, "end of the last interval served", lambda seen: (answer := served(seen)) and answer.reaches_to),
            Fact("before_hang_up", TRUTH, "answered before hang-up", lambda seen: seen.record and seen.record.waited <= seen.action.patience_s),
            Fact("needs_more", TRUTH, "the retailer decides that more is needed", lambda seen: seen.record and seen.record.decision.needs_more),
            Fact("vee_told", TRUTH, "SMT gave the VEE data", lambda seen: seen.record and seen.record.trouble is None, shown=False),
            Fact("rests_on_store", TRUTH, "the bill rests on what the store holds", _rests_on_store, shown=False),
            Fact("tells_partial", TRUTH, "the customer is told that data are missing", _tells_partial, shown=False),
            Fact("tells_refusal", TRUTH, "the customer is told of the refusal", _tells_refusal, shown=False),
        ),
        _tell,
        required=("outcome",),
        implied=_implied,
    ),
)  # fmt: skip

"""``balance_call``: a customer calls about the balance, and the retailer of the account works the call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from meters.calendar import INTERVAL_S, Seconds, iso, seconds
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.market.requests import REFUSED, REQUEST, again, outcome, served, why
from scenarios.parts.expected import AMOUNT, COUNT, INSTANT, NUMBER, TEXTS, TRUTH, Fact, Form
from scenarios.parts.setting import Act, Setting
from scenarios.parts.written import DAY_S
from scenarios.records.actions import RecordedCall, RecordedRebill, ServedAnswer
from simulator.ror.account import Account
from simulator.ror.call.analysis import Question
from simulator.ror.call.answer import ToldOn
from simulator.ror.call.basis import Kind
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

    def by(self, scenario: Setting) -> str:
        """The log-in that asks for it."""
        return scenario.account_of(self).ror


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


def _store_billed(seen: SeenCall) -> bool:
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
            return REFUSED | {"store_billed": True, "tells_partial": True, "tells_refusal": True}
        case _:
            return {}


OUTCOME = outcome("answered", "refused", "failed", "unanswered", "not_needed")


def _answer(name: str) -> Callable[[SeenCall], Any]:
    return lambda seen: (answer := served(seen)) and getattr(answer, name)


def _said(name: str) -> Callable[[SeenCall], Any]:
    """A part of the record by its way, None where a part of the way is not there."""

    def got(seen: SeenCall) -> Any:
        found: Any = seen.record
        for part in name.split("."):
            found = None if found is None else getattr(found, part)
        return found

    return got


def _many(of: Callable[[SeenCall], Any]) -> Callable[[SeenCall], int | None]:
    return lambda seen: None if (found := of(seen)) is None else len(found)


def _hours(of: str) -> Callable[[SeenCall], Decimal | None]:
    def got(seen: SeenCall) -> Decimal | None:
        spans = _answer(of)(seen)
        return None if spans is None else sum((Decimal(span.end - span.start) / 3600 for span in spans), Decimal(0))

    return got


def _part(kind: Kind) -> Callable[[SeenCall], int | None]:
    """Quarter hours of a kind that the bill told rests on."""

    def got(seen: SeenCall) -> int | None:
        stand = seen.record and seen.record.stand
        return stand and sum(part.intervals for part in stand.rests_on if part.kind is kind)

    return got


def _gap(side: str) -> Callable[[SeenCall], Any]:
    return lambda seen: (gap := _answer("gap")(seen)) and getattr(gap, side)


def _unsatisfied(seen: SeenCall) -> tuple[str, ...] | None:
    """Which parts of AMB-12 the call breaks: answered before hang-up; the bill told right, where it was made again; no repeat call."""
    call, evidence = seen.record, seen.evidence
    if call is None:
        return None
    ref, timeline = seen.action.ref, evidence.scenario.timeline
    again = [one for one in timeline if one.do == "rebill" and getattr(one, "of", None) == ref]
    made = [one for one in (evidence.action(RecordedRebill, action.ref) for action in again) if one is not None]
    bills = [(one.told_usd, one.vee_usd) for one in made]
    later = [
        one
        for one in timeline
        if isinstance(one, BalanceCall) and evidence.scenario.account_of(one) == evidence.account
    ]
    repeats = [one for one in later if one.ref != ref and 0 <= evidence.at(one) - call.asked_at <= DAY_S]
    wrong = any(told is None or vee is None or abs(told - vee) > evidence.tolerance(vee) for told, vee in bills)
    found = {"late": call.waited > seen.action.patience_s, "bill": wrong, "repeat": bool(repeats)}
    return tuple(name for name, broken in found.items() if broken)


#: What a bill rests on, by the name of the fact.
PARTS = {kind.name.lower(): kind for kind in Kind if kind is not Kind.FIXED}

ROWS = (
    Row(
        "balance_call",
        "Balance call",
        BalanceCall,
        RecordedCall,
        _play,
        (
            OUTCOME,
            Fact("asked_at", INSTANT, "instant of the question", _said("asked_at")),
            *REQUEST,
            Fact("gap_start", INSTANT, "begin of the gap", _gap("start"), shown=False),
            Fact("gap_end", INSTANT, "end of the gap", _gap("end"), shown=False),
            Fact("gap", COUNT, "intervals of the gap", lambda seen: (gap := _answer("gap")(seen)) and (gap.end - gap.start) // INTERVAL_S, shown=False),
            Fact("store", COUNT, "intervals from the store", _answer("from_store")),
            Fact("meter", COUNT, "intervals from the meter", _answer("from_meter")),
            Fact("missing", COUNT, "intervals of the gap that are missing", _many(_answer("missing")), shown=False),
            Fact("uncovered", COUNT, "stretches beyond the 48 hours", _many(_answer("uncovered")), shown=False),
            Fact("uncovered_hours", AMOUNT, "what lies beyond the 48 hours", _hours("uncovered"), unit="h", shown=False),
            Fact("holes", COUNT, "holes of older days", _many(_answer("holes")), shown=False),
            Fact("hole_hours", AMOUNT, "holes of older days, together", _hours("holes"), unit="h", shown=False),
            Fact("partial_wh", COUNT, "usage of the running interval, told apart", lambda seen: (partial := _answer("partial")(seen)) and partial["wh"], unit="Wh", shown=False),
            Fact("reaches_to", INSTANT, "end of the last interval served", _answer("reaches_to")),
            Fact("age_s", AMOUNT, "seconds from the last interval served to the answer", lambda seen: (to := _answer("reaches_to")(seen)) and Decimal(seen.record.told_at - to), shown=False),
            Fact("before_hang_up", TRUTH, "answered before hang-up", lambda seen: seen.record and seen.record.waited <= seen.action.patience_s),
            Fact("waited_s", COUNT, "seconds from the question to the answer", _said("waited"), shown=False),
            Fact("follow_up", TRUTH, "what was read came when the caller had gone", _said("follow_up"), shown=False),
            Fact("needs_more", TRUTH, "the retailer decides that more is needed", _said("decision.needs_more")),
            Fact("read_worth_usd", AMOUNT, "what a read is worth", _said("decision.facts.read_worth.total_usd"), unit="$", shown=False),
            Fact("due_usd", NUMBER, "amount due by the retailer's own record", _said("own_record.amount_due_usd"), unit="$", shown=False),
            Fact("bill", NUMBER, "bill to date as told", _said("stand.bill.total_usd"), unit="$", shown=False),
            Fact("bill_wh", COUNT, "usage of that bill", _said("stand.bill.usage_wh"), unit="Wh", shown=False),
            Fact("bill_at_once", NUMBER, "bill to date as told at once", _said("instant.stand.bill.total_usd"), unit="$", shown=False),
            Fact("projected", NUMBER, "bill projected", _said("ahead.projected_bill.total_usd"), unit="$", shown=False),
            Fact("projected_low", NUMBER, "bill that one way in ten stays below", _said("ahead.projected_usd.low"), unit="$", shown=False),
            Fact("projected_high", NUMBER, "bill that one way in ten goes above", _said("ahead.projected_usd.high"), unit="$", shown=False),
            *(Fact(f"rests_on_{name}", COUNT, f"quarter hours of the bill: {kind.value}", _part(kind), shown=False) for name, kind in PARTS.items()),
            Fact("lines", TEXTS, "kinds of lines of the bill told", lambda seen: (stand := _said("stand")(seen)) and tuple(line.kind for line in stand.bill.lines), shown=False),
            Fact("edges", TEXTS, "edges of the plan in reach", lambda seen: seen.record and tuple(edge.kind for edge in seen.record.edges if edge.in_reach), shown=False),
            Fact("told_on", Form[Literal[tuple(one.name.lower() for one in ToldOn)]], "what the answer rests on", lambda seen: seen.record and seen.record.told_on.name.lower(), shown=False),  # type: ignore[misc]
            Fact("marks", TEXTS, "marks of the bill told", lambda seen: seen.record and tuple(seen.record.marks), shown=False),
            Fact("unsatisfied", TEXTS, "what of AMB-12 is broken", _unsatisfied, shown=False),
            Fact("vee_told", TRUTH, "SMT gave the VEE data", lambda seen: seen.record and seen.record.trouble is None, shown=False),
            Fact("store_billed", TRUTH, "the bill rests on what the store holds", _store_billed, shown=False),
            Fact("tells_partial", TRUTH, "the customer is told that data are missing", _tells_partial, shown=False),
            Fact("tells_refusal", TRUTH, "the customer is told of the refusal", _tells_refusal, shown=False),
        ),
        _tell,
        required=("outcome",),
        implied=_implied,
    ),
)  # fmt: skip

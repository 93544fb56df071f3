"""S6, the real-time billing analysis that the caller is told: bills, projection, pattern, edges, and the sentences they make. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from headend.vee.rules import limits
from headend.wire import PartialInterval
from meters.calendar import INTERVAL_S, Seconds, day_of_interval, floor_interval, iso, local, seconds
from simulator.ror.account import Account, Balance
from simulator.ror.analysis import EdgeWorth, Question, closed_bill, edge_worths
from simulator.ror.billing.bill import Bill, bill, bill_to_date
from simulator.ror.billing.money import cents, kwh, money
from simulator.ror.billing.plan import RatePlan
from simulator.ror.on_demand import OnDemand, RequestEnd, Trouble
from simulator.ror.projection import HourlyPattern, Projection, hourly_pattern, project
from simulator.ror.usage import Quality, Source, UsageRecord
from simulator.ror.worth import Outlook, closed_bills, outlook


class ToldOn(StrEnum):
    """What the bill told rests on."""

    #: VEE data alone, and the question needed no more.
    VEE = "VEE data"
    #: VEE data and every interval of the gap.
    WHOLE_GAP = "VEE and non-VEE data, nothing missing"
    #: Intervals are missing: the bill is marked with what is not in it.
    PARTIAL = "partial data"
    #: More was needed and nothing came.
    VEE_ONLY = "VEE data only, although more was needed"
    #: No interval of this cycle is known.
    NOTHING = "the retailer's own record only"


@dataclass(frozen=True, slots=True)
class Stand:
    """The bill and what is to come, on some usage."""

    #: UTC epoch seconds to which the bill reaches: the end of its last interval.
    to: Seconds
    bill: Bill
    projection: Projection
    #: Closed bills of the cycle in the middle of the ways it may go, and at both ends of the band of its usage.
    projected: Bill
    projected_low: Bill
    projected_high: Bill
    #: The closed bill over all ways that the cycle may go.
    outlook: Outlook
    #: Stretches of the cycle up to ``to`` without a value; their energy is in no bill.
    holes: tuple[tuple[Seconds, Seconds], ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money as strings, energy in whole Wh, instants as ISO 8601 in Central time."""
        return {
            "to": iso(self.to),
            "bill": self.bill.to_dict(),
            "projection": self.projection.to_dict(),
            "projected_bill": self.projected.to_dict(),
            "projected_usd_at_low_usage": str(self.projected_low.total),
            "projected_usd_at_high_usage": str(self.projected_high.total),
            "projected_usd": self.outlook.to_dict(),
            "holes": [span_text(hole) for hole in self.holes],
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told."""

    told_on: ToldOn
    vee_only: Stand | None
    #: With the non-VEE intervals; None when there are none.
    with_gap: Stand | None
    edges: tuple[EdgeWorth, ...]
    pattern: HourlyPattern
    #: What is wrong with the data, each a sentence that marks the bill.
    marks: tuple[str, ...]
    #: What the agent says.
    sentences: tuple[str, ...]

    @property
    def told(self) -> Stand | None:
        """The bill that the caller is told: on the most that is known."""
        return self.with_gap or self.vee_only


def span_text(span: tuple[Seconds, Seconds]) -> dict[str, str]:
    """Write ``[start, end)`` as ISO 8601 in Central time."""
    return {"start": iso(span[0]), "end": iso(span[1])}


def take_stand(account: Account, plan: RatePlan, record: UsageRecord, register_wh: int | None = None) -> Stand | None:
    """Bill a record to where it reaches, and project its cycle; None without an interval in the cycle. Pure."""
    cycle = record.within(account.cycle_start, account.cycle_end)
    if not len(cycle.ends):
        return None
    to = seconds(cycle.ends[-1])
    projection = project(record, account)
    holes = tuple(cycle.holes(account.cycle_start, to))
    return Stand(
        to,
        bill_at(account, plan, record, to, register_wh),
        projection,
        closed_bill(plan, account, projection.energy),
        closed_bill(plan, account, projection.scaled(projection.low_wh)),
        closed_bill(plan, account, projection.scaled(projection.high_wh)),
        outlook(closed_bills(plan, account, projection.draws)),
        holes,
    )


def bill_at(
    account: Account, plan: RatePlan, record: UsageRecord, instant: Seconds, register_wh: int | None = None
) -> Bill:
    """Bill the cycle's known intervals up to an instant within the cycle; the closed bill when it is the cycle's end. Pure.

    register_wh: what the billed register read has of the cycle, which the closed bill rests on.
    """
    usage, first, full = (
        record.within(account.cycle_start, instant).energy,
        account.cycle_first,
        account.full_cycle_days,
    )
    if instant >= account.cycle_end:
        return bill(
            plan, usage, first, account.cycle_last, full, register_wh=register_wh, multiplier=account.multiplier
        )
    return bill_to_date(plan, usage, first, day_of_interval(instant), account.cycle_last, full)


def answer(
    account: Account,
    plan: RatePlan,
    record: UsageRecord,
    own: Balance,
    now: Seconds,
    question: Question,
    request: OnDemand,
    trouble: Trouble | None = None,
    register_wh: int | None = None,
) -> Answer:
    """Analyse and put in sentences. Pure.

    record: VEE and, where they came, non-VEE intervals. own: balance of the retailer's own record. now: UTC epoch seconds of the question.
    request: the on-demand request, or one that was not made. trouble: why SMT gave no VEE data. register_wh: of a cycle that is over.
    """
    needed_more = request.end is not RequestEnd.NOT_MADE
    brought = record.vee_end() is not None and len(record.vee().ends) < len(record.ends)
    vee_only = take_stand(account, plan, record.vee(), register_wh)
    with_gap = take_stand(account, plan, record, register_wh) if brought else None
    stand = with_gap or vee_only
    pattern = hourly_pattern(record)
    marks: list[str] = []
    if question is not Question.LAST_BILL:
        right = min(floor_interval(now), account.cycle_end) if needed_more else None
        marks = [*_trouble_marks(request, trouble), *_data_marks(account, record, stand, right)]
    edges = tuple(edge_worths(plan, account, stand.projection)) if stand is not None else ()
    sentences = [_own_sentence(own)]
    if stand is not None:
        sentences += _bill_sentences(account, record, stand, vee_only if brought else None)
        running = request.status.partial if request.status is not None else None
        if running is not None:
            sentences.append(_running_sentence(running))
        sentences += [edge.statement() for edge in edges[:1]]
    pattern_sentence = _pattern_sentence(pattern)
    if pattern_sentence:
        sentences.append(pattern_sentence)
    told_on = _told_on(stand, needed_more, brought, bool(marks))
    return Answer(told_on, vee_only, with_gap, edges, pattern, tuple(marks), (*sentences, *marks))


def _told_on(stand: Stand | None, needed_more: bool, brought: bool, marked: bool) -> ToldOn:
    if stand is None:
        return ToldOn.NOTHING
    if not needed_more:
        return ToldOn.PARTIAL if marked else ToldOn.VEE
    if not brought:
        return ToldOn.VEE_ONLY
    return ToldOn.PARTIAL if marked else ToldOn.WHOLE_GAP


def _trouble_marks(request: OnDemand, trouble: Trouble | None) -> list[str]:
    """Say why the data are not what was asked for."""
    marks = []
    if trouble is not None:
        marks.append(f"SMT gave no VEE data ({trouble.code}): {_closed(trouble.reason)}")
    failure = request.trouble
    if failure is not None:
        again = "" if failure.retry_at is None else f" It can be asked again from {_clock(failure.retry_at)}."
        marks.append(f"The on-demand read was {request.end.value} ({failure.code}): {_closed(failure.reason)}{again}")
    return marks


def _closed(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."


def _data_marks(account: Account, record: UsageRecord, stand: Stand | None, right: Seconds | None) -> list[str]:
    """Say what the bill lacks. right: the instant it should reach, UTC epoch seconds; None if VEE data were enough."""
    if stand is None:
        return ["No interval of this cycle is known: the running cycle is not billed."]
    vee_end = record.vee_end() or account.cycle_start
    marks = [_hole_mark(hole, vee_end, stand.bill.by_register) for hole in stand.holes]
    most = limits().interval_hard_maximum_wh * account.multiplier
    beyond = record.within(account.cycle_start, stand.to)
    beyond = beyond.only((beyond.wh > most) & (beyond.quality == Quality.NON_VEE))
    if len(beyond.ends):
        marks.append(
            f"Told on doubtful data: {len(beyond.ends)} intervals, the first to {_clock(seconds(beyond.ends[0]))}, have more than "
            f"the {kwh(most)} kWh that the service carries: {kwh(beyond.total_wh())} kWh in all, which are in the bill."
        )
    if right is not None and stand.to < right:
        marks.append(
            f"Told on partial data: the bill reaches to {_clock(stand.to)}; "
            f"{(right - stand.to) // INTERVAL_S} intervals from there to {_clock(right)} are not in it."
        )
    return marks


def _hole_mark(hole: tuple[Seconds, Seconds], vee_end: Seconds, by_register: bool) -> str:
    kind = "were never posted as VEE" if hole[1] <= vee_end else "were not delivered"
    count = (hole[1] - hole[0]) // INTERVAL_S
    return (
        f"Told on partial data: {count} intervals from {_clock(hole[0])} to {_clock(hole[1])} {kind} "
        f"and are {'in the bill by the register read alone' if by_register else 'not in the bill'}."
    )


def _running_sentence(running: PartialInterval) -> str:
    start = _clock(seconds(running.start.timestamp()))
    return f"Since {start} the meter has counted {kwh(running.wh)} kWh more in {running.seconds} s: not billed yet."


def _own_sentence(own: Balance) -> str:
    if own.due is None:
        return f"On our books: {money(own.amount_due)}; no bill has been sent yet."
    late = ", past due" if own.past_due else ""
    return (
        f"On our books: last bill {money(own.last_bill)}, paid {money(own.paid)}, "
        f"{money(own.amount_due)} due {own.due}{late}."
    )


def _bill_sentences(account: Account, record: UsageRecord, stand: Stand, before: Stand | None) -> list[str]:
    cycle = record.within(account.cycle_start, stand.to)
    estimated = cycle.wh_of(Quality.VEE_ESTIMATED)
    parts = [f"{kwh(cycle.vee().total_wh())} kWh VEE"]
    if estimated:
        parts[0] += f" ({kwh(estimated)} kWh of it estimated)"
    if before is not None:
        store, meter = cycle.count_of(Source.STORE), cycle.count_of(Source.METER)
        parts.append(
            f"{kwh(cycle.wh_of(Quality.NON_VEE))} kWh non-VEE ({store} intervals from the store, {meter} from the meter)"
        )
    sentences = [
        f"Usage of the cycle from {account.cycle_first} to {_clock(stand.to)}: "
        f"{kwh(cycle.total_wh())} kWh, {' and '.join(parts)}."
    ]
    whole = stand.to >= account.cycle_end
    to_date = f"{'Bill' if whole else 'Bill to date'}: {money(stand.bill.total)} with tax"
    if before is not None:
        to_date += f" (on VEE data only, to {_clock(before.to)}: {money(before.bill.total)})"
    sentences.append(f"{to_date}.")
    sentences += [
        f"{line.kind.value.capitalize()} of {money(abs(line.amount))} {line.text}: {line.standing.value}."
        for line in stand.bill.undecided
    ]
    if not whole:
        ahead, bills = stand.projection, stand.outlook
        sentences.append(
            f"Projected for the cycle to {account.cycle_last}: {kwh(ahead.total_wh)} kWh ({kwh(ahead.low_wh)} to {kwh(ahead.high_wh)} in eight of ten), "
            f"a bill between {money(bills.low)} and {money(bills.high)} in eight of ten, {money(bills.expected)} in the mean."
        )
    return sentences


def _pattern_sentence(pattern: HourlyPattern) -> str:
    """Compare the gap day's known hours with the same hours of a usual day."""
    pairs = [
        (hour, now, usual)
        for hour, (now, usual) in enumerate(zip(pattern.day_wh, pattern.usual_wh, strict=True))
        if now is not None and usual is not None
    ]
    usual_sum = sum(usual for _, _, usual in pairs)
    if not pairs or not usual_sum:
        return ""
    day_sum = sum(now for _, now, _ in pairs)
    percent = cents(Decimal(100 * (day_sum - usual_sum)) / usual_sum).quantize(Decimal(1))
    peak, at_peak, usual_then = max(pairs, key=lambda pair: pair[1])
    side = "more" if percent >= 0 else "less"
    return (
        f"On {pattern.day} the {len(pairs)} hours known took {kwh(day_sum)} kWh, {abs(percent)} % {side} than usual; "
        f"the highest began at {peak:02d}:00 with {kwh(at_peak)} kWh (usually {kwh(usual_then)})."
    )


def _clock(ts: Seconds) -> str:
    return local(ts).strftime("%Y-%m-%d %H:%M")

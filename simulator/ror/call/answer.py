"""S6, the real-time billing analysis that the caller is told: where the bill stands, edges, pattern, doubts, and what is said of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headend.vee.findings import Finding
from headend.wire import ServedInterval
from meters.calendar import Seconds, seconds
from simulator.ror.account import Account, Balance
from simulator.ror.billing.plan import RatePlan
from simulator.ror.call.analysis import EdgeWorth, Question, edge_worths
from simulator.ror.call.doubts import doubts
from simulator.ror.call.on_demand import OnDemand, RequestEnd, Trouble
from simulator.ror.call.said import marks_of, sentences_of
from simulator.ror.call.stand import Stand, take_stand
from simulator.ror.pattern import HourlyPattern, Outdoors, hourly_pattern
from simulator.ror.usage import UsageRecord


class ToldOn(StrEnum):
    """What the bill told rests on."""

    #: VEE data, and the question needed no more.
    VEE = "VEE data and what is expected since"
    #: VEE data and every interval of the gap.
    WHOLE_GAP = "VEE and non-VEE data, nothing missing"
    #: Intervals are missing, or doubtful: the bill is marked with them.
    PARTIAL = "partial data"
    #: More was needed and nothing came.
    VEE_ONLY = "VEE data and what is expected since, although more was needed"
    #: SMT says that the ESI ID is the retailer's no more: the bill ends with the VEE data of the days that were theirs.
    OWN_DAYS = "VEE data of our own days"
    #: Too little is known to expect anything.
    NOTHING = "the retailer's own record only"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told."""

    told_on: ToldOn
    #: On VEE data, and what is expected behind them; None where that is nothing to go by.
    instant: Stand | None
    #: With the non-VEE intervals; None when there are none.
    with_gap: Stand | None
    edges: tuple[EdgeWorth, ...]
    pattern: HourlyPattern
    #: What the desk doubts of the non-VEE intervals.
    doubts: tuple[Finding, ...]
    #: What is wrong with the data, each a sentence that marks the bill.
    marks: tuple[str, ...]
    #: What the agent says, five at most, what is owed first.
    sentences: tuple[str, ...]

    @property
    def told(self) -> Stand | None:
        """The bill that the caller is told: on the most that is known."""
        return self.with_gap or self.instant


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
    outdoors: Outdoors | None = None,
) -> Answer:
    """Analyse and put in sentences. Pure.

    record: VEE and, where they came, non-VEE intervals. own: balance of the retailer's own record. now: UTC epoch seconds of the question.
    request: the on-demand request, or one that was not made. trouble: why SMT gave no VEE data. register_wh: of a cycle that is over. outdoors: the weather, where it is known.
    """
    needed_more = request.end is not RequestEnd.NOT_MADE
    vee = record.vee()
    brought = len(vee.ends) < len(record.ends)
    asked = question is not Question.LAST_BILL
    # Who is of record no more bills the days that were theirs, and expects nothing behind them.
    ours = not request.not_ours
    instant = take_stand(account, plan, vee, register_wh, now, is_open=ours) if asked else None
    with_gap = take_stand(account, plan, record, register_wh, now, is_open=ours) if brought else None
    stand = with_gap or instant
    pattern = hourly_pattern(record, outdoors=outdoors)
    status = request.status
    running = None if status is None else status.partial
    doubted: tuple[Finding, ...] = ()
    if brought and status is not None:
        as_of = None if running is None else seconds(running.asOf.timestamp())
        doubted = doubts(record, account.multiplier, _clock_error(as_of, status.intervals or []))
    marks: list[str] = []
    if asked:
        marks = marks_of(account, stand, request, trouble, doubted)
    is_open = stand is not None and not stand.bill.by_register and ours
    edges = tuple(edge_worths(plan, account, stand.projection)) if stand and is_open else ()
    exports, day = plan.export is not None, pattern.day_sentence()
    sentences = sentences_of(account, own, stand, edges, running, marks, day, is_open=is_open, exports=exports)
    told_on = ToldOn.OWN_DAYS if stand and not ours else _told_on(stand, needed_more, brought, bool(marks))
    return Answer(told_on, instant, with_gap, edges, pattern, doubted, tuple(marks), sentences)


def _clock_error(as_of: Seconds | None, intervals: list[ServedInterval]) -> Seconds:
    """Seconds that the meter's clock was ahead of the head-end's at a read; 0: not told."""
    read = [seconds(one.collectedAt.timestamp()) for one in intervals if one.source == "meter"]
    return seconds(0) if as_of is None or not read else as_of - max(read)


def _told_on(stand: Stand | None, needed_more: bool, brought: bool, marked: bool) -> ToldOn:
    if stand is None:
        return ToldOn.NOTHING
    if not needed_more:
        return ToldOn.PARTIAL if marked else ToldOn.VEE
    if not brought:
        return ToldOn.VEE_ONLY
    return ToldOn.PARTIAL if marked else ToldOn.WHOLE_GAP

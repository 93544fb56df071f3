"""What is seen of a retailer, id by id: what it asks of SMT for each customer's call, and the bill that it tells, held against what the meter holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from meters.calendar import INTERVAL_S, Seconds, day_of_interval, day_start, epoch, floor_interval, iso, seconds, to_s
from meters.errors import MeterError
from meters.kernels.jit import as_written
from scenarios.actions.customer_calls import CustomerCalls, RecordedCustomerCall
from scenarios.certified import of_role
from scenarios.certify.observed import MOST, Observation, Observed, Step
from scenarios.certify.said import ODR, READS, STATUS, TOKEN, Said, said_between
from scenarios.certify.truth import Truth
from simulator.ror.billing.bill import bill_to_date

Seen = Iterator[Observation]
#: A bill may differ from ours by so much for how lines are rounded. A default of this project.
_ROUNDED_USD = Decimal("0.05")
#: Model seconds before the caller's patience ends, from which on a retailer may stop asking. A default of this project.
_NEARLY_S = 60
#: The same call again for an ESI ID that is another's, and polls by one id in one instant, at most. Defaults of this project.
_TRIES, _AT_ONCE = 2, 20
#: What draws an error of SMT's.
_DRAWS = {
    "bad_login": TOKEN,
    "no_password": TOKEN,
    "METER": ODR,
    "CORRELATION": STATUS,
    "REQUESTOR": "/v2/",
    "DUNS": "/v2/",
    "TERMS": "/v2/",
    "INVALID-DATE": READS,
}


@dataclass(frozen=True)
class Called:
    """A customer's call with all that was asked of SMT for it."""

    step: Step
    action: CustomerCalls
    record: RecordedCustomerCall
    #: What the meters hold.
    truth: Truth
    #: Seconds by which the retailer's clock may be off ours.
    clock_s: Seconds = seconds(0)

    @cached_property
    def said(self) -> list[Said]:
        """What was asked of SMT, from the call's beginning to its end."""
        first, last = self.record.at, self.record.ended_at
        return list(said_between(self.step.market, first, last))

    def to(self, path: str) -> list[Said]:
        """What was asked below a path."""
        return [one for one in self.said if one.path.startswith(path)]

    @cached_property
    def filed(self) -> list[Said]:
        """Its requests at the meter, taken or refused."""
        return [one for one in self.to(ODR) if one.request]

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The last answer of a poll, that to another request left out."""
        others = {one.n for one in self.others}
        polls = reversed(self.to(STATUS))
        return next((one.reply or {} for one in polls if not one.paged and one.n not in others), {})

    @cached_property
    def others(self) -> list[Said]:
        """Answers of polls that are to another request."""
        own = {one.request.key for one in self.filed if one.request}
        return [one for one in self.to(STATUS) if (one.reply or {}).get("correlationId", "") not in own | {""}]

    @property
    def esiid(self) -> str:
        """The customer's."""
        assert self.step.recording is not None
        account = self.step.recording.scenario.account_of(self.action)
        return self.step.recording.world.accounts[account.account_id].esiid

    @property
    def own(self) -> bool:
        """Whether the customer is the retailer's on the day."""
        assert self.step.recording is not None
        account = self.step.recording.scenario.account_of(self.action)
        premise = self.step.recording.world.accounts[account.account_id]
        return premise.service_point.ror_of_record == premise.ror.duns

    @property
    def last_end(self) -> Seconds:
        """Where the last whole quarter hour ends at the call's end, by a clock that is as far ahead as it may be."""
        return floor_interval(self.record.ended_at + self.clock_s)

    @property
    def hung_up(self) -> Seconds:
        """When the caller's patience ended."""
        return self.record.at + self.action.patience_s

    @property
    def held(self) -> dict[int, tuple[int, int]]:
        """What the meter holds; in a flight, of the gap, what it was served of the other system's answer: no retailer knows better."""
        its, gap = self.truth.get(self.esiid, {}), self.answer.get("gap")
        if not self.step.link or not its or not gap:
            return its
        start, until = epoch(gap["start"]), epoch(gap["end"])
        served = {int(epoch(one["end"])): (int(one["wh"]), 0) for one in self.answer.get("intervals") or ()}
        return {end: one for end, one in its.items() if not start < end <= until} | served

    def saw(self, held: bool | None, said: str, *exchanges: Said) -> Observation:
        """An observation of it."""
        numbers = tuple(one.n for one in (exchanges or self.said)[:MOST])
        return Observation(self.step.name, self.action.ref, held, said, numbers)


def calls(all_of_it: Observed) -> list[Called]:
    """Every customer's call of the steps that can be judged."""
    return list(_called(all_of_it))


def _called(all_of_it: Observed) -> Iterator[Called]:
    for step in all_of_it.steps:
        if step.own or step.recording is None:
            continue
        for action in step.recording.scenario.timeline:
            record = step.recording.actions.get(action.ref)
            if isinstance(action, CustomerCalls) and isinstance(record, RecordedCustomerCall):
                yield Called(step, action, record, all_of_it.truth, all_of_it.clock_s)


def _reviews(calls: Sequence[Called]) -> Seen:
    for call in calls:
        reads, asked = call.to(READS), call.to(ODR)
        if asked and call.action.question == "last_bill":
            yield call.saw(False, "it asks for a read that the question has no need of", *asked)
        elif asked and (not reads or reads[0].n > asked[0].n):
            yield call.saw(False, "it asks for a read, and has not looked at the posted usage", *asked)
        elif reads:
            yield call.saw(True, "", *reads)


def _asks_gap(calls: Sequence[Called]) -> Seen:
    for call in calls:
        for one in call.filed:
            kind, esiid = (one.request.kind, one.request.esiid) if one.request else ("", "")
            yield call.saw(kind == "INTERVALS" and esiid == call.esiid, f"it asks for {kind} of {esiid}", one)


def _one_request(calls: Sequence[Called]) -> Seen:
    known: dict[tuple[str, str], Called] = {}
    for call in calls:
        filed = call.filed
        if len(filed) > 1:
            yield call.saw(False, f"{len(filed)} requests are made for one call", *filed)
            continue
        for one in filed:
            reference = one.request.reference if one.request else ""
            first = known.setdefault((call.step.name, reference), call) if reference else call
            yield call.saw(
                first is call, f"its request names the call {reference}, as that of {first.action.ref} does", one
            )


def _names_call(calls: Sequence[Called]) -> Seen:
    for call in calls:
        for one in call.filed:
            yield call.saw(bool(one.request and one.request.reference), "its request names no call", one)


def _follows(calls: Sequence[Called]) -> Seen:
    for call in calls:
        taken = [one for one in call.filed if one.request and one.request.key]
        if call.action.question == "last_bill":
            yield call.saw(not taken, "it asks for a read where the balance is not asked for", *taken)
            continue
        if not taken:
            continue
        polls = call.to(STATUS)
        taken_on = Counter(one.at_us for one in polls if one.status != 401)
        at_once = max(taken_on.values(), default=0)
        open_still = not polls or call.answer.get("statusCode") == "PEN" or all(one.code for one in polls)
        last = to_s(polls[-1].at_us) if polls else call.record.at
        # Who took another's answer for its own is told of that alone.
        if polls and (all(one.code for one in polls) or polls[-1].n in {one.n for one in call.others}):
            continue
        if at_once > _AT_ONCE:
            yield call.saw(False, f"it asks {at_once} times in one instant", *polls)
        else:
            early = open_still and last < call.hung_up - _NEARLY_S
            yield call.saw(
                not early,
                f"it asks for the last time at {iso(last)}, has no answer, and the caller waits to {iso(call.hung_up)}",
                *(polls or taken),
            )


def _tokens(calls: Sequence[Called]) -> Seen:
    for call in calls:
        dead: dict[str, list[Said]] = {}
        for one in call.said:
            if one.status == 401 and one.path != TOKEN:
                dead.setdefault(str(one.exchange.ask["headers"].get("authorization")), []).append(one)
        for its in dead.values():
            yield call.saw(len(its) <= _TRIES, f"{len(its)} calls bear a token that is not taken", *its)


def _pages(calls: Sequence[Called]) -> Seen:
    for call in calls:
        last = {one.path: one.n for one in call.said}
        for one in call.said:
            if one.status == 503 and one.paged:
                again = last[one.path] > one.n
                in_time = to_s(one.at_us) < call.hung_up - _NEARLY_S
                if again or in_time:
                    yield call.saw(again, f"{one.path} is answered with a page, and not asked again", one)


def _another(calls: Sequence[Called]) -> Seen:
    for call in calls:
        met = [one for one in call.said if one.code == "AC1"]
        if call.own and met:
            yield call.saw(False, "it asks for an ESI ID that is not its own", *met)
        elif call.own and call.filed:
            yield call.saw(True, "", *call.filed)
        elif met:
            times = max(Counter(one.path for one in met).values())
            yield call.saw(times <= _TRIES, f"it asks {times} times for an ESI ID that is another's", *met)


def _draws(code: str, path: str) -> Callable[[Sequence[Called]], Seen]:
    """An error of SMT's that a sound request does not draw."""

    def seen(calls: Sequence[Called]) -> Seen:
        for call in calls:
            its = [one for one in call.to(path) if path != "/v2/" or one.path != TOKEN]
            drawn = [one for one in its if one.code == code]
            fine = [one for one in its if one.status == 200 and one.code is None]
            if drawn:
                yield call.saw(False, f"SMT answers {code}: {_message(drawn[0])}", *drawn)
            elif fine:
                yield call.saw(True, "", *fine)

    return seen


def _message(one: Said) -> str:
    reply = one.reply or {}
    return str(reply.get("errorMessage") or reply.get("error") or "")


def _rule(ident: str) -> Callable[[Sequence[Called]], Seen]:
    """A rule for requests, as SMT's ledger has it."""

    def seen(calls: Sequence[Called]) -> Seen:
        for call in calls:
            assert call.step.recording is not None
            by_key = {entry.key: entry for entry in call.step.recording.ledger}
            for one in call.filed:
                entry = by_key.get(one.request.key if one.request else "")
                if entry is not None:
                    broken = [step for step in entry.transitions if step.rule == ident]
                    yield call.saw(not broken, broken[0].reason if broken else "", one)

    return seen


@dataclass(frozen=True, slots=True)
class _Bill:
    """What was told: to where, Wh, dollars."""

    to: Seconds
    wh: int
    usd: Decimal


def _bill(call: Called) -> _Bill | None:
    told = call.record.bill or {}
    try:
        return _Bill(epoch(str(told["to"])), int(told["wh"]), Decimal(str(told["total_usd"])))
    except (KeyError, ValueError, TypeError, InvalidOperation, MeterError):
        return None


def _runs_still(calls: Sequence[Called]) -> Seen:
    for call in calls:
        bill = _bill(call)
        if bill is not None and call.action.question == "balance":
            until = call.last_end
            served = (call.answer.get("gap") or {}).get("end")
            until = min(until, epoch(served)) if served else until
            yield call.saw(
                bill.to <= until,
                f"it bills to {iso(bill.to)}, and the last whole quarter hour that it was told ends {iso(until)}",
            )


def _left_open(calls: Sequence[Called]) -> Seen:
    for call in calls:
        uncovered, told = call.answer.get("uncovered"), call.record.bill
        if uncovered and call.answer.get("statusCode") == "PEN":
            yield call.saw(None, "its request was not answered while the caller waited")
        elif uncovered and told is not None:
            yield call.saw(bool(told.get("uncovered")), "it tells nothing of what the gap leaves open")


def _rests_on(calls: Sequence[Called]) -> Seen:
    for call in calls:
        told = call.record.bill
        if told is not None and call.answer.get("intervals"):
            said = json.dumps([told.get("parts"), told.get("sentences")]).lower()
            yield call.saw(
                "non-vee" in said or "non_vee" in said, "it does not tell what of the bill rests on non-VEE data"
            )


def _balances(calls: Sequence[Called]) -> Iterator[Called]:
    """The calls of which the bill is looked at. What was asked for twice, or never looked at, is told by itself."""
    for call in calls:
        if call.action.question == "balance" and call.own and len(call.filed) == 1 and call.to(READS):
            yield call


def _takes_its_own(calls: Sequence[Called]) -> Seen:
    """Of an answer to another request nothing is billed."""
    for call in _balances(calls):
        others, bill = call.others, _bill(call)
        if others and (bill is None or bill.to <= call.last_end):
            held, said = (None, "no bill is told") if bill is None else _wh_against(call, bill, call.answer)
            # Each interval of that answer is more than the meter's; a bill of less lacks something else.
            if bill is not None and not held and bill.wh < _meter_wh(call, bill, call.answer):
                held = None
            yield call.saw(held, f"SMT answered with what was read for another request, and {said}", *others)


def _right(calls: Sequence[Called]) -> Seen:
    """The bill: told in time, on the Wh that the meter holds, at the prices of the plan."""
    for call in _balances(calls):
        told, bill, served = call.record, _bill(call), call.answer
        if served.get("statusCode") != "0":
            continue
        if told.bill is None or bill is None:
            yield call.saw(None, "no bill is told")
            continue
        if told.told_at is not None and told.told_at > call.hung_up:
            yield call.saw(
                False, f"the bill is told at {iso(told.told_at)}, and the caller hung up at {iso(call.hung_up)}"
            )
            continue
        if bill.to > call.last_end:
            continue
        yield call.saw(*_held_against(call, bill, served))


def _meter_wh(call: Called, bill: _Bill, served: dict[str, Any]) -> int:
    """What the meter holds of the cycle to where is billed, but for what the gap leaves open."""
    assert call.step.recording is not None
    account = call.step.recording.scenario.account_of(call.action)
    held = call.held
    open_still = [(epoch(one["start"]), epoch(one["end"])) for one in served.get("uncovered") or []]
    first = day_start(account.cycle_first)
    return sum(
        its
        for end, (its, _) in held.items()
        if first < end <= bill.to and not any(start < end <= until for start, until in open_still)
    )


def _wh_against(call: Called, bill: _Bill, served: dict[str, Any]) -> tuple[bool | None, str]:
    assert call.step.recording is not None
    account = call.step.recording.scenario.account_of(call.action)
    held = call.truth.get(call.esiid, {})
    first, wh = day_start(account.cycle_first), _meter_wh(call, bill, served)
    if not held:
        return None, "nobody knows what the meter holds"
    if bill.to % INTERVAL_S or bill.to <= first or bill.to > day_start(account.cycle_last + timedelta(days=1)):
        return False, f"it bills to {iso(bill.to)}, which is no quarter hour of the cycle"
    known = "it was told" if call.step.link else "the meter holds"
    return bill.wh == wh, f"it bills {bill.wh} Wh to {iso(bill.to)}, and {known} {wh} Wh"


def _held_against(call: Called, bill: _Bill, served: dict[str, Any]) -> tuple[bool | None, str]:
    held, said = _wh_against(call, bill, served)
    if not held:
        return held, said
    assert call.step.recording is not None
    account = call.step.recording.scenario.account_of(call.action)
    last = day_of_interval(bill.to)
    # One of a few: compiled code would take longer to be there, and 100 MB, of whoever judges a bundle.
    with as_written():
        ours = bill_to_date(
            account.rates, bill.wh, account.cycle_first, last, account.cycle_last, account.full_cycle_days
        ).total
    return abs(ours - bill.usd) <= _ROUNDED_USD, f"it tells ${bill.usd}, and by the plan {bill.wh} Wh come to ${ours}"


_SEEN: dict[str, Callable[[Sequence[Called]], Seen]] = {
    "S2": _reviews,
    "S3": _asks_gap,
    "S6": _rests_on,
    "UC-N1": _one_request,
    "UC-N5": _follows,
    "AMB-5": _takes_its_own,
    "AMB-6": _runs_still,
    "AMB-7": _left_open,
    "AMB-10": _names_call,
    "AMB-12": _right,
    "bad_token": _tokens,
    "text_503": _pages,
    "AC1": _another,
}
#: By id what is seen of it.
SEEN: dict[str, Callable[[Sequence[Called]], Seen]] = {
    one.id: _SEEN[one.id] if one.id in _SEEN else _draws(one.id, _DRAWS[one.id]) if one.id in _DRAWS else _rule(one.id)
    for one in of_role("ror")
    if one.claim == "BALANCE"
}

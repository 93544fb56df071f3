"""What is seen of an SMT, id by id: what it answers retailers, what it asks of the TDSP, and what it makes of that one's answers and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from headend.ondemand.gap import GAP_LIMIT
from headend.wire import InquiryRequest, Outcome
from meters.calendar import (
    INTERVAL_S,
    Micros,
    Seconds,
    day_end,
    day_of,
    day_start,
    ends_within,
    epoch,
    floor_interval,
    iso,
    parse_us_date,
    to_s,
    us_stamp,
)
from meters.errors import MeterError
from scenarios.actions.asks_smt import AsksSmt, RecordedAsk
from scenarios.actions.usage_read import UsageRead
from scenarios.certified import of_role
from scenarios.certify.observed import Observation, Observed, Step
from scenarios.certify.said import ODR, POWER, READS, STATUS, Said, object_of, said_of
from scenarios.evidence import Evidence
from scenarios.judging.expectations import action_check
from scenarios.refusals import policy_of
from simulator.smt.doors.both.rd import rd_parse
from simulator.smt.errors import BAD_FIELD, BUSINESS, GATEWAY, UNROUTED
from simulator.smt.ondemand.invariants import Asking, Author, Breach, breaches
from simulator.smt.throttle.limits import Door, Kind, Requested, Scope
from simulator.tap.chain import Exchange
from simulator.verdicts import Mark

Seen = Iterator[Observation]
#: Seconds that an inquiry must leave the TDSP. A default of this project.
_LEAST_S = 15 * 60
#: Of a status, what the TDSP told in these words.
_TOLD = ("intervals",)
_REACHES = ("reachesTo", "missing", "partial", "meterReads")
#: What must be the same of an ESI ID that is another's and of one that is nobody's.
_ALIKE = ("errorCode", "errorMessage")


@dataclass(frozen=True)
class Asked:
    """A request with all that came of it."""

    step: Step
    action: AsksSmt
    record: RecordedAsk

    @cached_property
    def said(self) -> list[Said]:
        """What was asked of SMT for it."""
        its = [said_of(one) for one in self.step.market if one.ids.get("trans_id") == self.action.ref]
        return [one for one in its if one.path in (ODR, POWER, STATUS)]

    @cached_property
    def filed(self) -> Said | None:
        """The request itself."""
        return next((one for one in self.said if one.path in (ODR, POWER)), None)

    @property
    def told(self) -> dict[str, Any]:
        """What it was answered."""
        return (self.filed and self.filed.reply) or {}

    @property
    def polls(self) -> list[Said]:
        """How SMT said that it stood."""
        return [one for one in self.said if one.path == STATUS]

    @cached_property
    def final(self) -> dict[str, Any]:
        """The last of that; nothing while it is pending."""
        last = self.polls[-1].reply if self.polls else None
        return last if last and last.get("statusCode") in ("0", "1") else {}

    @cached_property
    def _inquiry(self) -> tuple[Exchange | None, dict[str, Any]]:
        for one in self.step.link:
            said = object_of(one.ask.get("body")) or {}
            if one.wire == "inquiries" and said.get("correlationId") == self.record.inquiry:
                return one, said
        return None, {}

    @property
    def inquiry(self) -> dict[str, Any]:
        """What the TDSP was asked; nothing where it was not."""
        return self._inquiry[1]

    @cached_property
    def backs(self) -> list[tuple[str, Exchange]]:
        """The TDSP's call-backs, each with what it was to be."""
        its = [one for one in self.step.link if one.wire == "call-backs"]
        mine = [
            one for one in its if (object_of(one.ask.get("body")) or {}).get("correlationId") == self.record.inquiry
        ]
        return list(zip(self.record.made, mine, strict=False)) if self.inquiry else []

    def back(self, how: str) -> Exchange | None:
        """A call-back."""
        return next((one for made, one in self.backs if made == how), None)

    @property
    def answer(self) -> dict[str, Any]:
        """What the TDSP answered in time; nothing where it did not."""
        one = self.back("answer")
        return {} if one is None or self.late(one) else object_of(one.ask.get("body")) or {}

    def late(self, back: Exchange) -> bool:
        """Whether a call-back came after its time."""
        by = self.answer_by
        return by is not None and to_s(back.at_us) > by

    @property
    def answer_by(self) -> Seconds | None:
        """Until when the TDSP may answer."""
        return _instant(self.inquiry.get("answerBy"))

    @property
    def completed(self) -> bool:
        """Whether the TDSP answered all that was asked of it."""
        return self.answer.get("outcome") == Outcome.COMPLETED and self.action.tdsp != "lacks"

    def saw(self, held: bool | None, said: str) -> Observation:
        """An observation of it, with its exchanges."""
        exchange = self._inquiry[0]
        its = [one.exchange for one in self.said] + [one for _, one in self.backs] + ([exchange] if exchange else [])
        return Observation(self.step.name, self.action.ref, held, said, tuple(sorted({one.n for one in its})))


@dataclass(frozen=True)
class Looked:
    """All of it: the requests, and what else was done, by step."""

    all_of_it: Observed

    @property
    def steps(self) -> list[Step]:
        """Those that can be judged."""
        return [one for one in self.all_of_it.steps if not one.own and one.recording is not None]

    @cached_property
    def asked(self) -> list[Asked]:
        """Every request, in the order of its coming."""
        return [one for step in self.steps for one in _asked(step)]

    def citing(self, ident: str) -> list[Asked]:
        """Those by which an id is looked at."""
        return [one for one in self.asked if ident in one.action.verifies]

    @cached_property
    def broken(self) -> dict[tuple[str, str], list[Breach]]:
        """By step and request, what the throttle did that is against its rules."""
        return {key: its for step in self.steps for key, its in _breaches(step, _asked(step)).items()}

    def had_room(self, one: Asked) -> bool:
        """Whether a request was not let through although there was room: of what follows from a refusal it shows nothing."""
        return any(not each.limit for each in self.broken.get((one.step.name, one.action.ref), []))


def _asked(step: Step) -> list[Asked]:
    assert step.recording is not None
    found = []
    for action in step.recording.scenario.timeline:
        record = step.recording.actions.get(action.ref)
        if isinstance(action, AsksSmt) and isinstance(record, RecordedAsk):
            found.append(Asked(step, action, record))
    return found


def _instant(text: Any) -> Seconds | None:
    try:
        return epoch(str(text))
    except (MeterError, ValueError):
        return None


# -- what was expected of an action ------------------------------------------------------------------------------


def _expected(ident: str) -> Callable[[Looked], Seen]:
    """What was expected of the actions that cite an id, held against what came of them."""

    def seen(looked: Looked) -> Seen:
        for step in looked.steps:
            assert step.recording is not None
            for action in step.recording.scenario.timeline:
                if ident in action.verifies:
                    evidence = Evidence(step.recording, action.account)
                    found = action_check(evidence, action)
                    said = "; ".join(f"{one.what} is {one.found}, not {one.expected}" for one in found.failures)
                    # A log-in names no request: it is known by its instant.
                    at = evidence.at(action)
                    its = step.numbers(action.ref) or tuple(one.n for one in step.market if to_s(one.at_us) == at)
                    yield Observation(step.name, action.ref, found.mark is Mark.PASSED, said or found.happened, its)

    return seen


# -- errors --------------------------------------------------------------------------------------------------------


def _errors(looked: Looked) -> Seen:
    for step in looked.steps:
        for one in map(said_of, step.market):
            wrong = _undocumented(one)
            if wrong is not None:
                ref = str(one.exchange.ids.get("trans_id") or one.path)
                yield Observation(step.name, ref, not wrong, wrong, (one.exchange.n,))


def _undocumented(one: Said) -> str | None:
    """What of an error is documented nowhere; None for what is no error."""
    reply, status = one.reply, one.status
    if reply is None:
        return f"HTTP {status} without a JSON object is no documented answer"
    if "error" in reply:
        known = {(row.status, row.message) for row in GATEWAY.values()}
        return "" if (status, reply["error"]) in known else f"HTTP {status} with {reply['error']!r} is not documented"
    code = reply.get("errorCode")
    if code is None:
        return None if status == 200 else f"HTTP {status} tells no error"
    at = {BAD_FIELD: 400} | {row.code: row.http for row in UNROUTED.values()} | dict.fromkeys(BUSINESS, 200)
    return "" if at.get(code) == status else f"{code} with HTTP {status} is not documented"


# -- whose ESI IDs ---------------------------------------------------------------------------------------------------


def _of_record(looked: Looked) -> Seen:
    for one in looked.citing("SMT-AC1"):
        if one.inquiry:
            yield one.saw(False, "the TDSP is inquired of for one who is not of record")
        elif one.filed is not None:
            code = one.filed.code
            yield one.saw(code == "AC1", f"one who is not of record is told {code or one.told}")


def _alike(looked: Looked) -> Seen:
    for step in looked.steps:
        its = [one for one in looked.citing("SMT-ALIKE") if one.step is step]
        for one in its[1:]:
            words = [{name: each.told.get(name) for name in _ALIKE} for each in (its[0], one)]
            refused = all(each.filed is not None and each.filed.code for each in (its[0], one))
            said = f"of another's ESI ID is said {words[0]}, of nobody's {words[1]}"
            yield one.saw(words[0] == words[1] if refused else None, said if refused else "one of them is not refused")


# -- the inquiry -----------------------------------------------------------------------------------------------------


def _taken(looked: Looked) -> Seen:
    for one in looked.citing("SMT-TAKEN"):
        key = one.told.get("correlationId")
        if one.inquiry and not key:
            yield one.saw(False, "it is taken, and has no correlationId")
        elif key:
            met = [poll.code for poll in one.polls if poll.code == "CORRELATION"]
            yield one.saw(
                bool(one.polls) and not met and one.told.get("statusCode") == "0",
                "it is not known by the correlationId that it was given" if met else "it is not told to be taken",
            )


def _inquired(looked: Looked) -> Seen:
    for one in looked.citing("SMT-INQUIRY"):
        if not one.told.get("correlationId"):
            continue
        wrong = (
            "nothing is inquired" if not one.inquiry else "it does not bear SMT's key" if not one.record.keyed else ""
        )
        try:
            said = InquiryRequest.model_validate(one.inquiry) if one.inquiry else None
        except ValidationError as error:
            said, wrong = None, f"{'.'.join(map(str, error.errors()[0]['loc']))}: {error.errors()[0]['msg']}"
        if said is not None and said.kind != one.action.kind:
            wrong = f"{said.kind.value} is asked for, not {one.action.kind}"
        yield one.saw(not wrong, wrong)


def _intervals(looked: Looked, ident: str) -> Iterator[tuple[Asked, Seconds, Seconds, Seconds]]:
    """Requests for intervals: where the inquiry's gap begins and ends, and the end of what was posted."""
    for one in looked.citing(ident):
        start, end = (_instant(one.inquiry.get(edge)) for edge in ("start", "end"))
        if one.action.kind == "INTERVALS" and start is not None and end is not None:
            yield one, start, end, _posted_to(one)


def _posted_to(one: Asked) -> Seconds:
    """To where the days were posted before the run began: to midnight, but for what is never posted."""
    assert one.step.recording is not None
    scenario = one.step.recording.scenario
    day = day_of(one.record.at) - timedelta(days=1)
    while any(each.never and each.covers(day) for each in scenario.posting):
        day -= timedelta(days=1)
    return day_end(day)


def _gap(looked: Looked) -> Seen:
    for one, start, end, posted in _intervals(looked, "SMT-GAP"):
        last = floor_interval(one.record.at)
        right = (start, end) == (posted, last)
        yield one.saw(right, f"{iso(start)} to {iso(end)} is asked for, the gap is {iso(posted)} to {iso(last)}")


def _hours_48(looked: Looked) -> Seen:
    for one, start, end, posted in _intervals(looked, "SMT-48-HOURS"):
        first = end - GAP_LIMIT * INTERVAL_S
        asked = len(ends_within(start, end))
        if start != first:
            yield one.saw(False, f"{asked} quarter hours are asked for")
        elif one.final:
            told = [
                (_instant(each.get("start")), _instant(each.get("end"))) for each in one.final.get("uncovered") or []
            ]
            yield one.saw(told == [(posted, start)], "it is not told what the gap leaves uncovered")


def _answer_by(looked: Looked) -> Seen:
    for one in looked.citing("SMT-ANSWER-BY"):
        if one.inquiry:
            by, at = one.answer_by, one._inquiry[0]
            left = None if by is None or at is None else by - to_s(at.at_us)
            yield one.saw(left is not None and left >= _LEAST_S, f"the TDSP is given {left} s")


def _reference(looked: Looked) -> Seen:
    for one in looked.citing("SMT-REFERENCE"):
        if one.inquiry:
            told = one.inquiry.get("callReference")
            yield one.saw(told == one.action.ref, f"the call is {one.action.ref}, and {told!r} is handed on")


# -- the throttle ----------------------------------------------------------------------------------------------------


def _breaches(step: Step, asked: Sequence[Asked]) -> dict[tuple[str, str], list[Breach]]:
    """What the throttle of a step's SMT did against the rules; counted again from what went over the wires."""
    assert step.recording is not None
    lives = []
    for one in asked:
        if one.filed is None or not (one.inquiry or one.told.get("refusal")):
            continue
        scopes = dict.fromkeys(Scope, "") | {Scope.ESIID: str(one.filed.ask.get("ESIID"))}
        kind = Kind.STATUS if one.action.kind == "POWER" else Kind.READ
        life = Asking(
            one.action.ref, to_s(one.filed.exchange.at_us), Requested(kind, Door.API, scopes), _admitted(one), -1
        )
        events: list[tuple[Micros, int]] = [(one.filed.exchange.at_us, 1)]
        back, by = one.back("answer"), one.answer_by
        if back is not None and not one.late(back):
            life.ended_at, life.success = to_s(back.at_us), life.admitted and _success(one)
        elif by is not None and by <= to_s(one.polls[-1].exchange.at_us if one.polls else one.filed.exchange.at_us):
            life.ended_at = by
        lives.append((events[0][0], life))
    _number(lives)
    found: dict[tuple[str, str], list[Breach]] = {}
    for breach in breaches(policy_of(step.recording.scenario), [life for _, life in lives]):
        if breach.author is Author.SMT:
            found.setdefault((step.name, breach.key), []).append(breach)
    return found


def _number(lives: Sequence[tuple[Micros, Asking]]) -> None:
    """Put beginnings and ends into one order, by their instants: an end before a beginning of the same second."""
    events: list[tuple[int, int, Asking]] = []
    for at_us, life in lives:
        events.append((to_s(at_us), 1, life))
        if life.ended_at is not None:
            events.append((life.ended_at, 0, life))
    for number, (_, begins, life) in enumerate(sorted(events, key=lambda one: one[:2])):
        if begins:
            life.after = number
        else:
            life.ended_after = number


def _admitted(one: Asked) -> bool:
    return bool(one.inquiry.get("meterAllowed"))


def _success(one: Asked) -> bool:
    return one.completed and bool(one.answer.get("meterReads"))


def _throttle(ident: str, *, too_many: bool = False, refused: bool = False) -> Callable[[Looked], Seen]:
    """Whether the throttle kept its rules at the requests that cite an id: too_many, one is not let in; refused, it is not turned away."""

    def seen(looked: Looked) -> Seen:
        for one in looked.citing(ident):
            if one.filed is None or not (one.inquiry or one.told.get("refusal")):
                continue
            before = [
                each
                for each in looked.asked
                if each.step is one.step
                and each.record.at < one.record.at
                and _esiid(each) == _esiid(one)
                and (each.action.kind == "POWER") is (one.action.kind == "POWER")
            ]
            if ident != "SMT-ROOM" and not any(_admitted(each) for each in before):
                yield one.saw(None, "no read before it was let through")
                continue
            broken = [
                each
                for each in looked.broken.get((one.step.name, one.action.ref), [])
                if (too_many and each.limit) or (refused and not each.limit)
            ]
            yield one.saw(not broken, broken[0].what if broken else "")

    return seen


def _esiid(one: Asked) -> str:
    return "" if one.filed is None else str(one.filed.ask.get("ESIID"))


def _refused(one: Asked) -> dict[str, Any] | None:
    """The refusal that is told of it, at once or with what the store holds."""
    told = one.told.get("refusal") or one.final.get("refusal")
    return told if isinstance(told, dict) else None


def _refusal(looked: Looked) -> Seen:
    for one in looked.citing("SMT-REFUSAL"):
        if _admitted(one) or one.filed is None or (one.inquiry and not one.final) or looked.had_room(one):
            continue
        told = _refused(one) or {}
        again = _instant(told.get("retryAt"))
        lacks = [name for name in ("code", "reason", "retryAt") if not told.get(name)]
        tomorrow = day_start(day_of(one.record.at) + timedelta(days=1))
        said = (
            f"it lacks {', '.join(lacks)}"
            if lacks
            else f"it says {told.get('retryAt')}, and there is room from {iso(tomorrow)} on"
        )
        yield one.saw(not lacks and again == tomorrow, said)


def _store_only(looked: Looked) -> Seen:
    for one in looked.citing("SMT-STORE-ONLY"):
        if one.action.kind != "INTERVALS" or not one.final or _admitted(one) or looked.had_room(one):
            continue
        refused = one.final.get("statusCode") == "1" and _refused(one) is not None
        some = not one.answer.get("intervals") or bool(one.final.get("intervals"))
        said = "what the store holds is not told" if refused else "it is not told that the meter was not read"
        yield one.saw(refused and some, said)


# -- the answer ------------------------------------------------------------------------------------------------------


def _same(one: Asked, names: Sequence[str]) -> str:
    """What of an answer is handed on otherwise than it was told, in a sentence."""
    for name in names:
        told, handed = (_plain(of.get(name)) for of in (one.answer, one.final))
        if told != handed:
            return f"{name} is handed on as {_short(handed)}, and was told as {_short(told)}"
    return ""


def _plain(value: Any) -> Any:
    """A value without what is written in several ways: instants by their offset, what is empty or left out."""
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items() if one not in (None, [], 0)}
        case list():
            return [_plain(one) for one in value]
        case None:
            return []
        case str():
            at = _instant(value)
            return value if at is None else at
        case _:
            return value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 60 else f"{text[:60]}..."


def _handed_on(ident: str, names: Sequence[str]) -> Callable[[Looked], Seen]:
    def seen(looked: Looked) -> Seen:
        for one in looked.citing(ident):
            if one.completed and one.action.kind == "INTERVALS" and one.final:
                wrong = _same(one, names)
                yield one.saw(not wrong, wrong)

    return seen


def _quality(looked: Looked) -> Seen:
    for one in looked.citing("SMT-QUALITY"):
        if one.completed and one.final:
            yield one.saw(
                one.final.get("quality") == "non-VEE", f"its quality is said to be {one.final.get('quality')}"
            )


def _reads(looked: Looked) -> Seen:
    for one in looked.citing("SMT-READS"):
        if not one.completed or not one.final:
            continue
        if one.action.kind == "POWER":
            wrong = _plain(one.answer["power"]) != _plain(one.final.get("powerStatus"))
            yield one.saw(not wrong, f"{one.answer['power']} is handed on as {one.final.get('powerStatus')}")
        elif "register" in one.answer:
            told, read = one.answer["register"], one.final.get("odrRead") or {}
            stamp, wh = us_stamp(epoch(told["at"])), read.get("registeredRead")
            right = isinstance(wh, (int, float)) and round(wh * 1000) == told["wh"] and read.get("readDate") == stamp
            yield one.saw(right, f"{told['wh']} Wh at {stamp} is handed on as {read}")


def _hole(looked: Looked) -> Seen:
    for one in looked.citing("SMT-HOLE"):
        if one.final and one.answer.get("outcome") == Outcome.COMPLETED:
            yield one.saw(one.final["statusCode"] != "0", "it is handed on as complete")


def _first(looked: Looked) -> Seen:
    for one in looked.citing("SMT-FIRST"):
        again = [back for made, back in one.backs if made in ("same", "differs")]
        if not one.completed or not one.final or not again:
            continue
        merged = _energy(one.final) != _energy(one.answer)
        refused = [back for back in again if back.reply.get("status") != 202]
        said = "the other answer is in it" if merged else "a call-back that comes again is not acknowledged"
        yield one.saw(not merged and not refused, said)


def _energy(told: dict[str, Any]) -> dict[Any, Any]:
    return {_instant(one.get("end")): one.get("wh") for one in told.get("intervals") or []}


def _not_taken(ident: str, how: str, said: str) -> Callable[[Looked], Seen]:
    """A call-back that must be refused."""

    def seen(looked: Looked) -> Seen:
        for one in looked.citing(ident):
            back = one.back(how)
            if back is not None:
                status = back.reply.get("status")
                held = None if status is None else 400 <= status < 500
                yield one.saw(held, "there is no reply" if held is None else f"{said} is answered HTTP {status}")

    return seen


def _late(looked: Looked) -> Seen:
    for one in looked.citing("SMT-LATE"):
        back = one.back("answer")
        if back is not None and one.late(back) and one.polls:
            told = one.polls[-1].reply or {}
            yield one.saw(
                told.get("statusCode") != "0" and not told.get("intervals"), "what was answered too late is told"
            )


def _lost(looked: Looked) -> Seen:
    for one in looked.citing("SMT-T-FAILED"):
        if one.inquiry and one.polls:
            told = one.polls[-1].reply or {}
            reason = str(told.get("statusReason"))
            yield one.saw(
                told.get("statusCode") == "1" and reason.startswith("T-FAILED"),
                f"nobody answered it, and its status is {told.get('statusCode')}: {reason}",
            )


def _failed(looked: Looked) -> Seen:
    for one in looked.citing("SMT-FAILED"):
        if one.answer.get("outcome") == Outcome.FAILED and one.final:
            code, reason = one.final["statusCode"], str(one.final.get("statusReason"))
            held = code == "1" and reason.startswith("FAILED") and one.answer["reason"] in reason
            yield one.saw(held, f"the meter did not answer, and its status is {code}: {reason}")


def _pending(looked: Looked) -> Seen:
    for one in looked.citing("SMT-PEN"):
        back = one.back("answer")
        if back is None or not one.polls or one.late(back) or any(poll.code for poll in one.polls):
            continue
        before = [(poll.reply or {}).get("statusCode") for poll in one.polls if poll.exchange.at_us < back.at_us]
        last = (one.polls[-1].reply or {}).get("statusCode")
        said = f"before it is answered its status is {before}, and in the end {last}"
        yield one.saw(set(before) == {"PEN"} and last in ("0", "1"), said)


# -- what was posted -------------------------------------------------------------------------------------------------


def _posted(looked: Looked) -> Seen:
    """What is told of posted days, held against what the meters hold."""
    for step in looked.steps:
        assert step.recording is not None
        for action in step.recording.scenario.timeline:
            if "SMT-VEE" not in action.verifies or not isinstance(action, UsageRead):
                continue
            its = [
                one
                for one in map(said_of, step.market)
                if one.path == READS and one.exchange.ids.get("trans_id") == action.ref
            ]
            esiid = step.recording.world.accounts[step.recording.scenario.account_of(action).account_id].esiid
            wrong = _days_wrong((its[-1].reply if its else None) or {}, action, looked.all_of_it.truth.get(esiid, {}))
            yield Observation(step.name, action.ref, not wrong, wrong, tuple(one.exchange.n for one in its))


def _days_wrong(told: dict[str, Any], action: UsageRead, held: dict[int, tuple[int, int]]) -> str:
    rows = {str(row.get("DT")): row for row in told.get("energyData") or [] if row.get("RT") == "C"}
    first, last = action.days
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        row = next((row for text, row in rows.items() if _us_day(text) == day), None)
        if row is None:
            return f"nothing is told of {day}"
        try:
            wh = rd_parse(str(row.get("RD")), day)[0].tolist()
        except Exception as error:
            return f"{day} cannot be read: {error}"
        ends = [int(end) for end in ends_within(day_start(day), day_end(day))]
        off = [end for end, one in zip(ends, wh, strict=False) if held.get(end, (None,))[0] != one]
        if len(wh) != len(ends) or off:
            return (
                f"{len(wh)} intervals are told of {day}, which has {len(ends)}; {len(off)} are not what the meter holds"
            )
    return ""


def _us_day(text: str) -> Any:
    try:
        return parse_us_date(text)
    except (MeterError, ValueError):
        return None


_SEEN: dict[str, Callable[[Looked], Seen]] = {
    "SMT-ERRORS": _errors,
    "SMT-AC1": _of_record,
    "SMT-ALIKE": _alike,
    "SMT-TAKEN": _taken,
    "SMT-INQUIRY": _inquired,
    "SMT-GAP": _gap,
    "SMT-48-HOURS": _hours_48,
    "SMT-ANSWER-BY": _answer_by,
    "SMT-REFERENCE": _reference,
    "SMT-ONE-A-DAY": _throttle("SMT-ONE-A-DAY", too_many=True),
    "SMT-ROOM": _throttle("SMT-ROOM", refused=True),
    "SMT-FAILED-FREE": _throttle("SMT-FAILED-FREE", refused=True),
    "SMT-UNDER-WAY": _throttle("SMT-UNDER-WAY", too_many=True),
    "SMT-DAY": _throttle("SMT-DAY", too_many=True, refused=True),
    "SMT-SHARED": _throttle("SMT-SHARED", too_many=True),
    "SMT-STORE-ONLY": _store_only,
    "SMT-REFUSAL": _refusal,
    "SMT-UNCHANGED": _handed_on("SMT-UNCHANGED", _TOLD),
    "SMT-REACHES": _handed_on("SMT-REACHES", _REACHES),
    "SMT-QUALITY": _quality,
    "SMT-READS": _reads,
    "SMT-HOLE": _hole,
    "SMT-FIRST": _first,
    "SMT-LINK-KEY": _not_taken("SMT-LINK-KEY", "no_key", "a call-back without the key"),
    "SMT-LINK-SEAL": _not_taken("SMT-LINK-SEAL", "no_seal", "a call-back at another address"),
    "SMT-LATE": _late,
    "SMT-T-FAILED": _lost,
    "SMT-FAILED": _failed,
    "SMT-PEN": _pending,
    "SMT-VEE": _posted,
}
#: By id what is seen of it.
SEEN: dict[str, Callable[[Looked], Seen]] = {one.id: _SEEN.get(one.id) or _expected(one.id) for one in of_role("smt")}

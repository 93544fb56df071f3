"""What is seen of a head-end, id by id: its inquiries' replies and call-backs, held against what it was asked, and against what its meters hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from headend.wire import InquiryKind, InquiryResult, Outcome
from meters.calendar import INTERVAL_S, Seconds, epoch, floor_interval, iso, seconds, to_s
from meters.events import EventKind
from scenarios.certify.observed import LAST, MOST, Asked, Observation, Observed, Step
from scenarios.outside.call_backs import PATH, TAKEN, read
from scenarios.rules.certified import of_role
from simulator.smt.ondemand.judged import digest
from simulator.smt.ondemand.rules import RULES
from simulator.tap.chain import Exchange

Seen = Iterator[Observation]


@dataclass(frozen=True)
class Looked:
    """What an inquiry is held against beside itself."""

    all_of_it: Observed
    #: By step what meters told unasked.
    _events: dict[str, dict[str, list[tuple[Exchange, str, Seconds]]]] = field(default_factory=dict)

    @cached_property
    def stored(self) -> frozenset[bool]:
        """Of inquiries that might read the meter, and of those that might not: whether an answer holds intervals of the store."""
        found: set[bool] = set()
        for asked in self.all_of_it.inquiries():
            if len(found) == 2:
                break
            if asked.plain and "store" in asked.sources:
                found.add(bool(asked.record.asked["meterAllowed"]))
        return frozenset(found)

    @cached_property
    def _made(self) -> list[Asked]:
        return [one for step in self.all_of_it.steps for one in step.made(self.all_of_it.clock_s)]

    @cached_property
    def _called_back(self) -> dict[str, list[tuple[Step, Exchange]]]:
        own = {one.record.key for one in self._made}
        found: dict[str, list[tuple[Step, Exchange]]] = {}
        for step in self.all_of_it.steps:
            for one in step.call_backs:
                key = str(one.ask["path"]).removeprefix(PATH).partition("/")[0]
                if key in own and len(its := found.setdefault(key, [])) < MOST:
                    its.append((step, one))
        return found

    @cached_property
    def _again(self) -> dict[str, Seconds]:
        """By id when it was first asked again."""
        again = [one.record for one in self._made if one.action.again]
        return {one.key: one.at for one in reversed(again)}

    def called_back(self, asked: Asked) -> Iterator[tuple[Step, Exchange]]:
        """What was called back under an inquiry's id, in whatever step that came; of an id that was asked again what came before that, and of the one that asks it again what came since."""
        again = self._again.get(asked.record.key)
        for step, one in self._called_back.get(asked.record.key, ()):
            since = again is not None and (step.name != asked.step.name or to_s(one.at_us) >= again)
            if since == bool(asked.action.again):
                yield step, one

    def events(self, step: Step) -> dict[str, list[tuple[Exchange, str, Seconds]]]:
        """By ESI ID what meters told unasked in a step, each with its kind and when that was, the last one last. Of a file they are read once."""
        if step.name not in self._events:
            found: dict[str, list[tuple[Exchange, str, Seconds]]] = {}
            for exchange in step.events:
                for one in json.loads(exchange.ask["body"])["events"]:
                    told = (exchange, str(one["kind"]), epoch(one["at"]))
                    found.setdefault(one["esiid"], []).append(told)
            # What breaks breaks for every id that needs it.
            self._events[step.name] = found
        return self._events[step.name]

    def event(self, asked: Asked) -> tuple[Exchange | None, str, Seconds]:
        """What the meter of an inquiry had told last, with its kind and when that was."""
        its = self.events(asked.step).get(asked.record.asked["esiid"], [])
        return next((one for one in reversed(its) if to_s(one[0].at_us) <= asked.record.at), (None, "", seconds(0)))


#: What is seen of an id in an inquiry.
Look = Callable[[Looked, Asked], Seen]
#: What SMT answers to a call-back of which it knows no inquiry any more.
UNKNOWN = 404
#: Why reads show nothing of an inquiry.
OTHERS_TOO = "other meters are read meanwhile too, and what is for the inquiry cannot be told"
#: Below it no line has power, V: less than a half of 240, the lowest that a home is served by. A default of this project.
LEAST_V = 100.0
#: How often a meter is tried for an answer, and again after 30, 60 and 120 s (DOMAIN §7 [D]).
MOST_TRIES = 4
#: Quarter hours of the longest gap that an inquiry has (AMB-7).
LONGEST = 192


def _intervals(asked: Asked, result: InquiryResult) -> bool:
    return asked.record.asked["kind"] == InquiryKind.INTERVALS and bool(result.intervals)


def _of(kind: InquiryKind) -> Callable[[Asked, InquiryResult], bool]:
    return lambda asked, result: asked.record.asked["kind"] == kind and result.outcome is Outcome.COMPLETED


def _always(_: Asked, __: InquiryResult) -> bool:
    return True


#: By rule for answers: whether an answer is one in which it could be broken.
_BEARS_ON: dict[str, Callable[[Asked, InquiryResult], bool]] = {
    "METER-NOT-ALLOWED": lambda asked, _: not asked.record.asked["meterAllowed"],
    "HOLE": _of(InquiryKind.INTERVALS),
    "REACHES-PAST-HOLE": lambda asked, result: _intervals(asked, result) and result.reachesTo is not None,
    "PARTIAL-AT": lambda asked, result: _intervals(asked, result) and result.partial is not None,
    "NO-REGISTER": _of(InquiryKind.REGISTER),
    "REGISTER-AT": _of(InquiryKind.REGISTER),
    "POWER-UNKNOWN": _of(InquiryKind.POWER),
    "POWER-UNBACKED": _of(InquiryKind.POWER),
    "SECOND-ANSWER": _always,
    "MALFORMED": _always,
}


#: What is said where an instant of its own is held against our clock, and the statement tells by how much it may be off.
_OFF = {
    "COLLECTED-AHEAD": "the answer holds what was collected ahead of SMT's clock: {}",
    "REGISTER-AT": "the register read was not taken between the inquiry and the answer: {}",
}


def _rule(ident: str) -> Look:
    """What is seen of a rule for answers."""
    bears = _BEARS_ON.get(ident, _intervals)

    def seen(_: Looked, asked: Asked) -> Seen:
        result = asked.record.result
        if ident in asked.found:
            field, value = asked.found[ident]
            said = _OFF.get(ident, RULES[ident].sentence).format(value)
            yield asked.saw(
                False,
                f"{said} ({field}; its clock may be {asked.clock_s} s off)" if ident in _OFF else f"{said} ({field})",
            )
        elif result is not None and bears(asked, result):
            yield asked.saw(True, "")

    return seen


def _other_id(_: Looked, asked: Asked) -> Seen:
    """Whose id an acknowledgement has; one without a body has none."""
    told = asked.record.told.strip()
    if asked.record.status == 202 and told:
        try:
            said = json.loads(told)
        except (ValueError, RecursionError):
            said = None
        found = said.get("correlationId") if isinstance(said, dict) else None
        yield asked.saw(
            found == asked.record.key, f"the acknowledgement is not of correlationId {asked.record.key}: {told[:80]}"
        )


def _second_answer(look: Look) -> Look:
    """What is seen of further answers, those too that come when something else is asked already."""

    def seen(looked: Looked, asked: Asked) -> Seen:
        result = asked.record.result
        others = [
            (step, one)
            for step, one in looked.called_back(asked)
            if asked.action.again is None
            and one.reply.get("status") in (TAKEN, UNKNOWN)
            and (said := read(str(one.ask.get("body", "")))) is not None
            and result is not None
            and digest(said) != digest(result)
        ]
        if others and "SECOND-ANSWER" not in asked.found:
            step, one = others[0]
            when = f"another answer to it comes in {step.name}, at {iso(to_s(one.at_us))}"
            yield Observation(step.name, asked.action.ref, False, when, (one.n,))
        else:
            yield from look(looked, asked)

    return seen


def _unread(look: Look, bears: Callable[[Asked], bool]) -> Look:
    """What is seen where no meter may be read: as far as meters are ours by what reached them, else by what the answer tells."""

    def seen(looked: Looked, asked: Asked) -> Seen:
        reached = asked.at_meters(asked.record.at)
        its = reached.get(asked.record.asked["esiid"], []) if bears(asked) else []
        if not its:
            yield from look(looked, asked)
        elif len(reached) > 1:
            yield asked.saw(None, OTHERS_TOO, *its)
        else:
            result = asked.record.result
            told = "and nothing is told" if result is None else f"and {result.meterReads} reads are told"
            yield asked.saw(
                False, f"the meter is asked {len(its)} times by Modbus{' and more' * (len(its) == MOST)}, {told}", *its
            )

    return seen


def _clean(asked: Asked) -> InquiryResult | None:
    """An answer in which no rule is broken; another shows nothing else."""
    return None if asked.found else asked.record.result


def _taken(_: Looked, asked: Asked) -> Seen:
    if asked.plain and len(asked.gap) <= LONGEST:
        status = asked.record.status
        yield asked.saw(
            status == 202, f"the inquiry is answered {'not at all' if status is None else f'HTTP {status}'}"
        )


def _in_time(_: Looked, asked: Asked) -> Seen:
    if asked.plain and asked.record.status == 202 and not asked.action.meets:
        until = epoch(asked.record.asked["answerBy"])
        held = any(one.at <= until for one in asked.record.came)
        yield asked.saw(held, f"nothing is called back by {asked.record.asked['answerBy']}")


def _answers(kind: InquiryKind) -> Look:
    """Whether an inquiry that can be answered is. Of a meter without power only what it told may be known; the longest gap is looked at by itself."""

    def seen(looked: Looked, asked: Asked) -> Seen:
        said, result = asked.record.asked, _clean(asked)
        if not asked.plain or said["kind"] != kind or result is None or len(asked.gap) >= LONGEST:
            return
        if said["meterAllowed"] and looked.event(asked)[1] != EventKind.LAST_GASP:
            reason = f" ({result.reason})" if result.reason else ""
            held = result.outcome is Outcome.COMPLETED
            yield asked.saw(held, f"what the meter can tell is answered {result.outcome.value}{reason}")

    return seen


def _bears_key(_: Looked, asked: Asked) -> Seen:
    for one in asked.record.came:
        lacks = "the head-end's key" if not one.keyed else "the seal of the inquiry's address"
        yield asked.saw(one.keyed and one.sealed, f"a call-back comes without {lacks}")


def _refused(which: Callable[[Asked], bool], said: str) -> Look:
    """An inquiry that must not be accepted."""

    def seen(_: Looked, asked: Asked) -> Seen:
        if which(asked):
            status = asked.record.status
            held = None if status is None else 400 <= status < 500
            yield asked.saw(held, "there is no reply" if held is None else f"{said} is answered HTTP {status}")

    return seen


def _asks_key(looked: Looked, asked: Asked) -> Seen:
    """An inquiry without a key: not accepted, and not worked at either."""
    if asked.action.key == "none" and (its := [*looked.called_back(asked)]):
        step, one = its[0]
        said = f"an inquiry without a key is answered HTTP {asked.record.status}, and called back in {step.name}"
        yield Observation(step.name, asked.action.ref, False, said, (one.n,))
    else:
        yield from _refused(lambda one: one.action.key == "none", "an inquiry without a key")(looked, asked)


def _again(asked: Asked, *, same: bool) -> bool:
    """Whether it has the id of an inquiry that was taken, and asks for the same or for something else."""
    first = asked.first
    if first is None or first.status != 202:
        return False
    return same is all(asked.record.asked.get(one) == first.asked.get(one) for one in ("kind", "start", "end", "esiid"))


def _once(looked: Looked, asked: Asked) -> Seen:
    if asked.action.again and _again(asked, same=True):
        status = asked.record.status
        more = max(len(asked.record.came), sum(1 for _ in looked.called_back(asked)))
        said = f"the repeated inquiry is answered HTTP {status}, and {more} more call-back{'s' * (more != 1)} made"
        yield asked.saw(status == 202 and not more, said)


def _stranger(_: Looked, asked: Asked) -> Seen:
    if asked.action.whose == "stranger":
        status, result = asked.record.status, asked.record.result
        told = result is not None and (
            bool(result.intervals or result.register_read or result.meterReads)
            or (result.power is not None and result.power.status != "UNKNOWN")
        )
        said = "usage of an ESI ID is told that is not the TDSP's, or a meter of it read"
        yield asked.saw(None if status is None else not told, "there is no reply" if status is None else said)


def _meets(what: str) -> Look:
    def seen(_: Looked, asked: Asked) -> Seen:
        if what in asked.action.meets:
            times, taken = len(asked.record.came), asked.record.status == TAKEN
            said = "it is called back once, and never again" if times else "nothing is called back"
            # What was not accepted, as HE-TAKEN has it, need not be called back at all.
            yield asked.saw(True if times > 1 else False if times and taken else None, said)

    return seen


def _again_same(_: Looked, asked: Asked) -> Seen:
    tries = asked.record.tries()
    if asked.action.meets:
        enough = len(tries) > 1
        yield asked.saw(
            asked.record.tries_agree if enough else None,
            "what is called back again is not the same" if enough else "nothing is called back again",
        )


def _over(asked: Asked) -> bool:
    """Whether its time is over by every clock that is off as it may be."""
    return asked.action.answer_within_s < -asked.clock_s


def _too_late(_: Looked, asked: Asked) -> Seen:
    if _over(asked):
        result = asked.record.result
        reads = 0 if result is None else result.meterReads
        of_meter = result is not None and "meter" in asked.sources
        yield asked.saw(
            None if asked.record.status is None else not reads and not of_meter,
            f"{reads} reads of the meter are told",
        )


def _reads(looked: Looked, asked: Asked) -> Seen:
    """The reads that are told: of what only a read can tell there is one, of what reaches a meter of ours too, and none comes after the answer."""
    result, answered, esiid = _clean(asked), asked.record.answered, asked.record.asked["esiid"]
    if not asked.plain or not asked.record.asked["meterAllowed"] or result is None or answered is None:
        return
    reads, most = result.meterReads, MOST_TRIES * asked.record.meters
    told = result.register_read is not None or (result.power is not None and result.power.source == "reply")
    # A meter that has told something is read for that, and one that is dark may be tried as often as one likes.
    heard = next((one for one, *_ in looked.events(asked.step).get(esiid, []) if to_s(one.at_us) >= asked.record.at), None)  # fmt: skip
    until = LAST if heard is None else to_s(heard.at_us)
    during, after = (asked.at_meters(since, until) for since in (asked.record.at, answered.at + seconds(1)))
    wrong, its = "", list[Exchange]()
    if told and not reads:
        wrong = "what only the meter can tell is told, and no read of it"
    elif reads > most > 0 and looked.event(asked)[1] != EventKind.LAST_GASP:
        wrong = f"{reads} reads are told, and a meter that answers is tried {MOST_TRIES} times at most"
    elif not reads and (its := during.get(esiid, [])):
        wrong = f"the meter is asked {len(its)} times by Modbus, and no read is told"
    elif its := after.get(esiid, []):
        wrong = f"the meter is asked {len(its)} times by Modbus after it is answered"
    if its and len(during) > 1:
        yield asked.saw(None, OTHERS_TOO, *its)
    else:
        yield asked.saw(not wrong, wrong, *its)


def _store_first(looked: Looked, asked: Asked) -> Seen:
    said = asked.record.asked
    if asked.plain and said["meterAllowed"] and said["storeAllowed"] and (result := _clean(asked)) and result.intervals:
        stored = "store" in asked.sources
        known = not stored and False in looked.stored
        yield asked.saw(
            True if stored else False if known else None,
            "every interval is of the meter" + (", and the store holds some" if known else ""),
        )


def _store_only(looked: Looked, asked: Asked) -> Seen:
    if asked.plain and not asked.record.asked["meterAllowed"] and (result := _clean(asked)):
        whole = asked.told == asked.gap
        right = result.outcome is (Outcome.COMPLETED if whole else Outcome.REFUSED)
        if result.intervals and right:
            yield asked.saw(True, "")
        elif not right:
            yield asked.saw(
                False,
                f"an answer that lacks a part is {result.outcome.value}"
                if not whole
                else f"a whole answer is {result.outcome.value}",
            )
        else:
            known = True in looked.stored
            yield asked.saw(
                False if known else None, "nothing of the store is told" + (", which holds some" if known else "")
            )


def _meter_only(_: Looked, asked: Asked) -> Seen:
    if asked.plain and not asked.record.asked["storeAllowed"] and (result := _clean(asked)) and result.intervals:
        yield asked.saw(asked.sources == {"meter"}, "intervals of the store are told where it may not be used")


def _hours_48(_: Looked, asked: Asked) -> Seen:
    if not asked.plain:
        return
    gap, result, status = asked.gap, asked.record.result, asked.record.status
    # Who may not read the meter has what the store holds: that is looked at by itself.
    if len(gap) == LONGEST and asked.record.asked["meterAllowed"] and _clean(asked):
        yield asked.saw(asked.told == gap, f"of {LONGEST} quarter hours {len(asked.told)} are told")
    elif len(gap) > LONGEST and status is not None:
        yield asked.saw(
            result is None or not result.intervals, f"{len(gap)} quarter hours are answered, more than 48 hours"
        )


def _day_of(quarters: int) -> Look:
    """The day of so many quarter hours. An answer with 96 takes it for any day; one that is otherwise wrong shows nothing of that."""

    def seen(_: Looked, asked: Asked) -> Seen:
        result = asked.record.result
        if asked.plain and result is not None and len(asked.gap) == quarters:
            told = asked.told
            held = True if told == asked.gap else False if len(told) == 96 else None
            yield asked.saw(held, f"{len(told)} quarter hours are told of a day of {quarters}")

    return seen


def _truth(looked: Looked, asked: Asked) -> Seen:
    esiid, result = asked.record.asked["esiid"], _clean(asked)
    held = looked.all_of_it.truth.get(esiid)
    if not asked.plain or asked.action.meets or not held or result is None or not (result.intervals or result.missing):
        return
    gone = [int(one.timestamp()) for one in result.missing]
    late = looked.all_of_it.late
    if false := sorted(end for end in gone if end in held and late.get((esiid, end), 0) <= asked.record.at):
        first = iso(seconds(false[0]))
        said = f"{len(false)} of {len(gone)} intervals that are told missing the meter holds, the first ends {first}"
        yield asked.saw(False, said)
        return
    # Those in which energy was given are looked at by themselves.
    given = looked.all_of_it.given.get(esiid, {})
    known = [
        (one, held[end]) for one in result.intervals if (end := int(one.end.timestamp())) in held and end not in given
    ]
    wrong = [(one, wh) for one, (wh, _) in known if one.wh != wh]
    said = (
        ""
        if not wrong
        else f"{len(wrong)} of {len(known)} intervals are not what the meter holds, the first ends {wrong[0][0].end.isoformat()}: {wrong[0][0].wh} Wh, the meter has {wrong[0][1]} Wh"
    )
    there = [one for one in result.intervals if int(one.end.timestamp()) in held]
    if len(there) < len(result.intervals) and not wrong:
        # What is compared in part shows nothing of the rest.
        said = f"of {len(result.intervals)} intervals that are told the truth has {len(there)}, and nobody can compare the rest"
        yield asked.saw(None, said, needed=True)
    else:
        yield asked.saw(not wrong, said)


def _register(looked: Looked, asked: Asked) -> Seen:
    held, result = looked.all_of_it.truth.get(asked.record.asked["esiid"]), _clean(asked)
    read = result.register_read if result else None
    if not asked.plain or not held or read is None:
        return
    # Within a quarter hour it lies between the two ends.
    at = seconds(read.at.timestamp())
    before = floor_interval(at - asked.clock_s)
    low, high = held.get(before), held.get(floor_interval(at + asked.clock_s) + INTERVAL_S)
    if low and high:
        yield asked.saw(
            low[1] <= read.wh <= high[1],
            f"{read.wh} Wh are told, the meter shows {low[1]} to {high[1]} Wh about {iso(before)}",
        )


def _partial(looked: Looked, asked: Asked) -> Seen:
    """What is told beyond the gap: by how much the register has grown since, within the quarter hours about both ends."""
    held, result = looked.all_of_it.truth.get(asked.record.asked["esiid"], {}), _clean(asked)
    told, answered = (result.partial if result else None), asked.record.answered
    if not asked.plain or asked.action.meets or result is None or answered is None or not asked.gap:
        return
    if told is None:
        yield asked.saw(True, "")
        return
    start, at = (seconds(one.timestamp()) for one in (told.start, told.asOf))
    if at > answered.at + asked.clock_s or abs(at - start - told.seconds) > asked.clock_s:
        said = f"what runs is told to {iso(at)} and as {told.seconds} s, and it is {iso(answered.at)}"
        yield asked.saw(False, said)
        return
    ends = (start, floor_interval(at - asked.clock_s), floor_interval(at + asked.clock_s) + INTERVAL_S)
    if all(one in held for one in ends):
        begins, low, high = (held[one][1] for one in ends)
        said = f"{told.wh} Wh are told of what runs, the meter has counted {max(0, low - begins)} to {high - begins} Wh"
        yield asked.saw(max(0, low - begins) <= told.wh <= high - begins, said)
    else:
        yield asked.saw(None, "of what runs the truth has no register, and nobody can compare it", needed=True)


def _power_told(looked: Looked, asked: Asked) -> Seen:
    """The rest of a power status: when it was so, and of a meter that has power its voltage, and a switch through which energy flows."""
    result, answered = _clean(asked), asked.record.answered
    power, (event, kind, since) = result.power if result else None, looked.event(asked)
    if not asked.plain or power is None or answered is None or power.status == "UNKNOWN":
        return
    # What is told as off after power was back is looked at by itself.
    if power.status == "OFF" and kind != EventKind.LAST_GASP:
        if event is None and _flows(looked, asked):
            yield asked.saw(False, "its power is told off, and the meter has told nothing and counts")
        return
    wrong = []
    first, last = (
        (asked.record.at, answered.at) if event is None or power.status == "ON" else (since, to_s(event.at_us))
    )
    at = first if power.at is None else seconds(power.at.timestamp())
    if not first - asked.clock_s <= at <= last + asked.clock_s:
        wrong.append(f"it is told as of {iso(at)}")
    if power.status == "ON" and power.voltage is not None and power.voltage < LEAST_V:
        wrong.append(f"a meter that has power is told to have {power.voltage:g} V")
    if power.status == "ON" and power.switchState == "OPEN" and _flows(looked, asked):
        wrong.append("its switch is told open, and energy flows through it")
    yield asked.saw(not wrong, ", and ".join(wrong))


def _flows(looked: Looked, asked: Asked) -> bool:
    """Whether the meter counts in the quarter hour of an inquiry, and in the one before."""
    held, now = looked.all_of_it.truth.get(asked.record.asked["esiid"], {}), floor_interval(asked.record.at)
    return all(held.get(end, (0, 0))[0] > 0 for end in (now, now + INTERVAL_S))


def _power(kind: EventKind, status: str, source: str) -> Look:
    """The power status after an event of a kind."""

    def seen(looked: Looked, asked: Asked) -> Seen:
        if asked.record.asked["kind"] != InquiryKind.POWER:
            return
        exchange, last, _ = looked.event(asked)
        if exchange is None or last != kind:
            return
        taken, result = exchange.reply.get("status"), _clean(asked)
        if taken != 202:
            yield asked.saw(False, f"the meter's event is answered HTTP {taken}", exchange)
        elif result is not None:
            power = result.power
            told = "nothing" if power is None else f"{power.status} by {power.source}"
            yield asked.saw(told == f"{status} by {source}", f"after the meter's {kind} it tells {told}", exchange)

    return seen


def _channel_1(looked: Looked, asked: Asked) -> Seen:
    """What is told where energy was given too. Of an answer that is wrong elsewhere it shows nothing."""
    esiid, result = asked.record.asked["esiid"], _clean(asked)
    held, given = looked.all_of_it.truth.get(esiid, {}), looked.all_of_it.given.get(esiid, {})
    if not asked.plain or result is None:
        return
    by_end = {int(one.end.timestamp()): one.wh for one in result.intervals}
    gives = sorted(by_end.keys() & given.keys())
    if gives and all(wh == held[end][0] for end, wh in by_end.items() if end in held and end not in given):
        wrong = [end for end in gives if by_end[end] != held[end][0]]
        said = (
            ""
            if not wrong
            else f"{len(wrong)} of {len(gives)} intervals are not what was taken, the first ends {iso(seconds(wrong[0]))}: {by_end[wrong[0]]} Wh, and the meter has {held[wrong[0]][0]} Wh taken and {given[wrong[0]]} Wh given"
        )
        yield asked.saw(not wrong, said)


_SEEN: dict[str, Look] = {
    "OTHER-ID": _other_id,
    "SECOND-ANSWER": _second_answer(_rule("SECOND-ANSWER")),
    "METER-NOT-ALLOWED": _unread(_rule("METER-NOT-ALLOWED"), lambda asked: not asked.record.asked["meterAllowed"]),
    "HE-TAKEN": _taken,
    "HE-IN-TIME": _in_time,
    "HE-ANSWERS-INTERVALS": _answers(InquiryKind.INTERVALS),
    "HE-ANSWERS-REGISTER": _answers(InquiryKind.REGISTER),
    "HE-ANSWERS-POWER": _answers(InquiryKind.POWER),
    "HE-BEARS-KEY": _bears_key,
    "HE-ASKS-KEY": _asks_key,
    "HE-ONCE": _once,
    "HE-OTHER": _refused(lambda asked: _again(asked, same=False), "another inquiry under a known id"),
    "HE-STRANGER": _stranger,
    "HE-AGAIN-500": _meets("error"),
    "HE-AGAIN-CUT": _meets("cut"),
    "HE-AGAIN-SAME": _again_same,
    "HE-TOO-LATE": _unread(_too_late, _over),
    "HE-READS": _reads,
    "HE-STORE-FIRST": _store_first,
    "HE-STORE-ONLY": _store_only,
    "HE-METER-ONLY": _meter_only,
    "HE-48-HOURS": _hours_48,
    "HE-DST-SPRING": _day_of(92),
    "HE-DST-FALL": _day_of(100),
    "HE-TRUTH": _truth,
    "HE-REGISTER": _register,
    "HE-PARTIAL": _partial,
    "HE-POWER-TOLD": _power_told,
    "HE-LAST-GASP": _power(EventKind.LAST_GASP, "OFF", "event"),
    "HE-POWER-BACK": _power(EventKind.RESTORATION, "ON", "reply"),
    "HE-CHANNEL-1": _channel_1,
}
#: By id what is seen of it.
SEEN: dict[str, Look] = {
    one.id: _SEEN[one.id] if one.id in _SEEN else _rule(one.id) for one in of_role("headend") if one.claim != "LSE"
}

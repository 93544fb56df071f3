"""What is seen of a head-end's answers, id by id: held against what it was asked, and against what its meters hold."""

from __future__ import annotations

import json
from collections.abc import Callable

from headend.wire import InquiryKind, InquiryResult, Outcome
from meters.calendar import INTERVAL_S, floor_interval, iso, seconds, to_s
from meters.events import EventKind
from scenarios.certify.headend import recorded
from scenarios.certify.headend.recorded import Look, Looked, Seen, clean, second_answer, unread
from scenarios.certify.observed import Asked
from scenarios.rules.certified import of_role
from simulator.smt.ondemand.rules import RULES

#: Below it no line has power, V: less than a half of 240, the lowest that a home is served by. A default of this project.
LEAST_V = 100.0
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


def _taken(_: Looked, asked: Asked) -> Seen:
    if asked.plain and len(asked.gap) <= LONGEST:
        status = asked.record.status
        yield asked.saw(
            status == 202, f"the inquiry is answered {'not at all' if status is None else f'HTTP {status}'}"
        )


def _answers(kind: InquiryKind) -> Look:
    """Whether an inquiry that can be answered is. Of a meter without power only what it told may be known; the longest gap is looked at by itself."""

    def seen(looked: Looked, asked: Asked) -> Seen:
        said, result = asked.record.asked, clean(asked)
        if not asked.plain or said["kind"] != kind or result is None or len(asked.gap) >= LONGEST:
            return
        if said["meterAllowed"] and looked.event(asked)[1] != EventKind.LAST_GASP:
            reason = f" ({result.reason})" if result.reason else ""
            held = result.outcome is Outcome.COMPLETED
            yield asked.saw(held, f"what the meter can tell is answered {result.outcome.value}{reason}")

    return seen


def _stranger(_: Looked, asked: Asked) -> Seen:
    if asked.action.whose == "stranger":
        status, result = asked.record.status, asked.record.result
        told = result is not None and (
            bool(result.intervals or result.register_read or result.meterReads)
            or (result.power is not None and result.power.status != "UNKNOWN")
        )
        said = "usage of an ESI ID is told that is not the TDSP's, or a meter of it read"
        yield asked.saw(None if status is None else not told, "there is no reply" if status is None else said)


def _store_first(looked: Looked, asked: Asked) -> Seen:
    said = asked.record.asked
    if asked.plain and said["meterAllowed"] and said["storeAllowed"] and (result := clean(asked)) and result.intervals:
        stored = "store" in asked.sources
        known = not stored and False in looked.stored
        yield asked.saw(
            True if stored else False if known else None,
            "every interval is of the meter" + (", and the store holds some" if known else ""),
        )


def _store_only(looked: Looked, asked: Asked) -> Seen:
    if asked.plain and not asked.record.asked["meterAllowed"] and (result := clean(asked)):
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
    if asked.plain and not asked.record.asked["storeAllowed"] and (result := clean(asked)) and result.intervals:
        yield asked.saw(asked.sources == {"meter"}, "intervals of the store are told where it may not be used")


def _hours_48(_: Looked, asked: Asked) -> Seen:
    if not asked.plain:
        return
    gap, result, status = asked.gap, asked.record.result, asked.record.status
    # Who may not read the meter has what the store holds: that is looked at by itself.
    if len(gap) == LONGEST and asked.record.asked["meterAllowed"] and clean(asked):
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
    esiid, result = asked.record.asked["esiid"], clean(asked)
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
    held, result = looked.all_of_it.truth.get(asked.record.asked["esiid"]), clean(asked)
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
    held, result = looked.all_of_it.truth.get(asked.record.asked["esiid"], {}), clean(asked)
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
    result, answered = clean(asked), asked.record.answered
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
        taken, result = exchange.reply.get("status"), clean(asked)
        if taken != 202:
            yield asked.saw(False, f"the meter's event is answered HTTP {taken}", exchange)
        elif result is not None:
            power = result.power
            told = "nothing" if power is None else f"{power.status} by {power.source}"
            yield asked.saw(told == f"{status} by {source}", f"after the meter's {kind} it tells {told}", exchange)

    return seen


def _channel_1(looked: Looked, asked: Asked) -> Seen:
    """What is told where energy was given too. Of an answer that is wrong elsewhere it shows nothing."""
    esiid, result = asked.record.asked["esiid"], clean(asked)
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


_SEEN: dict[str, Look] = recorded.SEEN | {
    "OTHER-ID": _other_id,
    "SECOND-ANSWER": second_answer(_rule("SECOND-ANSWER")),
    "METER-NOT-ALLOWED": unread(_rule("METER-NOT-ALLOWED"), lambda asked: not asked.record.asked["meterAllowed"]),
    "HE-TAKEN": _taken,
    "HE-ANSWERS-INTERVALS": _answers(InquiryKind.INTERVALS),
    "HE-ANSWERS-REGISTER": _answers(InquiryKind.REGISTER),
    "HE-ANSWERS-POWER": _answers(InquiryKind.POWER),
    "HE-STRANGER": _stranger,
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

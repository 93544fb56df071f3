"""What is seen of a head-end, id by id: its inquiries' replies and call-backs, held against what it was asked, and against what its meters hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from headend.wire import InquiryKind, InquiryResult, Outcome
from meters.calendar import INTERVAL_S, Seconds, ends_within, epoch, floor_interval, iso, seconds, to_s
from meters.events import EventKind
from scenarios.certified import of_role
from scenarios.certify.observed import Asked, Observation, Observed, Step
from simulator.smt.ondemand.rules import RULES
from simulator.tap.chain import Exchange

Seen = Iterator[Observation]
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
    "OTHER-ID": _always,
    "SECOND-ANSWER": _always,
    "MALFORMED": _always,
}


#: What is said where an instant of its own is held against our clock, and the statement tells by how much it may be off.
_OFF = {
    "COLLECTED-AHEAD": "the answer holds what was collected ahead of SMT's clock: {}",
    "REGISTER-AT": "the register read was not taken between the inquiry and the answer: {}",
}


def _rule(ident: str) -> Callable[[Observed], Seen]:
    """What is seen of a rule for answers."""
    bears = _BEARS_ON.get(ident, _intervals)

    def seen(all_of_it: Observed) -> Seen:
        for asked in all_of_it.inquiries:
            result = asked.record.result
            if ident in asked.found:
                field, value = asked.found[ident]
                said = _OFF.get(ident, RULES[ident].sentence).format(value)
                yield asked.saw(
                    False,
                    f"{said} ({field}; its clock may be {asked.clock_s} s off)"
                    if ident in _OFF
                    else f"{said} ({field})",
                )
            elif result is not None and bears(asked, result):
                yield asked.saw(True, "")

    return seen


def _clean(asked: Asked) -> InquiryResult | None:
    """An answer in which no rule is broken; another shows nothing else."""
    return None if asked.found else asked.record.result


def _told(result: InquiryResult) -> list[Seconds]:
    return sorted(seconds(one.timestamp()) for one in (*(each.end for each in result.intervals), *result.missing))


def _gap(asked: Asked) -> list[Seconds]:
    """Where the quarter hours end that were asked for; none of a register or a power status."""
    if "start" not in asked.record.asked:
        return []
    return list(ends_within(epoch(asked.record.asked["start"]), epoch(asked.record.asked["end"])))


def _sources(result: InquiryResult) -> set[str]:
    return {one.source for one in result.intervals}


def _taken(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        if asked.plain and len(_gap(asked)) <= LONGEST:
            status = asked.record.status
            yield asked.saw(
                status == 202, f"the inquiry is answered {'not at all' if status is None else f'HTTP {status}'}"
            )


def _in_time(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        if asked.plain and asked.record.status == 202 and not asked.action.meets:
            until = epoch(asked.record.asked["answerBy"])
            held = any(one.at <= until for one in asked.record.came)
            yield asked.saw(held, f"nothing is called back by {asked.record.asked['answerBy']}")


def _bears_key(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        for one in asked.record.came:
            lacks = "the head-end's key" if not one.keyed else "the seal of the inquiry's address"
            yield asked.saw(one.keyed and one.sealed, f"a call-back comes without {lacks}")


def _refused(which: Callable[[Observed, Asked], bool], said: str) -> Callable[[Observed], Seen]:
    """An inquiry that must not be accepted."""

    def seen(all_of_it: Observed) -> Seen:
        for asked in all_of_it.inquiries:
            if which(all_of_it, asked):
                status = asked.record.status
                held = None if status is None else 400 <= status < 500
                yield asked.saw(held, "there is no reply" if held is None else f"{said} is answered HTTP {status}")

    return seen


def _same_gap(asked: Asked, first: Asked) -> bool:
    return {name: asked.record.asked.get(name) for name in ("kind", "start", "end", "esiid")} == {
        name: first.record.asked.get(name) for name in ("kind", "start", "end", "esiid")
    }


def _again(all_of_it: Observed, asked: Asked, *, same: bool) -> bool:
    first = next(
        (one for one in all_of_it.inquiries if one.step is asked.step and one.action.ref == asked.action.again), None
    )
    return first is not None and first.record.status == 202 and _same_gap(asked, first) is same


def _once(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        if asked.action.again and _again(all_of_it, asked, same=True):
            status, more = asked.record.status, len(asked.record.came)
            said = f"the repeated inquiry is answered HTTP {status}, and {more} more call-back{'s' * (more != 1)} made"
            yield asked.saw(status == 202 and not more, said)


def _stranger(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        if asked.action.whose == "stranger":
            status, result = asked.record.status, asked.record.result
            told = result is not None and (
                bool(result.intervals or result.register_read or result.meterReads)
                or (result.power is not None and result.power.status != "UNKNOWN")
            )
            said = "usage of an ESI ID is told that is not the TDSP's, or a meter of it read"
            yield asked.saw(None if status is None else not told, "there is no reply" if status is None else said)


def _meets(what: str) -> Callable[[Observed], Seen]:
    def seen(all_of_it: Observed) -> Seen:
        for asked in all_of_it.inquiries:
            if what in asked.action.meets:
                times = len(asked.record.came)
                yield asked.saw(
                    None if not times else times > 1,
                    "it is called back once, and never again" if times else "nothing is called back",
                )

    return seen


def _again_same(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        tries = asked.record.tries()
        if asked.action.meets:
            enough = len(tries) > 1
            yield asked.saw(
                asked.record.tries_agree if enough else None,
                "what is called back again is not the same" if enough else "nothing is called back again",
            )


def _too_late(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        # Within what its clock may be off, it may take the time for not over.
        if asked.action.answer_within_s < -asked.clock_s:
            result = asked.record.result
            reads = 0 if result is None else result.meterReads
            of_meter = result is not None and "meter" in _sources(result)
            yield asked.saw(
                None if asked.record.status is None else not reads and not of_meter,
                f"{reads} reads of the meter are told",
            )


def _stored(all_of_it: Observed, allowed: bool) -> bool:
    """Whether an answer to an inquiry that might read the meter, or to one that might not, holds intervals of the store."""
    return any(
        "store" in _sources(asked.record.result)
        for asked in all_of_it.inquiries
        if asked.plain and asked.record.result and asked.record.asked["meterAllowed"] is allowed
    )


def _store_first(all_of_it: Observed) -> Seen:
    known = _stored(all_of_it, allowed=False)
    for asked in all_of_it.inquiries:
        said = asked.record.asked
        if (
            asked.plain
            and said["meterAllowed"]
            and said["storeAllowed"]
            and (result := _clean(asked))
            and result.intervals
        ):
            stored = "store" in _sources(result)
            yield asked.saw(
                True if stored else False if known else None,
                "every interval is of the meter" + (", and the store holds some" if known else ""),
            )


def _store_only(all_of_it: Observed) -> Seen:
    known = _stored(all_of_it, allowed=True)
    for asked in all_of_it.inquiries:
        if asked.plain and not asked.record.asked["meterAllowed"] and (result := _clean(asked)):
            whole = _told(result) == _gap(asked)
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
                yield asked.saw(
                    False if known else None, "nothing of the store is told" + (", which holds some" if known else "")
                )


def _meter_only(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        if asked.plain and not asked.record.asked["storeAllowed"] and (result := _clean(asked)) and result.intervals:
            yield asked.saw(_sources(result) == {"meter"}, "intervals of the store are told where it may not be used")


def _hours_48(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        if not asked.plain:
            continue
        gap, result, status = _gap(asked), asked.record.result, asked.record.status
        if len(gap) == LONGEST and (clean := _clean(asked)):
            yield asked.saw(_told(clean) == gap, f"of {LONGEST} quarter hours {len(_told(clean))} are told")
        elif len(gap) > LONGEST and status is not None:
            yield asked.saw(
                result is None or not result.intervals, f"{len(gap)} quarter hours are answered, more than 48 hours"
            )


def _day_of(quarters: int) -> Callable[[Observed], Seen]:
    """The day of so many quarter hours. An answer with 96 takes it for any day; one that is otherwise wrong shows nothing of that."""

    def seen(all_of_it: Observed) -> Seen:
        for asked in all_of_it.inquiries:
            result = asked.record.result
            if asked.plain and result is not None and len(_gap(asked)) == quarters:
                told = _told(result)
                held = True if told == _gap(asked) else False if len(told) == 96 else None
                yield asked.saw(held, f"{len(told)} quarter hours are told of a day of {quarters}")

    return seen


def _truth(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        held, result = all_of_it.truth.get(asked.record.asked["esiid"]), _clean(asked)
        if not asked.plain or asked.action.meets or not held or result is None or not result.intervals:
            continue
        # Those in which energy was given are looked at by themselves.
        given = all_of_it.given.get(asked.record.asked["esiid"], {})
        known = [
            (one, held[end])
            for one in result.intervals
            if (end := int(one.end.timestamp())) in held and end not in given
        ]
        wrong = [(one, wh) for one, (wh, _) in known if one.wh != wh]
        said = (
            ""
            if not wrong
            else f"{len(wrong)} of {len(known)} intervals are not what the meter holds, the first ends {wrong[0][0].end.isoformat()}: {wrong[0][0].wh} Wh, the meter has {wrong[0][1]} Wh"
        )
        yield asked.saw(not wrong if known else None, said if known else "nobody knows what the meter holds")


def _register(all_of_it: Observed) -> Seen:
    for asked in all_of_it.inquiries:
        held, result = all_of_it.truth.get(asked.record.asked["esiid"]), _clean(asked)
        read = result.register_read if result else None
        if not asked.plain or not held or read is None:
            continue
        # Within a quarter hour it lies between the two ends.
        at = seconds(read.at.timestamp())
        before = floor_interval(at - asked.clock_s)
        low, high = held.get(before), held.get(floor_interval(at + asked.clock_s) + INTERVAL_S)
        if low and high:
            yield asked.saw(
                low[1] <= read.wh <= high[1],
                f"{read.wh} Wh are told, the meter shows {low[1]} to {high[1]} Wh about {iso(before)}",
            )


def _told_events(step: Step) -> dict[str, list[tuple[Exchange, str]]]:
    """By ESI ID what meters told unasked in a step, each with its kind, the last one last."""
    told: dict[str, list[tuple[Exchange, str]]] = {}
    for exchange in step.events:
        for one in json.loads(exchange.ask["body"])["events"]:
            told.setdefault(one["esiid"], []).append((exchange, str(one["kind"])))
    return told


def _power(kind: EventKind, status: str, source: str) -> Callable[[Observed], Seen]:
    """The power status after an event of a kind."""

    def seen(all_of_it: Observed) -> Seen:
        # Once for each step: of a file they are read anew each time.
        by_step: dict[str, dict[str, list[tuple[Exchange, str]]]] = {}
        for asked in all_of_it.inquiries:
            if asked.record.asked["kind"] != InquiryKind.POWER:
                continue
            name = asked.step.name
            if name not in by_step:
                by_step[name] = _told_events(asked.step)
            its = by_step[name].get(asked.record.asked["esiid"], [])
            before = [one for one in its if to_s(one[0].at_us) <= asked.record.at]
            exchange, last = before[-1] if before else (None, "")
            if exchange is None or last != kind:
                continue
            taken, result = exchange.reply.get("status"), _clean(asked)
            if taken != 202:
                yield asked.saw(False, f"the meter's event is answered HTTP {taken}", exchange)
            elif result is not None:
                power = result.power
                told = "nothing" if power is None else f"{power.status} by {power.source}"
                yield asked.saw(told == f"{status} by {source}", f"after the meter's {kind} it tells {told}", exchange)

    return seen


def _channel_1(all_of_it: Observed) -> Seen:
    """What is told where energy was given too. Of an answer that is wrong elsewhere it shows nothing."""
    for asked in all_of_it.inquiries:
        esiid, result = asked.record.asked["esiid"], _clean(asked)
        held, given = all_of_it.truth.get(esiid, {}), all_of_it.given.get(esiid, {})
        if not asked.plain or result is None:
            continue
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


_SEEN: dict[str, Callable[[Observed], Seen]] = {
    "HE-TAKEN": _taken,
    "HE-IN-TIME": _in_time,
    "HE-BEARS-KEY": _bears_key,
    "HE-ASKS-KEY": _refused(lambda _, asked: asked.action.key == "none", "an inquiry without a key"),
    "HE-ONCE": _once,
    "HE-OTHER": _refused(
        lambda all_of_it, asked: _again(all_of_it, asked, same=False), "another inquiry under a known id"
    ),
    "HE-STRANGER": _stranger,
    "HE-AGAIN-500": _meets("error"),
    "HE-AGAIN-CUT": _meets("cut"),
    "HE-AGAIN-SAME": _again_same,
    "HE-TOO-LATE": _too_late,
    "HE-STORE-FIRST": _store_first,
    "HE-STORE-ONLY": _store_only,
    "HE-METER-ONLY": _meter_only,
    "HE-48-HOURS": _hours_48,
    "HE-DST-SPRING": _day_of(92),
    "HE-DST-FALL": _day_of(100),
    "HE-TRUTH": _truth,
    "HE-REGISTER": _register,
    "HE-LAST-GASP": _power(EventKind.LAST_GASP, "OFF", "event"),
    "HE-POWER-BACK": _power(EventKind.RESTORATION, "ON", "reply"),
    "HE-CHANNEL-1": _channel_1,
}
#: By id what is seen of it.
SEEN: dict[str, Callable[[Observed], Seen]] = {
    one.id: _SEEN[one.id] if one.id in _SEEN else _rule(one.id) for one in of_role("headend") if one.claim != "LSE"
}

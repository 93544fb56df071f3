"""A head-end's answer held against what was asked (``rules.csv``), and what of it is handed on. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from headend.wire import InquiryKind, InquiryResult, Outcome, ServedInterval
from meters.calendar import INTERVAL_S, Seconds, ends_within, floor_interval, iso, local, seconds, to_s
from simulator.smt.ondemand.lifecycle import Answered, Filed
from simulator.smt.ondemand.rules import RULES, UNALLOWED, finding

_Told = TypeVar("_Told", bound=BaseModel)
_Part = TypeVar("_Part")
#: By how much the stamp of a register read, the meter's own, may lie before the request: a clock that is further behind fails VEE too (DOMAIN §6
#: [M]), and the read could be an old one. How far ahead of the answer is a default of this project. Seconds.
CLOCK_BEHIND_S, CLOCK_AHEAD_S = seconds(180), seconds(3600)
#: How far the head-end's own clock may be ahead of SMT's, as for events and postings. Seconds. A default of this project.
COLLECTED_AHEAD_S = seconds(300)


class Clocks(NamedTuple):
    """By how many seconds the head-end's clocks may be off SMT's: of a meter's stamp behind and ahead, and ahead of when it collected."""

    behind_s: Seconds = CLOCK_BEHIND_S
    ahead_s: Seconds = CLOCK_AHEAD_S
    collected_ahead_s: Seconds = COLLECTED_AHEAD_S


#: What SMT lets pass.
SMTS_CLOCKS = Clocks()

#: What a power status comes from (AMB-2, AMB-11).
_BACKED_BY = {"ON": "reply", "OFF": "event"}


@dataclass(frozen=True)
class Case:
    """An answer and what it is held against. Instants: UTC epoch seconds."""

    filed: Filed
    #: The meter might be read.
    allowed: bool
    result: InquiryResult
    now: Seconds
    #: What the service carries in a quarter hour at most, Wh.
    most_wh: int
    #: By how much the store may fall short of the gap's end, seconds.
    store_within: Seconds = seconds(0)
    clocks: Clocks = SMTS_CLOCKS

    @cached_property
    def asked(self) -> Sequence[Seconds]:
        """Where the intervals of the gap end."""
        return ends_within(self.filed.start, self.filed.end)

    @cached_property
    def served(self) -> list[tuple[Seconds, Seconds, ServedInterval]]:
        """Each interval of the answer with its end and when it was collected."""
        return [(_s(one.end), _s(one.collectedAt), one) for one in self.result.intervals]

    @cached_property
    def told(self) -> Counter[Seconds]:
        """How often each end is told, served or missing."""
        return Counter((*(end for end, _, _ in self.served), *map(_s, self.result.missing)))

    @cached_property
    def off_quarter(self) -> dict[Seconds, Seconds]:
        """Ends off the quarter hour, each by the one of the gap that it stands for, which is not told itself."""
        meant = {floor_interval(end + INTERVAL_S // 2): end for end in sorted(self.told) if end % INTERVAL_S}
        return {quarter: end for quarter, end in meant.items() if quarter in self.asked and quarter not in self.told}

    @cached_property
    def lacking(self) -> list[Seconds]:
        """Ends of the gap that nothing is told of."""
        return sorted(set(self.asked) - self.told.keys() - self.off_quarter.keys())

    @property
    def wanted_to(self) -> Seconds:
        """To where the answer has to reach: of what was read, the end of the gap."""
        read = self.result.meterReads or any(one.source == "meter" for one in self.result.intervals)
        return self.filed.end - (seconds(0) if read else floor_interval(self.store_within))


class Breach(NamedTuple):
    """Where and by what a rule is broken, and the parts of the answer that it touches: ends of intervals (UTC epoch seconds), names of fields."""

    field: str
    value: str
    parts: frozenset[Seconds | str] = frozenset()


def breaches(case: Case) -> list[tuple[str, Breach]]:
    """Every rule that an answer breaks, in the order of the table, and by what."""
    return [(rule, breach) for rule, breaks in _RULES.items() for breach in breaks(case)]


def judged(case: Case) -> Answered:
    """An answer as SMT takes it, with what was found. Failed by the first fatal rule that it breaks, less the parts that those touch.

    Completed is only what is complete (AMB-2): every interval of the gap delivered or reported missing, once; a register read taken after the
    request; a power status that something backs.
    """
    broken = breaches(case)
    found = tuple(finding(rule, breach.field, breach.value) for rule, breach in broken)
    fatal = next((one for one in found if RULES[one.rule].fatal), None)
    result = case.result
    touched = {part for rule, breach in broken if RULES[rule].fatal for part in breach.parts}
    handed_on = _without(trimmed(case.filed, _in_local_time(case)), touched)
    outcome, reason = result.outcome, result.reason
    if fatal is not None:
        outcome, reason = Outcome.FAILED, fatal.said
    elif outcome is not Outcome.COMPLETED and not reason:
        reason = f"the TDSP answered: {outcome.value}"
    code = "" if fatal is None else fatal.rule
    return Answered(outcome, reason, result.meterReads, handed_on, result.octets, seconds(0), found, code)


def digest(result: InquiryResult) -> str:
    """What tells an answer from another one; the same however its instants and its fields are written."""
    return hashlib.blake2b(repr(_plain(result)).encode(errors="surrogatepass"), digest_size=8).hexdigest()


#: What is told of itself: most of an answer.
_BARE = frozenset({int, str, type(None)})


def _plain(value: Any) -> Any:
    """A value of the wire as text that knows no offsets."""
    if isinstance(value, BaseModel):
        return [field if type(field) in _BARE else _plain(field) for field in value.__dict__.values()]
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.timestamp() if isinstance(value, datetime) else value


def _s(when: datetime) -> Seconds:
    return seconds(when.timestamp())


def _without(result: InquiryResult, touched: set[Seconds | str]) -> InquiryResult:
    """The parts of an answer that no fatal rule touches."""
    if not touched:
        return result
    gone = {str(part): None for part in touched if isinstance(part, str)}
    kept = [interval for interval in result.intervals if _s(interval.end) not in touched]
    return result.model_copy(update={"intervals": kept} | gone)


def _in_local_time(case: Case) -> InquiryResult:
    """A head-end may tell its instants with any offset; who asked reads them all in Central Prevailing Time."""
    result = case.result

    def of(times: _Told, **ats: Seconds) -> _Told:
        # Nearly always it is so already.
        if all(getattr(times, name).utcoffset() == _offset(at) for name, at in ats.items()):
            return times
        return times.model_copy(update={name: local(at) for name, at in ats.items()})

    partial, read, power = result.partial, result.register_read, result.power
    return result.model_copy(
        update={
            "intervals": [of(one, end=end, collectedAt=collected) for end, collected, one in case.served],
            "missing": [local(_s(end)) for end in result.missing],
            "partial": None if partial is None else of(partial, start=_s(partial.start), asOf=_s(partial.asOf)),
            "reachesTo": None if result.reachesTo is None else local(_s(result.reachesTo)),
            "register_read": None if read is None else of(read, at=_s(read.at)),
            "power": power if power is None or power.at is None else of(power, at=_s(power.at)),
        }
    )


@lru_cache(maxsize=1 << 12)
def _offset(at: Seconds) -> timedelta | None:
    return local(at).utcoffset()


# -- the rules ----------------------------------------------------------------------------------------------------


def _those(field: str, ends: Iterable[Seconds], *, touched: bool = True) -> Iterator[Breach]:
    """A breach by intervals that end so, if there are any."""
    ordered = sorted(ends)
    if ordered:
        value = f"{len(ordered)} interval{'s' * (len(ordered) > 1)}, the first ends {iso(ordered[0])}"
        yield Breach(f"intervals[].{field}", value, frozenset(ordered if touched else ()))


def _served(
    case: Case, field: str, at_fault: Callable[[Seconds, Seconds, ServedInterval], bool], **how: bool
) -> Iterator[Breach]:
    return _those(field, [one[0] for one in case.served if at_fault(*one)], **how)


def _unallowed(case: Case) -> Iterator[Breach]:
    if case.allowed:
        return
    if case.result.meterReads:
        by_reply = case.result.power is not None and case.result.power.source == "reply"
        parts = {"register_read", "partial", *(["power"] if by_reply else [])}
        yield Breach("meterReads", str(case.result.meterReads), frozenset(parts))
    yield from _served(case, "source", lambda _, __, interval: interval.source == "meter")


def _not_read(case: Case) -> Iterator[Breach]:
    if not case.result.meterReads:
        yield from _served(case, "source", lambda _, __, interval: interval.source == "meter")


def _early(case: Case) -> Iterator[Breach]:
    return _served(case, "collectedAt", lambda end, collected, _: collected < end)


def _ahead(case: Case) -> Iterator[Breach]:
    latest = case.now + case.clocks.collected_ahead_s
    return _served(case, "collectedAt", lambda _, collected, __: collected > latest)


def _off_quarter(case: Case) -> Iterator[Breach]:
    return _those("end", case.off_quarter.values())


def _duplicate(case: Case) -> Iterator[Breach]:
    asked = case.asked
    return _those("end", [end for end, times in case.told.items() if times > 1 and end in asked])


def _hole(case: Case) -> Iterator[Breach]:
    if case.result.outcome is Outcome.COMPLETED:
        yield from _those("end", [end for end in case.lacking if end <= case.wanted_to], touched=False)


def _reaches(case: Case) -> Iterator[Breach]:
    lacking, to = case.lacking, case.result.reachesTo
    if to is not None and lacking and _s(to) > lacking[0] - INTERVAL_S:
        value = f"{iso(_s(to))}, and none ends {iso(lacking[0])}"
        yield Breach("reachesTo", value, frozenset({"reachesTo"}))


def _surplus(case: Case) -> Iterator[Breach]:
    off, asked = set(case.off_quarter.values()), case.asked
    return _those("end", [end for end in case.told if end not in asked and end not in off], touched=False)


def _partial(case: Case) -> Iterator[Breach]:
    partial = case.result.partial
    if partial is not None and not _begins_at(partial.start, partial.asOf, case.filed.end):
        yield Breach("partial", f"{iso(_s(partial.start))} to {iso(_s(partial.asOf))}")


def _size(case: Case) -> Iterator[Breach]:
    return _energy(case, lambda wh, quarters: wh > case.most_wh * quarters)


def _sign(case: Case) -> Iterator[Breach]:
    return _energy(case, lambda wh, _: wh < 0)


def _energy(case: Case, at_fault: Callable[[int, float], bool]) -> Iterator[Breach]:
    yield from _served(case, "wh", lambda _, __, interval: at_fault(interval.wh, 1), touched=False)
    partial = case.result.partial
    if partial is not None and at_fault(partial.wh, max(1, partial.seconds / INTERVAL_S)):
        yield Breach("partial.wh", str(partial.wh))


def _no_register(case: Case) -> Iterator[Breach]:
    if case.result.register_read is None and case.result.outcome is Outcome.COMPLETED:
        yield Breach("register", "none")


def _register_at(case: Case) -> Iterator[Breach]:
    read, asked = case.result.register_read, to_s(case.filed.submitted_us)
    if read is None or case.result.outcome is not Outcome.COMPLETED:
        return
    if not asked - case.clocks.behind_s <= _s(read.at) <= case.now + case.clocks.ahead_s:
        value = f"{iso(_s(read.at))}, asked {iso(asked)}"
        yield Breach("register.at", value, frozenset({"register_read"}))


def _power_unknown(case: Case) -> Iterator[Breach]:
    power = case.result.power
    if case.result.outcome is Outcome.COMPLETED and (power is None or power.status == "UNKNOWN"):
        yield Breach("power.status", "none" if power is None else power.status)


def _power_unbacked(case: Case) -> Iterator[Breach]:
    power = case.result.power
    if power is None or power.status == "UNKNOWN" or case.result.outcome is not Outcome.COMPLETED:
        return
    if power.source != _BACKED_BY[power.status]:
        yield Breach("power.source", f"{power.status} by '{power.source}'", frozenset({"power"}))


def _of(kind: InquiryKind, rule: Callable[[Case], Iterator[Breach]]) -> Callable[[Case], Iterator[Breach]]:
    """A rule for the answers to one kind of inquiry."""
    return lambda case: rule(case) if case.filed.kind is kind else iter(())


_INTERVALS, _REGISTER, _POWER = InquiryKind.INTERVALS, InquiryKind.REGISTER, InquiryKind.POWER
#: In the order of the table. Those of it that are not here are found where the wire or the request is read.
_RULES: dict[str, Callable[[Case], Iterator[Breach]]] = {
    UNALLOWED: _unallowed,
    "SOURCE-NOT-READ": _of(_INTERVALS, _not_read),
    "COLLECTED-EARLY": _of(_INTERVALS, _early),
    "COLLECTED-AHEAD": _of(_INTERVALS, _ahead),
    "OFF-QUARTER": _of(_INTERVALS, _off_quarter),
    "DUPLICATE": _of(_INTERVALS, _duplicate),
    "HOLE": _of(_INTERVALS, _hole),
    "REACHES-PAST-HOLE": _of(_INTERVALS, _reaches),
    "NO-REGISTER": _of(_REGISTER, _no_register),
    "REGISTER-AT": _of(_REGISTER, _register_at),
    "POWER-UNKNOWN": _of(_POWER, _power_unknown),
    "POWER-UNBACKED": _of(_POWER, _power_unbacked),
    "SURPLUS": _of(_INTERVALS, _surplus),
    "PARTIAL-AT": _of(_INTERVALS, _partial),
    "ENERGY-SIZE": _of(_INTERVALS, _size),
    "ENERGY-SIGN": _of(_INTERVALS, _sign),
}


# -- what is handed on --------------------------------------------------------------------------------------------


def _begins_at(start: datetime, as_of: datetime, end: Seconds) -> bool:
    return _s(start) == end <= _s(as_of)


def trimmed(filed: Filed, result: InquiryResult, read_to: Seconds | None = None) -> InquiryResult:
    """Of an answer what was asked for, each interval that is told once, in order.

    Others would run into the VEE part (AMB-5). Of one that is told twice, or both served and missing, nobody knows which is true. read_to: where the
    intervals of the answer end, UTC epoch seconds, and what is partial begins; the end of the gap unless given.
    """
    if filed.kind is not InquiryKind.INTERVALS:
        return result
    ends, missing = [_s(interval.end) for interval in result.intervals], [_s(end) for end in result.missing]
    told, asked = Counter((*ends, *missing)), ends_within(filed.start, filed.end)
    partial, reaches = result.partial, result.reachesTo
    if partial is not None and not _begins_at(partial.start, partial.asOf, filed.end if read_to is None else read_to):
        partial = None
    if reaches is not None:
        reaches = local(min(max(_s(reaches), filed.start), filed.end))

    def sound(parts: Sequence[_Part], at: Sequence[Seconds]) -> list[_Part]:
        told_once = {end: part for end, part in zip(at, parts, strict=True) if end in asked and told[end] == 1}
        return [told_once[end] for end in sorted(told_once)]

    return result.model_copy(
        update={
            "intervals": sound(result.intervals, ends),
            "missing": sound(result.missing, missing),
            "partial": partial,
            "reachesTo": reaches,
        }
    )

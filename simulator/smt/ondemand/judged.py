"""A head-end's answer held against what was asked (AMB-2), and what of it is handed on. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel

from headend.wire import InquiryKind, InquiryResult, Outcome
from meters.calendar import Seconds, ends_within, iso, local, seconds, to_s
from simulator.smt.ondemand.lifecycle import Filed

_Told = TypeVar("_Told", bound=BaseModel)
#: By how much the stamp of a register read, the meter's own, may lie before the request: a clock that is further behind fails VEE too (DOMAIN §6
#: [M]), and the read could be an old one. How far ahead of the answer is a default of this project. Seconds.
CLOCK_BEHIND_S, CLOCK_AHEAD_S = 180, 3600
#: What a power status comes from (AMB-2, AMB-11).
_BACKED_BY = {"ON": "reply", "OFF": "event"}


def checked(filed: Filed, result: InquiryResult, now: Seconds) -> tuple[Outcome, str, InquiryResult]:
    """A head-end's answer held against what was asked (AMB-2): outcome, reason, and what of it is handed on.

    now: UTC epoch seconds. Completed is only what is complete: every interval of the gap delivered or reported missing, once; a register read taken
    after the request; a power status that something backs. A head-end that says so without it has failed.
    """
    handed_on = _in_local_time(trimmed(filed, result))
    if result.outcome is not Outcome.COMPLETED:
        return result.outcome, result.reason or f"the TDSP answered: {result.outcome.value}", handed_on
    fault = _FAULTS[filed.kind](filed, handed_on, now)
    if not fault:
        return Outcome.COMPLETED, result.reason, handed_on
    # What is judged to be no read is not given as one. Intervals that are sound are, as after a refusal.
    unknown = handed_on.power is not None and handed_on.power.status == "UNKNOWN"
    judged = {"register_read": None} | ({} if unknown else {"power": None})
    return Outcome.FAILED, fault, handed_on.model_copy(update=judged) if filed.kind in _JUDGED else handed_on


def _in_local_time(result: InquiryResult) -> InquiryResult:
    """A head-end may tell its instants with any offset; who asked reads them all in Central Prevailing Time."""

    def here(when: datetime) -> datetime:
        return local(seconds(when.timestamp()))

    def of(times: _Told, *names: str) -> _Told:
        return times.model_copy(update={name: here(at) for name in names if (at := getattr(times, name)) is not None})

    return result.model_copy(
        update={
            "intervals": [of(interval, "end", "collectedAt") for interval in result.intervals],
            "missing": [here(end) for end in result.missing],
            "partial": None if result.partial is None else of(result.partial, "start", "asOf"),
            "reachesTo": None if result.reachesTo is None else here(result.reachesTo),
            "register_read": None if result.register_read is None else of(result.register_read, "at"),
            "power": None if result.power is None else of(result.power, "at"),
        }
    )


def _register_fault(filed: Filed, result: InquiryResult, now: Seconds) -> str:
    if result.register_read is None:
        return "the TDSP's answer holds no register read"
    at, asked = seconds(result.register_read.at.timestamp()), to_s(filed.submitted_us)
    if not asked - CLOCK_BEHIND_S <= at <= now + CLOCK_AHEAD_S:
        return f"the TDSP's answer is no read taken after the request of {iso(asked)}: it is of {iso(at)}"
    return ""


def _power_fault(_filed: Filed, result: InquiryResult, _now: Seconds) -> str:
    power = result.power
    if power is None or power.status == "UNKNOWN":
        return "nothing is known of the power status"
    if power.source != _BACKED_BY[power.status]:
        return f"the TDSP says {power.status}, and nothing backs it: its source is '{power.source}'"
    return ""


def _intervals_fault(filed: Filed, result: InquiryResult, _now: Seconds) -> str:
    ends = {seconds(interval.end.timestamp()) for interval in result.intervals} | {
        seconds(at.timestamp()) for at in result.missing
    }
    lacking = sorted(set(ends_within(filed.start, filed.end)) - ends)
    if not lacking:
        return ""
    return f"the TDSP's answer lacks {len(lacking)} intervals, or tells them twice; the first ends {iso(lacking[0])}"


#: Kinds whose answer is one reading, and none if that is at fault.
_JUDGED = frozenset({InquiryKind.REGISTER, InquiryKind.POWER})
_FAULTS = {
    InquiryKind.REGISTER: _register_fault,
    InquiryKind.POWER: _power_fault,
    InquiryKind.INTERVALS: _intervals_fault,
}


def trimmed(filed: Filed, result: InquiryResult, read_to: Seconds | None = None) -> InquiryResult:
    """Of an answer what was asked for, each interval that is told once, in order.

    Others would run into the VEE part (AMB-5). Of one that is told twice, or both served and missing, nobody knows which is true. read_to: where the
    intervals of the answer end, UTC epoch seconds, and what is partial begins; the end of the gap unless given.
    """
    if filed.kind is not InquiryKind.INTERVALS:
        return result
    read_to = filed.end if read_to is None else read_to
    times_given = Counter(seconds(interval.end.timestamp()) for interval in result.intervals)
    times_given.update(seconds(end.timestamp()) for end in result.missing)
    asked = ends_within(filed.start, filed.end)
    partial, reaches = result.partial, result.reachesTo
    if partial is not None and not seconds(partial.start.timestamp()) == read_to <= seconds(partial.asOf.timestamp()):
        partial = None
    if reaches is not None:
        reaches = local(min(max(seconds(reaches.timestamp()), filed.start), filed.end))

    def sound(end: datetime) -> bool:
        at = seconds(end.timestamp())
        return at in asked and times_given[at] == 1

    return result.model_copy(
        update={
            "intervals": sorted(
                (interval for interval in result.intervals if sound(interval.end)), key=lambda interval: interval.end
            ),
            "missing": sorted(end for end in result.missing if sound(end)),
            "partial": partial,
            "reachesTo": reaches,
        }
    )

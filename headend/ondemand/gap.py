"""The gap of a balance inquiry: from the end of the last posted VEE interval to the last whole interval before now.

Pure; SMT cuts a request with it, the ROR knows by it what to expect. Elapsed time throughout, so a DST change moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from headend.ports import HeadEndError
from meters.calendar import INTERVAL_S, Seconds, floor_interval

#: Intervals that an inquiry serves at most: 48 h of elapsed time (UC-N3; AMB-4 decides "elapsed").
GAP_LIMIT = 192


@dataclass(frozen=True, slots=True)
class Gap:
    """What an inquiry at some instant has to fill. UTC epoch seconds; ``[start, end)`` is served."""

    start: Seconds
    end: Seconds
    #: The oldest part of a gap over 48 h, ``(start, end)``: not served, an honest hole, which the bill has as expected (AMB-7).
    uncovered: tuple[Seconds, Seconds] | None
    #: Intervals to serve, 0..192. Zero: there is no gap (AMB-8).
    intervals: int


def gap(vee_end: Seconds, now: Seconds) -> Gap:
    """Find the gap between the posted VEE intervals and an inquiry (AMB-4 to AMB-8).

    vee_end: end of the last posted VEE interval, a whole interval, UTC epoch seconds. now: time of the inquiry.
    Without a gap, start and end are both ``vee_end``. Raises HeadEndError if ``vee_end`` is not the end of an interval.
    """
    if vee_end % INTERVAL_S:
        raise HeadEndError(
            "headend.gap.vee_end",
            f"The posted VEE intervals cannot end at {vee_end}, which is inside an interval.",
            mend="Give the end of an interval: a multiple of 900 seconds.",
        )
    right = floor_interval(now)
    if right <= vee_end:
        return Gap(vee_end, vee_end, None, 0)
    left = max(vee_end, right - GAP_LIMIT * INTERVAL_S)
    uncovered = (vee_end, left) if left > vee_end else None
    return Gap(left, right, uncovered, (right - left) // INTERVAL_S)

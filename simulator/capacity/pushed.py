"""Octets on HTTP of what head-ends send SMT after each sweep, under a policy that has it so: a figure of the load, whoever asks."""

from __future__ import annotations

from functools import cache

from headend.wire import PushedInterval, PushedMeter
from meters.calendar import INTERVAL_S, Seconds, local, seconds
from meters.status import Common
from simulator.smt.throttle.limits import Policy

#: A quarter hour of a home [D], Wh, its status word in summer, and the instant of an example: the octets follow from their digits.
_WH, _STATUS, _AT = 412, Common.DST << 12, seconds(1786554000)


@cache
def octets_a_sweep(intervals: int) -> int:
    """Octets in a batch's body of one ESI ID that was heard, with so many intervals."""
    one = PushedInterval(end=local(_AT), wh=_WH, status=_STATUS)
    told = PushedMeter(esiid="1" * 17, collectedAt=local(_AT), intervals=[one] * intervals)
    return len(told.model_dump_json(exclude_defaults=True)) + 1


def octets_pushed(policy: Policy, meters: int, span_s: Seconds, sweep_every_h: int) -> int:
    """Octets of all meters over a span, each heard in every sweep; 0 where the policy has none sent."""
    if not policy.push_to_smt:
        return 0
    return meters * (span_s // (sweep_every_h * 3600)) * octets_a_sweep(sweep_every_h * 3600 // INTERVAL_S)

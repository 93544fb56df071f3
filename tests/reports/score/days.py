"""A hand-worked day of five meters, two of them with generation, and engines that are worth something known."""

from __future__ import annotations

import numpy as np

from meters.faults.kinds import FaultKind, LookalikeKind
from meters.fleet import BITS
from reports.score.delivered import ACTUAL, ESTIMATED, NOT_DELIVERED, Delivered
from reports.score.made import ALIKE, Fed, Truth

#: Wh that flow in every interval, and who gives any back.
FLOW, GENERATION = 200, np.array([True, False, False, False, True])
#: Row 0: interval 40 ten times what it was. Row 1: intervals 10 to 13 not there. Row 2: registers began anew.
#: Row 3: a true peak at 50, and nothing wrong. Row 4: stuck at 20 to 23 for what it is anyway but 1 Wh.
SPIKE, GAP, RESET, PEAK, STUCK = range(5)
SHAPE = (2, 5, 96)
RULE_OF = {FaultKind.SPIKE: "interval.spike", FaultKind.GAP: "interval.missing", FaultKind.RESET: "register.backwards"}


def truth() -> Truth:
    """What flowed and what was changed."""
    flowed = np.full(SHAPE, FLOW, np.int32)
    flowed[1, ~GENERATION] = 0
    flowed[0, PEAK, 50] = 900
    kinds, day_kinds, below = np.zeros(SHAPE, np.uint32), np.zeros((2, 5), np.uint32), np.zeros((2, 5), np.uint32)
    kinds[0, SPIKE, 40] = BITS[FaultKind.SPIKE]
    kinds[:, GAP, 10:14] = BITS[FaultKind.GAP]
    day_kinds[:, RESET] = BITS[FaultKind.RESET]
    kinds[0, STUCK, 21] = below[0, STUCK] = BITS[FaultKind.STUCK]
    alike = np.zeros(SHAPE[1:], np.uint8)
    alike[PEAK, 50] = ALIKE[LookalikeKind.PEAK]
    return Truth(flowed, kinds, day_kinds, np.zeros((2, 5), np.uint32), below, alike, np.full(SHAPE, 100, np.int32))


def fed() -> Fed:
    """What was read."""
    true = truth().flowed
    wh, present = true.copy(), np.ones(SHAPE, np.bool_)
    wh[0, SPIKE, 40] = 10 * FLOW
    present[:, GAP, 10:14] = False
    wh[0, STUCK, 21] += 1
    r0 = np.full((2, 5), 1_000_000, np.int64)
    r1 = r0 + true.sum(axis=2)
    r1[:, RESET] = 5_000
    ones = np.ones(5, np.int64)
    return Fed(wh, present, np.zeros(SHAPE[1:], np.uint16), r0, r1, ones, ones, ones, ones, 0 * ones)


def perfect() -> Delivered:
    """Everything that is wrong is E, right, and told by the rule that it is told by."""
    read, true = fed(), truth()
    wrong = ~read.present | (read.wh != true.flowed)
    rules, rule = [frozenset[str]()], np.zeros(SHAPE, np.int64)
    for kind, name in RULE_OF.items():
        rules.append(frozenset({name}))
        at = ((true.kinds | true.day_kinds[:, :, None]) & BITS[kind]) != 0
        rule[at] = len(rules) - 1
    status = np.where(wrong, ESTIMATED, ACTUAL).astype(np.uint8)
    return Delivered(true.flowed.astype(np.int64), status, rule, rules, wrong.astype(np.int64), ["", "like_day"])


def nothing() -> Delivered:
    """An engine that says nothing."""
    zeros = np.zeros(SHAPE, np.int64)
    return Delivered(zeros, np.full(SHAPE, NOT_DELIVERED, np.uint8), zeros, [frozenset()], zeros, [""])

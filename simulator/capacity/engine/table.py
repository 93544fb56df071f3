"""A policy's limits as a table of whole numbers: what ``limits.Limit`` says, for compiled code. ``counts`` stays what the rules are."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import accumulate
from operator import mul
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.network.law import READ_OCTETS
from meters.calendar import Micros, Seconds, to_us
from simulator.smt.ondemand.lifecycle import STORE_ONLY
from simulator.smt.throttle.limits import Door, Kind, Limit, Measure, Policy, RequesterClass, Scope, Source, Window

Longs = NDArray[np.int64]

#: Columns of the table, and of the block of what one limit remembers of one scope value, up to where its ring begins.
(
    KINDS,
    DOORS,
    CLASSES,
    SCOPE,
    MEASURE,
    WINDOW,
    AMOUNT,
    WEIGHT,
    BURST,
    PER_S,
    WITHIN,
    COOL_DOWN,
    EXPECTED,
    OFFSET,
    STRIDE,
    APART,
    CODE,
) = range(17)
FIELDS = 17
#: Before the first row: how many rows there are, where the days' starts begin, how many there are.
HEADER = 3
#: In the columns MEASURE, WINDOW and SCOPE.
SUCCESSES, OCTETS, UNDER_WAY, TOKENS, METER_FAILURES = range(len(Measure))
A_DAY, CLOCK_HOUR, ROLLING_HOUR, ROLLING_DAY = range(len(Window))
_ROLLING = (Window.ROLLING_HOUR, Window.ROLLING_DAY)


class Table(NamedTuple):
    """A policy for compiled code, and how large a memory it needs."""

    #: The header, the rows of the limits, the starts of the operating days (UTC epoch seconds).
    numbers: Longs
    #: How many numbers the limits remember together; all are 0 before anything is used.
    size: int
    #: Where the numbers of an ESI ID's own lie, of how many of the first, and how far the next one's are: behind those of its limits.
    own_place: int
    own_apart: int
    #: Position in ``Source``; reads younger than so many microseconds answer again.
    source: int
    reuse_us: Micros
    #: What refuses, by the number in the column CODE and in the engine's rows.
    codes: tuple[str, ...]


def table_of(
    policy: Policy,
    values: Sequence[int],
    days: Sequence[Seconds],
    *,
    longest_s: Seconds,
    least_octets: int = READ_OCTETS,
    own: int = 0,
) -> Table:
    """The table of a policy. values: how many values each scope has, in the order of ``Scope``. days: starts of operating days, UTC epoch seconds.

    longest_s: nothing is under way for longer. least_octets: no answer that costs any costs less. own: so many numbers more of each ESI ID. All that is
    remembered of one scope value lies together, so that it comes into the cache together.
    """
    codes = tuple(sorted({*(limit.code for limit in policy.limits), STORE_ONLY.code}))
    rows: list[int] = []
    strides = [_stride(limit, least_octets, longest_s) for limit in policy.limits]
    scopes = [list(Scope).index(limit.scope) for limit in policy.limits]
    apart = [own if scope is Scope.ESIID else 0 for scope in Scope]
    for scope, stride in zip(scopes, strides, strict=True):
        apart[scope] += stride
    # Where the next limit of a scope has its numbers.
    place = [0, *accumulate(map(mul, apart, values))]
    size = place[-1]
    for limit, scope, stride in zip(policy.limits, scopes, strides, strict=True):
        rows += (
            _mask(Kind, [limit.kind] if limit.kind else list(Kind)),
            _mask(Door, limit.doors),
            _mask(RequesterClass, limit.classes or list(RequesterClass)) & ~_mask(RequesterClass, limit.but_classes),
            scope,
            list(Measure).index(limit.measure),
            list(Window).index(limit.window),
            limit.amount,
            limit.weight,
            limit.burst,
            limit.per_s,
            limit.within_s,
            limit.cool_down_s,
            limit.expected_s,
            place[scope],
            stride,
            apart[scope],
            codes.index(limit.code),
        )
        place[scope] += stride
    numbers = [len(policy.limits), HEADER + len(rows), len(days), *rows, *days]
    source = list(Source).index(policy.source)
    own_place, own_apart = place[0], apart[0]
    return Table(np.asarray(numbers, dtype=np.int64), size, own_place, own_apart, source, to_us(policy.reuse_s), codes)


def _mask(of: type[Enum], some: Sequence[object] | frozenset[object]) -> int:
    return sum(1 << at for at, one in enumerate(of) if one in some)


def _stride(limit: Limit, least_octets: int, longest_s: Seconds) -> int:
    """How many numbers a limit remembers of one scope value; see ``throttle`` for what they are."""
    match limit.measure:
        case Measure.SUCCESSES | Measure.UNDER_WAY:
            calendar = limit.measure is Measure.SUCCESSES and limit.window not in _ROLLING
            return 2 if calendar else 2 + limit.amount
        case Measure.OCTETS:
            entries = limit.amount // min(limit.estimate, least_octets) + 2
            return 2 if limit.window not in _ROLLING else 3 + 2 * entries
        case Measure.TOKENS:
            # As many are kept one by one as come in before the first of them has to end.
            flow = limit.amount * (longest_s + 1) // max(1, limit.per_s)
            return 6 + 2 * (limit.burst + flow + 2)
        case Measure.METER_FAILURES:
            return 4 + limit.amount

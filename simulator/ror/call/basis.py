"""What a bill rests on: its kWh and its dollars by what is known of each quarter hour, in parts that add up to it. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from headend.ports import BoolArray, LongArray
from meters.calendar import INTERVAL_S, Seconds, seconds
from simulator.ror.account import Account
from simulator.ror.billing.money import usd
from simulator.ror.billing.sheet import Measure, Sheet
from simulator.ror.billing.windows import apportioned
from simulator.ror.usage import CodeArray, Energy, Quality, Source, UsageRecord


class Kind(StrEnum):
    """What is known of a quarter hour. A method of estimation is none of it: SMT tells that a value is estimated, not how."""

    VEE_ACTUAL = "VEE actual"
    VEE_ESTIMATED = "VEE estimated"
    STORE = "non-VEE from the store"
    METER = "non-VEE from the meter"
    #: Nothing yet: it is billed, or projected, as it may have gone or may go.
    EXPECTED = "expected"
    #: Later ones came: what was asked for and did not come is billed as it may have gone; what VEE data leave out is not billed, or by the register alone.
    NOT_DELIVERED = "hole: not delivered"
    NEVER_POSTED = "hole: never posted"
    #: Before the customer came.
    OTHER_ROR = "hole: another retailer's day"
    #: No quarter hour: what the billed register read has more than the intervals.
    REGISTER = "register less intervals"
    #: No energy: what is charged by the day, credits and fees.
    FIXED = "charges by the day, credits, fees"


_KINDS = tuple(Kind)
_AT = {kind: at for at, kind in enumerate(_KINDS)}
_HOLES = (Kind.NOT_DELIVERED, Kind.NEVER_POSTED, Kind.OTHER_ROR)


class Hole(NamedTuple):
    """A stretch without a value before the last known one. UTC epoch seconds."""

    start: Seconds
    end: Seconds
    why: Kind


@dataclass(frozen=True, slots=True)
class Part:
    """Of one bill what is of one kind. usd: with its share of the taxes."""

    kind: Kind
    intervals: int
    wh: int
    #: Wh given to the grid.
    given_wh: int
    usd: Decimal

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money as strings, energy in whole Wh."""
        return asdict(self) | {"kind": self.kind.value, "usd": str(self.usd)}


def kinds_of(account: Account, record: UsageRecord, ends: LongArray) -> CodeArray:
    """(t,) the place in ``Kind`` of what a record knows of the quarter hours that end at ``ends``, all of the account's cycle. Pure."""
    last, vee_end = (record.ends[-1] if len(record.ends) else 0), record.vee_end() or 0
    kinds = np.full(len(ends), _AT[Kind.EXPECTED], np.int8)
    kinds[ends <= last] = _AT[Kind.NOT_DELIVERED]
    kinds[ends <= vee_end] = _AT[Kind.NEVER_POSTED]
    kinds[ends <= account.own_start] = _AT[Kind.OTHER_ROR]
    held = record.only(np.isin(record.ends, ends))
    told = np.full(len(held.ends), _AT[Kind.STORE], np.int8)
    told[held.source == Source.METER] = _AT[Kind.METER]
    told[held.quality == Quality.VEE_ACTUAL] = _AT[Kind.VEE_ACTUAL]
    told[held.quality == Quality.VEE_ESTIMATED] = _AT[Kind.VEE_ESTIMATED]
    kinds[np.isin(ends, held.ends)] = told
    return kinds


def holes_of(kinds: CodeArray, ends: LongArray) -> tuple[Hole, ...]:
    """The holes among quarter hours that follow each other. kinds: (n,) as ``kinds_of`` tells of the first of ``ends``. Pure."""
    runs = np.split(np.arange(len(kinds)), np.flatnonzero(np.diff(kinds)) + 1)
    return tuple(
        Hole(seconds(ends[run[0]]) - INTERVAL_S, seconds(ends[run[-1]]), _KINDS[kinds[run[0]]])
        for run in runs
        if len(run) and _KINDS[kinds[run[0]]] in _HOLES
    )


def parts_of(terms: Sheet, energy: Energy, kinds: CodeArray, register_wh: int | None = None) -> tuple[Part, ...]:
    """Split the bill that ``terms`` make of an energy; the parts' Wh and cents are the bill's. Pure.

    A line's cents go to the kinds by their Wh in the windows that it counts, tiers and all; what is no energy to ``FIXED``; a tax as what it is taken of.
    kinds: (t,) of each of the energy's intervals. register_wh: what the bill rests on in their place.
    """
    of_kind = kinds == np.arange(len(_KINDS), dtype=np.int8)[:, None]
    dense = np.zeros((2, len(_KINDS), terms.windows.intervals), np.int32)
    at = (energy.ends - terms.windows.start) // INTERVAL_S - 1
    for side, wh in zip(dense, (energy.wh, energy.given), strict=True):
        side[:, at] = np.where(of_kind, wh, 0)
    taken, given = (terms.windows.sums(side) for side in dense)
    register = None if register_wh is None else np.array([register_wh], dtype=np.int64)
    billed = terms.bills(taken.sum(axis=0)[None], given.sum(axis=0)[None], register)
    cents, untaxed = np.zeros((2, len(_KINDS)), np.int64)
    for line, amount in zip(terms.lines, billed.cents[0].tolist(), strict=True):
        if line.measure is Measure.TAX:
            cents += _shared(amount, untaxed)
            continue
        counted = np.array(line.windows or (True,) * taken.shape[1], dtype=np.bool_)
        untaxed += _shared(amount, _weights(line.measure, counted, taken, given))
    cents += untaxed
    wh = taken.sum(axis=1)
    if register_wh is not None:
        wh[_AT[Kind.REGISTER]] = register_wh - int(wh.sum())
    columns = (of_kind.sum(axis=1), wh, given.sum(axis=1), cents)
    rows = zip(_KINDS, *(column.tolist() for column in columns), strict=True)
    return tuple(
        Part(kind, count, its, back, usd(amount)) for kind, count, its, back, amount in rows if count or its or amount
    )


def _weights(measure: Measure, counted: BoolArray, taken: LongArray, given: LongArray) -> LongArray:
    """(kinds,) in what proportion they make up a line."""
    alone = np.zeros(len(_KINDS), np.int64)
    alone[_AT[Kind.REGISTER if measure is Measure.REGISTER else Kind.FIXED]] = 1
    if measure in (Measure.AMOUNT, Measure.REGISTER):
        return alone
    side = given if measure in (Measure.GIVEN, Measure.LEFT_OVER) else taken
    weights: LongArray = side[:, counted].sum(axis=1)
    return weights if weights.any() else alone


def _shared(amount: int, weights: LongArray) -> LongArray:
    """(kinds,) whole cents in proportion of weights, which may be negative, whose sum is the amount."""
    whole = int(weights.sum())
    if not whole:
        return np.zeros(len(weights), np.int64)
    return apportioned(amount, weights if whole > 0 else -weights)

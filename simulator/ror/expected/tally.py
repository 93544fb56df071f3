"""What a read is worth: how far bills told are from those of the truth, over generated homes that call on days of four seasons.

What is kept of a call is a count in a histogram, so that any number of homes takes the same memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.ports import IntArray, LongArray
from meters.day_kinds import SLOTS, day_class
from meters.identity import TDSPS, Tdsp
from meters.kernels.jit import kernel
from simulator.ror.billing.plan import RatePlan
from simulator.ror.expected.like_days import FloatArray
from simulator.ror.expected.value import (
    CALL_DAYS,
    CYCLE_DAYS,
    FILLS,
    KINDS,
    REACH,
    UNKNOWN,
    UNKNOWN_CLOSING,
    Call,
    Homes,
    Priced,
    Span,
    Terms,
    expect,
    tell,
)

#: The first day of calls in each season, of a year that all TDSPs' shipped charges cover; no clock is changed in what a call may lack.
SEASONS = {
    "winter": date(2026, 1, 5),
    "spring": date(2026, 4, 6),
    "summer": date(2026, 7, 6),
    "autumn": date(2025, 10, 1),
}
HOURS = 24
#: Which bill a row is of.
TO_DATE, CLOSING = ("to date", "closing")
#: AMB-12: a bill is told well that is off by no more than this, or by no more than 2 %.
WITHIN_CENTS, WITHIN_SHARE = 100, 50
#: Homes that are in memory at a time.
PART = 200
#: Errors are counted to the cent up to $2, and from there on in steps of 2 %, up to more than $1,600.
_EXACT = 200
_STEPS = np.rint(_EXACT * 1.02 ** np.arange(341)).astype(np.int64)
#: (bins,) cents that a bin tells: the middle of its own.
_VALUES = np.concatenate([np.arange(_EXACT), (_STEPS[:-1] + _STEPS[1:] - 1) / 2])
#: (cents,) the bin of an error.
_BIN_OF = np.searchsorted(np.concatenate([np.arange(_EXACT), _STEPS[:-1]]), np.arange(_STEPS[-1]), "right") - 1
_QUANTILES = {"p50_usd": 0.5, "p90_usd": 0.9, "p99_usd": 0.99}
#: Told with (homes of a season that are done, all of them).
Progress = Callable[[int, int], None]


class Tally:
    """Errors of bills in cents, counted by plan, kind of day, hour of the call, and how much of what is not known is filled how."""

    def __init__(self, plans: int, fills: int, unknown: int) -> None:
        """Nothing is counted."""
        shape = (plans, len(KINDS), HOURS, fills, unknown)
        self.counts = np.zeros((*shape, len(_VALUES)), np.int32)
        self.cents = np.zeros(shape, np.int64)
        self.unsatisfied = np.zeros(shape, np.int64)
        #: Of all plans the same.
        self.wh = np.zeros(shape[1:], np.int64)

    def add(self, plan: int, kind: int, hours: LongArray, told: LongArray, true: LongArray) -> None:
        """Count n callers. hours: (n,) of the call; told: (n, fills, unknown) cents; true: (n,)."""
        of = plan, kind
        _count(told, true, hours, _BIN_OF, self.counts[of], self.cents[of], self.unsatisfied[of])

    def add_wh(self, kind: int, hours: LongArray, wh: LongArray) -> None:
        """Add by how much their energy is off. wh: (n, fills, unknown)."""
        np.add.at(self.wh[kind], hours, wh)

    def quantiles(self, shares: Sequence[float]) -> list[FloatArray]:
        """(plans, kinds, hours, fills, unknown) cents that so much of the callers stay within, of each share; of those above $2 to 1 %."""
        upto = self.counts.cumsum(axis=-1, dtype=np.int32)
        return [_VALUES[(upto >= share * upto[..., -1:]).argmax(axis=-1)] for share in shares]


@kernel
def _count(
    told: LongArray,
    true: LongArray,
    hours: LongArray,
    bin_of: LongArray,
    counts: IntArray,
    cents: LongArray,
    unsatisfied: LongArray,
) -> None:
    for home in range(len(told)):
        hour = hours[home]
        for fill in range(told.shape[1]):
            for place in range(told.shape[2]):
                error = abs(told[home, fill, place] - true[home])
                counts[hour, fill, place, bin_of[min(error, len(bin_of) - 1)]] += 1
                cents[hour, fill, place] += error
                if error > WITHIN_CENTS and error * WITHIN_SHARE > abs(true[home]):
                    unsatisfied[hour, fill, place] += 1


class Part(NamedTuple):
    """Homes of a company that are in memory together."""

    first: int
    size: int


def value(
    plans: Mapping[str, RatePlan], homes: int, seed: int, progress: Progress = lambda _done, _all: None
) -> dict[str, NDArray[Any]]:
    """The table, by column, all of one length. Pure in its arguments but ``progress``. Raises RorError of a plan without a TDU charge on a day.

    homes: in all, of the five companies by turns; each calls once on each of 30 days of each season, at half past an hour, at another place of its billing
    cycle. A row is of ``season``, ``kind`` of day, ``hour`` of the call, how the ``gap`` is filled, quarter hours ``unknown``, ``bill`` (to date, closing) and
    ``plan``; in it are ``calls``, ``mean_kwh`` (of the bill to date, NaN otherwise), ``mean_usd``, ``p50_usd``, ``p90_usd``, ``p99_usd`` of abs(told - true), and
    ``unsatisfied``, the share over AMB-12.
    """
    columns: list[dict[str, NDArray[Any]]] = []
    for at, (season, first) in enumerate(SEASONS.items()):
        to_date, closing = (
            Tally(len(plans), len(FILLS), len(UNKNOWN)),
            Tally(len(plans), len(FILLS) - 1, len(UNKNOWN_CLOSING)),
        )
        for done in _season(list(plans.values()), homes, seed, Span.around(first), (to_date, closing)):
            progress(at * homes + done, len(SEASONS) * homes)
        columns += _rows(season, list(plans), to_date, closing)
    return {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}


def calls(span: Span, company: int) -> list[Call]:
    """The days of calls, each with a cycle in which it has another place, which depends on the company too."""
    day = len(span.days) - CALL_DAYS - CYCLE_DAYS + 1
    firsts = [day + at - (11 * at + 6 * company) % CYCLE_DAYS for at in range(CALL_DAYS)]
    return [Call(day + at, first, first + CYCLE_DAYS - 1) for at, first in enumerate(firsts)]


def hours_of(part: Part, at: int) -> LongArray:
    """(n,) the hour of the call of each home on the so-manyeth day of calls."""
    return (np.arange(part.first, part.first + part.size) + 5 * at) % HOURS


def edges_of(hours: LongArray) -> LongArray:
    """(n,) intervals of the two days before and the day of a call at half past an hour that are over."""
    return (REACH - 1) * SLOTS + hours * 4 + 2


def _season(plans: list[RatePlan], homes: int, seed: int, span: Span, tallies: tuple[Tally, Tally]) -> Iterator[int]:
    """Count a season's calls. Yields how many homes are done."""
    priced, done = [Priced.over(plan, span) for plan in plans], 0
    days = [calls(span, place) for place in range(min(homes, len(TDSPS)))]
    # Plan by plan, since companies share cycles, of which so many are kept.
    terms = [[[Terms.of(one, span, call) for call in of] for of in days] for one in priced]
    for place, company in enumerate(list(TDSPS.values())[: len(days)]):
        count = homes // len(TDSPS) + (place < homes % len(TDSPS))
        for first in range(0, count, PART):
            part = Part(first, min(PART, count - first))
            _count_part(company, part, seed, span, days[place], priced, [of[place] for of in terms], tallies)
            yield (done := done + part.size)


def _count_part(
    company: Tdsp,
    part: Part,
    seed: int,
    span: Span,
    days: list[Call],
    priced: list[Priced],
    terms: list[list[Terms]],
    tallies: tuple[Tally, Tally],
) -> None:
    to_date, closing = tallies
    homes = Homes.generated(span, seed, company, *part)
    sums = [one.upto(homes, span) for one in priced]
    for at, call in enumerate(days):
        near, hours, kind = expect(homes, span, call), hours_of(part, at), KINDS.index(day_class(span.days[call.day]))
        for plan, (upto, of) in enumerate(zip(sums, terms, strict=True)):
            told = tell(homes, upto, near, span, call, of[at], edges_of(hours))
            to_date.add(plan, kind, hours, told.to_date, told.to_date[:, 0, 0])
            closing.add(plan, kind, hours, told.projected, told.closed)
        wh = told.wh.sum(axis=3)
        to_date.add_wh(kind, hours, np.abs(wh - wh[:, :1, :1]))


def _rows(season: str, plans: list[str], to_date: Tally, closing: Tally) -> Iterator[dict[str, NDArray[Any]]]:
    for bill, tally, fills, unknown in (
        (TO_DATE, to_date, FILLS, UNKNOWN),
        (CLOSING, closing, FILLS[1:], UNKNOWN_CLOSING),
    ):
        shape = tally.cents.shape
        told = tally.counts.sum(axis=-1)
        there = told > 0
        plan, kind, hour, fill, place = (index[there] for index in np.indices(shape))
        count = told[there]
        kwh = np.broadcast_to(tally.wh, shape)[there] / count / 1000
        figures = {
            "mean_kwh": kwh if bill == TO_DATE else np.full(len(count), np.nan),
            "mean_usd": tally.cents[there] / count / 100,
            **{
                name: of[there] / 100
                for name, of in zip(_QUANTILES, tally.quantiles([*_QUANTILES.values()]), strict=True)
            },
            "unsatisfied": tally.unsatisfied[there] / count,
        }
        yield {
            "season": np.full(len(count), season),
            "kind": np.array(KINDS)[kind],
            "hour": hour.astype(np.int8),
            "gap": np.array(fills)[fill],
            "unknown": np.array(unknown, dtype=np.int16)[place],
            "bill": np.full(len(count), bill),
            "plan": np.array(plans)[plan],
            "calls": count.astype(np.int32),
            **{name: of.astype(np.float32) for name, of in figures.items()},
        }

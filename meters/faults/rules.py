"""Faults as a scenario declares them, by meter, ESI ID, gateway or rate, and which meters a rate hits: drawn, so that any run can repeat it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Seconds, day_end, day_of, day_start, iso
from meters.errors import MeterError
from meters.faults.fault import ALWAYS, FOR_EVER, Fault, Happening
from meters.faults.kinds import ROWS, Channel, FaultKind, LookalikeKind, Span
from meters.faults.lookalike import Lookalike
from meters.identity import esiid_hash
from meters.kernels.jit import kernel
from meters.kernels.philox import Word, philox4x32, words

#: Most operating days over which a rule may draw anew each day: a longer run would hold too many faults in memory.
MOST_DAYS = 400
#: Days from one beginning of such draws to the next: whoever wants a late day need not draw all days before it.
_BLOCK = 64
#: Upper counter word of these draws; no load draw has it.
_PURPOSE = 0xFA17
_H = TypeVar("_H", bound=Happening)


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One declaration, of a fault or of a look-alike. Exactly one of meters, esiids, gateways and rate says whom it hits."""

    kind: FaultKind | LookalikeKind
    first: Seconds = ALWAYS
    until: Seconds = FOR_EVER
    params: Mapping[str, float] = field(default_factory=dict)
    #: Ordinals, from 1 on. A swap takes two.
    meters: tuple[int, ...] = ()
    esiids: tuple[str, ...] = ()
    #: Every meter of a gateway, from 1 on.
    gateways: tuple[int, ...] = ()
    #: Share of the meters.
    rate: float = 0.0
    #: Of a rate: whether meters are drawn once, or anew for every operating day.
    every: Literal["run", "day"] = "run"
    #: Of a rate: how long it lasts at each meter that it hits, somewhere within [first, until); None: the whole span.
    length_s: Seconds | None = None
    #: Of a kind of intervals, which it takes; the kind's unless given.
    channel: Channel | None = None
    #: Where it was written, for messages.
    place: str = ""

    def __post_init__(self) -> None:
        """Refuse what says nothing, or more than one thing."""
        for code, wrong, sentence, mend in _REFUSED:
            if wrong(self):
                raise MeterError(
                    f"meters.fault.{code}", sentence.format(self), place=self.place or f"fault {self.kind}", mend=mend
                )

    @property
    def span(self) -> Span:
        """Which spans its kind can have."""
        return ROWS[self.kind].span

    @property
    def whom(self) -> int:
        """In how many ways it says whom it hits."""
        return sum(map(bool, (self.meters, self.esiids, self.gateways, self.rate)))

    @property
    def bounded(self) -> bool:
        """Whether it has both ends."""
        return self.first > ALWAYS and self.until < FOR_EVER


#: What a rule is refused for, in the order in which it is looked at: code, whether it is so, the sentence, the mend.
_REFUSED: tuple[tuple[str, Callable[[FaultRule], bool], str, str], ...] = (
    ("whom", lambda rule: rule.whom != 1, "Say whom it hits: one of meters, esiids, gateways, rate.", ""),
    ("rate", lambda rule: not 0 <= rule.rate <= 1, "A rate of {0.rate:g} is outside 0 to 1.", ""),
    (
        "rate",
        lambda rule: not rule.rate and (rule.every == "day" or rule.length_s is not None),
        "'every' and 'length' belong to a rate.",
        "Give first and until.",
    ),
    (
        "kind",
        lambda rule: rule.kind not in ROWS,
        "There is no kind '{0.kind}'.",
        f"Take one of {', '.join(ROWS)}.",
    ),
    (
        "every",
        lambda rule: rule.every == "day" and (rule.span is Span.ALWAYS or rule.until - rule.first > MOST_DAYS * 86_400),
        f"A fault drawn every day needs first and until, at most {MOST_DAYS} days apart.",
        "",
    ),
    (
        "span",
        lambda rule: bool(rule.rate) and not rule.bounded and (rule.span is Span.INSTANT or rule.length_s is not None),
        "Instants are drawn between first and until.",
        "Give both.",
    ),
    (
        "length",
        lambda rule: rule.length_s is not None and not 0 < rule.length_s <= rule.until - rule.first,
        "The length does not fit between first and until.",
        "",
    ),
    (
        "length",
        lambda rule: rule.length_s is not None and rule.span is Span.INTERVALS and rule.length_s % INTERVAL_S != 0,
        "The length is not whole intervals.",
        "Use quarters of an hour.",
    ),
    (
        "channel",
        lambda rule: rule.channel is not None and ROWS[rule.kind].channel is None,
        "A {0.kind} has no channel.",
        "Leave it away: only faults of intervals have one.",
    ),
    (
        "twice",
        lambda rule: len({*rule.meters}) < len(rule.meters) or len({*rule.esiids}) < len(rule.esiids),
        "A meter is named twice.",
        "Name it once, or write the fault twice.",
    ),
    (
        "span",
        lambda rule: rule.span is Span.ALWAYS and (rule.first, rule.until) != (ALWAYS, FOR_EVER),
        "A {0.kind} has always been.",
        "Leave first and until away.",
    ),
    (
        "swap",
        lambda rule: ROWS[rule.kind].has_other and not rule.rate and len(rule.meters) + len(rule.esiids) != 2,
        "A swap takes exactly two meters.",
        "",
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """Meters that rules may hit, some of all, by position, which ascends: position 0 is the meter of ordinal 1."""

    #: (m,) where they are.
    positions: NDArray[np.int64]

    #: (m,) hashes of their ESI IDs.
    hashes: NDArray[np.uint64]
    #: (m,) gateway of each, from 0 on.
    gateways: NDArray[np.int64]
    #: Of any meter.
    esiid: Callable[[int], str]
    #: Position of an ESI ID. Raises MeterError for a stranger.
    position: Callable[[str], int]
    #: How many meters and gateways there are in all.
    count: int
    gateway_count: int

    @classmethod
    def of(cls, esiids: Sequence[str], gateways: Sequence[int]) -> Roster:
        """A roster of meters that are held one by one."""
        at = {esiid: row for row, esiid in enumerate(esiids)}

        def position(esiid: str) -> int:
            if esiid not in at:
                raise MeterError("meters.fault.unknown", "No meter has this ESI ID.", place=esiid)
            return at[esiid]

        hashes = np.array([esiid_hash(esiid) for esiid in esiids], np.uint64)
        behind = np.array(gateways, np.int64)
        everyone = np.arange(len(esiids))
        return cls(everyone, hashes, behind, esiids.__getitem__, position, len(esiids), max(gateways, default=-1) + 1)

    def rows_of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """(p,) rows of the meters at these positions; -1: not of these."""
        rows = np.searchsorted(self.positions, positions)
        here = rows < len(self.positions)
        here[here] = self.positions[rows[here]] == positions[here]
        return np.where(here, rows, -1)


def expand(
    rules: Sequence[FaultRule], seed: int, roster: Roster, wanted: tuple[Seconds, Seconds] | None = None
) -> list[Fault]:
    """Every fault that the rules declare for these meters, in the rules' order. Raises MeterError for a meter that there is none of.

    wanted: only what may show between these instants, UTC epoch seconds: whatever touches them, and what came before them and lasts, back to its
    rule's beginning. Of a meter with a rollover what lasts is all wanted: its register is as near to its last dial as it has still to count.

    A meter's hits of a rule that draws every day are a Bernoulli process: from one hit to the next a geometric number of days, begun anew every
    64 days. So what it costs follows from the rule's length, which is bounded, and its rate, not from the date or from who asked before.
    """
    found = _expanded(rules, seed, roster, wanted, alike=False)
    return [one for one in found if isinstance(one, Fault)]


def lookalikes(rules: Sequence[FaultRule], seed: int, roster: Roster) -> list[Lookalike]:
    """Every look-alike, likewise."""
    return [one for one in _expanded(rules, seed, roster, None, alike=True) if isinstance(one, Lookalike)]


def _expanded(
    rules: Sequence[FaultRule], seed: int, roster: Roster, wanted: tuple[Seconds, Seconds] | None, *, alike: bool
) -> list[Happening]:
    made: list[Happening] = []
    drawn = [ALWAYS, FOR_EVER] if wanted is None else [wanted[0], wanted[1]]
    lasting = [ALWAYS, FOR_EVER if any(rule.kind is FaultKind.ROLLOVER for rule in rules) else drawn[1]]
    for index, rule in enumerate(rules):
        if isinstance(rule.kind, LookalikeKind) is not alike:
            continue
        if rule.rate:
            made += _by_rate(rule, index, seed, roster, *(lasting if ROWS[rule.kind].lasting else drawn))
        else:
            made += _by_name(rule, roster)
    return made if wanted is None else touching(made, *wanted)


def touching(made: Sequence[_H], first: Seconds, until: Seconds) -> list[_H]:
    """What of some happenings is wanted between two instants, as ``expand`` tells it."""
    ahead = {fault.esiid for fault in made if fault.kind is FaultKind.ROLLOVER}
    return [
        fault
        for fault in made
        if (fault.first < until and fault.until > first)
        or (fault.row.lasting and (fault.first < until or fault.esiid in ahead))
    ]


def _by_name(rule: FaultRule, roster: Roster) -> Iterator[Happening]:
    positions: list[int] = []
    for ordinal in rule.meters:
        if not 1 <= ordinal <= roster.count:
            raise MeterError(
                "meters.fault.unknown", f"There is no meter {ordinal}: there are {roster.count}.", place=rule.place
            )
        positions.append(ordinal - 1)
    positions += [roster.position(esiid) for esiid in rule.esiids]
    for gateway in rule.gateways:
        if not 1 <= gateway <= roster.gateway_count:
            raise MeterError("meters.fault.unknown", f"There is no gateway {gateway}.", place=rule.place)
        positions += roster.positions[roster.gateways == gateway - 1].tolist()
    others = positions[::-1] if ROWS[rule.kind].has_other else [None] * len(positions)
    rows = roster.rows_of(np.array(positions, np.int64)).tolist()
    for row, position, other in zip(rows, positions, others, strict=True):
        if row >= 0:
            yield _fault(
                rule, roster.esiid(position), rule.first, rule.until, "" if other is None else roster.esiid(other)
            )


def _by_rate(
    rule: FaultRule, index: int, seed: int, roster: Roster, low: Seconds, high: Seconds
) -> Iterator[Happening]:
    """low, high: of a rule that draws every day, the instants between which its days are wanted."""
    if not len(roster.positions):
        return
    row, purpose = ROWS[rule.kind], _PURPOSE + (index << 16)
    if row.has_other:
        yield from _swaps(rule, purpose, seed, roster)
        return
    if rule.every == "day":
        first, last = (day_of(at).toordinal() for at in (max(rule.first, low), min(rule.until, high) - 1))
        chances = np.array([(1.0 - rule.rate) ** passed for passed in range(_BLOCK, 0, -1)])
        hits = zip(
            *(column.tolist() for column in gaps(*words(seed), roster.hashes, first, last, purpose, chances)),
            strict=True,
        )
    else:
        hit, where = draws(*words(seed), roster.hashes, 0, purpose)
        rows = np.flatnonzero(hit < rule.rate)
        hits = zip(rows.tolist(), [0] * len(rows), where[rows].tolist(), strict=True)
    grain = INTERVAL_S if row.span is Span.INTERVALS else 1
    for at, ordinal, place in hits:
        begins, ends = rule.first, rule.until
        if ordinal:
            day = date.fromordinal(ordinal)
            begins, ends = max(begins, day_start(day)), min(ends, day_end(day))
        if rule.length_s is not None:
            room = max(0, ends - begins - rule.length_s) // grain
            begins += int(place * (room + 1)) * grain
            ends = min(begins + rule.length_s, ends)
        elif row.span is Span.INSTANT:
            begins += int(place * (ends - begins))
            ends = begins + 1
        yield _fault(rule, roster.esiid(int(roster.positions[at])), begins, ends, "")


def _swaps(rule: FaultRule, purpose: int, seed: int, roster: Roster) -> Iterator[Happening]:
    """Neighbours, 1 with 2, 3 with 4 and so on, are swapped as the first of them is drawn: a part of a fleet needs nobody else's draws."""
    lows = np.unique(roster.positions & ~1)
    rows = roster.rows_of(lows)
    hashes = roster.hashes[rows]
    for absent in np.flatnonzero(rows < 0):
        hashes[absent] = esiid_hash(roster.esiid(int(lows[absent])))
    hit, _ = draws(*words(seed), hashes, 0, purpose)
    for low in lows[hit < rule.rate].tolist():
        here = roster.rows_of(np.array([low, low + 1])) >= 0
        for position, other, held in ((low, low + 1, here[0]), (low + 1, low, here[1])):
            if low + 1 < roster.count and held:
                yield _fault(rule, roster.esiid(position), rule.first, rule.until, roster.esiid(other))


def _fault(rule: FaultRule, esiid: str, first: Seconds, until: Seconds, other: str) -> Happening:
    try:
        if isinstance(rule.kind, LookalikeKind):
            return Lookalike(rule.kind, esiid, first, until, rule.params, "", rule.channel)
        return Fault(rule.kind, esiid, first, until, rule.params, other, rule.channel)
    except MeterError as error:
        place = rule.place or f"{rule.kind} from {iso(first)}"
        raise MeterError(error.code, error.message, place=place, mend=error.mend) from None


@kernel
def draws(
    k0: Word, k1: Word, hashes: NDArray[np.uint64], counter: int, purpose: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two uniform numbers in [0, 1) for each meter: (m,) and (m,)."""
    ones = np.uint64(0xFFFFFFFF)
    first, second = np.empty(len(hashes)), np.empty(len(hashes))
    for row in range(len(hashes)):
        w0, w1, _, _ = philox4x32(
            hashes[row] & ones, hashes[row] >> np.uint64(32), np.uint64(counter), np.uint64(purpose), k0, k1
        )
        first[row], second[row] = np.float64(w0) / 2.0**32, np.float64(w1) / 2.0**32
    return first, second


@kernel
def gaps(
    k0: Word, k1: Word, hashes: NDArray[np.uint64], first: int, last: int, purpose: int, chances: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Each hit of each meter on the days first to last (ordinals), as (h,) row, day, and a uniform number in [0, 1).

    chances: (64,) that so many days pass without a hit: of 64, 63, ... 1.
    """
    ones = np.uint64(0xFFFFFFFF)
    size, count = len(chances), 0
    rows, found, where = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64)
    for row in range(len(hashes)):
        for block in range(first // size, last // size + 1):
            day, times = block * size, 0
            while True:
                w0, w1, _, _ = philox4x32(
                    hashes[row] & ones,
                    hashes[row] >> np.uint64(32),
                    np.uint64(block * size + times),
                    np.uint64(purpose),
                    k0,
                    k1,
                )
                day += size - int(np.searchsorted(chances, np.float64(w0) / 2.0**32, "right"))
                times += 1
                if day >= min((block + 1) * size, last + 1):
                    break
                if day >= first:
                    if count == len(rows):
                        rows, found = np.append(rows, rows), np.append(found, found)
                        where = np.append(where, where)
                    rows[count], found[count], where[count] = row, day, np.float64(w1) / 2.0**32
                    count += 1
                day += 1
                if day == (block + 1) * size:
                    break
    return rows[:count], found[:count], where[:count]

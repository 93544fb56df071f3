"""Faults as a scenario declares them, by meter, ESI ID, gateway or rate, and which meters a rate hits: drawn, so that any run can repeat it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Seconds, day_end, day_of, day_start, days, iso
from meters.errors import MeterError
from meters.faults.fault import ALWAYS, FOR_EVER, Fault
from meters.faults.kinds import KINDS, FaultKind, Span
from meters.identity import esiid_hash
from meters.kernels.jit import kernel
from meters.kernels.philox import Word, philox4x32, words

#: Most operating days over which a rule may draw anew each day: a longer run would hold too many faults in memory.
MOST_DAYS = 400
#: Upper counter word of these draws; no load draw has it.
_PURPOSE = 0xFA17


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One declaration. Exactly one of meters, esiids, gateways and rate says whom it hits."""

    kind: FaultKind
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
        return KINDS[FaultKind(self.kind)].span

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
        lambda rule: rule.kind not in KINDS,
        "There is no fault kind '{0.kind}'.",
        f"Take one of {', '.join(FaultKind)}.",
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
        lambda rule: (
            KINDS[FaultKind(rule.kind)].has_other and not rule.rate and len(rule.meters) + len(rule.esiids) != 2
        ),
        "A swap takes exactly two meters.",
        "",
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """The meters that rules may hit, by position: 0 is the meter of ordinal 1."""

    #: (m,) hashes of their ESI IDs.
    hashes: NDArray[np.uint64]
    #: (m,) gateway of each, from 0 on.
    gateways: NDArray[np.int64]
    esiid: Callable[[int], str]
    #: Position of an ESI ID. Raises MeterError for a stranger.
    position: Callable[[str], int]

    @classmethod
    def of(cls, esiids: Sequence[str], gateways: Sequence[int]) -> Roster:
        """A roster of meters that are held one by one."""
        at = {esiid: row for row, esiid in enumerate(esiids)}

        def position(esiid: str) -> int:
            if esiid not in at:
                raise MeterError("meters.fault.unknown", "No meter has this ESI ID.", place=esiid)
            return at[esiid]

        hashes = np.array([esiid_hash(esiid) for esiid in esiids], np.uint64)
        return cls(hashes, np.array(gateways, np.int64), esiids.__getitem__, position)


def expand(rules: Sequence[FaultRule], seed: int, roster: Roster) -> list[Fault]:
    """Every fault that the rules declare for these meters. Raises MeterError for a meter that there is none of."""
    return [*standing(rules, seed, roster), *drawn_on(rules, seed, roster, None)]


def standing(rules: Sequence[FaultRule], seed: int, roster: Roster) -> Iterator[Fault]:
    """The faults that are not drawn anew every day, in the rules' order."""
    for index, rule in enumerate(rules):
        if not rule.rate:
            yield from _by_name(rule, roster)
        elif rule.every == "run":
            yield from _by_rate(rule, index, seed, roster, [(0, rule.first, rule.until)])


def drawn_on(rules: Sequence[FaultRule], seed: int, roster: Roster, wanted: Sequence[date] | None) -> Iterator[Fault]:
    """The faults that are drawn every day, of the operating days ``wanted`` (None: of all)."""
    for index, rule in enumerate(rules):
        if rule.rate and rule.every == "day":
            spans = [
                (day.toordinal(), max(rule.first, day_start(day)), min(rule.until, day_end(day)))
                for day in (days(day_of(rule.first), day_of(rule.until - 1)) if wanted is None else wanted)
                if day_start(day) < rule.until and day_end(day) > rule.first
            ]
            yield from _by_rate(rule, index, seed, roster, spans)


def _by_name(rule: FaultRule, roster: Roster) -> list[Fault]:
    count = len(roster.hashes)
    rows: list[int] = []
    for ordinal in rule.meters:
        if not 1 <= ordinal <= count:
            raise MeterError(
                "meters.fault.unknown", f"There is no meter {ordinal}: there are {count}.", place=rule.place
            )
        rows.append(ordinal - 1)
    rows += [roster.position(esiid) for esiid in rule.esiids]
    for gateway in rule.gateways:
        behind = np.flatnonzero(roster.gateways == gateway - 1)
        if not len(behind):
            raise MeterError("meters.fault.unknown", f"There is no gateway {gateway}.", place=rule.place)
        rows += behind.tolist()
    others = [rows[1], rows[0]] if KINDS[rule.kind].has_other else [None] * len(rows)
    return [
        _fault(rule, roster.esiid(row), rule.first, rule.until, "" if other is None else roster.esiid(other))
        for row, other in zip(rows, others, strict=True)
    ]


def _by_rate(
    rule: FaultRule, index: int, seed: int, roster: Roster, spans: Sequence[tuple[int, Seconds, Seconds]]
) -> Iterator[Fault]:
    """spans: (what tells one draw from the next, first, until)."""
    if KINDS[rule.kind].has_other:
        yield from _swaps(rule, index, seed, roster)
        return
    grain = INTERVAL_S if KINDS[rule.kind].span is Span.INTERVALS else 1
    for counter, first, until in spans:
        hit, where = draws(*words(seed), roster.hashes, counter, _PURPOSE + (index << 16))
        for row in np.flatnonzero(hit < rule.rate).tolist():
            begins, ends = first, until
            if rule.length_s is not None:
                room = max(0, until - first - rule.length_s) // grain
                begins = first + int(where[row] * (room + 1)) * grain
                ends = min(begins + rule.length_s, until)
            elif KINDS[rule.kind].span is Span.INSTANT:
                begins = first + int(where[row] * (until - first))
                ends = begins + 1
            yield _fault(rule, roster.esiid(row), begins, ends, "")


def _swaps(rule: FaultRule, index: int, seed: int, roster: Roster) -> Iterator[Fault]:
    """A meter that is hit is swapped with the next one, unless that one is swapped already."""
    hit, _ = draws(*words(seed), roster.hashes, 0, _PURPOSE + (index << 16))
    taken = -1
    for row in np.flatnonzero(hit[:-1] < rule.rate).tolist():
        if row == taken:
            continue
        taken = row + 1
        esiid, other = roster.esiid(row), roster.esiid(row + 1)
        yield _fault(rule, esiid, rule.first, rule.until, other)
        yield _fault(rule, other, rule.first, rule.until, esiid)


def _fault(rule: FaultRule, esiid: str, first: Seconds, until: Seconds, other: str) -> Fault:
    try:
        return Fault(rule.kind, esiid, first, until, rule.params, other)
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

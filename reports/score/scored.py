"""The figures of an engine: pure arithmetic over what was fed, what flowed, which faults changed what, and what was delivered.

The unit is the fault-day: ESI ID, channel, operating day and kind, where something shown differs from the same day without that fault. What changed of the
day and not in an interval (a register, a clock, who answers) is one fault-day, of channel 4. Channel 1 counts where there is generation.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.vee.rules import RULES
from meters.faults.kinds import FaultKind, LookalikeKind
from meters.fleet import BITS
from reports.score.delivered import ACTUAL, ESTIMATED, NOT_DELIVERED, Delivered
from reports.score.made import ALIKE, Fed, Truth

Bools = NDArray[np.bool_]
_K = FaultKind
#: What is asked of a kind. Kinds in no class act on the wire alone, and are told beside them.
CLASSES: Mapping[str, tuple[FaultKind, ...]] = {
    "corrupt": (
        *(_K.GAP, _K.SKIPPED, _K.SPIKE, _K.STUCK, _K.NEGATIVE, _K.ZERO, _K.PARTIAL, _K.LONG, _K.OVERFLOW),
        *(_K.TEST_MODE, _K.DEAD, _K.FLAKY, _K.NO_PATH),
    ),
    "register": (_K.ROLLOVER, _K.RESET, _K.EXCHANGE),
    "identity": (_K.MULTIPLIER,),
    "time": (_K.CLOCK_DRIFT, _K.CLOCK_SET),
    "true values": (_K.OUTAGE, _K.DISCONNECTED, _K.CONFIGURATION),
    "invisible": (_K.SWAP,),
    "wire": (*(_K.EXCEPTION, _K.SLOW, _K.WRONG_TRANSACTION, _K.WRONG_UNIT, _K.WRONG_LENGTH, _K.STALE, _K.ZERO_READ),),
}
#: What nothing that the meter shows of a day can tell.
_INVISIBLE = np.uint32(sum(int(BITS[kind]) for kind in CLASSES["invisible"]))
CLASS_OF = {kind: name for name, kinds in CLASSES.items() for kind in kinds}
#: Intervals of a gap, up to so many.
GAPS = (2, 8, 24, 95, 1000)
GAP_NAMES = ("1-2", "3-8", "9-24", "25-95", "whole day")


@cache
def kinds_of() -> dict[str, tuple[FaultKind, ...]]:
    """Which kinds of fault a rule may tell, by rule."""
    with Path(__file__).with_name("rules_kinds.csv").open(encoding="utf-8", newline="") as file:
        return {row["rule"]: tuple(map(FaultKind, row["kinds"].split())) for row in csv.DictReader(file)}


class Key(NamedTuple):
    """Estimates are told apart by these."""

    method: str
    gap: str
    registers: bool


@dataclass
class Score:
    """Counts of days, added up; ``figures`` makes the figures of them."""

    tells_rules: bool = False
    meter_days: int = 0
    innocent: int = 0
    #: By kind: fault-days, those seen, those that can be located, those that are; below tolerance, and their energy.
    asked: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    to_locate: Counter[str] = field(default_factory=Counter)
    located: Counter[str] = field(default_factory=Counter)
    below: Counter[str] = field(default_factory=Counter)
    below_wh: Counter[str] = field(default_factory=Counter)
    #: By kind whose values are true: intervals touched, and those marked E though what was read is right.
    touched: Counter[str] = field(default_factory=Counter)
    marked: Counter[str] = field(default_factory=Counter)
    #: By rule: days of a channel that it told, those with a fault-day that it is mapped to, innocent meter-days, those of look-alikes among them.
    told: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    false_alike: Counter[str] = field(default_factory=Counter)
    #: By look-alike: innocent meter-days, intervals (of peaks, the peak), and those marked E.
    alike_days: Counter[str] = field(default_factory=Counter)
    alike: Counter[str] = field(default_factory=Counter)
    alike_marked: Counter[str] = field(default_factory=Counter)
    #: intervals, wrong, estimated, wrong_estimated, not_delivered; flowed, wrong_a, of it wrong_unsaid (where no rule was told) and wrong_invisible (days of
    #: such a kind), wrong_e, undelivered (Wh).
    cells: Counter[str] = field(default_factory=Counter)
    #: Wh posted wrong as A where a fault of that kind, or none, changed the day.
    wrong_a: Counter[str] = field(default_factory=Counter)
    #: By ``Key``: intervals, flowed, and of the engine, yesterday and the profile: sums of abs(error) and error, Wh.
    errors: dict[Key, NDArray[np.int64]] = field(default_factory=lambda: defaultdict(lambda: np.zeros(9, np.int64)))

    def add(self, fed: Fed, truth: Truth, out: Delivered, generation: Bools) -> None:
        """Count a day. generation: (m,) who has any."""
        counted = np.stack([np.ones_like(generation), generation])
        changed = (truth.kinds != 0).any(axis=(0, 2)) | ((truth.day_kinds | truth.after) != 0).any(axis=0)
        # Two kinds may each keep a meter silent, and then neither changed anything.
        changed |= fed.told_number < 0
        self.tells_rules |= out.tells_rules
        self.meter_days += len(changed)
        self.innocent += int((~changed).sum())
        found = {rule: out.found(rule) & counted[:, :, None] for rule in RULES}
        wrong = ~fed.present | (fed.wh != truth.flowed)
        self._kinds(fed, truth, out, found, wrong, counted)
        self._rules(fed, truth, found, changed)
        self._intervals(truth, out, wrong, counted)
        self._look_alikes(truth, out, changed)
        self._estimates(fed, truth, out, counted)

    def _kinds(
        self, fed: Fed, truth: Truth, out: Delivered, found: Mapping[str, Bools], wrong: Bools, counted: Bools
    ) -> None:
        silent = fed.told_number < 0
        for kind, bit in BITS.items():
            at, keys = _of(truth, bit, counted)
            if not keys.any():
                continue
            below = keys & ((truth.below & bit) != 0)
            self.below[kind] += int(below.sum())
            self.below_wh[kind] += int(np.abs((fed.wh.astype(np.int64) - truth.flowed) * at)[below].sum())
            keys = keys & ~below
            rules = [rule for rule, kinds in kinds_of().items() if kind in kinds]
            named = np.any([found[rule].any(axis=2) for rule in rules], axis=0) if rules else np.zeros_like(keys)
            if CLASS_OF[kind] != "corrupt":
                named = named | named.any(axis=0)
            seen = keys & named
            # Of a meter that does not answer everything is wrong.
            at = at | (keys & silent)[:, :, None]
            away = at & wrong
            ranges = [found[rule] for rule in rules if RULES[rule].scope == "interval"]
            met = np.any([(one & at).any(axis=2) for one in ranges], axis=0) if ranges else np.zeros_like(keys)
            covered = 2 * (away & (out.status == ESTIMATED)).sum(axis=2) >= away.sum(axis=2)
            self.asked[kind] += int(keys.sum())
            self.seen[kind] += int(seen.sum())
            # Without rules by E alone, where there is anything that should be it.
            to_locate, told = (keys, seen & met) if out.tells_rules else (keys & away.any(axis=2), keys)
            self.to_locate[kind] += int(to_locate.sum())
            self.located[kind] += int((to_locate & told & covered).sum())
            if CLASS_OF[kind] == "true values":
                right = at & ~wrong & _alone(truth, bit)
                self.touched[kind] += int(right.sum())
                self.marked[kind] += int((right & (out.status == ESTIMATED)).sum())

    def _rules(self, fed: Fed, truth: Truth, found: Mapping[str, Bools], changed: Bools) -> None:
        masks = np.bitwise_or.reduce(truth.kinds, axis=2) | truth.day_kinds
        unread, silent = (fed.r0 < 0) | (fed.r1 < 0), fed.told_number < 0
        for rule, kinds in kinds_of().items():
            days = found[rule].any(axis=2)
            own = np.uint32(sum(int(BITS[kind]) for kind in kinds))
            right = ((masks | truth.after) & own) != 0
            if rule == "register.missing":
                # A register that a look-alike's meter lost is missing, and nothing else.
                right |= unread
            if rule == "interval.missing":
                right |= silent
            self.told[rule] += int(days.sum())
            self.right[rule] += int((days & right).sum())
            false = (days & ~right).any(axis=0) & ~changed
            self.false[rule] += int(false.sum())
            self.false_alike[rule] += int((false & (truth.alike != 0).any(axis=1)).sum())

    def _intervals(self, truth: Truth, out: Delivered, wrong: Bools, counted: Bools) -> None:
        here = np.broadcast_to(counted[:, :, None], wrong.shape)
        estimated, actual = out.status == ESTIMATED, out.status == ACTUAL
        away = np.abs(out.wh - truth.flowed)
        # On either channel: a clock's or a multiplier's rule speaks of both.
        rules: Bools = np.array([bool(named) for named in out.rules])[out.rule]
        said = np.broadcast_to(np.asarray(rules.any(axis=(0, 2)))[:, None], rules.shape)
        masks = np.bitwise_or.reduce(truth.kinds, axis=2) | truth.day_kinds
        of_days = (away * (actual & here)).sum(axis=2)
        self.cells.update(
            intervals=int(here.sum()),
            wrong=int((wrong & here).sum()),
            estimated=int((estimated & here).sum()),
            wrong_estimated=int((wrong & estimated & here).sum()),
            not_delivered=int(((out.status == NOT_DELIVERED) & here).sum()),
            flowed=int(truth.flowed[here].sum(dtype=np.int64)),
            wrong_a=int(away[actual & here].sum()),
            wrong_e=int(away[estimated & here].sum()),
            wrong_unsaid=int(away[actual & here & ~said].sum()),
            wrong_invisible=int(of_days[:, ((masks[0] | masks[1]) & _INVISIBLE) != 0].sum()),
            undelivered=int(truth.flowed[(out.status == NOT_DELIVERED) & here].sum(dtype=np.int64)),
        )
        for kind, bit in BITS.items():
            self.wrong_a[kind] += int(of_days[(masks & bit) != 0].sum())
        self.wrong_a["no fault"] += int(of_days[masks == 0].sum())

    def _look_alikes(self, truth: Truth, out: Delivered, changed: Bools) -> None:
        for kind, bit in ALIKE.items():
            at = ((truth.alike & bit) != 0) & ~changed[:, None]
            self.alike_days[kind] += int(at.any(axis=1).sum())
            self.alike[kind] += int(at.sum())
            self.alike_marked[kind] += int((at & (out.status[0] == ESTIMATED)).sum())

    def _estimates(self, fed: Fed, truth: Truth, out: Delivered, counted: Bools) -> None:
        known = (fed.r0 >= 0) & (fed.r1 >= fed.r0)
        estimated = (out.status == ESTIMATED) & counted[:, :, None]
        profile = _profile(fed, out)
        n = estimated.shape[2]
        for channel, row in np.argwhere(estimated.any(axis=2)).tolist():
            marks = estimated[channel, row]
            edges = np.flatnonzero(np.diff(marks.astype(np.int8), prepend=0, append=0))
            for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
                length = end - begin
                gap = GAP_NAMES[-1 if length == n else next(at for at, most in enumerate(GAPS) if length <= most)]
                span = channel, row, slice(begin, end)
                method = out.methods[int(out.method[channel, row, begin])] or "not told"
                true = truth.flowed[span].astype(np.int64)
                guess = np.maximum(truth.yesterday[span], 0)
                sums = [length, true.sum()]
                for one in (out.wh[span], guess, profile[span]):
                    error = one - true
                    sums += [np.abs(error).sum(), error.sum()]
                lacks = int((truth.yesterday[span] < 0).sum())
                self.errors[Key(method, gap, bool(known[channel, row]))] += np.array([*sums, lacks], np.int64)

    def figures(self) -> dict[str, Any]:
        """Every figure, as JSON has it; None where nothing was asked."""
        return {
            "meter_days": self.meter_days,
            "innocent_meter_days": self.innocent,
            "rules_delivered": self.tells_rules,
            # Whether there was anything to find.
            "measured": bool(self.asked.total() or self.below.total()),
            "kinds": {str(kind): self._kind(kind) for kind in FaultKind if self.asked[kind] or self.below[kind]},
            "rules": {rule: self._rule(rule) for rule in RULES if self.told[rule]},
            "look_alikes": {str(kind): self._alike(kind) for kind in LookalikeKind if self.alike_days[kind]},
            "intervals": self._cells(),
            "wrong_as_a_wh": dict(self.wrong_a.most_common()),
            "estimates": [self._error(key, row) for key, row in sorted(self.errors.items())],
        }

    def _kind(self, kind: FaultKind) -> dict[str, Any]:
        rules = [rule for rule, kinds in kinds_of().items() if kind in kinds]
        precision = _share(sum(self.right[rule] for rule in rules), sum(self.told[rule] for rule in rules))
        recall = _share(self.seen[kind], self.asked[kind]) if self.tells_rules else None
        total = (precision or 0.0) + (recall or 0.0)
        f1 = None if recall is None else 2 * (precision or 0.0) * recall / total if total else 0.0
        if CLASS_OF[kind] == "true values":
            # There is nothing to find: asked is that what was read stands.
            marked = _share(self.marked[kind], self.touched[kind])
            return {"class": CLASS_OF[kind], "fault_days": self.asked[kind], "true_intervals_marked_e": marked}
        return {
            "class": CLASS_OF[kind],
            "fault_days": self.asked[kind],
            "seen": recall,
            "located": _share(self.located[kind], self.to_locate[kind]),
            "precision": precision,
            "f1": f1,
            "below_tolerance": self.below[kind],
            "below_tolerance_wh": self.below_wh[kind],
        }

    def _rule(self, rule: str) -> dict[str, Any]:
        return {
            "days": self.told[rule],
            "precision": _share(self.right[rule], self.told[rule]),
            "false_alarms": self.false[rule],
            "false_alarms_on_look_alikes": self.false_alike[rule],
            "false_alarms_per_10000": _share(10_000 * self.false[rule], self.innocent),
        }

    def _alike(self, kind: LookalikeKind) -> dict[str, Any]:
        return {"days": self.alike_days[kind], "marked_e": _share(self.alike_marked[kind], self.alike[kind])}

    def _cells(self) -> dict[str, Any]:
        c = self.cells
        return {
            "intervals": c["intervals"],
            "not_delivered": c["not_delivered"],
            "wrong": c["wrong"],
            "e_recall": _share(c["wrong_estimated"], c["wrong"]),
            "e_precision": _share(c["wrong_estimated"], c["estimated"]),
            "flowed_wh": c["flowed"],
            "wrong_as_a_percent": _share(100 * c["wrong_a"], c["flowed"]),
            "wrong_as_a_invisible_percent": _share(100 * c["wrong_invisible"], c["flowed"]),
            "wrong_as_a_unsaid_percent": _share(100 * c["wrong_unsaid"], c["flowed"]),
            "wrong_as_e_percent": _share(100 * c["wrong_e"], c["flowed"]),
            "undelivered_percent": _share(100 * c["undelivered"], c["flowed"]),
        }

    def _error(self, key: Key, row: NDArray[np.int64]) -> dict[str, Any]:
        count, flowed, *sums, lacks = row.tolist()
        made: dict[str, Any] = {**key._asdict(), "intervals": count, "yesterday_lacks": lacks}
        for place, name in enumerate(("engine", "yesterday", "profile")):
            absolute, signed = sums[2 * place : 2 * place + 2]
            made[name] = {
                "mae_wh": _share(absolute, count),
                "error_percent": _share(100 * absolute, flowed),
                "bias_percent": _share(100 * signed, flowed),
            }
        return made


def add_up(days: Iterable[tuple[Fed, Truth, Delivered]], generation: Bools) -> Score:
    """The score of some days."""
    score = Score()
    for fed, truth, out in days:
        score.add(fed, truth, out, generation)
    return score


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _of(truth: Truth, bit: np.uint32, counted: Bools) -> tuple[Bools, Bools]:
    """(2, m, n) what a kind changed, and (2, m) its fault-days."""
    at = ((truth.kinds & bit) != 0) & counted[:, :, None]
    keys: Bools = at.any(axis=2)
    keys[0] |= ((truth.day_kinds[0] & bit) != 0) & ~keys.any(axis=0)
    return at, keys


def _alone(truth: Truth, bit: np.uint32) -> Bools:
    """(2, m, 1) where no other kind changed the day."""
    masks = np.bitwise_or.reduce(truth.kinds, axis=2) | truth.day_kinds
    alone: Bools = ((masks & ~bit) == 0)[:, :, None]
    return alone


def _profile(fed: Fed, out: Delivered) -> NDArray[np.int64]:
    """(2, m, n) the naive estimate: the mean of all meters' reads at that interval, as high as the meter's intervals that stand."""
    sums = np.where(fed.present, fed.wh, 0).astype(np.float64)
    mean = sums.sum(axis=1, keepdims=True) / np.maximum(fed.present.sum(axis=1, keepdims=True), 1)
    stands = (out.status == ACTUAL) & fed.present
    own, others = (sums * stands).sum(axis=2, keepdims=True), (mean * stands).sum(axis=2, keepdims=True)
    level = np.divide(own, others, out=np.ones_like(own), where=others > 0)
    whole: NDArray[np.int64] = np.rint(mean * level).astype(np.int64)
    return whole

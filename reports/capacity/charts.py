"""What the charts of a study show: what the market gets for what is on air, how busy everything is, who is refused when, what an assumption moves, where it breaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import day_start, local, seconds
from reports.capacity import words
from reports.capacity.compare import Judged
from simulator.capacity.levels import SHARES, level_of
from simulator.capacity.outcome import Frame, Outcome
from simulator.capacity.paired import Estimate
from simulator.capacity.told import ALL, READS

Floats = NDArray[np.float64]
#: Of the clock.
HOURS = 24
#: So many five minutes are drawn as one.
_COARSE = 3


class Place(NamedTuple):
    """A policy among what the market gets and what it takes: its number, and whether no other gives more for less."""

    number: int
    megabytes: float
    value: float
    on_front: bool


#: What is moved: a measure, and where.
WAYS = {"octets_on_air": "on air", "http_octets": "over HTTP"}


def megabytes(outcome: Outcome, way: str) -> list[float]:
    """Of each policy, of a day, on the workload where it takes most. way: of ``WAYS``."""
    days = np.asarray([one.days for one in outcome.workloads])[:, None]
    found: list[float] = ((outcome.values(way, ALL).mean(axis=2) / days).max(axis=0) / 1e6).tolist()
    return found


def places(outcome: Outcome, judged: Judged, way: str) -> list[Place]:
    """Each policy on the workload where it does worst, and what it moves where it takes most; nobody where there is nobody to judge by."""
    moved = np.asarray(megabytes(outcome, way))
    worst = (judged.sign * outcome.values(judged.measure, judged.group)).mean(axis=2).min(axis=0)
    if np.isnan(worst).any():
        return []
    return [
        Place(at + 1, x, judged.sign * y, not ((moved <= x) & (worst >= y) & ((moved < x) | (worst > y))).any())
        for at, (x, y) in enumerate(zip(moved.tolist(), worst.tolist(), strict=True))
    ]


class Busy(NamedTuple):
    """A resource over a workload: its name, and (columns,) shares of it that are busy."""

    name: str
    shares: Floats
    most: float


def busy(outcome: Outcome, workload: str, policy: str) -> tuple[list[Busy], Floats]:
    """How busy each resource was, by 15 minutes, and when these begin, hours from midnight; nothing where it was not measured."""
    frame = of_cell(outcome.first.get("use", {}), workload, policy)
    # The last of the 5 minutes has everything that came later.
    count = (len(frame.get("begins", ())) - 1) // _COARSE
    if count < 1:
        return [], np.zeros(0)
    workers = outcome.assumed["network"]["workers"]
    shares = {
        "access points, median": frame["points_p50"],
        "access points, 90 of 100": frame["points_p90"],
        "access points, busiest": frame["points_most"],
        **({"workers": frame["workers"] / workers} if workers else {}),
    }
    begins = frame["begins"][: _COARSE * count : _COARSE]
    # As time passes: the day on which clocks are put back has 25 hours.
    hours = (begins - day_start(local(seconds(int(begins[0]))).date())) / 3600
    coarse = {name: of[: _COARSE * count].reshape(count, _COARSE).max(axis=1) for name, of in shares.items()}
    return [Busy(name, of, float(of.max())) for name, of in coarse.items()], hours


def of_cell(frame: Frame, workload: str, policy: str) -> dict[str, NDArray[np.float64]]:
    """A frame's columns of one cell."""
    if not frame:
        return {}
    which = (frame["workload"] == workload) & (frame["policy"] == policy)
    return {name: of[which] for name, of in frame.items()} if which.any() else {}


class Refused(NamedTuple):
    """A policy that refuses some: (24,) the share of each clock hour's requests over all workloads; NaN of none."""

    policy: str
    shares: Floats


def refused_by_hour(outcome: Outcome) -> list[Refused]:
    """Those that refuse from 0.1 % of the requests on, in the study's order; none of an outcome that is kept without the hours."""
    frame = outcome.first.get("asked", {})
    found = []
    for policy in outcome.policy_names if "hour" in frame else ():
        which = frame["policy"] == policy
        asked = np.bincount(frame["hour"][which], frame["requests"][which], HOURS)
        refused = which & (frame["code"] != "")
        shares = np.bincount(frame["hour"][refused], frame["requests"][refused], HOURS)
        if shares.sum() >= 0.001 * max(1.0, asked.sum()):
            with np.errstate(invalid="ignore"):
                found.append(Refused(policy, shares / asked))
    return found


class Swung(NamedTuple):
    """By how far an assumption moves a measure of a policy, on the workload where it moves it most; None of an end that was not played."""

    knob: str
    title: str
    workload: str
    low: Estimate | None
    high: Estimate | None
    range: str

    @property
    def most(self) -> float:
        """The larger of both ways."""
        return max(abs(one.mean or 0.0) for one in (self.low, self.high) if one is not None)


def swung(outcome: Outcome, judged: Judged, policy: str) -> list[Swung]:
    """The assumptions that were moved under a policy, those first that move it most."""
    by: dict[str, dict[str, dict[str, Estimate]]] = defaultdict(lambda: defaultdict(dict))
    for one in outcome.swings(judged.measure, judged.group):
        if one.policy == policy and one.by.mean is not None:
            by[one.assumption.knob][one.workload][one.end] = one.by
    found = []
    for assumption in outcome.tornado:
        workloads = by.get(assumption.knob)
        if workloads:
            workload, ends = max(
                workloads.items(), key=lambda item: max(abs(one.mean or 0.0) for one in item[1].values())
            )
            found.append(
                Swung(
                    assumption.knob,
                    assumption.title,
                    workload,
                    ends.get("low"),
                    ends.get("high"),
                    words.ranged(assumption),
                )
            )
    return sorted(found, key=lambda one: -one.most)


class Course(NamedTuple):
    """What a level asks of as a knob is turned up, and where it breaks. Shares are in percent."""

    policy: str
    workload: str
    level: str
    #: The measure, as an axis names it, and the level's bound.
    measure: str
    bound: float
    #: (n,) thousand requests a day, ascending; mean and 95 % interval of the measure, within what it can be.
    requests: Sequence[float]
    means: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    #: Thousand requests a day of the last load found that keeps the level, where one was found that does not; None: it broke nowhere, or everywhere.
    knee: float | None


def courses(outcome: Outcome) -> list[Course]:
    """Of each knee that has points."""
    found = []
    for one in outcome.knees:
        level = level_of(one.level)
        share = level.measure in SHARES
        scale, most = (100.0, 100.0) if share else (1.0, np.inf)
        points = [
            (at.requests / 1000, at.value, scale * at.level.mean, scale * (at.level.half or 0.0))
            for at in one.points
            if at.level.mean is not None
        ]
        if points:
            requests, values, means, halves = zip(*points, strict=True)
            edge = [
                at for at, value in zip(requests, values, strict=True) if value == one.kept and one.broken is not None
            ]
            whose = f"{level.group}.{level.measure}".removeprefix(f"{READS}.")
            found.append(
                Course(
                    one.policy,
                    one.workload,
                    one.level,
                    f"{whose}, %" if share else whose,
                    scale * level.bound,
                    requests,
                    means,
                    # No share and no time is less than nothing.
                    [max(0.0, mean - half) for mean, half in zip(means, halves, strict=True)],
                    [min(most, mean + half) for mean, half in zip(means, halves, strict=True)],
                    next(iter(edge), None),
                )
            )
    return found

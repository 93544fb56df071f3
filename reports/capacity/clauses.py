"""FR CR016.1, clause by clause: what each does to callers and to the air beside the same policy without it, and which assumption would turn that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.capacity.compare import AIR, TOLD, USD, Judged
from simulator.capacity import told
from simulator.capacity.outcome import Assumption, Outcome
from simulator.capacity.paired import Estimate, difference, differs, regret_of

Floats = NDArray[np.float64]


class Clause(NamedTuple):
    """A part of the rule: how it reads, and how in its place if it is not taken in; the policy that has it, and the one that is the same without it."""

    title: str
    text: str
    otherwise: str
    having: str
    lacking: str
    #: By what it is judged, before tries at meters.
    judged: Sequence[Judged] = (TOLD, USD)
    #: Whether it stands in the rule only with the cap for each access point, or only without.
    capped: bool | None = None


#: Power statuses have no dollars.
STATUSES = TOLD._replace(group=told.STATUSES, title="Power statuses told in the call, %")
CAP = "A cap for each access point"
CLAUSES = (
    Clause(
        "The store answers first",
        "A request that the head-end's store can answer is answered from it, and counts against no limit.",
        "Every request is a meter read.",
        "fr-cr016-1",
        "fr-cr016-1-meter-only",
    ),
    Clause(
        CAP,
        "At most 8 requests are under way behind one access point.",
        "Nothing caps what is under way behind an access point.",
        "smt-today-guarded:amount=8",
        "smt-today",
    ),
    Clause(
        "Two an hour, 24 a day",
        "Two successful requests of a kind per ESI ID and hour and 24 a day, in place of one a day.",
        "One successful request of a kind per ESI ID and day.",
        "smt-today",
        "fr-cr016-1",
        capped=False,
    ),
    Clause(
        "Two an hour, 24 a day, under the cap",
        "Where access points are capped: two successful requests of a kind per ESI ID and hour and 24 a day, in place of one a day.",
        "Where access points are capped, too: one successful request of a kind per ESI ID and day.",
        "smt-today-guarded:amount=8",
        "fr-cr016-1-guarded",
        capped=True,
    ),
    Clause(
        "A second one a day",
        "Two successful requests of a kind per ESI ID and day, in place of one.",
        "No second one a day.",
        "n-per-day",
        "fr-cr016-1",
        capped=False,
    ),
    Clause(
        "Power statuses as often as today",
        "Two successful power statuses per ESI ID and hour and 24 a day, in place of one a day.",
        "One successful power status per ESI ID and day.",
        "fr-cr016-1-statuses",
        "fr-cr016-1",
        judged=(STATUSES, TOLD, USD),
    ),
    Clause(
        "A daily cap for each TDSP",
        "At most 3,000 reads per TDSP and day through the API.",
        "No cap for a TDSP's day.",
        "smt-today-3000",
        "smt-today",
    ),
    Clause(
        "A reserve for call centres",
        "Where a TDSP's day is capped at 3,000 reads, 1,000 of them are kept for call centres.",
        "Where a TDSP's day is capped, nothing of it is kept for anybody.",
        "call-centre-first",
        "tdsp-3000",
    ),
    Clause(
        "Shares for classes of requesters",
        "Where a TDSP's day is capped at 3,000 reads, each class of requesters has a share of its own, in place of one cap for all.",
        "Where a TDSP's day is capped, classes of requesters have no shares of their own.",
        "requester-classes",
        "tdsp-3000",
    ),
    Clause(
        "A read answers again",
        "A read younger than 15 minutes answers the next request for the same.",
        "Every request is read anew.",
        "reuse-15-min",
        "smt-today",
    ),
    Clause(
        "A sweep's data are fresh enough",
        "Where the store falls short of now by no more than a sweep's time, it is the answer, and no meter is read.",
        "A store that falls short of now is not enough.",
        "store-within",
        "smt-today",
    ),
    Clause(
        "Sweeps' data are pushed to SMT",
        "The head-end hands each sweep's intervals to SMT, which answers from them at once where they fall short of now by no more than a sweep's time.",
        "Sweeps' data stay at the head-end.",
        "push-to-smt",
        "smt-today",
    ),
)
#: The rewritten rule as a whole, and by clause the same without it: nothing is pushed that no store may answer from.
RULE = "rewritten"
WITHOUT = {
    "The store answers first": "rewritten-meter-only",
    CAP: "rewritten-uncapped",
    "A read answers again": "rewritten-read-anew",
    "Sweeps' data are pushed to SMT": "rewritten-unpushed",
}
IN_THE_RULE = tuple(one._replace(having=RULE, lacking=WITHOUT[one.title]) for one in CLAUSES if one.title in WITHOUT)


class Verdict(StrEnum):
    """What becomes of a clause."""

    TAKEN = "taken in"
    FOR_BANDWIDTH = "taken in for bandwidth alone"
    REFUSED = "not taken in"
    TRADE = "a trade, left open"
    ALIKE = "cannot be told apart"


class Effect(NamedTuple):
    """By how much a measure is another with the clause, as paired differences: where that is most, and the least and most of all workloads."""

    judged: Judged
    workload: str
    by: Estimate
    least: float
    most: float
    #: Of all workloads together, as a share of what is without the clause.
    relative: Estimate


class Moved(NamedTuple):
    """An assumption at an end of its range, played under some policies: on which workloads, and how often."""

    assumption: Assumption
    end: str
    workloads: Sequence[str]
    replications: int


class Tried(NamedTuple):
    """On what assumptions were moved: how many, on which workloads, and with how many replications."""

    assumptions: int
    workloads: Sequence[str]
    replications: int


class Held(NamedTuple):
    """A clause, judged."""

    clause: Clause
    verdict: Verdict
    effects: Sequence[Effect]
    #: Where assumptions were moved under both policies, and how many; None: nowhere.
    tried: Tried | None
    #: The verdict there with nothing moved, on fewer workloads and replications than ``verdict``: another one may come of that alone.
    there: Verdict
    #: Where another one than ``there`` comes out, and which.
    turned: Sequence[tuple[Moved, Verdict]]


def held(outcome: Outcome) -> Iterator[Held]:
    """The clauses whose two policies a study has played, judged."""
    for clause in (*CLAUSES, *IN_THE_RULE):
        policies = (clause.having, clause.lacking)
        if {*policies} <= {*outcome.policy_names}:
            moves = list(moved(outcome, policies))
            wholly = Moved(_NONE, "", outcome.workload_names, outcome.replications)
            verdict = _verdict(outcome, clause, wholly, "")
            there = _verdict(outcome, clause, moves[0], "") if moves else verdict
            ends = [(one, _verdict(outcome, clause, one, change_of(one))) for one in moves]
            yield Held(
                clause,
                verdict,
                [effect_of(outcome, clause.having, clause.lacking, judged) for judged in (*clause.judged, AIR)],
                tried(moves),
                there,
                [(one, of) for one, of in ends if of is not there],
            )


_NONE = Assumption("", "", "", "", "", "", "", "")


def change_of(one: Moved) -> str:
    """As ``Key.change`` has it."""
    return one.assumption.change(one.end)


def tried(moves: Sequence[Moved]) -> Tried | None:
    """On what these were moved: all on the same."""
    knobs = {one.assumption.knob for one in moves}
    return Tried(len(knobs), moves[0].workloads, moves[0].replications) if moves else None


def moved(outcome: Outcome, policies: Sequence[str]) -> Iterator[Moved]:
    """Each end of each assumption that was moved under all of some policies."""
    for assumption in outcome.tornado:
        for end in ("low", "high"):
            change = assumption.change(end)
            counts = {
                workload: min(len(outcome.of(workload, policy, change)) for policy in policies)
                for workload in outcome.workload_names
            }
            there = [workload for workload, count in counts.items() if count]
            if there:
                yield Moved(assumption, end, there, min(counts[one] for one in there))


def moved_under(outcome: Outcome) -> list[str]:
    """The policies under which assumptions were moved."""
    first = next(iter(outcome.tornado), None)
    return [
        policy
        for policy in outcome.policy_names
        if first is not None
        and any(outcome.of(one, policy, first.change(end)) for one in outcome.workload_names for end in ("low", "high"))
    ]


class Rivals(NamedTuple):
    """Policies under which assumptions were moved, and who of them is best."""

    policies: Sequence[str]
    tried: Tried | None
    #: With nothing moved there: not among all policies, and not over all workloads.
    best: Sequence[str]
    #: Where nobody of ``best`` is, and who is.
    turned: Sequence[tuple[Moved, Sequence[str]]]


def rivals(outcome: Outcome, judged: Judged) -> Rivals:
    """Who is best where assumptions were moved, and where another policy is."""
    policies = moved_under(outcome)
    moves = list(moved(outcome, policies)) if len(policies) > 1 else []
    if not moves:
        return Rivals(policies, None, [], [])
    best = _leaders(outcome, judged, policies, moves[0], "")
    ends = [(one, _leaders(outcome, judged, policies, one, change_of(one))) for one in moves]
    return Rivals(policies, tried(moves), best, [(one, of) for one, of in ends if of and not {*of} & {*best}])


def values_of(outcome: Outcome, judged: Judged, policies: Sequence[str], at: Moved, change: str) -> Floats:
    """(w, p, r) more is better."""
    return judged.sign * np.stack(
        [
            [
                outcome.series(one, policy, judged.measure, judged.group, change)[: at.replications]
                for policy in policies
            ]
            for one in at.workloads
        ]
    )


def _leaders(outcome: Outcome, judged: Judged, policies: Sequence[str], at: Moved, change: str) -> list[str]:
    values = values_of(outcome, judged, policies, at, change)
    return [] if np.isnan(values).any() else [policies[one] for one in regret_of(values).leaders]


def _verdict(outcome: Outcome, clause: Clause, at: Moved, change: str) -> Verdict:
    """By regret: what is lacked of the better one of the two on the workload where it lacks most, if its 95 % interval leaves 0 out."""
    better = [_better(outcome, clause, judged, at, change) for judged in clause.judged]
    if 1 in better and -1 in better:
        return Verdict.TRADE
    if any(better):
        return Verdict.TAKEN if 1 in better else Verdict.REFUSED
    less_air = _better(outcome, clause, AIR, at, change)
    return {1: Verdict.FOR_BANDWIDTH, 0: Verdict.ALIKE, -1: Verdict.REFUSED}[less_air]


def _better(outcome: Outcome, clause: Clause, judged: Judged, at: Moved, change: str) -> int:
    """1 if the clause has the lesser regret, -1 if the greater, 0 if they cannot be told apart or nobody is there to judge by."""
    values = values_of(outcome, judged, (clause.having, clause.lacking), at, change)
    if np.isnan(values).any():
        return 0
    having, lacking = regret_of(values).series
    by = difference(lacking, having)
    return (1 if (by.mean or 0.0) > 0 else -1) if differs(by) else 0


def effect_of(outcome: Outcome, one: str, other: str, judged: Judged) -> Effect:
    """What a policy does to a measure beside another."""
    of = outcome.values(judged.measure, judged.group)
    having, lacking = (of[:, outcome.policy_names.index(name)] for name in (one, other))
    by = [difference(*pair) for pair in zip(having, lacking, strict=True)]
    means = [at.mean or 0.0 for at in by]
    at = int(np.abs(means).argmax())
    sums = having.sum(axis=0), lacking.sum(axis=0)
    relative = difference(sums[0] / sums[1], np.ones(len(sums[1]))) if sums[1].all() else Estimate(None, None)
    return Effect(judged, outcome.workload_names[at], by[at], min(means), max(means), relative)

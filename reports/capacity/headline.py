"""A study's answer in a sentence, and what has to stand beside it: how far its lead goes where what is assumed is otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from reports.capacity import words
from reports.capacity.clauses import Moved, Tried, change_of, moved, moved_under, tried, values_of
from reports.capacity.compare import TOLD, USD, Judged, listed, regret
from reports.capacity.workload_chart import SHOWN
from simulator.capacity.outcome import Outcome
from simulator.capacity.paired import difference, differs, regret_of
from simulator.capacity.told import ALL, READS, STATUSES
from simulator.capacity.workload.columns import CLASSES
from simulator.smt.throttle.limits import RequesterClass

_CENTRE = RequesterClass.ROR_CALL_CENTRE
#: Whom the answer does not speak of, by group.
OTHERS = {
    STATUSES: "power statuses",
    str(_CENTRE): "all that call centres ask",
    **{str(one): SHOWN[one][0] for one in CLASSES if one is not _CENTRE},
}
#: So many assumptions are named of those that move a lead most.
_NAMED = 3


def answer(outcome: Outcome) -> str:
    """One sentence: which policy has the least regret, if it can be told apart from all others. It speaks of ``READS`` alone."""
    told, usd = (_least(outcome, one) for one in (TOLD, USD))
    count = len(outcome.workloads)
    over = f"Over {count} workloads" if count > 1 else f"On {outcome.workloads[0].name}"
    return f"{over} the least regret in call centres' interval reads told in the call: {told}; in dollars: {usd}."


def _least(outcome: Outcome, judged: Judged) -> str:
    names = outcome.policy_names
    found = regret(outcome, judged)
    if found is None:
        return "no policy, for a workload has no call centre's reads"
    if len(names) == 1:
        return f"{names[0]}, which was played alone"
    leaders = found.leaders
    if len(leaders) > 1:
        all_of_them = "all policies" if len(leaders) == len(names) else listed([names[at] for at in leaders])
        return f"{all_of_them} cannot be told apart"
    second = np.argsort(found.series.mean(axis=1), kind="stable").tolist()[1]
    mean, half = difference(found.series[second], found.series[leaders[0]])
    by = judged.unit.format(judged.write(mean or 0.0))
    return f"{names[leaders[0]]}, by {by} (± {judged.write(half or 0.0)}) before {names[second]}"


class Led(NamedTuple):
    """By how much the best policy leads at the ends of what is assumed: the least regret of the others less its own; below 0 another one leads."""

    judged: Judged
    policy: str
    #: Under which assumptions were moved, itself among them.
    policies: Sequence[str]
    #: None: under it and another one nothing was.
    tried: Tried | None
    #: With nothing moved there.
    here: float
    ends: Sequence[tuple[Moved, float]]


def led(outcome: Outcome, judged: Judged) -> Led | None:
    """Nothing where no policy is best by itself, or one was played alone."""
    found = regret(outcome, judged)
    if found is None or len(found.leaders) > 1 or len(outcome.policies) == 1:
        return None
    best, policies = outcome.policy_names[found.leaders[0]], moved_under(outcome)
    moves = list(moved(outcome, policies)) if best in policies and len(policies) > 1 else []
    if not moves:
        return Led(judged, best, policies, None, np.nan, [])

    def lead(one: Moved, change: str) -> float:
        of = dict(
            zip(policies, regret_of(values_of(outcome, judged, policies, one, change)).series.mean(axis=1), strict=True)
        )
        own: float = of.pop(best)
        return float(min(of.values()) - own)

    ends = [(one, lead(one, change_of(one))) for one in moves]
    return Led(judged, best, policies, tried(moves), lead(moves[0], ""), [one for one in ends if one[1] == one[1]])


def beside(outcome: Outcome) -> Iterator[str]:
    """Sentences without which the answer says more than was seen."""
    for policy in _named(outcome):
        yield from _others(outcome, policy)
    found = [one for judged in (TOLD, USD) if (one := led(outcome, judged)) is not None]
    for name in dict.fromkeys(one.policy for one in found if not one.ends):
        yield f"The ± of the lead of {name} is the noise of the draws alone: under it and another policy no assumption was moved."
    for one in found:
        yield from _over_ends(one)


def of_whom(outcome: Outcome) -> Iterator[str]:
    """How much of everything that is which the answer speaks of."""
    of, every, centre = (outcome.values("planned", group)[:, 0].mean(axis=1) for group in (READS, ALL, str(_CENTRE)))
    if of.all():
        ends = [
            dict.fromkeys(f"{100 * end:.1f}" for end in (one.min(), one.max())) for one in (of / every, of / centre)
        ]
        shares = [f"{' to '.join(one)} %" for one in ends]
        yield f"Call centres' interval reads are {shares[0]} of a workload's requests, and {shares[1]} of what call centres ask."


def _named(outcome: Outcome) -> list[str]:
    """Whom the answer names as best, or as not to be told apart from it."""
    found = [one.leaders for judged in (TOLD, USD) if (one := regret(outcome, judged)) is not None]
    names = dict.fromkeys(outcome.policy_names[at] for of in found if len(of) < len(outcome.policies) for at in of)
    return list(names)


def _others(outcome: Outcome, policy: str) -> Iterator[str]:
    """What a policy does to all that the answer does not speak of, on the workload where it lacks most of what another one does."""
    mine, said = outcome.policy_names.index(policy), []
    for group, name in OTHERS.items():
        values = outcome.values(TOLD.measure, group)
        there = np.flatnonzero(~np.isnan(values).any(axis=(1, 2)))
        if not len(there):
            continue
        means = values.mean(axis=2)
        at = there[(means[there].max(axis=1) - means[there, mine]).argmax()]
        best = int(means[at].argmax())
        more = differs(difference(values[at, best], values[at, mine]))
        beyond = f"{TOLD.write(means[at, best])} at best" if more else "nobody surely more"
        said.append(f"{name} {TOLD.write(means[at, mine])} % on {outcome.workload_names[at]} ({beyond})")
    if said:
        yield f"Of all else {policy} tells in the call, where it is furthest from the best: {'; '.join(said)}."


def _over_ends(one: Led) -> Iterator[str]:
    what = f"The lead of {one.policy} in {'what is told' if one.judged is TOLD else 'dollars'}"
    if one.tried is None or not one.ends:
        return

    def written(leads: Sequence[float], between: str) -> str:
        return one.judged.unit.format(between.join(one.judged.write(lead) for lead in leads))

    leads = [lead for _, lead in one.ends]
    by: dict[str, list[tuple[Moved, float]]] = {}
    for end in one.ends:
        by.setdefault(end[0].assumption.knob, []).append(end)
    furthest = sorted(by.values(), key=lambda ends: -max(abs(lead - one.here) for _, lead in ends))[:_NAMED]
    most = "; ".join(
        f"{of.title} ({words.ranged(of)} {words.marked(of)}): {written([lead for _, lead in ends], ' / ')}"
        for ends in furthest
        for of in [ends[0][0].assumption]
    )
    yield (
        f"{what} is {written([min(leads), max(leads)], ' to ')} where one of the {one.tried.assumptions} assumptions moved is at its low or high"
        f"{', and below 0 another one leads' if min(leads) < 0 else ''}; with none moved {written([one.here], '')} ({words.on(one.tried)}; among "
        f"{listed(one.policies)}). What moves it most: {most}."
    )


def lines(outcome: Outcome) -> Iterator[str]:
    """The answer, and what has to stand beside it."""
    yield answer(outcome)
    yield from of_whom(outcome)
    yield from beside(outcome)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The same as JSON values: sentences, and each lead in points of one or dollars."""
    return {
        "answer": answer(outcome),
        "beside": [*of_whom(outcome), *beside(outcome)],
        "lead": {
            judged.measure: {
                "policy": found.policy,
                "among": list(found.policies),
                **(
                    {}
                    if found.tried is None
                    else {
                        "workloads": list(found.tried.workloads),
                        "replications": found.tried.replications,
                        "nothing_moved": found.here,
                    }
                ),
                "ends": [
                    {
                        "knob": one.assumption.knob,
                        "end": one.end,
                        "value": one.assumption.low if one.end == "low" else one.assumption.high,
                        "lead": lead,
                    }
                    for one, lead in found.ends
                ],
            }
            for judged in (TOLD, USD)
            if (found := led(outcome, judged)) is not None
        },
    }

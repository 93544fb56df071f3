"""A study's tornado, knees and levels as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from reports.capacity.compare import TOLD
from simulator.capacity.levels import StudyVerdict
from simulator.capacity.outcome import Knee, Outcome, Value
from simulator.capacity.paired import differs


def lines(outcome: Outcome, verdict: StudyVerdict) -> Iterator[str]:
    """What moves the answer, where it breaks, what is kept."""
    swings = list(outcome.swings(TOLD.measure, TOLD.group))
    if swings:
        yield ""
        yield "What is told in the call, by how many points it moves where an assumption is low or high ('=': not told apart)"
    for one in outcome.tornado:
        yield f"  {one.title} [{one.mark}]: {_value(one.low)} | {_value(one.base)} | {_value(one.high)} {one.unit}".rstrip()
        for workload in outcome.workload_names:
            for policy in outcome.policy_names:
                by = [of.by for of in swings if (of.assumption, of.workload, of.policy) == (one, workload, policy)]
                if by and any(differs(of) or (of.half is None and of.mean) for of in by):
                    low, high = (f"{100 * (of.mean or 0):+.1f}{'' if differs(of) else ' ='}" for of in by)
                    yield f"    {workload} under {policy}: {low} | {high}"
    if outcome.knees:
        yield ""
    for knee in outcome.knees:
        yield _knee(knee)
    if verdict.levels:
        yield ""
    for level in verdict.levels:
        yield f"{level.level.text} on {level.workload}: {level.mark}"


def _value(of: Value) -> str:
    return of if isinstance(of, str) else f"{of:,.6g}"


def _knee(knee: Knee) -> str:
    whose = f"{knee.workload} under {knee.policy}: {knee.level}"
    if knee.kept is None:
        return f"{whose} is not kept even at {knee.knob} {_value(knee.broken or 0)}."
    more = (
        ""
        if not knee.more
        else f", {abs(knee.more):,.0f} requests a day {'more' if knee.more > 0 else 'fewer'} than in the study"
    )
    if knee.broken is None:
        return f"{whose} is kept up to {knee.knob} {_value(knee.kept)} at least{more}."
    binds = f"; what binds: {knee.binds}" if knee.binds else ""
    return (
        f"{whose} is kept up to {knee.knob} {_value(knee.kept)}{more}, and no longer at {_value(knee.broken)}{binds}."
    )

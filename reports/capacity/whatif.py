"""What a policy would change against today's limits: figures side by side with their paired differences, and which limit refuses whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from simulator.capacity.outcome import Outcome
from simulator.capacity.paired import difference, differs
from simulator.capacity.told import ALL, READS
from simulator.capacity.workload.columns import CLASSES


class _Figure(NamedTuple):
    title: str
    measure: str
    group: str
    write: Callable[[float], str]


def _percent(of: float) -> str:
    return f"{100 * of:.1f}"


def _count(of: float) -> str:
    return f"{of:,.0f}"


FIGURES = (
    _Figure("told in the call, % of call centres' reads", "told_in_call", READS, _percent),
    _Figure("  by a meter, %", "told_meter", READS, _percent),
    _Figure("  by the store, %", "told_store", READS, _percent),
    _Figure("dollars by which a bill told is off", "usd", READS, lambda of: f"{of:.3f}"),
    _Figure("left unsatisfied, %", "unsatisfied", READS, _percent),
    _Figure("median s to the answer", "p50_s", READS, lambda of: f"{of:.0f}"),
    _Figure("95th percentile, s", "p95_s", READS, lambda of: f"{of:.0f}"),
    _Figure("refused, % of all requests", "refused", ALL, _percent),
    _Figure("tries at meters", "meter_reads", ALL, _count),
    _Figure("octets on air", "octets_on_air", ALL, _count),
)


def lines(outcome: Outcome) -> Iterator[str]:
    """For each policy but the first a table beside it; then refusals."""
    workload, (first, *others) = outcome.workloads[0], outcome.policy_names
    count = outcome.replications
    of = f"means of {count} draws, ± half of the paired 95 % interval" if count > 1 else "one draw, a first glance"
    yield f"{workload.title}, {workload.requests:,.0f} requests a day to be expected; {of}."
    for policy in others:
        yield ""
        yield f"{policy:<46}{first[:14]:>15}{'then':>14}{'more by':>14}"
        for figure in FIGURES:
            then, now = (outcome.series(workload.name, one, figure.measure, figure.group) for one in (policy, first))
            by = difference(then, now)
            half = "" if by.half is None else f" ± {figure.write(by.half)}"
            if count > 1 and by.mean is not None and not differs(by):
                half += " ="
            more = "-" if by.mean is None else figure.write(by.mean)
            yield f"  {figure.title:<44}{_mean(figure, now):>15}{_mean(figure, then):>14}{more:>14}{half}"
        yield "  dollars a day by which bills told are off     " + _a_day(outcome, first, policy)
    yield ""
    refused = list(_refused(outcome))
    yield "Refused, requests a day:" if refused else "Nobody is refused."
    yield from refused


def _mean(figure: _Figure, series: Any) -> str:
    return "-" if np.isnan(series).any() else figure.write(float(series.mean()))


def _a_day(outcome: Outcome, first: str, policy: str) -> str:
    totals = []
    for one in (first, policy):
        totals.append(
            float(
                np.mean(
                    [
                        told[READS].usd * (told[READS].planned + told[READS].again)
                        for told in outcome.of(outcome.workload_names[0], one)
                    ]
                )
            )
        )
    figures = ["-" if np.isnan(one) else f"{one:,.0f}" for one in (*totals, totals[1] - totals[0])]
    return "{:>15}{:>14}{:>14}".format(*figures)


def _refused(outcome: Outcome) -> Iterator[str]:
    """By policy and limit, of whom how many."""
    for policy in outcome.policy_names:
        cells = outcome.of(outcome.workload_names[0], policy)
        for code in sorted({code for told in cells for code in told[ALL].refused_by}):
            whom = [
                f"{group} {mean:,.0f}"
                for group in map(str, CLASSES)
                for mean in [np.mean([told[group].refused_by.get(code, 0) for told in cells])]
                if mean >= 0.5
            ]
            if whom:
                yield f"  {policy} {code}: {', '.join(whom)}"

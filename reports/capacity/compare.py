"""Throttle policies compared: the answer in a sentence, tables of policy by workload, the same as JSON and CSV, and what a user wants of each cell."""

from __future__ import annotations

import csv
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.capacity.compare import ALL, GROUPS, MEASURES, READS, Comparison, Told
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.outcome import Estimate, estimate
from simulator.capacity.paired import Regret, difference, differs, regret_of
from simulator.errors import SimulatorError
from simulator.input.mistakes import did_you_mean

Floats = NDArray[np.float64]
#: Of requests: what refuses fewer of every workload is not shown.
_LEAST_SHARE = 0.001
_IS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


class Judged(NamedTuple):
    """A measure that policies are judged by: whose, whether more is better, how it is written."""

    measure: str
    group: str
    title: str
    sign: int
    write: Callable[[float], str]
    #: Around what a policy lacks; empty: nobody regrets it.
    unit: str = ""


TOLD = Judged(
    "told_in_call", READS, "Call centres' reads told in the call, %", 1, lambda of: f"{100 * of:.1f}", "{} points"
)
USD = Judged("usd", READS, "Dollars by which the bill told is off", -1, lambda of: f"{of:.3f}", "${}")
#: Octets on air are these times a constant.
AIR = Judged("meter_reads", ALL, "Tries at meters, of all requests", -1, lambda of: f"{of:,.0f}")
JUDGED = (TOLD, USD, AIR)


def regret(comparison: Comparison, judged: Judged) -> Regret | None:
    """Regret over the workloads; None where a workload has nobody to judge by."""
    values = judged.sign * comparison.values(judged.measure, judged.group)
    return None if np.isnan(values).any() else regret_of(values)


def answer(comparison: Comparison) -> str:
    """One sentence: which policy has the least regret, if it can be told apart from all others."""
    told, usd = (_least(comparison, one) for one in (TOLD, USD))
    count = len(comparison.workloads)
    over = f"Over {count} workloads" if count > 1 else f"On {comparison.workloads[0].spec.name}"
    return f"{over} the least regret in what is told in the call: {told}; in dollars: {usd}."


def _least(comparison: Comparison, judged: Judged) -> str:
    names = [one.name for one in comparison.policies]
    found = regret(comparison, judged)
    if found is None:
        return "no policy, for a workload has no call centre's reads"
    if len(names) == 1:
        return f"{names[0]}, which was played alone"
    leaders = found.leaders
    if len(leaders) > 1:
        all_of_them = "all policies" if len(leaders) == len(names) else _listed([names[at] for at in leaders])
        return f"{all_of_them} cannot be told apart"
    second = np.argsort(found.series.mean(axis=1), kind="stable").tolist()[1]
    mean, half = difference(found.series[second], found.series[leaders[0]])
    by = judged.unit.format(judged.write(mean or 0.0))
    return f"{names[leaders[0]]}, by {by} (± {judged.write(half or 0.0)}) before {names[second]}"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def lines(comparison: Comparison, assumptions: Assumptions) -> Iterator[str]:
    """Answer, tables, what refused, what is assumed."""
    yield answer(comparison)
    for judged in JUDGED:
        yield ""
        yield from _table(comparison, judged)
    yield ""
    yield from _refusals(comparison)
    yield ""
    yield from _notes(comparison, assumptions)


def _table(comparison: Comparison, judged: Judged) -> Iterator[str]:
    values = comparison.values(judged.measure, judged.group)
    means = values.mean(axis=2)
    found = regret(comparison, judged) if judged.unit else None
    rows = []
    for at, policy in enumerate(comparison.policies):
        told = [
            judged.write(mean) + ("  " if differs(difference(cells[at], cells[0])) or not at else " =")
            for mean, cells in zip(means[:, at].tolist(), values, strict=True)
        ]
        told.append(judged.write(judged.sign * (judged.sign * means[:, at]).min()))
        if found is not None:
            mean, half = found.estimates[at]
            told += [judged.write(mean or 0.0), "" if half is None else f"±{judged.write(half)}"]
        rows.append((policy.name, told))
    heads = [*(one.spec.name for one in comparison.workloads), "worst"]
    yield from _laid_out(judged.title, [*heads, *(["regret", ""] if found is not None else [])], rows)


def _laid_out(title: str, heads: Sequence[str], rows: Sequence[tuple[str, list[str]]]) -> Iterator[str]:
    """A table whose heads are broken at their hyphens."""
    words = [head.split("-") for head in heads]
    high = max(map(len, words), default=1)
    first = max(24, *(len(name) for name, _ in rows)) if rows else 24
    wide = [
        max([*map(len, words[at]), *(len(cells[at]) for _, cells in rows)], default=0) + 1 for at in range(len(heads))
    ]
    yield title
    for line in range(high):
        told = ["" if line < high - len(one) else one[line - high + len(one)] for one in words]
        yield (" " * first + "".join(f"{word:>{w}}" for word, w in zip(told, wide, strict=True))).rstrip()
    for name, cells in rows:
        yield f"{name:<{first}}" + "".join(f"{cell:>{w}}" for cell, w in zip(cells, wide, strict=True))


def refusals(comparison: Comparison, group: str = ALL) -> Iterator[tuple[int, str, Floats]]:
    """Policy, code, and (w,) mean share of a group's requests that it refused by workload; what refused nobody is left out."""
    for at in range(len(comparison.policies)):
        cells = [comparison.of(workload, at) for workload in range(len(comparison.workloads))]
        for code in sorted({code for some in cells for one in some for code in one.told[group].refused_by}):
            shares = [
                np.mean([one.told[group].refused_by.get(code, 0) / _requests(one.told[group]) for one in some])
                for some in cells
            ]
            yield at, code, np.asarray(shares)


def _requests(told: Told) -> int:
    return max(1, told.planned + told.again)


def _refusals(comparison: Comparison) -> Iterator[str]:
    rows = [
        (f"{comparison.policies[at].name} {code}", [f"{100 * one:.1f}" for one in shares.tolist()])
        for at, code, shares in refusals(comparison)
        if shares.max() >= _LEAST_SHARE
    ]
    if rows:
        heads = [one.spec.name for one in comparison.workloads]
        yield from _laid_out("Refused, % of all requests, by what refused (from 0.1 % on)", heads, rows)
    else:
        yield f"No limit refuses {100 * _LEAST_SHARE:g} % of the requests."


def _notes(comparison: Comparison, assumed: Assumptions) -> Iterator[str]:
    count, first, network = comparison.replications, comparison.policies[0].name, assumed.network
    seeds = ", ".join(dict.fromkeys(str(one.spec.seed) for one in comparison.workloads))
    means = f"Means of {count} replications" if count > 1 else "One replication, which tells nothing apart"
    posted = f"{assumed.posted_s // 3600}:{assumed.posted_s % 3600 // 60:02}"
    yield f"{means}, seed {seeds}; the same callers and draws under every policy. '=': not told apart from"
    yield f"{first} (paired, 95 %). Regret: what a policy lacks of the best one on the workload where it"
    yield "lacks most, and half of its 95 % interval."
    yield "Told in the call: an answer with intervals before the hang-up, fresh or the store's; the rest up to the"
    yield "question is expected as on the usual day, and so is all that is not posted for who is not told. Dollars:"
    yield "mean of the shipped plans, by season, kind of day and hour. Who asks again is a call more."
    yield f"Assumed [D]: {network.workers:,} tries under way at the head-end; a try that is not heard holds its access point"
    yield f"{network.slot_held_s:g} s; pick-up {'in batches ' if assumed.batched else ''}each {assumed.middle.pickup_every_s:g} s; losses in spells of {assumed.losing_mean_s:g} s; patience {assumed.patience_s:g} s in the mean;"
    yield f"{100 * assumed.again_share:g} % of those not told ask again; VEE intervals posted at {posted}."


def as_json(comparison: Comparison, assumptions: Assumptions) -> dict[str, Any]:
    """Everything that is known: estimates are {"mean", "ci95"}, null of nothing."""
    names = [one.name for one in comparison.policies]
    cells = []
    tables = {group: {measure: comparison.values(measure, group) for measure in MEASURES} for group in GROUPS}
    refused: dict[tuple[str, int], list[tuple[str, Floats]]] = {}
    for group in GROUPS:
        for at, code, shares in refusals(comparison, group):
            refused.setdefault((group, at), []).append((code, shares))
    for workload, plan in enumerate(comparison.workloads):
        for at, name in enumerate(names):
            told = {
                group: {measure: _plain(estimate(of[workload, at].tolist())) for measure, of in table.items()}
                | {"refused_by": {code: float(one[workload]) for code, one in refused.get((group, at), ())}}
                for group, table in tables.items()
            }
            beside = {
                one.measure: _plain(
                    difference(
                        tables[one.group][one.measure][workload, at], tables[one.group][one.measure][workload, 0]
                    )
                )
                for one in JUDGED
            }
            cells.append({"workload": plan.spec.name, "policy": name, "told": told, "less_the_first": beside})
    regrets = {one.measure: regret(comparison, one) for one in (TOLD, USD)}
    return {
        "answer": answer(comparison),
        "replications": comparison.replications,
        "workloads": [
            {"name": one.spec.name, "title": one.spec.title, "seed": one.spec.seed, "first_day": str(one.spec.day)}
            for one in comparison.workloads
        ],
        "policies": [{"name": one.name, "title": one.title} for one in comparison.policies],
        "assumed": {
            "workers": assumptions.network.workers,
            "slot_held_s": assumptions.network.slot_held_s,
            "batched": assumptions.batched,
            "pickup_every_s": assumptions.middle.pickup_every_s,
            "losing_mean_s": assumptions.losing_mean_s,
            "patience_s": assumptions.patience_s,
            "again_share": assumptions.again_share,
            "posted_s": assumptions.posted_s,
        },
        "regret": {
            measure: None
            if found is None
            else {
                "leaders": [names[at] for at in found.leaders],
                "policies": [
                    {"policy": name, "on": comparison.workloads[where].spec.name, **_plain(one)}
                    for name, where, one in zip(names, found.where, found.estimates, strict=True)
                ],
            }
            for measure, found in regrets.items()
        },
        "cells": cells,
    }


def _plain(of: Estimate) -> dict[str, float | None]:
    return {"mean": of.mean, "ci95": of.half}


def write_csv(comparison: Comparison, path: Path) -> None:
    """A row for each cell, replication and group."""
    codes = sorted({code for one in comparison.cells for told in one.told.values() for code in told.refused_by})
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(
                ["workload", "policy", "replication", "group", *MEASURES, *(f"refused {one}" for one in codes)]
            )
            for cell in comparison.cells:
                whose = (
                    comparison.workloads[cell.workload].spec.name,
                    comparison.policies[cell.policy].name,
                    cell.replication,
                )
                for group, told in cell.told.items():
                    figures = [getattr(told, one) for one in MEASURES]
                    given = ["" if one != one else one for one in figures]
                    out.writerow([*whose, group, *given, *(told.refused_by.get(one, 0) for one in codes)])
    except OSError as error:
        raise SimulatorError(
            "capacity.compare.csv",
            f"The file cannot be written: {error.strerror}.",
            str(path),
            "Name another one with --csv.",
        ) from None


class Wanted(NamedTuple):
    """What every cell must keep: a measure of a group, and a bound on its mean."""

    text: str
    group: str
    measure: str
    sign: str
    bound: float

    def missed(self, comparison: Comparison) -> Iterator[str]:
        """A sentence for each cell that does not keep it; one that has nobody of the group keeps none."""
        means = comparison.values(self.measure, self.group).mean(axis=2)
        for plan, of in zip(comparison.workloads, means.tolist(), strict=True):
            for policy, mean in zip(comparison.policies, of, strict=True):
                if not _IS[self.sign](mean, self.bound):
                    yield f"not kept: {self.text}: {mean:.4g} on {plan.spec.name} under {policy.name}"


def wanted(text: str) -> Wanted:
    """Read ``told_in_call>=0.5``, or of another group ``customer.told_in_call>=0.5``. Raises SimulatorError ``capacity.compare.assert``."""
    found = re.fullmatch(r"\s*(?:(\w+)\.)?(\w+)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*", text)

    def wrong(message: str, mend: str) -> SimulatorError:
        return SimulatorError("capacity.compare.assert", message, f"--assert '{text}'", mend)

    if found is None:
        raise wrong("It is no measure, sign and number.", "Write it as told_in_call>=0.5 or customer.refused<0.1.")
    group, measure, sign, bound = found.groups()
    group = group or READS
    if group not in GROUPS:
        raise wrong(f"There is no group '{group}'.", did_you_mean(group, GROUPS))
    if measure not in MEASURES:
        raise wrong(f"There is no measure '{measure}'.", did_you_mean(measure, MEASURES))
    return Wanted(text.strip(), group, measure, sign, float(bound))

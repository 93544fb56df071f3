"""Throttle policies compared: tables of policy by workload, the same as CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.capacity.outcome import Outcome
from simulator.capacity.paired import Regret, difference, differs
from simulator.capacity.told import ALL, MEASURES, READS, Told
from simulator.errors import SimulatorError

Floats = NDArray[np.float64]
#: Of requests: what refuses fewer of every workload is not shown.
_LEAST_SHARE = 0.001


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


def regret(outcome: Outcome, judged: Judged) -> Regret | None:
    """Regret over the workloads; None where a workload has nobody to judge by."""
    return outcome.regret(judged.measure, judged.group, more_is_better=judged.sign > 0)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def lines(outcome: Outcome) -> Iterator[str]:
    """Tables, what refused, what is assumed."""
    for judged in JUDGED:
        yield ""
        yield from _table(outcome, judged)
    yield ""
    yield from _refusals(outcome)
    yield ""
    yield from _notes(outcome)


def _table(outcome: Outcome, judged: Judged) -> Iterator[str]:
    values = outcome.values(judged.measure, judged.group)
    means = values.mean(axis=2)
    found = regret(outcome, judged) if judged.unit else None
    rows = []
    for at, policy in enumerate(outcome.policies):
        told = [
            judged.write(mean) + ("  " if differs(difference(cells[at], cells[0])) or not at else " =")
            for mean, cells in zip(means[:, at].tolist(), values, strict=True)
        ]
        told.append(judged.write(judged.sign * (judged.sign * means[:, at]).min()))
        if found is not None:
            mean, half = found.estimates[at]
            told += [judged.write(mean or 0.0), "" if half is None else f"±{judged.write(half)}"]
        rows.append((policy.name, told))
    heads = [*(one.name for one in outcome.workloads), "worst"]
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


def refusals(outcome: Outcome, group: str = ALL) -> Iterator[tuple[int, str, Floats]]:
    """Policy, code, and (w,) mean share of a group's requests that it refused by workload; what refused nobody is left out."""
    for at, policy in enumerate(outcome.policy_names):
        cells = [outcome.of(workload, policy) for workload in outcome.workload_names]
        for code in sorted({code for some in cells for told in some for code in told[group].refused_by}):
            shares = [
                np.mean([told[group].refused_by.get(code, 0) / _requests(told[group]) for told in some])
                for some in cells
            ]
            yield at, code, np.asarray(shares)


def _requests(told: Told) -> int:
    return max(1, told.planned + told.again)


def _refusals(outcome: Outcome) -> Iterator[str]:
    rows = [
        (f"{outcome.policies[at].name} {code}", [f"{100 * one:.1f}" for one in shares.tolist()])
        for at, code, shares in refusals(outcome)
        if shares.max() >= _LEAST_SHARE
    ]
    if rows:
        heads = outcome.workload_names
        yield from _laid_out("Refused, % of all requests, by what refused (from 0.1 % on)", heads, rows)
    else:
        yield f"No limit refuses {100 * _LEAST_SHARE:g} % of the requests."


def _notes(outcome: Outcome) -> Iterator[str]:
    count, first, assumed = outcome.replications, outcome.policies[0].name, outcome.assumed
    network, posted_s = assumed["network"], assumed["posted_s"]
    seeds = ", ".join(dict.fromkeys(str(one.seed) for one in outcome.workloads))
    means = f"Means of {count} replications" if count > 1 else "One replication, which tells nothing apart"
    posted = f"{posted_s // 3600}:{posted_s % 3600 // 60:02}"
    yield f"{means}, seed {seeds}; the same callers and draws under every policy. '=': not told apart from"
    yield f"{first} (paired, 95 %). Regret: what a policy lacks of the best one on the workload where it"
    yield "lacks most, and half of its 95 % interval."
    yield "Told in the call: an answer with intervals before the hang-up, fresh or the store's; the rest up to the"
    yield "question is expected as on the usual day, and so is all that is not posted for who is not told. Dollars:"
    yield "mean of the shipped plans, by season, kind of day and hour. Who asks again is a call more."
    yield f"Assumed [D]: {network['workers']:,} tries under way at the head-end; a try that is not heard holds its access point"
    yield (
        f"{network['slot_held_s']:g} s; pick-up {'in batches ' if assumed['batched'] else ''}each {assumed['middle']['pickup_every_s']:g} s; "
        f"losses in spells of {assumed['losing_mean_s']:g} s; patience {assumed['patience_s']:g} s in the mean;"
    )
    yield f"{100 * assumed['again_share']:g} % of those not told ask again; VEE intervals posted at {posted}."


def write_csv(outcome: Outcome, path: Path) -> None:
    """A row for each cell, replication and group."""
    cells = {key: told for key, told in outcome.cells.items() if not key.change}
    codes = sorted({code for groups in cells.values() for told in groups.values() for code in told.refused_by})
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(
                ["workload", "policy", "replication", "group", *MEASURES, *(f"refused {one}" for one in codes)]
            )
            for key, groups in cells.items():
                for group, told in groups.items():
                    figures = [getattr(told, one) for one in MEASURES]
                    given = ["" if one != one else one for one in figures]
                    refused = [told.refused_by.get(one, 0) for one in codes]
                    out.writerow([key.workload, key.policy, key.replication, group, *given, *refused])
    except OSError as error:
        raise SimulatorError(
            "capacity.compare.csv",
            f"The file cannot be written: {error.strerror}.",
            str(path),
            "Name another one with --csv.",
        ) from None

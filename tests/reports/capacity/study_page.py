"""``docs/throttle-study.md``, and the tables of ``docs/capacity.md``, made from what is kept of runs of the shipped studies; held equal by a test.

``python -m tests.reports.capacity.study_page`` makes them anew; with the folder of a run (``ami capacity run throttle-policies``, ``throttle-rule``) keeps that run before it does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import takewhile
from pathlib import Path

import numpy as np

from reports.capacity.compare import lines
from reports.capacity.headline import answer
from reports.capacity.throttle_study import text
from reports.commands.capacity.compare import WORKLOADS
from simulator.capacity.outcome import Frame, Outcome
from simulator.capacity.told import ALL
from simulator.smt.throttle.policy import preset_names
from tests.reports.plan.value_page import filled

DOCS = Path(__file__).parents[3] / "docs"
PAGE, KEPT, CAPACITY = DOCS / "throttle-study.md", DOCS / "throttle-study", DOCS / "capacity.md"
#: By study.
FOLDERS = {"throttle-policies": KEPT, "throttle-rule": KEPT / "rule"}
#: What follows from the cells.
_FOLLOWS = ("summary", "less_the_first", "regret", "swings")


def by_retailer(asked: Frame) -> Frame:
    """How many requests of each retailer were told in the call and how many not: what fairness is taken of."""
    names = ("workload", "policy", "ror", "told")
    places = [np.unique(asked[name], return_inverse=True) for name in names]
    which, at = np.unique(np.stack([place for _, place in places]), axis=1, return_inverse=True)
    requests = np.bincount(at.ravel(), asked["requests"]).astype(np.int64)
    found = {name: values[of] for name, (values, _), of in zip(names, places, which, strict=True)}
    return {**found, "requests": requests}


def keep(outcome: Outcome, folder: Path = KEPT) -> None:
    """Keep so much of an outcome as the page is made from."""
    folder.mkdir(exist_ok=True)
    path = replace(outcome, first={"asked": by_retailer(outcome.first["asked"])}).save(folder)
    written = {name: of for name, of in json.loads(path.read_text(encoding="utf-8")).items() if name not in _FOLLOWS}
    path.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


@cache
def kept(study: str = "throttle-policies") -> Outcome:
    """What is kept of a shipped study, read once for all that look at it."""
    return Outcome.load(FOLDERS[study])


def document() -> str:
    """The page."""
    return text(*map(kept, FOLDERS))


def compared(outcome: Outcome) -> Outcome:
    """What ``ami capacity compare`` plays, with as many replications, of the study's cells."""
    kept = {one.name.removesuffix(":amount=8"): one for one in outcome.policies}
    workloads = [one for one in outcome.workloads if one.name in WORKLOADS]
    return replace(outcome, workloads=workloads, policies=[kept[name] for name in preset_names()], tornado=[])


def follows(outcome: Outcome) -> Iterator[str]:
    """What is seen in the tables."""
    names = outcome.policy_names
    percent, cents = (100 * outcome.values(one).mean(axis=2) for one in ("told_in_call", "usd"))
    tries = outcome.values("meter_reads", ALL).mean(axis=2)
    storm = np.asarray([one == "storm-5-percent" for one in outcome.workload_names])
    push, store, rule, today = (names.index(one) for one in ("push-to-smt", "store-only", "fr-cr016-1", "smt-today"))
    others = np.arange(len(names)) != push
    apart = [np.ptp(percent[which][:, others], axis=1).max() for which in (~storm, storm)]
    assert (percent[~storm][:, others].max(axis=1) - percent[~storm, store]).max() < 0.05
    worse = (cents[~storm, store] - cents[~storm, today]).round()
    cost = " to ".join(dict.fromkeys(f"{of:.0f}" for of in (worse.min(), worse.max())))
    saved = 100 * (1 - tries[:, rule] / tries[:, today])
    yield f"Where sweeps are pushed to SMT, {percent[:, push].min():.0f} to {percent[:, push].max():.0f} % of call centres' interval reads are told in the call. Under the other policies it is {percent[:, others].min():.0f} to {percent[:, others].max():.0f} %: the middle tier keeps the others waiting. These lie at most {apart[0]:.0f} points apart on a day without a storm, and {apart[1]:.0f} in one."
    yield f"What a fresh read is worth is seen in dollars: where nothing is pushed, on a day without a storm the store alone tells as many callers as any, and tells them {cost} cents less well than today's limits."
    yield f"FR CR016.1, store first, differs from today's limits by at most {np.abs(percent[:, rule] - percent[:, today]).max():.1f} points and {np.abs(cents[:, rule] - cents[:, today]).max():.1f} cents, with {saved.min():.0f} to {saved.max():.0f} % fewer tries, for it turns home automation away."


def capacity(text: str, outcome: Outcome) -> str:
    """``docs/capacity.md`` with its tables made anew."""
    of = compared(outcome)
    tables = "\n".join(takewhile(lambda line: not line.startswith("Refused"), lines(of))).strip()
    told = f"`ami capacity compare --replications {of.replications}` (`=`: not told apart from `{of.policy_names[0]}`):\n\n> {answer(of)}\n\n```\n{tables}\n```\n\n"
    return filled(text, {"compared": lambda: told + "".join(f"* {line}\n" for line in follows(of))})


if __name__ == "__main__":
    for run in sys.argv[1:]:
        of = Outcome.load(Path(run))
        keep(of, FOLDERS[of.study["name"]])
    PAGE.write_text(document(), encoding="utf-8")
    CAPACITY.write_text(capacity(CAPACITY.read_text(encoding="utf-8"), kept()), encoding="utf-8")

"""``docs/throttle-study.md``, made from what is kept of a run of the shipped study; held equal by a test.

``python -m tests.reports.capacity.study_page`` makes the page anew; with the folder of a run (``ami capacity run throttle-policies``) keeps that run before it does.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from reports.capacity.throttle_study import text
from simulator.capacity.outcome import Frame, Outcome

DOCS = Path(__file__).parents[3] / "docs"
PAGE, KEPT = DOCS / "throttle-study.md", DOCS / "throttle-study"
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


if __name__ == "__main__":
    for run in sys.argv[1:]:
        keep(Outcome.load(Path(run)))
    PAGE.write_text(text(Outcome.load(KEPT)), encoding="utf-8")

"""The plan of a head-end against ours, which nobody wrote for it: every id holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.certify.headend.seen import seen
from scenarios.certify.observed import Observed, Step
from scenarios.certify.plan import plan_of
from scenarios.certify.statement import CLAIMS
from scenarios.certify.truth import read_given, read_truth, truth_text
from scenarios.recording import WIRE
from scenarios.rules.certified import of_role
from scenarios.run import run_and_judge
from simulator.tap.chain import exchanges


@pytest.mark.long
def test_our_head_end_is_as_a_strangers_must_be(tmp_path: Path) -> None:
    plan = [one.scenario for one in plan_of("headend", CLAIMS["headend"])]
    file = tmp_path / "truth.csv"
    file.write_text(truth_text(plan), "utf-8")
    steps = []
    for one in plan:
        recording = run_and_judge(one, tmp_path / one.name).recording
        heard = [*exchanges(tmp_path / one.name / WIRE, lambda _, wire: wire not in ("events", "modbus"))]
        events, meters = ([its for its in heard if its.wire == wire] for wire in ("events", "modbus"))
        steps.append(Step(one.name, one.title, recording, None, events=events, meters=meters))
    all_of_it = Observed(tuple(steps), {}, read_truth(file), given=read_given(file))
    its = of_role("headend")
    marks: dict[str, set[bool | None]] = {one.id: set() for one in its}
    for ident, observation in seen(all_of_it, marks):
        marks[ident].add(observation.held)
    # Its meters tell everything in time, so it has nothing to correct.
    nothing = {"LSE-LATER", "LSE-REVISED"}
    assert marks == {one.id: set() if one.id in nothing else {True} for one in its}

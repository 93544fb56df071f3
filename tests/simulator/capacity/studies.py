"""Small studies, for tests."""

from __future__ import annotations

from typing import Any

from simulator.capacity.study import Study, StudySpec
from simulator.capacity.workload.plan import Plan
from simulator.smt.throttle.limits import Policy
from simulator.smt.throttle.policy import preset
from tests.simulator.capacity.workload.planned import plan

CALLS = {"ror_call_centre": {"reads": 300, "statuses": 30}, "customer": {"registers": 60}}
POLICIES = ("smt-today", "store-only")


def study(*plans: Plan, policies: tuple[str | Policy, ...] = POLICIES, **fields: Any) -> Study:
    """A study of some plans, or of a small day."""
    plans = plans or (plan(calls=CALLS),)
    read = [preset(one) if isinstance(one, str) else one for one in policies]
    written = {
        "name": "small",
        "replications": 2,
        "workloads": [one.spec.name for one in plans],
        "policies": [one.name for one in read],
        **fields,
    }
    return Study(StudySpec.model_validate(written), plans, read)


def assumption(knob: str, low: float | str, high: float | str) -> dict[str, Any]:
    return {"knob": knob, "low": low, "high": high, "mark": "D", "source": "a test"}

"""Plans of small workloads, for tests."""

from __future__ import annotations

from typing import Any

from simulator.capacity.workload.plan import Plan, plan_of
from simulator.capacity.workload.spec import WorkloadSpec
from simulator.input.yaml_text import YamlDocument

#: 100 access points of 1,000 meters.
FLEET = {
    "tdsps": [{"name": "Oncor", "meters": 100_000, "meters_per_access_point": 1000}],
    "rors": [{"name": "Large", "share": 6}, {"name": "Middle", "share": 3}, {"name": "Small", "share": 1}],
}


def plan(**fields: Any) -> Plan:
    written = {"name": "small", "seed": 7, "day": "2026-08-12", "fleet": FLEET, **fields}
    made, mistakes = plan_of(YamlDocument("small.yaml", written), WorkloadSpec.model_validate(written))
    assert made is not None, mistakes
    return made

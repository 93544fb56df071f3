"""The model with tabled requests, for tests that hold it against life cycles worked out elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from meters.calendar import Micros
from simulator.capacity.model import Air, Model, PowerFailures, Sweeps, TabledRequest
from simulator.smt.ondemand.lifecycle import EXPIRY_US, OnDemandRequest
from simulator.smt.throttle.decision import Policy


def replay(
    requests: Sequence[TabledRequest],
    policy: Policy,
    sweeps: Sweeps,
    *,
    air: Air = Air(),  # noqa: B008 (it cannot be changed)
    expiry_us: Micros = EXPIRY_US,
    power_failures: PowerFailures | None = None,
) -> list[OnDemandRequest]:
    """Run tabled requests, with nothing used before, and give them back in order of submission, each with its history.

    ``answered.content`` of a request that reached the head-end is its ``headend.ondemand.process.Answer`` (``lacked_from``, ``meter_reads``).
    """
    ordered = sorted(requests, key=lambda request: request.submitted_us)
    kept: list[OnDemandRequest] = []
    if ordered:
        begins_us = ordered[0].submitted_us
        model = Model(
            policy,
            sweeps,
            begins_us,
            air=air,
            expiry_us=expiry_us,
            power_failures=power_failures,
        )
        model.run(ordered, kept)
    return kept

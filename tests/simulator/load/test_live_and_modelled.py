"""A workload with sweeps, a storm and two access points, everything contended: live on real sockets and modelled, every request lives the same life.

``make live-twin`` plays 2,000 requests under each policy; here are fewer.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from headend.network.law import TRY_TIMEOUT_US, SweepRule
from headend.wire import InquiryKind, Outcome
from meters.calendar import epoch, to_us
from simulator.capacity.ends import ENDS, EXPIRED, T_FAILED
from simulator.load.told import facts
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.throttle.limits import Door
from simulator.smt.throttle.policy import preset
from tests.simulator.load.rig import DAY, PER_POINT, both, live, modelled

REQUESTS = int(os.environ.get("LIVE_REQUESTS", "300"))
#: What two sweeps last that nobody holds up: a slot a meter but the last, and a silent one's time-out behind it.
HEARD_US, SILENT_US = (PER_POINT - 1) * to_us(4), (PER_POINT - 1) * to_us(4) + TRY_TIMEOUT_US


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        pytest.param("smt-today", SweepRule.SHARES, marks=pytest.mark.long),
        pytest.param("fr-cr016-1-meter-only", SweepRule.BLOCKS, marks=pytest.mark.long),
        pytest.param("call-centre-in-a-storm", SweepRule.YIELDS, marks=pytest.mark.long),
    ],
)
async def test_a_workload_live_and_modelled_lives_the_same_lives(policy: str, rule: SweepRule, tmp_path: Path) -> None:
    load = both(REQUESTS)
    lived = await live(load, preset(policy), rule, tmp_path)
    model = modelled(load, preset(policy), rule, lived.swept_us)
    rows, rights = load.cast.workload.requests, load.cast.rights
    assert len(model) == len(rows) == REQUESTS
    played = lived.player.played()
    for key, row in load.row_of.items():
        entry, request, said = lived.entries[row], model[key], rights[load.cast.right[row]]
        assert [(step.state, step.at_us) for step in entry.transitions] == request.history, (row, said)
        answered = request.answered
        reads = 0 if answered is None else answered.meter_reads
        assert max(step.meter_reads for step in entry.transitions) == reads, (row, said)
        refusal = request.refusal if request.state is State.REFUSED else None
        kept = entry.last.refusal if request.state is State.REFUSED else None
        assert (kept and (kept.code, kept.retry_at)) == (refusal and (refusal.code, refusal.retry_at)), (row, said)
        reach = 0
        if answered is not None and request.state is not State.EXPIRED:
            content = answered.content
            whole = answered.outcome is Outcome.COMPLETED and (content.lacked_from is None or answered.meter_reads)
            # An earlier read that answers again ends where it ended.
            reach = answered.reaches_to or (request.end if whole else content.lacked_from)
        if rows.door[row] == list(Door).index(Door.API):
            # What whoever asked was told of it.
            row_end = ENDS.index(request.state)
            assert played.rows.end[row] == (T_FAILED if row_end == EXPIRED else row_end), (row, said)
            assert played.rows.reach[row] == (reach if reach > request.start else 0), (row, said)
            late_us = int(played.rows.done_us[row]) - request.history[-1][1]
            assert 0 <= late_us <= to_us(60), (row, said)
            if refusal is not None:
                assert played.codes[played.rows.code[row]] == refusal.code
                assert played.rows.retry_at[row] == refusal.retry_at
    # Only where it yields does a sweep last longer by those who ask.
    lasted = [at - to_us(epoch(f"{DAY}T{hour}:00")) for at, hour in zip(lived.swept_us, (12, 16, 20), strict=True)]
    undisturbed = [HEARD_US, SILENT_US, HEARD_US]
    assert lasted == undisturbed or (rule is SweepRule.YIELDS and min(np.subtract(lasted, undisturbed)) >= 0)
    told = facts(lived.player, 0.0)
    for group in told["groups"]:
        ends = [group["answered"], *group["refused"].values(), *group["failed"].values(), group["unanswered"]]
        assert sum(ends) == group["asked"], group
        assert group["under_way"] == 0
    assert told["groups"][-1]["asked"] == told["asked"] == told["ended"] == REQUESTS
    assert told["late_s"] == {"p50": 0.0, "p95": 0.0, "most_wall": 0.0}
    states = {request.state for request in model.values()}
    assert {State.COMPLETED, State.REFUSED, State.FAILED, State.T_FAILED} <= states
    assert {request.kind for request in model.values()} == set(InquiryKind)

"""Every knob: a setting that is turned tells the new value, and nothing else of it has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.capacity.cell import plan_mark
from simulator.capacity.knobs import KNOBS, RELIEFS, Setting, knob, turned
from simulator.capacity.outcome import changed
from simulator.capacity.workload.draw import draw
from simulator.smt.throttle.policy import preset
from tests.simulator.capacity.studies import study
from tests.simulator.capacity.workload.planned import plan

STORM = {"out": [{"at": "2026-08-12T16:00", "share": 0.1}, {"at": "2026-08-12T18:00", "share": 0}]}
CALLS = {"ror_call_centre": {"reads": 300}, "customer": {"registers": 60}, "csp": {"reads": 50}}
OTHER: dict[str, float | str] = {
    "home_automation": 0.01,
    "home_automation_within_s": 60.0,
    "storm": 0.3,
    "again": 0.4,
    "middle_lost": 0.1,
    "dead": 0.05,
    "sweep_rule": "blocks",
    "sweep_every_h": 24.0,
    "slot_held_s": 2.0,
    "posted": "15:00",
}


def setting() -> Setting:
    made = plan(calls=CALLS, storm=STORM, home_automation={"share": 0.001}, bulk=[{"at": "08:00", "requests": 20}])
    return study(made).setting("small", "smt-today")


@pytest.mark.parametrize("name", KNOBS)
def test_a_knob_that_is_turned_is_read_as_such_and_moves_no_other(name: str) -> None:
    here = setting()
    value = KNOBS[name].read(OTHER.get(name, 77.0))
    there = turned(here, changed(name, value))
    factor = name in ("calls", "portal", "demand")
    if factor:
        assert KNOBS[name].base(there) == 1.0
        assert there.plan.expected() > here.plan.expected()
    else:
        assert KNOBS[name].base(there) == pytest.approx(value) if KNOBS[name].number else value
        assert KNOBS[name].base(here) != value
    for other, one in KNOBS.items():
        if other != name:
            assert one.base(there) == one.base(here), other
    # And back.
    if not factor:
        back = turned(there, changed(name, KNOBS[name].base(here)))
        assert back.assumptions == here.assumptions
        assert plan_mark(back.plan) == plan_mark(here.plan)


def test_calls_grow_of_those_alone_who_are_named() -> None:
    here = setting()
    before = here.plan.streams
    for name, grows in (
        ("calls", [True, False, False]),
        ("portal", [False, True, False]),
        ("demand", [True, True, False]),
    ):
        after = turned(here, f"{name}=3").plan.streams
        assert [
            one.expected.sum() == pytest.approx(3 * other.expected.sum())
            for one, other in zip(after, before, strict=True)
        ] == grows


def test_patience_stretches_the_same_draws() -> None:
    here = setting()
    calm = turned(here, "patience_s=240").plan
    one, other = draw(here.plan).requests, draw(calm).requests
    asking = one.requester_class == 0
    assert (other.planned_us == one.planned_us).all()
    assert other.patience_us[asking] == pytest.approx(2 * one.patience_us[asking], abs=2)
    assert (other.patience_us[~asking] == one.patience_us[~asking]).all()


def test_what_a_workload_has_not_is_put_there_or_left() -> None:
    bare = study(plan(calls=CALLS)).setting("small", "smt-today")
    assert turned(bare, "storm=0.2").plan.storm == ()
    job = turned(bare, "bulk=500").plan.bulk
    assert [(one.requests, one.a_second) for one in job] == [(500, 50.0)]
    homes = turned(bare, "home_automation=0.01").plan.spec.home_automation
    assert homes is not None
    assert homes.share == 0.01


def test_a_limit_goes_with_its_reserve() -> None:
    guarded = setting()._replace(policy=preset("call-centre-first"))
    assert len(guarded.policy.limits) == 2
    assert turned(guarded, "without=TDSP-DAY").policy.limits == ()
    assert turned(guarded, "without=*").policy.limits == ()
    assert turned(guarded, "without=OTHER").policy == guarded.policy


def test_every_relief_is_a_change() -> None:
    tight = setting()
    tight = tight._replace(assumptions=replace(tight.assumptions, batch_size=3))
    for change in RELIEFS:
        assert turned(tight, change).assumptions != tight.assumptions


def test_a_knob_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="there is no assumption 'wokers'; Did you mean workers"):
        knob("wokers")

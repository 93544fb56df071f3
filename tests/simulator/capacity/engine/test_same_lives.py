"""The compiled engine against the live processes, row by row: the end, its microsecond, the tries, the reach, what refused, and when to come back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headend.network.law import NetworkLaw, SweepRule
from meters.calendar import to_us
from simulator.capacity.ends import EXPIRED
from simulator.capacity.engine import run
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.run import NoOutages, Outages, play_load
from simulator.errors import SimulatorError
from simulator.smt.throttle.policy import preset, preset_names
from tests.cases import few
from tests.simulator.capacity.engine.loads import load, storm
from tests.simulator.capacity.engine.reference import Reference, lives_of

POINTS = 12
#: Few workers, little time, batches that fill, meters that hold their access point, spells of loss, sweeps in the way, callers who come back: all at once.
CONTENDED = Assumptions(
    network=NetworkLaw(slot_held_s=30.0, workers=4),
    batched=True,
    batch_size=8,
    losing_mean_s=360.0,
    sweep_rule=SweepRule.SHARES,
    flaky=0.1,
    again_share=0.5,
    expiry_us=to_us(600),
)
CASES: dict[str, tuple[str, Assumptions, Outages]] = {
    "as today": ("smt-today", Assumptions(), NoOutages()),
    "blocked by sweeps": (
        "fr-cr016-1-meter-only",
        Assumptions(network=NetworkLaw(workers=3), sweep_rule=SweepRule.BLOCKS, batched=True),
        storm(POINTS),
    ),
    **{name: (name, CONTENDED, storm(POINTS)) for name in preset_names()},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("hours", few(1, [2, 6]))
def test_every_request_lives_the_life_that_the_processes_give_it(case: str, hours: int) -> None:
    policy, assumptions, outages = CASES[case]
    requests = load(150 * hours, 25 * hours, POINTS, hours=hours)
    played = play_load(requests, outages, preset(policy), assumptions, seed=5)
    lives = Reference(requests, outages, preset(policy), assumptions, seed=5).run()
    assert lives_of(played) == lives
    assert len(lives) > len(requests.call), "somebody asks again"


def test_the_small_load_comes_to_every_end() -> None:
    rows = play_load(load(900, 150, POINTS, hours=6), storm(POINTS), preset("smt-today"), CONTENDED, seed=5).rows
    assert set(rows.end.tolist()) == set(range(EXPIRED + 1))


def test_a_load_is_the_same_played_again_and_another_with_another_seed() -> None:
    requests = load(300, 100, POINTS)
    one, same, other = (
        lives_of(play_load(requests, storm(POINTS), preset("smt-today"), CONTENDED, seed)) for seed in (5, 5, 6)
    )
    assert one == same != other


def test_who_asks_again_is_numbered_behind_those_that_were_planned() -> None:
    rows = play_load(load(300, 100, POINTS), NoOutages(), preset("fr-cr016-1"), CONTENDED, seed=5).rows
    again = rows[300:]
    first = rows[again.repeat_of]
    assert (rows[:300].repeat_of == -1).all()
    assert (again.attempt == first.attempt + 1).all()
    assert (again.planned_us > first.done_us).all()
    assert again.attempt.max() <= CONTENDED.most_again


@pytest.mark.parametrize("batched", [False, True])
def test_a_load_with_more_under_way_than_there_is_room_for_is_played_again(
    monkeypatch: pytest.MonkeyPatch, batched: bool
) -> None:
    requests, assumptions = load(900, 150, POINTS, hours=0.1), replace(CONTENDED, batched=batched)
    lives = lives_of(play_load(requests, storm(POINTS), preset("smt-today"), assumptions, seed=5))
    monkeypatch.setattr(run, "_LEAST_UNDER_WAY", 1)
    assert lives_of(play_load(requests, storm(POINTS), preset("smt-today"), assumptions, seed=5)) == lives


def test_nobody_asks_and_nothing_comes_of_it() -> None:
    assert len(play_load(load(0, 1, 1), NoOutages(), preset("smt-today"), CONTENDED, seed=5).rows) == 0


def test_more_requests_than_can_be_numbered_are_said_before_anything_is_played() -> None:
    requests = load(1, 1, 1)
    with pytest.raises(SimulatorError, match="too many"):
        play_load(requests, NoOutages(), preset("smt-today"), Assumptions(again_share=1e9), seed=5)

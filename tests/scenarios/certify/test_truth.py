"""What the meters hold, as a file: the registers that the meters show, and the quarter hours between them."""

from __future__ import annotations

from pathlib import Path

from meters.calendar import day_of, day_start, interval_ends, seconds
from scenarios.certify.plan import plan_of
from scenarios.certify.statement import CLAIMS
from scenarios.certify.truth import read_truth, truth_text
from simulator.world.meters import build


def test_the_file_has_what_the_meters_show_also_on_days_of_92_and_100_quarter_hours(tmp_path: Path) -> None:
    steps = [one.scenario for one in plan_of("headend", CLAIMS["headend"]) if one.scenario.name.startswith("day-of")]
    file = tmp_path / "truth.csv"
    file.write_text(truth_text(steps), "utf-8")
    held = read_truth(file)
    for scenario in steps:
        meter = build(scenario.world, scenario.seed).meters[1]
        its, day = held[meter.identity.esiid], scenario.timeline[0].at.date()
        shift = day_of(day_start(day) - seconds(1))
        ends = interval_ends(shift).tolist()
        assert len(ends) == int(scenario.name.rpartition("-")[2])
        for end in (ends[0], ends[11], ends[-1]):
            assert its[end][1] == meter.registers(seconds(end))[0] * meter.identity.multiplier
        assert its[ends[-1]][1] - its[ends[0]][1] == sum(its[end][0] for end in ends[1:])

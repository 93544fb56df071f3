"""Tiny studies end to end: the same whatever plays them, resumed to the same octets; knees of closed forms; a tornado whose order is known."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from meters.errors import UserError
from simulator.capacity import cell as cells
from simulator.capacity.cell import Cell, Task, play_cell
from simulator.capacity.outcome import CELLS, OUTCOME, Key, Outcome
from simulator.capacity.run import run_study
from simulator.capacity.study import Study
from simulator.capacity.told import ALL, READS
from simulator.capacity.workload.columns import CLASSES
from simulator.smt.throttle.limits import Limit, Measure, Policy, Scope, Source, Window
from tests.simulator.capacity.studies import POLICIES, assumption, study
from tests.simulator.capacity.workload.planned import plan

#: Nothing is lost, slow, silent or asked again.
PERFECT = {"again": 0, "middle_lost": 0, "dead": 0, "losing_mean_s": 0}


def octets(folder: Path) -> dict[str, bytes]:
    """Of the outcome, without its cells."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.*")) if path.is_file()}


class Counted:
    """Plays cells, and breaks off at one of them."""

    def __init__(self, breaks_before: int = -1) -> None:
        self.count, self.breaks_before = 0, breaks_before

    def __call__(self, task: Task) -> Cell:
        if self.count == self.breaks_before:
            raise KeyboardInterrupt
        self.count += 1
        return play_cell(task)


def test_the_same_callers_meet_every_policy_whatever_plays_them(tmp_path: Path) -> None:
    small = study()
    told: list[tuple[int, int]] = []
    found = run_study(small, tmp_path / "one", None, lambda done, count: told.append((done, count)))
    with ThreadPoolExecutor(2) as pool:
        run_study(small, tmp_path / "other", pool)
    assert octets(tmp_path / "one") == octets(tmp_path / "other")
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    planned = found.values("planned", ALL)
    assert planned.shape == (1, 2, 2)
    assert (planned[:, 0] == planned[:, 1]).all()
    assert len(np.unique(planned)) == 2
    assert not found.values("meter_reads", ALL)[0, 1].any()
    assert (found.values("told_meter")[0, 0] > 0.3).all()
    assert (found.values("usd")[0, 0] < found.values("usd")[0, 1]).all()


def test_a_run_that_was_broken_off_goes_on_to_the_same_octets(tmp_path: Path) -> None:
    small = study(
        tornado={"assumptions": [assumption("workers", 1, 2)]},
        knees=[{"workload": "small", "level": "told_in_call>=0.1", "upto": 3, "replications": 1}],
    )
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    counted = Counted()
    run_study(small, whole, play=counted)
    with pytest.raises(KeyboardInterrupt):
        run_study(small, broken, play=Counted(breaks_before=5))
    assert not (broken / OUTCOME).exists()
    rest = Counted()
    run_study(small, broken, play=rest)
    assert rest.count == counted.count - 5
    assert octets(broken) == octets(whole)
    again = Counted()
    run_study(small, broken, play=again)
    assert again.count == 0
    assert octets(broken) == octets(whole)
    # As a machine leaves them that lost its power.
    emptied, cut, *_ = sorted((broken / "cells").rglob("*.json"))
    emptied.write_text("", "utf-8")
    cut.write_text(cut.read_text("utf-8")[:100], "utf-8")
    run_study(small, broken, play=again)
    assert again.count == 2
    assert octets(broken) == octets(whole)


def test_rows_of_first_replications_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    run_study(study(), tmp_path)
    counted = Counted()
    found = run_study(study(), tmp_path, play=counted, rows=True)
    # Their cells are there, their rows are not.
    assert counted.count == 2
    for policy in POLICIES:
        rows = pq.read_table(tmp_path / "rows" / "small" / f"{policy}.parquet").to_pydict()
        told = found.cells[Key("small", policy)]
        assert len(rows["row"]) == told[ALL].planned + told[ALL].again
        assert sum(rows["http_calls"]) == told[ALL].http_calls
        dollars = [
            usd
            for usd, asker, kind in zip(rows["usd_off"], rows["class"], rows["kind"], strict=True)
            if asker == "ror_call_centre" and kind == "INTERVALS"
        ]
        assert sum(dollars) / len(dollars) == pytest.approx(told[READS].usd)
    run_study(study(), tmp_path, play=counted, rows=True)
    assert counted.count == 2


def test_more_policies_or_replications_play_what_is_missing_alone(tmp_path: Path) -> None:
    run_study(study(), tmp_path)
    more = Counted()
    found = run_study(study(policies=(*POLICIES, "fr-cr016-1"), replications=3), tmp_path, play=more)
    assert more.count == 5
    assert found.values("usd").shape == (1, 3, 3)


def test_other_code_plays_all_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_study(study(), tmp_path)
    monkeypatch.setattr("simulator.capacity.run.code", lambda: "other")
    other = Counted()
    run_study(study(), tmp_path, play=other)
    assert other.count == 4


def test_an_outcome_is_read_as_it_was_kept(tmp_path: Path) -> None:
    found = run_study(
        study(
            tornado={"replications": 1, "assumptions": [assumption("sweep_rule", "shares", "blocks")]},
            knees=[{"workload": "small", "level": "told_in_call>=0.1", "upto": 2, "replications": 1}],
        ),
        tmp_path,
    )
    read = Outcome.load(tmp_path)
    assert read.as_json() == found.as_json()
    assert repr(sorted(read.cells.items())) == repr(sorted(found.cells.items()))
    assert list(read.knees) == list(found.knees)
    assert list(read.observed) == list(found.observed)
    assert [one.resource for one in read.observed] == ["middle tier", "workers", "an access point"]
    for name, frame in found.first.items():
        for column, of in frame.items():
            assert read.first[name][column].tolist() == of.tolist(), (name, column)
    (tmp_path / "use.parquet").unlink()
    with pytest.raises(UserError, match=r"capacity\.outcome\.absent: .+use\.parquet: This folder"):
        Outcome.load(tmp_path)
    (tmp_path / OUTCOME).write_text("{}", "utf-8")
    with pytest.raises(UserError, match=r"capacity\.outcome\.malformed"):
        Outcome.load(tmp_path)
    (tmp_path / CELLS).unlink()
    with pytest.raises(UserError, match=r"capacity\.outcome\.(absent|malformed)"):
        Outcome.load(tmp_path)


def test_who_asked_and_what_was_taken_add_up_to_the_cells() -> None:
    found = run_study(study())
    for policy in POLICIES:
        told = found.cells[Key("small", policy)]
        asked, use, points = (
            {name: of[frame["policy"] == policy] for name, of in frame.items()}
            for frame in (found.first["asked"], found.first["use"], found.first["points"])
        )
        assert asked["requests"].sum() == told[ALL].planned + told[ALL].again
        for group in map(str, CLASSES):
            of = asked["class"] == group
            assert asked["requests"][of].sum() == told[group].planned + told[group].again
        refused = {
            str(code): int(asked["requests"][asked["code"] == code].sum()) for code in np.unique(asked["code"]) if code
        }
        assert refused == told[ALL].refused_by
        in_call = asked["requests"][asked["told"]].sum() / asked["requests"].sum()
        assert in_call == pytest.approx(told[ALL].told_in_call)
        assert set(asked["hour"].tolist()) <= set(range(24))
        assert use["tries"].sum() == told[ALL].meter_reads
        assert use["arrivals"].sum() == use["ends"].sum() == told[ALL].planned + told[ALL].again
        assert use["http_calls"].sum() == told[ALL].http_calls
        assert use["http_octets"].sum() == told[ALL].http_octets
        assert len(points["held_s"]) == 100
        assert (points["most"] <= 1).all()


@pytest.mark.long
def test_replications_go_on_until_a_difference_is_known() -> None:
    until: dict[str, Any] = {"measure": "told_in_call", "half_width": 0.004, "most": 6}
    found = run_study(study(until=until))
    assert 2 < found.replications <= 6
    halves = [one.half or 0.0 for of in found.paired("told_in_call") for one in of]
    assert max(halves) <= 0.004 or found.replications == 6
    assert run_study(study(until={**until, "half_width": 10})).replications == 3
    assert run_study(study(until={**until, "half_width": 1e-9, "most": 3})).replications == 3


def test_a_knee_lies_where_a_days_cap_is_used_up() -> None:
    # 100 a day may be read; refused of so many more than 400 are 1 - 100 / (400 f), which is more than 0.9 from f = 2.5 on.
    cap = Limit("CAP", None, Scope.TDSP, 100, Window.DAY, "CAP", "A hundred a day.")
    capped = Policy("capped", "", Source.METER_ONLY, (cap,))
    calls = {"ror_call_centre": {"reads": 4000, "curve": "calls"}}
    knee = {"workload": "small", "level": "refused<=0.9", "upto": 64, "within": 0.02, "start": 0.05}
    small = study(plan(calls=calls), policies=(capped,), knees=[knee], assumed=PERFECT)
    found = run_study(small).knees[0]
    assert found.kept is not None
    assert found.broken is not None
    # Of 4,000 f calls 100 are read, and of those under way before midnight none is let in too many.
    assert found.kept == pytest.approx(1000 / 4000, rel=0.06)
    assert found.broken / found.kept <= 1.02
    assert found.binds == "limit CAP"
    assert found.relief["all limits"] == 0
    assert found.headroom == pytest.approx(found.kept - 1)
    assert found.more == pytest.approx(4000 * (found.kept - 1), rel=1e-6)
    assert [one.value for one in found.points] == sorted(one.value for one in found.points)


def test_a_knee_lies_where_erlang_blocks_so_many() -> None:
    # Under a cap of 5 under way, whatever the law of what they wait for; a bulk job at an even pace would be no Poisson stream, so hours are.
    cap = Limit("CAP", None, Scope.TDSP, 5, Window.DAY, "CAP", "Five at once.", measure=Measure.UNDER_WAY)
    capped = Policy("capped", "", Source.METER_ONLY, (cap,))
    curve = {"ror_call_centre": {"reads": 4000, "curve": "office"}}
    small = study(
        plan(calls=curve),
        policies=(capped,),
        assumed=PERFECT,
        knees=[{"workload": "small", "level": "refused<=0.3", "upto": 64, "within": 0.02, "start": 0.02}],
    )
    found = run_study(small).knees[0]
    assert found.kept is not None
    setting = small.setting("small", "capped", f"demand={found.kept:.12g}")
    one = run_study(study(setting.plan, policies=(capped,), assumed=PERFECT))
    told, use = one.cells[Key("small", "capped")][ALL], one.first["use"]
    there = sum(use[name].sum() for name in ("middle", "queued", "waiting", "on_air", "resting"))
    held_s = 300 * there / (told.planned * (1 - told.refused))
    by_hour = setting.plan.streams[0].expected
    offered = [rate / 3600 * held_s for rate in by_hour.tolist()]
    blocked = [of**5 / 120 / sum(of**n / math.factorial(n) for n in range(6)) for of in offered]
    assert float(np.average(blocked, weights=by_hour)) == pytest.approx(0.3, abs=0.03)


def test_a_level_that_nothing_breaks_and_one_that_is_broken_already_are_told() -> None:
    knees = [
        {"workload": "small", "level": "told_in_call>=0.01", "upto": 1.5},
        {"workload": "small", "level": "meter_reads<1", "upto": 2},
    ]
    kept, broken = run_study(study(policies=("smt-today",), knees=knees)).knees
    assert (kept.kept, kept.broken, kept.binds, kept.relief) == (1.5, None, "", {})
    assert (broken.kept, broken.broken, broken.headroom, broken.more) == (None, 1.0, None, None)


def test_a_tornado_moves_as_the_laws_say() -> None:
    # A read takes so long as the middle tier, so what halves the tier moves the answer more than half of a per cent of dead meters; what nobody uses moves nothing.
    found = run_study(
        study(
            policies=("smt-today",),
            replications=3,
            tornado={
                "replications": 3,
                "assumptions": [
                    assumption("middle_median_s", 20, 120),
                    assumption("dead", 0.0, 0.007),
                    assumption("batch_size", 0, 100_000),
                ],
            },
        )
    )
    by = {(one.assumption.knob, one.end): one.by for one in found.swings("told_in_call")}
    assert len(by) == 6
    low, high = by["middle_median_s", "low"], by["middle_median_s", "high"]
    assert low.mean is not None
    assert high.mean is not None
    # exp(-t / 120 s) of callers wait so long: 70 s, 20 s and 120 s.
    wait = [math.exp(-seconds / 120) for seconds in (70, 20, 120)]
    assert low.mean == pytest.approx(wait[1] - wait[0], abs=0.12)
    assert high.mean == pytest.approx(wait[2] - wait[0], abs=0.12)
    assert abs(by["dead", "low"].mean or 0) < 0.03
    assert by["batch_size", "high"] == (0.0, 0.0)
    assert found.tornado[0].base == 70.0


def test_a_broken_rule_ends_the_study(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(policy: Policy, rows: object) -> None:
        raise AssertionError(policy.name)

    monkeypatch.setattr(cells, "kept_rules", nothing)
    with pytest.raises(AssertionError, match="smt-today"):
        run_study(study())
    small = study()
    assert run_study(Study(small.spec, small.plans, small.policies, sums_alone=True)).first == {}

"""A fleet, calls and a storm of one's own: what is played then, and what is no such thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from headend.wire import InquiryKind
from meters.errors import UserError
from simulator.capacity.whatif import assumed_in, meters_of, plan_if, study_if
from simulator.capacity.workload.chosen import chosen_workload
from simulator.smt.throttle.limits import RequesterClass

CENTRE = RequesterClass.ROR_CALL_CENTRE


@pytest.mark.parametrize(
    ("text", "meters"), [("2.8M", 2_800_000), ("500k", 500_000), ("4,000,000", 4_000_000), ("7", 7)]
)
def test_a_fleet_is_read_as_it_is_said(text: str, meters: int) -> None:
    assert meters_of(text) == meters


@pytest.mark.parametrize("text", ["", "many", "0", "-4M", "21M", "2.8G"])
def test_what_is_no_fleet_is_told(text: str) -> None:
    with pytest.raises(UserError, match=r"capacity\.whatif\.fleet: --fleet: .* Write 1 to 20M"):
        meters_of(text)


def test_calls_go_by_the_meters_and_a_storm_by_its_share() -> None:
    ordinary, half = chosen_workload("ordinary-day"), plan_if(2_000_000, None, None)
    assert half.expected() == pytest.approx(ordinary.expected() / 2)
    assert half.fleet.points == ordinary.fleet.points / 2
    assert not half.storm
    storm = plan_if(2_000_000, None, 0.1)
    assert max(one.out for one in storm.storm) == pytest.approx(200_000)
    assert "10 % of them without power" in storm.spec.title
    assert not plan_if(2_000_000, None, 0.0).outages(0)


def test_a_curve_takes_the_place_of_the_calls_of_its_classes(tmp_path: Path) -> None:
    curve = tmp_path / "curve.csv"
    curve.write_text("hour,class,calls\n9,ror_call_centre,700\n", "utf-8")
    plan = plan_if(4_000_000, curve, None)
    centre = [one for one in plan.streams if one.requester_class is CENTRE]
    assert [(one.kind, float(one.expected.sum())) for one in centre] == [(InquiryKind.INTERVALS, 700.0)]
    assert any(one.requester_class is RequesterClass.CUSTOMER for one in plan.streams)
    curve.write_text("hour,class,calls\n29,ror_call_centre,700\n", "utf-8")
    with pytest.raises(UserError, match=r"curve\.csv:2: '29' is no hour"):
        plan_if(4_000_000, curve, None)
    with pytest.raises(UserError, match="cannot be read"):
        plan_if(4_000_000, tmp_path / "none.csv", None)


def test_assumptions_and_policies_are_read() -> None:
    assumed = assumed_in(["workers=100", "posted=15:00"])
    assert assumed == {"workers": 100.0, "posted": "15:00"}
    study = study_if(plan_if(10_000, None, None), ["store-only"], assumed, 3)
    assert [one.name for one in study.policies] == ["smt-today", "store-only"]
    setting = study.setting("what-if", "store-only")
    assert (setting.assumptions.network.workers, setting.assumptions.posted_s) == (100, 15 * 3600)
    with pytest.raises(UserError, match=r"capacity\.whatif\.twice: --policy: Two policies are called 'smt-today'"):
        study_if(plan_if(10_000, None, None), ["smt-today"], {}, 3)


@pytest.mark.parametrize(
    ("word", "says"),
    [("wokers=1", "Did you mean workers"), ("again=7", "Write 0 to 1"), ("posted", "Write it as 07:30")],
)
def test_an_assumption_that_cannot_be_is_told(word: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        assumed_in([word])
    assert caught.value.code == "capacity.whatif.assume"

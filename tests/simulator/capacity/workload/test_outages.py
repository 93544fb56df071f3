"""Which access points are out, against the curve that was given."""

from __future__ import annotations

import numpy as np
import pytest

from meters.calendar import epoch, to_us
from simulator.capacity.workload.chosen import chosen_workload
from simulator.capacity.workload.draw import draw
from simulator.capacity.workload.never import NEVER_US
from simulator.capacity.workload.outages import NO_OUTAGES, Point, outages_of
from tests.simulator.capacity.workload.planned import plan

FLEET = plan().fleet
NOON = epoch("2026-08-12T12:00")
#: Up, down, up again, down for good; at 12:00 it begins with a jump.
CURVE = [
    Point(NOON, 20_000),
    Point(NOON + 7200, 60_000),
    Point(NOON + 14_400, 10_000),
    Point(NOON + 18_000, 90_000),
    Point(NOON + 28_800, 0),
]


def test_meters_out_are_those_of_the_curve_at_every_instant() -> None:
    out = outages_of(FLEET, 0, CURVE, np.random.default_rng(1))
    at = np.arange(NOON, NOON + 30_000, 60)
    wanted = np.interp(at, [point.at for point in CURVE], [point.out for point in CURVE])
    assert np.abs(out.meters_out(FLEET, to_us(at)) - wanted).max() <= 500
    assert out.meters_out(FLEET, np.asarray([to_us(NOON) - 1])).tolist() == [0]


# News counts of the customers without power, in millions.
@pytest.mark.parametrize(
    ("at", "millions"),
    [
        ("2024-07-08T12:00", 2.26),
        ("2024-07-09T15:00", 1.6),
        ("2024-07-09T20:00", 1.41),
        ("2024-07-10T13:00", 1.35),
        ("2024-07-11T15:00", 1.1),
        ("2024-07-13T12:00", 0.68),
        ("2024-07-14T12:00", 0.27),
    ],
)
def test_beryls_week_has_the_counts_of_the_news(at: str, millions: float) -> None:
    beryl = chosen_workload("beryl-2024")
    assert (beryl.fleet.meters, len(beryl.hours)) == (2_800_000, 7 * 24)
    out = beryl.outages(0).meters_out(beryl.fleet, np.asarray([to_us(epoch(at))]))[0]
    # To the nearest access point of 5,000 meters.
    assert abs(out - 1e6 * millions) <= 2500


def test_a_point_is_dark_as_long_as_one_of_its_outages_lasts() -> None:
    out = outages_of(FLEET, 0, CURVE, np.random.default_rng(2))
    assert len(out) > len(np.unique(out.access_point))
    rng = np.random.default_rng(3)
    points, at = rng.integers(0, 100, 3000), to_us(NOON) + to_us(rng.integers(-3600, 36_000, 3000))
    spans = list(zip(out.access_point.tolist(), out.from_us.tolist(), out.to_us.tolist(), strict=True))
    wanted = [any(p == point and b <= t < e for p, b, e in spans) for point, t in zip(points, at, strict=True)]
    assert np.array_equal(out.dark(points, at), wanted)
    assert not NO_OUTAGES.dark(points, at).any()


def test_neighbours_go_out_together_and_come_back_one_here_one_there() -> None:
    jump = [Point(NOON, 10_000), Point(NOON + 3600, 10_000), Point(NOON + 7200, 0)]
    out = outages_of(FLEET, 0, jump, np.random.default_rng(4))
    area = np.sort((out.access_point.astype(int) - int(out.access_point[0])) % 100)
    assert np.diff(area).tolist().count(1) >= 8
    assert (out.from_us == to_us(NOON)).all()
    back = out.access_point[np.argsort(out.to_us)].astype(int)
    assert np.abs(np.diff(back)).max() > 1
    # In even steps over the hour in which the curve falls.
    assert np.sort(out.to_us).tolist() == [to_us(NOON + 3600) + to_us(360) * n + to_us(180) for n in range(10)]


def test_what_does_not_come_back_stays_out() -> None:
    out = outages_of(FLEET, 0, [Point(NOON, 3000)], np.random.default_rng(5))
    assert out.to_us.tolist() == [NEVER_US] * 3


def test_the_storm_is_where_its_tdsp_is() -> None:
    tdsps = [
        {"name": "Oncor", "meters": 5000, "meters_per_access_point": 1000},
        {"name": "TNMP", "meters": 4000, "meters_per_access_point": 1000},
    ]
    storm = {"tdsp": "TNMP", "out": [{"at": "2026-08-12T16:00", "share": 0.5}]}
    drawn = draw(plan(fleet={"tdsps": tdsps}, storm=storm))
    assert len(drawn.outages) == 2
    assert drawn.outages.access_point.min() >= 5


def test_a_meters_last_gasp_is_heard_or_not_whenever_it_is_asked_for() -> None:
    out = outages_of(FLEET, 0, CURVE, np.random.default_rng(6), heard=0.6, told_after_s=60, seed=9)
    esi = np.arange(100_000, dtype=np.int32)
    heard = out.gasped(esi)
    assert abs(heard.mean() - 0.6) < 4 * np.sqrt(0.24 / 100_000)
    assert np.array_equal(out.gasped(esi[5::7]), heard[5::7])
    assert (out.told_us - out.from_us == to_us(60)).all()
    assert outages_of(FLEET, 0, CURVE, np.random.default_rng(6), heard=1.0).gasped(esi).all()
    assert not outages_of(FLEET, 0, CURVE, np.random.default_rng(6), heard=0.0).gasped(esi).any()

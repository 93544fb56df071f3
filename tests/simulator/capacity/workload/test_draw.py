"""What is drawn, against the rates it is drawn from: closed forms, and bounds that a sound draw leaves once in ten thousand times."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from headend.wire import InquiryKind
from meters.calendar import Micros, day_end, day_start, epoch, to_us
from simulator.capacity.workload.chosen import chosen_workload, shipped
from simulator.capacity.workload.columns import CLASSES, DOORS, KINDS, ROW_OCTETS, Requests, Workload, portal_calls
from simulator.capacity.workload.curves import hours_at
from simulator.capacity.workload.draw import draw
from simulator.capacity.workload.never import NEVER_US
from simulator.smt.throttle.limits import Door, RequesterClass
from tests.simulator.capacity.workload.planned import plan

CALLS = {"ror_call_centre": {"reads": 40_000, "curve": "calls"}}
DAY = to_us(day_start(date(2026, 8, 12)))
HOUR = to_us(3600)
STORM = {
    "out": [{"at": f"2026-08-12T{at}", "share": share} for at, share in (("16:00", 0.2), ("17:00", 0.2), ("20:00", 0))]
}


def of_class(workload: Workload, asker: RequesterClass, kind: InquiryKind | None = None) -> Requests:
    rows = workload.requests
    mine = rows.requester_class == CLASSES.index(asker)
    return rows.take(mine if kind is None else mine & (rows.kind == KINDS.index(kind)))


def by_hour(rows: Requests, begins_us: Micros = DAY, hours: int = 24) -> NDArray[np.int64]:
    counted: NDArray[np.int64] = np.bincount((rows.planned_us - begins_us) // HOUR, minlength=hours)
    return counted


def assert_poisson(counts: NDArray[np.int64], expected: NDArray[np.float64]) -> None:
    """Chi-square of independent Poisson counts: its mean is their number, its variance twice that (and a little)."""
    assert not counts[expected == 0].any()
    counts, expected = counts[expected > 0], expected[expected > 0]
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi_square - len(counts)) < 4 * np.sqrt(2 * len(counts) + (1 / expected).sum())


def same(one: Requests, other: Requests) -> bool:
    return all(np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(Requests))


def joined(parts: Iterator[Workload]) -> Requests:
    rows = [part.requests for part in parts]
    return Requests(*(np.concatenate([getattr(one, field.name) for one in rows]) for field in fields(Requests)))


def test_calls_follow_the_curve_with_11_of_100_at_five_in_the_afternoon() -> None:
    counts = by_hour(draw(plan(calls=CALLS)).requests)
    # DOMAIN §11: 10 to 12 % in the peak hour; nobody calls by night.
    assert counts.argmax() == 17
    assert abs(counts[17] - 4400) < 4 * np.sqrt(4400)
    assert not counts[[0, 6, 22, 23]].any()
    shares = [15, 45, 70, 80, 75, 65, 65, 70, 85, 100, 110, 90, 60, 42, 28]
    assert_poisson(counts, np.concatenate([np.zeros(7), 40.0 * np.asarray(shares), np.zeros(2)]))


def test_counts_are_poisson_over_replications() -> None:
    few = plan(calls={"csp": {"reads": 50, "curve": "office"}})
    counts = np.asarray([len(draw(few, replication).requests) for replication in range(400)])
    assert abs(counts.mean() - 50) < 4 * np.sqrt(50 / 400)
    # The variance of a sample's variance is 2 lambda^2 / n, and lambda / n beside it.
    assert abs(counts.var() - 50) < 4 * np.sqrt((2 * 50**2 + 50) / 400)


def test_saturdays_and_sundays_have_fewer_calls() -> None:
    week = plan(day="2026-08-10", days=7, calls={"ror_call_centre": {"reads": 20_000}})
    begins = to_us(day_start(date(2026, 8, 10)))
    a_day = by_hour(draw(week).requests, begins, 168).reshape(7, 24).sum(axis=1)
    assert_poisson(a_day, np.asarray([20_000.0] * 5 + [9_000, 4_000]))


def test_every_class_has_its_share_kind_and_door() -> None:
    drawn = draw(
        plan(
            calls={
                "ror_call_centre": {"reads": 3000, "statuses": 1000},
                "customer": {"registers": 2000, "curve": "evening"},
                "ror_bulk": {"reads": 4000, "curve": "office"},
                "csp": {"reads": 500, "curve": "office"},
            }
        )
    )
    rows = drawn.requests
    expected = {
        (RequesterClass.ROR_CALL_CENTRE, InquiryKind.INTERVALS, Door.API): 3000,
        (RequesterClass.ROR_CALL_CENTRE, InquiryKind.POWER, Door.API): 1000,
        (RequesterClass.CUSTOMER, InquiryKind.REGISTER, Door.PORTAL): 2000,
        (RequesterClass.ROR_BULK, InquiryKind.INTERVALS, Door.API): 4000,
        (RequesterClass.CSP, InquiryKind.INTERVALS, Door.API): 500,
    }
    keys = [
        (CLASSES[a], KINDS[b], DOORS[c]) for a, b, c in zip(rows.requester_class, rows.kind, rows.door, strict=True)
    ]
    assert set(keys) == set(expected)
    assert_poisson(np.asarray([keys.count(key) for key in expected]), np.asarray([*expected.values()], dtype=float))


def test_meters_are_asked_for_evenly_and_retailers_by_their_shares() -> None:
    drawn = draw(plan(calls=CALLS))
    rows = drawn.requests
    n = len(rows)
    assert_poisson(np.bincount(rows.access_point, minlength=100), np.full(100, n / 100))
    assert_poisson(np.bincount(rows.ror, minlength=3), n * np.asarray([0.6, 0.3, 0.1]))
    assert np.array_equal(rows.access_point, rows.esi // 1000)
    # Each access point's thousand meters are shared alike, not only the fleet.
    everyone = drawn.fleet.ror_of(np.arange(100_000)).reshape(100, 1000)
    assert np.abs((everyone == 2).sum(axis=1) - 100).max() <= 3


def test_rows_ascend_and_have_keys_of_their_own() -> None:
    drawn = draw(
        plan(calls=CALLS, home_automation={"share": 0.01}, storm=STORM, bulk=[{"at": "09:00", "requests": 999}])
    )
    rows = drawn.requests
    assert (np.diff(rows.planned_us) >= 0).all()
    assert len(np.unique(rows.call)) == len(rows)
    # Draws are keyed by call and attempt in one number of 64 bits.
    assert 0 <= rows.call.min() <= rows.call.max() < 1 << 52
    assert rows.planned_us[0] >= to_us(drawn.begins)
    assert rows.planned_us[-1] < to_us(drawn.ends)


@pytest.mark.parametrize("length", [1, 5, 24, 48])
def test_parts_of_the_span_have_the_rows_of_the_whole(length: int) -> None:
    week = plan(
        days=2,
        calls={"ror_call_centre": {"reads": 800, "statuses": 100}, "customer": {"registers": 900, "curve": "evening"}},
        home_automation={"share": 0.001},
        bulk=[{"at": "08:59", "requests": 700, "a_second": 5}],
        bills=[{"day": "2026-08-11", "share": 0.5}],
        storm={**STORM, "statuses": {"a_day": 0.1}},
    )
    whole = draw(week, 3)
    parts = (draw(week, 3, range(hour, hour + length if hour + length < 48 else 48)) for hour in range(0, 48, length))
    assert same(joined(parts), whole.requests)
    assert not same(draw(week, 4).requests, whole.requests)
    assert not len(draw(week, 3, range(0)).requests)


def test_a_row_takes_36_octets() -> None:
    rows = draw(plan(calls=CALLS)).requests
    assert sum(getattr(rows, field.name).itemsize for field in fields(Requests)) == ROW_OCTETS == 36


def test_a_home_reads_once_an_hour_at_its_own_time() -> None:
    rows = draw(plan(home_automation={"share": 0.005})).requests
    homes, each = np.unique(rows.esi, return_counts=True)
    assert abs(len(homes) - 500) < 4 * np.sqrt(500)
    assert (each == 24).all()
    for esi in homes[:20]:
        assert len(np.unique((rows.planned_us[rows.esi == esi] - DAY) % HOUR)) == 1
    phase = (rows.planned_us[: len(homes)] - DAY) % HOUR
    assert_poisson(np.bincount(phase // to_us(360), minlength=10), np.full(10, len(homes) / 10))


def test_synchronised_homes_all_read_in_the_first_minute() -> None:
    rows = draw(plan(home_automation={"share": 0.005, "synchronised_within_s": 60})).requests
    assert ((rows.planned_us - DAY) % HOUR < to_us(60)).all()
    assert len(rows) == 24 * len(np.unique(rows.esi))


def test_a_job_asks_for_each_of_its_retailers_esi_ids_once_at_its_pace() -> None:
    drawn = draw(plan(bulk=[{"at": "09:00", "requests": 2000, "a_second": 50, "ror": "Small"}]))
    rows = drawn.requests
    assert len(np.unique(rows.esi)) == len(rows) == 2000
    assert set(rows.ror.tolist()) == {2}
    assert np.array_equal(rows.planned_us, to_us(epoch("2026-08-12T09:00")) + 20_000 * np.arange(2000))
    assert (rows.patience_us == NEVER_US).all()


def test_calls_after_bills_are_as_many_as_bills_times_calls() -> None:
    billed = plan(
        day="2026-08-10",
        days=5,
        bills=[{"day": "2026-08-11", "share": 0.8, "calls_a_bill": 0.25, "days_after": [0.5, 0.3, 0.1]}],
    )
    counts = by_hour(draw(billed).requests, to_us(day_start(date(2026, 8, 10))), 120).reshape(5, 24).sum(axis=1)
    assert_poisson(counts, np.asarray([0.0, 10_000, 6_000, 2_000, 0]))


def test_bills_of_the_days_before_are_followed_by_calls_too() -> None:
    billed = plan(bills=[{"day": "2026-08-10", "share": 0.8, "calls_a_bill": 0.25, "days_after": [0.1, 0.1, 0.8]}])
    assert abs(len(draw(billed).requests) - 16_000) < 4 * np.sqrt(16_000)


def test_a_surge_multiplies_the_calls_of_its_classes() -> None:
    calls = {"ror_call_centre": {"reads": 5000}, "csp": {"reads": 5000, "curve": "office"}}
    drawn = draw(plan(calls=calls, surge={"times": 3, "classes": ["ror_call_centre"]}))
    assert abs(len(of_class(drawn, RequesterClass.ROR_CALL_CENTRE)) - 15_000) < 4 * np.sqrt(15_000)
    assert abs(len(of_class(drawn, RequesterClass.CSP)) - 5000) < 4 * np.sqrt(5000)


def test_callers_hang_up_after_two_minutes_in_the_mean_and_clients_after_their_last_poll() -> None:
    drawn = draw(plan(calls={**CALLS, "customer": {"registers": 100}}))
    waits = of_class(drawn, RequesterClass.ROR_CALL_CENTRE).patience_us / 1e6
    n = len(waits)
    assert abs(waits.mean() - 120) < 4 * 120 / np.sqrt(n)
    # Exponential: as many wait longer than the mean as e^-1 says.
    assert abs((waits > 120).mean() - np.exp(-1)) < 4 * np.sqrt(0.25 / n)
    assert set(of_class(drawn, RequesterClass.CUSTOMER).patience_us.tolist()) == {to_us(300)}


def test_statuses_are_asked_from_inside_and_fall_as_power_comes_back() -> None:
    drawn = draw(plan(storm={**STORM, "statuses": {"a_meter": 0.5, "after_minutes": 40}}))
    rows, out = drawn.requests, drawn.outages
    assert out.dark(rows.access_point.astype(np.int64), rows.planned_us).all()
    # 20,000 meters lose power at 16:00 and have it back at U(1, 4) h: of those who would ask after Exp(40 min), 1 - E exp(-T / 40 min) do.
    back = (np.arange(20) + 0.5) / 20 * 3 + 1
    expected = 20_000 * 0.5 * np.mean(1 - np.exp(-back / (40 / 60)))
    assert abs(len(rows) - expected) < 4 * np.sqrt(expected)
    assert set(zip(rows.requester_class.tolist(), rows.kind.tolist(), strict=True)) == {(0, 2)}


def test_those_without_power_for_days_go_on_asking() -> None:
    days = {"out": [{"at": "2026-08-10T00:00", "share": 0.4}], "statuses": {"a_meter": 0, "a_day": 0.2}}
    rows = draw(plan(storm=days)).requests
    assert abs(len(rows) - 8000) < 4 * np.sqrt(8000)
    assert by_hour(rows).argmax() == 17


def test_homes_without_power_are_silent() -> None:
    calm, storm = (
        plan(home_automation={"share": 0.02}),
        plan(home_automation={"share": 0.02}, storm={**STORM, "statuses": {"a_meter": 0}}),
    )
    every, heard = draw(calm).requests, draw(storm)
    dark = heard.outages.dark(every.access_point.astype(np.int64), every.planned_us)
    assert same(heard.requests, every.take(~dark))
    # 20 of 100 access points for U(1, 4) h of 24.
    assert abs(dark.mean() - 0.2 * 2.5 / 24) < 0.002


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25)])
def test_a_day_of_changing_clocks_has_its_real_hours(day: str, hours: int) -> None:
    changed = draw(
        plan(day=day, calls={"customer": {"registers": 50_000, "curve": "evening"}}, home_automation={"share": 0.001})
    )
    begins = to_us(day_start(date.fromisoformat(day)))
    assert changed.ends == day_end(date.fromisoformat(day)) == changed.begins + hours * 3600
    homes = of_class(changed, RequesterClass.HOME_AUTOMATION)
    assert set(np.unique(homes.esi, return_counts=True)[1].tolist()) == {hours}
    counts = by_hour(of_class(changed, RequesterClass.CUSTOMER), begins, hours)
    # The Sunday's evening peak is at 20:00 as the clock shows it: 19 or 21 real hours into the day.
    assert counts.argmax() == {23: 18, 25: 20}[hours]


def test_instants_lie_in_the_hours_of_their_own_days_alone() -> None:
    autumn = epoch("2026-11-01T00:00")
    hours, which = hours_at(np.asarray([autumn - 60, autumn + 5400, autumn + 9000, epoch("2026-11-02T00:00")]))
    assert (hours.day[0], hours.day[-1], len(hours)) == (date(2026, 10, 31), date(2026, 11, 2), 24 + 25 + 24)
    assert which.tolist() == [23, 25, 26, 49]
    assert [hours.hour[at] for at in which] == [23, 1, 1, 0]


def test_a_portals_client_makes_3_to_22_calls_a_read() -> None:
    waited = to_us(np.asarray([0, 15, 16, 70, 300, 2700]))
    assert portal_calls(waited).tolist() == [3, 3, 4, 7, 22, 22]


def test_several_tdsps_have_access_points_of_their_own() -> None:
    fleet = {
        "tdsps": [
            {"name": "Oncor", "meters": 2500, "meters_per_access_point": 1000},
            {"name": "CenterPoint", "meters": 7500, "meters_per_access_point": 500},
        ]
    }
    drawn = draw(plan(fleet=fleet, calls={"ror_call_centre": {"reads": 20_000}}))
    rows, found = drawn.requests, drawn.fleet
    assert found.points == 3 + 15
    assert set(rows.access_point[rows.tdsp == 0].tolist()) == {0, 1, 2}
    assert set(rows.access_point[rows.tdsp == 1].tolist()) == set(range(3, 18))
    assert_poisson(np.bincount(rows.tdsp), np.asarray([0.25, 0.75]) * len(rows))
    assert [found.meters_at(point) for point in (0, 2, 3, 17)] == [(0, 1000), (2000, 500), (2500, 500), (9500, 500)]
    assert drawn.esiid(2499)[:7] == "1044372"
    assert drawn.esiid(2500)[:7] == "1008901"


def drawn_in_cpu_seconds(name: str) -> tuple[Any, float]:
    began = time.process_time()
    drawn = draw(chosen_workload(name))
    return drawn, time.process_time() - began


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_workload_is_drawn_in_three_seconds_of_a_processor(name: str) -> None:
    drawn, took = drawn_in_cpu_seconds(name)
    assert len(drawn.requests) > 40_000
    assert took < 3

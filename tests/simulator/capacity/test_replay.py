"""Tabled requests through the modelled ports, against life cycles worked out by hand."""

from __future__ import annotations

from typing import Any

from headend.network.law import NetworkLaw, Try
from headend.wire import InquiryKind
from meters.calendar import Seconds, epoch, fraction_s, to_s, to_us
from simulator.capacity.model import Air, Sweep, TabledRequest
from simulator.smt.ondemand.lifecycle import ANSWERED_EARLIER, State
from simulator.smt.ondemand.middle import Middle
from simulator.smt.throttle.decision import Door, Scope
from simulator.smt.throttle.policy import preset
from tests.simulator.capacity.tabled import replay

NOON = epoch("2026-08-12T12:00")
MIDNIGHT = epoch("2026-08-12T00:00")
HEARD = Try(to_us(2), to_us(3), True)
SILENT = Try(to_us(2), to_us(3), False)
#: The sweep of 12:00, complete at 12:10.
SWEEPS = [Sweep(to_us(NOON + 600), NOON)]


def request(key: str, at: Seconds, **changed: Any) -> TabledRequest:
    esiid = changed.pop("esiid", "00000000000000001")
    tabled = TabledRequest(
        key=key,
        kind=InquiryKind.INTERVALS,
        esiid=esiid,
        submitted_us=to_us(at),
        start=MIDNIGHT,
        end=at - at % 900,
        scopes={Scope.ESIID: esiid, Scope.TDSP: "Oncor"},
        door=Door.API,
        middle=Middle(to_us(10), to_us(50)),
        tries=(HEARD,) * 4,
    )
    return tabled._replace(**changed)


def times(replayed: Any) -> list[tuple[State, float]]:
    first = replayed.history[0][1]
    return [(state, fraction_s(at - first)) for state, at in replayed.history]


def test_a_read_of_the_meter_takes_pickup_radio_and_way_back() -> None:
    (read,) = replay([request("a", NOON + 1800)], preset("fr-cr016-1"), SWEEPS)
    assert times(read) == [
        (State.REQUESTED, 0),
        (State.ACCEPTED, 0),
        (State.QUEUED, 0),
        (State.SENT, 10),
        (State.PENDING, 10),
        (State.ANSWERED, 15),
        (State.COMPLETED, 65),
    ]
    assert read.answered is not None
    assert read.answered.meter_reads == 1
    assert read.answered.content.lacked_from == NOON


def test_a_read_that_begins_after_the_new_gap_does_not_answer_it() -> None:
    late, whole, part = (
        request("a", NOON + 1800, start=NOON),
        request("b", NOON + 1900),
        request("c", NOON + 2000, start=NOON),
    )
    found = replay([late, whole, part], preset("reuse-15-min"), SWEEPS)
    assert [one.reason for one in found] == ["", "", ANSWERED_EARLIER]


def test_what_the_sweep_holds_costs_no_read_and_no_allowance() -> None:
    before_sweep, from_store, read, refused = (
        request("a", NOON + 60, esiid="1"),
        request("b", NOON + 660),
        request("c", NOON + 1000),
        request("d", NOON + 3600),
    )
    found = replay([before_sweep, from_store, read, refused], preset("fr-cr016-1"), SWEEPS)
    assert [one.state for one in found] == [State.COMPLETED, State.COMPLETED, State.COMPLETED, State.REFUSED]
    assert [one.answered.meter_reads for one in found if one.answered] == [1, 0, 1, 0]
    # The read of 12:16 had extended the store to 12:15; the refusal hands that on.
    assert found[3].answered is not None
    assert found[3].answered.content.lacked_from == NOON + 900
    assert found[3].refusal is not None
    assert found[3].refusal.code == "FR-CR016.1b"


def test_a_time_out_waits_and_tries_again() -> None:
    (read,) = replay([request("a", NOON + 1800, tries=(SILENT, SILENT, HEARD, HEARD))], preset("fr-cr016-1"), SWEEPS)
    # 10 to the pick-up, 30 + 30 and 30 + 60 for the silent tries, 5 for the heard one.
    assert times(read)[5:] == [(State.ANSWERED, 165), (State.COMPLETED, 215)]
    assert read.answered is not None
    assert read.answered.meter_reads == 3


def test_a_dead_meter_fails_and_gives_the_days_allowance_back() -> None:
    dead, again = request("a", NOON + 1800, tries=(SILENT,) * 4), request("b", NOON + 3600)
    found = replay([dead, again], preset("fr-cr016-1"), SWEEPS)
    assert times(found[0])[5:] == [(State.ANSWERED, 340), (State.FAILED, 390)]
    assert found[1].state is State.COMPLETED


def test_reads_of_one_access_point_go_out_one_after_the_other() -> None:
    found = replay(
        [
            request("a", NOON + 1800, esiid="1"),
            request("b", NOON + 1800, esiid="2"),
            request("c", NOON + 1800, esiid="3", access_point=1),
        ],
        preset("fr-cr016-1"),
        SWEEPS,
        air=Air(NetworkLaw(access_point_tps=0.1)),
    )
    assert [times(one)[5][1] for one in found] == [15, 25, 15]


def test_a_read_that_ends_after_midnight_is_charged_to_the_day_of_its_submission() -> None:
    late = epoch("2026-08-12T23:59:30")
    found = replay(
        [request("a", late), request("b", late + 4), request("c", late + 3600), request("d", late + 7200)],
        preset("fr-cr016-1"),
        SWEEPS,
    )
    assert [one.state for one in found] == [State.COMPLETED, State.REFUSED, State.COMPLETED, State.REFUSED]
    assert to_s(found[0].history[-1][1]) > epoch("2026-08-13T00:00")
    assert found[1].refusal is not None
    # Told after midnight: the new day has room.
    assert found[1].refusal.retry_at == to_s(found[1].history[-1][1]) == epoch("2026-08-13T00:00:34")


def test_meter_only_refuses_at_once_and_store_only_never() -> None:
    twice = [request("a", NOON + 1800), request("b", NOON + 5400)]
    meter_only = replay(twice, preset("fr-cr016-1-meter-only"), SWEEPS)
    assert times(meter_only[1]) == [(State.REQUESTED, 0), (State.REFUSED, 0)]
    store_only = replay(twice, preset("store-only"), SWEEPS)
    assert [one.state for one in store_only] == [State.COMPLETED, State.COMPLETED]
    assert [one.answered.content.lacked_from for one in store_only if one.answered] == [NOON, NOON]


def test_a_register_read_fills_no_store() -> None:
    register = request("a", NOON + 1800, kind=InquiryKind.REGISTER, start=0, end=0, door=Door.PORTAL)
    found = replay([register, request("b", NOON + 3600)], preset("fr-cr016-1"), SWEEPS)
    assert [one.state for one in found] == [State.COMPLETED, State.REFUSED]
    assert found[1].answered is not None
    assert found[1].answered.content.lacked_from == NOON


def test_what_the_middle_tier_loses_gives_the_allowance_back() -> None:
    lost = request("a", NOON + 1800, middle=Middle(to_us(10), to_us(50), "FAILED"))
    slow = request("b", NOON + 3600, middle=Middle(to_us(10), to_us(50 * 60)))
    found = replay([lost, slow, request("c", NOON + 9000)], preset("fr-cr016-1"), SWEEPS)
    assert times(found[0])[2:] == [(State.QUEUED, 0), (State.FAILED, 60)]
    assert times(found[1])[-1] == (State.EXPIRED, 2700)
    assert found[2].state is State.COMPLETED


def test_requests_come_back_in_order_of_submission() -> None:
    later, earlier = request("a", NOON + 900, esiid="1"), request("b", NOON, esiid="2")
    assert [one.key for one in replay([later, earlier], preset("store-only"), SWEEPS)] == ["b", "a"]
    assert replay([], preset("store-only"), SWEEPS) == []


def test_sweeps_can_be_each_meters_own() -> None:
    found = replay(
        [request("a", NOON + 1800, esiid="1"), request("b", NOON + 1800, esiid="2")],
        preset("store-only"),
        {"1": SWEEPS},
    )
    assert [one.answered.content.lacked_from for one in found if one.answered] == [NOON, MIDNIGHT]

"""A workload request by request: the real processes take what is planned."""

from __future__ import annotations

from datetime import date

from headend.network.law import Try
from headend.ondemand.gap import gap
from headend.wire import InquiryKind
from meters.calendar import day_start, seconds, to_s, to_us
from simulator.capacity.model import TabledRequest
from simulator.capacity.workload.draw import draw
from simulator.smt.ondemand.lifecycle import ENDED
from simulator.smt.ondemand.middle import Middle
from simulator.smt.throttle.decision import Scope
from simulator.smt.throttle.policy import preset
from tests.simulator.capacity.tabled import replay
from tests.simulator.capacity.workload.planned import plan

MIDNIGHT = day_start(date(2026, 8, 12))
MIDDLE, HEARD = Middle(to_us(10), to_us(50)), Try(to_us(2), to_us(3), True)


def test_the_on_demand_process_takes_a_workloads_requests_to_their_ends() -> None:
    drawn = draw(
        plan(
            calls={"ror_call_centre": {"reads": 100, "statuses": 50}, "customer": {"registers": 50}},
            home_automation={"share": 0.0001},
            bulk=[{"at": "09:00", "requests": 30}],
        )
    )
    tabled = []
    for one in drawn.in_turn():
        span = gap(MIDNIGHT, to_s(one.at_us)) if one.kind is InquiryKind.INTERVALS else None
        start, end = (span.start, span.end) if span else (seconds(0), seconds(0))
        at = (one.kind, one.esiid, one.at_us, start, end, one.scopes, one.door)
        tabled.append(TabledRequest(one.key, *at, MIDDLE, (HEARD,) * 4, one.access_point))
    ended = replay(tabled, preset("smt-today"), ())
    assert len(ended) == len(drawn.requests) > 300
    assert all(request.state in ENDED for request in ended)
    assert [request.key for request in ended] == [str(call) for call in drawn.requests.call]


def test_whoever_asks_is_counted_under_every_scope() -> None:
    drawn = draw(plan(calls={"csp": {"reads": 20, "curve": "office"}}))
    one = next(drawn.in_turn())
    assert one.scopes == {
        Scope.ESIID: drawn.esiid(int(drawn.requests.esi[0])),
        Scope.ROR: one.ror,
        Scope.REQUESTER_CLASS: "csp",
        Scope.TDSP: "Oncor",
        Scope.ACCESS_POINT: str(one.access_point),
    }
    assert one.ror in ("Large", "Middle", "Small")
    assert one.esiid.startswith("1044372")
    assert len(one.esiid) == 17

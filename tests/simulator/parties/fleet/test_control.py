"""Meters as a tester looks at them and breaks them while they serve: what they do from then on, what stays as it was, what is refused; the clock's speed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from meters.calendar import epoch, to_us
from simulator.errors import SimulatorError
from simulator.parties.fleet.wire import Health
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from tests.simulator.sandboxes import Rig, rig


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with rig(tmp_path_factory.mktemp("fleet"), special=True, posted_days=1) as made:
        yield made


async def told(made: Rig, method: str, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
    reply: httpx.Response = await made.http.request(method, f"/control/{path}", json=body or None)
    assert reply.status_code == status, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def state(made: Rig, ordinal: int) -> str:
    found = await told(made, "GET", f"meters?esiid={made.esiid(ordinal)}")
    return str(found["meters"][0]["state"])


async def test_all_meters_are_counted_and_told_by_how_they_do(made: Rig) -> None:
    found = await told(made, "GET", "meters?most=1000")
    world = made.sandbox.settings.world
    assert [one["esiid"] for one in found["meters"]] == [meter.identity.esiid for meter in world.meters]
    assert found["counts"] == {one: sum(it["state"] == one for it in found["meters"]) for one in Health}
    assert all(found["counts"].values())
    dead = await told(made, "GET", "meters?state=dead&most=1")
    assert (len(dead["meters"]), dead["leftOut"]) == (1, found["counts"]["dead"] - 1)
    notes = {one["meterNumber"]: one["note"] for one in found["meters"] if one["note"]}
    assert notes == world.special
    assert (await told(made, "GET", "meters?state=bored", 400))["errorCode"]


async def test_a_dead_meter_answers_nobody_until_it_is_switched_off(made: Rig) -> None:
    esiid = made.esiid(2)
    fault = await told(made, "POST", "faults", 201, kind="dead", esiid=esiid)
    assert (fault["active"], fault["until"], await state(made, 2)) == (True, None, "dead")
    assert fault in (await told(made, "GET", "faults"))["faults"]
    assert (await made.ask(esiid, read_type="REGISTER")).statusCode == "1"
    ended = await told(made, "DELETE", f"faults/{fault['id']}")
    assert (ended["active"], await state(made, 2)) == (False, "ok")
    assert (await made.ask(esiid, "call-2", read_type="REGISTER")).statusCode == "0"
    assert ended["id"] not in str(await told(made, "GET", "faults"))
    assert (await told(made, "DELETE", f"faults/{fault['id']}", 404))["errorCode"] == "control.faults.unknown"


async def test_an_outage_is_told_to_the_head_end_and_so_is_its_end(made: Rig) -> None:
    esiid, now = made.esiid(3), made.sandbox.runtime.now
    fault = await told(made, "POST", "faults", 201, kind="outage", esiid=esiid)
    await made.sandbox.runtime.run_until(now() + 1200)
    await told(made, "DELETE", f"faults/{fault['id']}")
    await made.sandbox.runtime.run_until(now() + 120)
    kinds = [
        kind
        for entry in made.sandbox.journal.entries()
        if entry["kind"] == "meter events sent" and esiid in entry["esiids"]
        for kind in entry["kinds"]
    ]
    assert kinds == ["last_gasp", "restoration"]


async def test_what_a_meter_has_shown_stays_as_it_was(made: Rig) -> None:
    meter, now = made.sandbox.settings.world.meters[3], made.sandbox.runtime.now
    begun = now() - now() % 900
    before = meter.window(begun - 4 * 900, begun, now()).delivered.tolist()
    fault = await told(made, "POST", "faults", 201, kind="spike", esiid=made.esiid(4), params={"factor": 40})
    await made.sandbox.runtime.run_until(begun + 3 * 900)
    ended = await told(made, "DELETE", f"faults/{fault['id']}")
    assert epoch(ended["until"].removesuffix("-05:00")) % 900 == 0
    await made.sandbox.runtime.run_until(begun + 6 * 900)
    assert meter.window(begun - 4 * 900, begun, now()).delivered.tolist() == before
    shown = meter.window(begun, begun + 5 * 900, now()).delivered.tolist()
    plain = meter.under(()).window(begun, begun + 5 * 900, now()).delivered.tolist()
    # From the next quarter hour that begins to the end of the one in which it was switched off.
    assert [a != b for a, b in zip(shown, plain, strict=True)] == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "dead", "esiid": "123"}, 404, "control.faults.meter"),
        ({"kind": "bored"}, 400, "FIELD"),
        ({"kind": "swap"}, 400, "meters.fault.span"),
        ({"kind": "multiplier", "params": {"value": 2}}, 400, "meters.fault.span"),
        ({"kind": "spike"}, 400, "meters.fault.params"),
        ({"kind": "spike", "params": {"factor": 4000}}, 400, "meters.fault.params"),
        ({"kind": "dead", "first": "2026-08-12T17:00:00-05:00"}, 400, "meters.fault.past"),
        ({"kind": "dead", "until": "2026-08-12T17:00:00-05:00"}, 400, "meters.fault.span"),
        ({"kind": "gap", "first": "2026-08-14T17:01:00-05:00"}, 400, "meters.fault.span"),
        ({"kind": "dead", "channel": "both"}, 400, "meters.fault.channel"),
        ({"kind": "dead", "meterNumber": "1"}, 404, "control.faults.meter"),
    ],
)
async def test_a_fault_that_cannot_be_is_refused_and_nothing_changes(
    made: Rig, fault: dict[str, Any], status: int, code: str
) -> None:
    before = made.sandbox.settings.world.meters[4].faults
    found = await told(made, "POST", "faults", status, **({"esiid": made.esiid(5)} | fault))
    assert found["errorCode"] == code
    assert made.sandbox.settings.world.meters[4].faults == before


async def test_one_that_has_always_been_or_is_over_at_once_cannot_be_switched_off(made: Rig) -> None:
    lasting = [one for one in (await told(made, "GET", "faults"))["faults"] if one["lasting"]]
    assert lasting
    assert (await told(made, "DELETE", f"faults/{lasting[0]['id']}", 400))["errorCode"] == "meters.fault.lasting"


async def test_one_that_has_not_begun_never_was(made: Rig) -> None:
    before = made.sandbox.settings.world.meters[5].faults
    fault = await told(made, "POST", "faults", 201, kind="dead", esiid=made.esiid(6), first="2026-08-20T00:00:00-05:00")
    assert fault["active"] is False
    assert (await told(made, "DELETE", f"faults/{fault['id']}"))["active"] is False
    assert made.sandbox.settings.world.meters[5].faults == before
    at_once = await told(made, "POST", "faults", 201, kind="dead", esiid=made.esiid(6))
    assert (await told(made, "DELETE", f"faults/{at_once['id']}"))["active"] is False
    assert made.sandbox.settings.world.meters[5].faults == before


async def test_a_clock_that_is_moved_by_hand_has_no_speed(made: Rig) -> None:
    assert (await told(made, "POST", "clock/speed", 409, speed=4))["errorCode"] == "control.clock.manual"
    assert (await told(made, "POST", "clock/speed", 400, speed=0))["errorCode"] == "FIELD"
    small = await told(made, "POST", "clock/speed", 400, speed=1e-300)
    assert (small["errorCode"], "0.001" in str(small)) == ("FIELD", True)


def test_a_clock_runs_on_from_where_it_is_at_another_speed() -> None:
    wall = [1000.0]
    at = to_us(epoch("2026-08-12T17:40"))
    runtime = Runtime(Clock(ClockMode.REAL, at, wall=lambda: wall[0], wall_start=1000.0))
    wall[0] += 10
    runtime.set_speed(60)
    assert (runtime.now_us() - at, runtime.rate) == (10_000_000, 60)
    wall[0] += 10
    assert runtime.now_us() - at == 610_000_000
    with pytest.raises(SimulatorError):
        runtime.set_speed(100_000)
    assert runtime.now_us() - at == 610_000_000

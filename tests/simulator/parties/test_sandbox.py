"""The sandbox as a tester meets it: the rule and its ways round, bad input that has a code and loses nothing, all on real sockets."""

from __future__ import annotations

import asyncio
import csv
import io
import socket
import time as wall
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from headend.day import posting
from headend.day.times import DailyTimes
from headend.ports import BEHIND
from headend.vee.preset import PostTime
from meters.calendar import Seconds, epoch, iso, seconds, to_us
from meters.device.meter import EmulatedMeter
from meters.shown import Window
from meters.wire.gateway import Gateway
from simulator.errors import SimulatorError
from simulator.parties.fleet.gateways import open_gateways
from simulator.parties.keys_file import kept_keys
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.ror.client import SmtClient
from simulator.ror.errors import SmtError
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.serving import HttpServer, bind
from simulator.smt.ondemand.lifecycle import State
from simulator.world.market import ROR_LOGIN
from tests.simulator.sandboxes import Rig, rig


async def test_a_call_after_the_20_00_sweep_is_answered_from_the_store_and_spends_nothing(made: Rig) -> None:
    await made.to("2026-08-12T20:10")
    status = await made.ask(made.esiid(1), "call-1")
    assert status.statusCode == "0"
    assert status.intervals is not None
    assert [interval.source for interval in status.intervals] == ["store"] * 80
    assert status.meterReads == 0
    assert status.partial is None
    # The day's read is still there: half an hour later the meter is read.
    await made.to("2026-08-12T20:50")
    again = await made.ask(made.esiid(1), "call-2")
    assert again.statusCode == "0"
    assert again.meterReads == 1
    assert again.intervals is not None
    assert [interval.source for interval in again.intervals] == ["store"] * 80 + ["meter"] * 3


async def test_a_spent_read_is_refused_with_reason_time_and_what_the_store_holds(made: Rig) -> None:
    first = await made.ask(made.esiid(1), "call-1")
    assert (first.statusCode, first.meterReads) == ("0", 1)
    await made.to("2026-08-12T18:20")
    second = await made.ask(made.esiid(1), "call-2")
    assert second.statusCode == "1"
    assert second.refusal is not None
    assert second.refusal.code == "FR-CR016.1b"
    assert second.refusal.retryAt is not None
    assert iso(seconds(second.refusal.retryAt.timestamp())) == "2026-08-13T00:00:00-05:00"
    assert second.intervals is not None
    assert len(second.intervals) == 70
    assert second.reachesTo is not None
    assert iso(seconds(second.reachesTo.timestamp())) == "2026-08-12T17:30:00-05:00"
    # A plain read needs the meter: it is refused at once.
    refusal = await made.refused(made.client.odr(made.esiid(1), "call-3", "REGISTER"))
    assert refusal.code == "FR-CR016.1b"


async def test_the_allowance_is_the_esi_ids_whoever_asks(made: Rig) -> None:
    from simulator.world.market import CUSTOMER_LOGIN

    await made.ask(made.esiid(1), "call-1")
    login = await made.http.post(
        "/commonapi/user/authenticate",
        json={"username": CUSTOMER_LOGIN.username, "password": CUSTOMER_LOGIN.password, "rememberMe": "true"},
    )
    asked = await made.http.post(
        "/api/ondemandread",
        json={"ESIID": made.esiid(1), "MeterNumber": ""},
        headers={"Authorization": f"Bearer {login.json()['token']}"},
    )
    assert asked.status_code == 200
    assert asked.json()["data"]["statusCode"] == "5032"


async def test_a_dead_meter_fails_after_its_retries_and_the_allowance_comes_back(made: Rig) -> None:
    dead = made.special("dead")
    for call in ("call-1", "call-2"):
        status = await made.ask(dead, call)
        assert status.statusCode == "1"
        # Not refused: the first failure had given the day's read back.
        assert status.refusal is None
        assert status.meterReads == 4
        assert "did not answer 4 tries" in status.statusReason


async def test_a_power_status_of_a_silent_meter_is_unknown_and_no_success(made: Rig) -> None:
    dead = made.special("dead")
    for call in ("call-1", "call-2"):
        key = await made.client.power_status(dead, call)
        await made.to(f"2026-08-12T{'17:55' if call == 'call-1' else '18:10'}")
        status = await made.client.odr_status(key, call)
        assert status.powerStatus is not None
        assert (status.powerStatus.status, status.powerStatus.source) == ("UNKNOWN", "none")
        assert status.refusal is None


async def test_a_gap_over_48_hours_serves_the_latest_48_and_names_the_rest(made: Rig) -> None:
    # The file site is down, so 2026-08-12 is not posted; the sweeps go on.
    made.sandbox.files.stop()
    await made.to("2026-08-14T10:05")
    status = await made.ask(made.esiid(1))
    assert status.statusCode == "0"
    assert status.intervals is not None
    assert len(status.intervals) == 192
    assert status.uncovered is not None
    (uncovered,) = status.uncovered
    assert iso(seconds(uncovered.start.timestamp())) == "2026-08-12T00:00:00-05:00"
    assert iso(seconds(uncovered.end.timestamp())) == "2026-08-12T10:00:00-05:00"


async def test_no_gap_is_said_at_once_and_costs_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path, "2026-08-12T00:10", times=DailyTimes(time(0, 2), PostTime(time(0, 5)))) as made:
        with pytest.raises(SmtError, match="no gap to fill"):
            await made.client.odr(made.esiid(1), "call-1", "INTERVALS")
        await made.to("2026-08-12T06:00")
        assert (await made.ask(made.esiid(1), "call-2")).meterReads == 1


@pytest.fixture(scope="module")
async def bed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """One for what is refused."""
    async with rig(tmp_path_factory.mktemp("refused")) as made:
        yield made


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("(A1)", "A1"),
        ("(A2)", "A2"),
        ("(A3)", "A3"),
        ("(A4)", "A4"),
        ("de-energised", "DE-ENERGIZED"),
        ("another retailer", "AC1"),
    ],
)
async def test_what_breaks_an_assumption_is_refused_with_its_own_reason(bed: Rig, word: str, code: str) -> None:
    with pytest.raises(SmtError) as refused:
        await bed.client.odr(bed.special(word), "call-1", "INTERVALS")
    assert code in refused.value.code
    assert bed.sandbox.smt.ledger.audit(bed.special(word), bed.sandbox.settings.world.spec.first_day) == []


async def test_an_unknown_esi_id_is_answered_as_a_foreign_one_is(bed: Rig) -> None:
    told = []
    for esiid in (bed.special("another retailer"), "10443720000000000"):
        with pytest.raises(SmtError) as refused:
            await bed.client.odr(esiid, "call-1", "INTERVALS")
        told.append((refused.value.code, refused.value.message))
    assert told[0] == told[1]


async def test_a_truncated_lse_file_is_answered_record_by_record_and_loses_nothing(made: Rig) -> None:
    home = made.sandbox.files.home(made.sandbox.market.tdsp_login.username)
    await made.to("2026-08-13T07:40")
    whole = max(home.glob("*.lse"))
    lines = whole.read_bytes().splitlines(keepends=True)
    held = made.sandbox.smt.store.last_vee_end(made.esiid(1))
    # Cut in the middle of a line of the third record.
    name = whole.name.replace("073000001", "080000001")
    login = made.sandbox.market.tdsp_login
    site = posting.FtpsSite(
        "127.0.0.1", made.sandbox.files.port, login.username, login.password, made.sandbox.ca.ca_file
    )
    records = [number for number, line in enumerate(lines) if line.startswith(b"00000001")]
    cut = b"".join(lines[: records[2] + 4]) + lines[records[2] + 4][:60]
    await asyncio.get_running_loop().run_in_executor(None, posting.upload, site, name, cut)
    result = home / f"{name}.result.csv"
    while not result.exists():
        await asyncio.sleep(0.01)
    rows = list(csv.DictReader(io.StringIO(result.read_text())))
    assert [row["code"] for row in rows][:2] == ["00", "00"]
    assert rows[-1]["code"] in ("02", "03", "F2")
    assert rows[-1]["text"]
    assert made.sandbox.smt.store.last_vee_end(made.esiid(1)) == held == epoch("2026-08-13T00:00")


async def test_the_manual_clock_is_moved_through_the_control_api(made: Rig) -> None:
    moved = await made.http.post("/control/clock/advance", json={"to": "2026-08-12T20:10:00-05:00"})
    assert moved.json()["now"] == "2026-08-12T20:10:00-05:00"
    assert (await made.http.get("/control/clock")).json() == moved.json()
    for body, code in (
        ({}, "control.clock.malformed"),
        ({"to": "2026-08-12T20:00:00-05:00"}, "clock.backwards"),
        ({"seconds": -1}, "FIELD"),
        ({"seconds": True}, "FIELD"),
        ({"to": "2027-08-14T20:10:00-05:00"}, "control.clock.far"),
        ({"to": "9999-12-31T23:59:59Z"}, "FIELD"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "FIELD"),
    ):
        refused = await made.http.post("/control/clock/advance", json=body)
        assert (refused.status_code, refused.json()["errorCode"]) == (400, code)


async def test_both_services_answer_to_their_addresses_and_to_no_name_that_leads_there(bed: Rig) -> None:
    for url in (bed.sandbox.smt_server.url, bed.sandbox.headend_server.url):
        for host, status in (("localhost", 200), (socket.gethostname(), 200), ("evil.example", 421)):
            assert (await bed.http.get(f"{url}/healthz", headers={"host": host})).status_code == status


async def test_requests_of_one_instant_share_one_allowance(made: Rig) -> None:
    keys = await asyncio.gather(*(made.client.odr(made.esiid(2), f"call-{n}", "INTERVALS") for n in range(8)))
    await made.to("2026-08-12T18:00")
    entries = [made.sandbox.smt.ledger.entry(key) for key in keys]
    ends = [entry.last for entry in entries if entry is not None]
    assert sorted(end.state for end in ends).count(State.COMPLETED) >= 1
    assert sum(end.meter_reads for end in ends) == 1


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with rig(tmp_path / "one") as made:
            settings = made.sandbox.settings
        port = taken.getsockname()[1]
        clash = SandboxSettings(
            world=settings.world,
            clock=settings.clock,
            policy=settings.policy,
            middle=settings.middle,
            out=tmp_path / "two",
            smt_port=port,
        )
        (tmp_path / "two").mkdir()
        with pytest.raises(SimulatorError, match=rf"Port {port} .*SMT.*--port-base"):
            async with Sandbox(clash):
                pass


async def test_a_head_end_of_anothers_takes_the_place_of_ours_with_the_keys_that_both_know(tmp_path: Path) -> None:
    async with rig(tmp_path / "one") as made:
        settings = made.sandbox.settings
    keys, out = tmp_path / "keys.json", tmp_path / "two"
    kept = kept_keys(keys)
    asked: list[tuple[str, str]] = []
    app = FastAPI()

    @app.post("/inquiries")
    async def inquiries(request: Request) -> JSONResponse:
        asked.append((request.headers["authorization"], (await request.json())["esiid"]))
        return JSONResponse({"code": "headend.busy", "message": "not now"}, 503)

    server = HttpServer(app, bind("127.0.0.1", 0, "another's head-end"))
    await server.start()
    out.mkdir()
    try:
        async with Sandbox(replace(settings, out=out, keys=keys, headend_url=server.url, history=False)) as sandbox:
            assert sandbox.ready()["headend_url"] == server.url
            assert "ror_url" not in sandbox.ready()
            async with httpx.AsyncClient(base_url=sandbox.smt_server.url, trust_env=False) as http:
                client = SmtClient(http, ROR_LOGIN.username, ROR_LOGIN.password, ROR_LOGIN.duns)
                key = await client.odr(settings.world.esiid(1), "call-1", "INTERVALS")
                await sandbox.runtime.run_until(sandbox.runtime.now() + 600)
            entry = sandbox.smt.ledger.entry(key)
            assert entry is not None
            assert entry.last.state is State.FAILED
    finally:
        await server.stop()
    assert set(asked) == {(f"Bearer {kept.smt}", settings.world.esiid(1))}
    # They are not the sandbox's alone, so that they stay.
    assert kept_keys(keys) == kept


async def test_the_loads_kernels_are_ready_before_anybody_waits_for_a_meter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[str] = []
    window = EmulatedMeter.window

    def asked(meter: EmulatedMeter, *span: Seconds) -> Window:
        did.append("kernels")
        return window(meter, *span)

    async def opening(*given: Any) -> list[Gateway]:
        did.append("gateways")
        return await open_gateways(*given)

    monkeypatch.setattr(EmulatedMeter, "window", asked)
    monkeypatch.setattr("simulator.parties.sandbox.open_gateways", opening)
    async with rig(tmp_path, posted_days=1):
        assert did[:2] == ["kernels", "gateways"]


async def test_a_sandbox_is_behind_its_clock_by_what_its_own_exchanges_take_and_its_journal_says_so(
    made: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = replace(made.sandbox.settings, clock=Clock(ClockMode.SCALED, to_us(epoch("2026-08-12T12:00")), 60.0))
    slow = Sandbox(replace(running, out=tmp_path / "slow"))
    runtime, monotonic = slow.runtime, wall.monotonic
    late = 0.0
    monkeypatch.setattr(wall, "monotonic", lambda: monotonic() + late)

    async def exchange() -> None:
        nonlocal late
        late += 2

    for kind in ("inquiry", "meter", "call-back"):
        done = runtime.io(kind, "x", exchange)
        while not done.triggered:
            await runtime._follow()
            await asyncio.sleep(0)
        assert round(runtime.lag_s) == 2
    (entry,) = slow.journal.entries()
    assert (entry["party"], entry["kind"]) == ("CLOCK", BEHIND)

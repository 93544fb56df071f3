"""What a party alone is told and how it finds the others: the shared clock, ready lines, rosters, and a store that is ahead of the clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.day.posting import FtpsSite
from headend.http.described_api import DescribedApi
from headend.http.links import HeadEndLink, LinkKeys
from headend.ports import MeterKey, MeterReading, MeterRecords
from headend.store.store import HeadEndStore
from meters.calendar import INTERVAL_S, epoch, iso, rounded_us, to_us
from meters.device.special import TWO_METERS, special_esiid
from meters.errors import UserError
from meters.fleet import Fleet
from meters.identity import tdsp
from simulator.commands.serve import headend_serve, smt_serve
from simulator.parties import control
from simulator.parties.clock_sharing import clock_entry, party_clock
from simulator.parties.headend import AloneSettings, head_end_alone
from simulator.parties.meter_roster import read_roster, roster_of
from simulator.parties.options import ClockOptions
from simulator.parties.ready_line import ReadyClock, ReadyLine, read_ready
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.runtime.journal import RunJournal
from simulator.runtime.local_ca import LocalCa
from simulator.runtime.serving import HttpServer, bind
from simulator.web.frame import served
from simulator.world.fleet import world_of
from simulator.world.market import build_market
from tests.simulator.smt.postgres import DATABASES

NOON = epoch("2026-08-12T12:00")
ROSTER = "esiid,meter_number,host,port,unit_id\n"
METER = "10443720000000017,900000017,127.0.0.1,8700,1\n"


@given(
    speed=st.floats(0.001, 86_400),
    ran=st.floats(0, 600),
    started=st.integers(0, 2**31 - 1).map(lambda at: at + 0.25),
)
def test_the_three_numbers_of_a_clock_give_another_party_the_same_now(speed: float, ran: float, started: float) -> None:
    clock = Clock(ClockMode.SCALED, to_us(NOON), speed, lambda: started + ran, started)
    told = ReadyClock.model_validate_json(json.dumps(clock_entry(Runtime(clock))))
    assert told.epoch is not None
    assert told.wall_start is not None
    other = Clock(ClockMode.SCALED, to_us(epoch(told.epoch)), told.speed, clock.wall, told.wall_start)
    assert other.now_us() == clock.now_us()


def test_a_clock_of_its_own_begins_when_the_party_is_ready_and_a_told_one_runs() -> None:
    own = party_clock(ClockOptions("2026-08-12", "scaled", 60.0))
    assert own.begun().wall_start >= own.clock.wall_start
    told = party_clock(ClockOptions("2026-08-12", "scaled", 60.0, own.clock.wall_start - 60))
    assert told.begun().wall_start == own.clock.wall_start - 60
    assert told.begun().now_us() >= to_us(NOON + 3600)


def test_real_clocks_agree_without_being_told() -> None:
    clock = party_clock(ClockOptions(mode="real")).begun()
    assert abs(clock.now_us() - rounded_us(clock.wall())) < to_us(1) // 10


def test_a_known_partys_clock_is_taken_unless_another_is_told() -> None:
    known = ReadyClock(mode="scaled", speed=7.0, epoch=iso(NOON), wall_start=1e9 * 1.7)
    assert party_clock(ClockOptions(), known).begun().wall_start == 1e9 * 1.7
    assert party_clock(ClockOptions("2026-08-13", "scaled", 60.0), known).clock.epoch_us == to_us(NOON + 86_400)


def _served(runtime: Runtime) -> DescribedApi:
    app = DescribedApi(served(runtime.now), [])
    app.serve(control.router().routes, runtime)
    return app


async def test_a_party_tells_its_clock_over_http() -> None:
    clock = party_clock(ClockOptions("2026-08-12", "scaled", 60.0)).begun()
    server = HttpServer(_served(Runtime(clock)), bind("127.0.0.1", 0, "a party"))
    await server.start()
    try:
        joined = await asyncio.to_thread(party_clock, ClockOptions(clock_of=server.url))
    finally:
        await server.stop()
    assert (joined.clock.epoch_us, joined.clock.speed, joined.clock.wall_start) == (
        *(clock.epoch_us, clock.speed),
        clock.wall_start,
    )


@pytest.mark.parametrize(
    ("mode", "whole", "path", "body", "code"),
    [
        ("scaled", True, "advance", {"seconds": 900}, "control.clock.running"),
        ("scaled", False, "speed", {"speed": 600}, "control.clock.shared"),
        ("manual", True, "speed", {"speed": 600}, "control.clock.manual"),
    ],
)
async def test_a_clock_is_not_moved_in_a_way_that_it_does_not_go(
    mode: str, whole: bool, path: str, body: dict[str, Any], code: str
) -> None:
    runtime = Runtime(Clock(ClockMode(mode), to_us(NOON), wall=lambda: 0.0, wall_start=0.0), whole=whole)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(_served(runtime)), base_url="http://127.0.0.1") as http:
        before = (await http.get("/control/clock")).json()
        refused = await http.post(f"/control/clock/{path}", json=body)
        assert (refused.status_code, refused.json()["errorCode"]) == (409, code)
        assert (await http.get("/control/clock")).json()["speed"] == before["speed"]


async def test_a_clock_that_nobody_shares_runs_on_at_another_speed() -> None:
    runtime = Runtime(party_clock(ClockOptions("2026-08-12", "scaled", 60.0)).begun(), whole=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(_served(runtime)), base_url="http://127.0.0.1") as http:
        told = (await http.post("/control/clock/speed", json={"speed": 600})).json()
    assert (told["mode"], told["speed"]) == ("scaled", 600.0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"mode": "manual"}, "clock.mode: --clock"),
        ({"date": "2026-08-12", "clock_of": "x"}, "clock.twice: --clock-of"),
        ({"mode": "real"}, "clock.speed: --speed"),
        ({"clock_of": "x", "mode": ""}, "clock.speed: --speed"),
        ({"clock_of": "x", "mode": "real", "speed": None}, "clock.mode: --clock"),
        ({"wall_start": 5.0}, "clock.epoch: --wall-start"),
        ({"date": "2026-08-12", "wall_start": 5.0, "speed": 3600.0}, "clock.now: --wall-start"),
        ({"date": "2026-08-12", "wall_start": float("nan")}, "clock.wall_start: --wall-start"),
        ({"date": "2026-08-12", "wall_start": float("inf")}, "clock.wall_start: --wall-start"),
        ({"clock_of": "/nowhere.json", "mode": "", "speed": None}, "ready.unreadable: --clock-of /nowhere.json"),
        ({"clock_of": "http://127.0.0.1:9", "mode": "", "speed": None}, "clock.of: --clock-of"),
    ],
)
def test_a_clock_that_cannot_be_is_told_with_its_option(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        party_clock(ClockOptions(**{"mode": "scaled", "speed": 60.0, "date": "", **asked}))
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "ready.empty"),
        ("ami meters serve: 40 meters\n", "ready.malformed"),
        ('{"event": "ready"}', "ready.malformed: --meters-of"),
        ('{"clock": {"mode": "real", "speed": 1}, "gateways": [{"host": "h", "port": 1, "meters": [{}]}]}', "esiid"),
    ],
)
def test_a_file_that_is_no_ready_line_is_told(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "ready.json").write_text(line)
    with pytest.raises(UserError) as caught:
        read_ready(tmp_path / "ready.json", "--meters-of")
    assert said in str(caught.value)


def test_a_roster_takes_what_is_left_out_from_the_gateways(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(
        ROSTER
        + METER
        + METER.replace("17,", "25,").replace(",1\n", ",2\n")
        + METER.replace("17,9", "33,9").replace("8700", "8701")
    )
    assert [(one.unit_id, one.multiplier, one.access_point) for one in read_roster(tmp_path / "r.csv")] == [
        (1, 1, 0),
        (2, 1, 0),
        (1, 1, 1),
    ]
    named = (
        ROSTER.replace("\n", ",phases\n")
        + METER.replace("\n", ",3\n")
        + METER.replace("17,", "25,").replace("\n", ",\n")
    )
    (tmp_path / "r.csv").write_text(named)
    assert [one.phases for one in read_roster(tmp_path / "r.csv")] == [3, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "roster.columns: {file}:1"),
        (ROSTER, "roster.empty: {file}"),
        ("esiid,meter\n", "roster.columns: {file}:1"),
        (ROSTER + METER.replace("8700", "70000"), "roster.row: {file}:2: port"),
        (ROSTER + METER + "1044,1\n", "roster.row: {file}:3"),
        (ROSTER + METER + METER, "roster.meter: {file}:3"),
        (ROSTER + METER.replace("\n", ",9\n"), "roster.row: {file}:2"),
    ],
)
def test_a_fault_of_a_roster_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "roster.csv"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        read_roster(file)
    assert str(caught.value).startswith(said.format(file=file))


def test_records_of_head_end_and_smt_have_both_meters_at_an_esi_id() -> None:
    company = tdsp("ONCOR")
    world = world_of(Fleet(company, 3, 4), True, date(2026, 7, 8), NOON)
    registry = build_market(world).registry
    entries = [
        {"esiid": meter.identity.esiid, "meter_number": meter.identity.meter_number, "unit_id": unit}
        for units in world.gateways
        for unit, meter in units.items()
    ]
    ready = {"clock": {"mode": "real", "speed": 1}, "gateways": [{"host": "h", "port": 1, "meters": entries}]}
    roster = MeterRecords(roster_of(ReadyLine.model_validate(ready), "--meters-of"))
    here = {esiid: [meter.number for meter in roster.places(esiid)] for esiid in registry.points if esiid in roster}
    assert here == {esiid: [meter.meter_number for meter in registry.meters(registry.points[esiid])] for esiid in here}
    assert here[special_esiid(company, TWO_METERS.number)] == ["600000032", "600000033"]
    assert sum(map(len, here.values())) == len(entries)


def test_a_roster_may_name_several_meters_at_an_esi_id(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text(ROSTER + METER + METER.replace("900000017", "900000018"))
    assert [one.meter_number for one in read_roster(file)] == ["900000017", "900000018"]


@pytest.mark.parametrize(
    ("command", "asked", "said"),
    [
        (headend_serve, {}, "headend.meters: --meters-of"),
        (smt_serve, {"middle": "fast"}, "smt.middle: --middle"),
        (smt_serve, {"middle": "-1,2"}, "smt.middle: --middle"),
        (smt_serve, {"headend": ["TNMP=http://127.0.0.1:1"]}, "smt.headend.tdsp: --headend"),
        (smt_serve, {"keys": ["TNMP=keys.json"]}, "smt.keys.tdsp: --keys"),
        (smt_serve, {"headend": ["nowhere.json"]}, "ready.unreadable: --headend nowhere.json"),
        (smt_serve, {"count": 3}, "market.meters: --count"),
        (smt_serve, {"registry": Path("/nowhere")}, "smt.registry.no_file"),
        (smt_serve, {"policy": "none"}, "policy.unknown: --policy"),
        (smt_serve, {"reply_to": "foo"}, "smt.reply_to: --reply-to"),
        (smt_serve, {"reply_to": "http://127.0.0.1:x"}, "smt.reply_to: --reply-to"),
        (smt_serve, {"reply_to": "ftp://127.0.0.1"}, "smt.reply_to: --reply-to"),
        (smt_serve, {"role": "boss"}, "smt.role: --role"),
        (smt_serve, {"role": "worker", "keep": False}, "smt.role: --fresh"),
        (smt_serve, {"log": "/dev/null/x"}, "log.unusable: /dev/null/x"),
    ],
)
def test_an_option_that_cannot_be_is_told(command: Callable[..., None], asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        command(**asked)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "headend.smt: --smt-ftps, --ca, --login"),
        ({"smt_ftps": "localhost"}, "headend.smt_ftps: --smt-ftps"),
        ({"smt_ftps": "h:21", "ca": Path("ca.pem"), "login": "nobody"}, "headend.login: --login"),
        (
            {"smt_ftps": "h:21", "ca": Path("no.pem"), "login": "a:b", "reply_to": ["http://h"]},
            "headend.ca_file: --ca no.pem",
        ),
        ({"smt_ftps": "h:21", "ca": Path("ca.pem"), "login": "a:b"}, "headend.reply_to: --reply-to"),
        ({"smt_ftps": "h:21", "ca": Path("ca.pem"), "login": "a:b", "reply_to": ["h"]}, "headend.reply_to: --reply-to"),
    ],
)
def test_a_head_end_that_cannot_post_is_told_what_it_lacks(tmp_path: Path, asked: dict[str, Any], said: str) -> None:
    (tmp_path / "r.csv").write_text(ROSTER + METER)
    with pytest.raises(UserError) as caught:
        headend_serve(gateways=tmp_path / "r.csv", out=tmp_path / "out", port=0, **asked)
    assert str(caught.value).startswith(said)


def test_an_smt_and_meters_with_other_keys_are_told(tmp_path: Path) -> None:
    clock = {"mode": "real", "speed": 1, "epoch": iso(NOON), "wall_start": 1.7e9}
    meter = {"esiid": "10443720000000017", "meter_number": "900000017", "unit_id": 1}
    meters = {"clock": clock, "gateways": [{"host": "h", "port": 1, "meters": [meter]}], "keys_file": "a.json"}
    ftps = {"host": "h", "port": 21, "ca_file": "no.pem"}
    smt = {"clock": clock, "smt_url": "http://h", "ftps": ftps, "keys_file": "b.json"}
    for name, line in (("meters", meters), ("smt", smt)):
        (tmp_path / name).write_text(json.dumps(line))
    files = {"meters_of": tmp_path / "meters", "smt_of": tmp_path / "smt", "login": "a:b", "out": tmp_path / "out"}
    with pytest.raises(UserError, match=r"headend\.keys: --keys: SMT and meters have other keys: a\.json, b\.json"):
        headend_serve(**files)


def test_a_head_end_with_open_links_says_so_at_its_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.csv").write_text(ROSTER + METER)
    site: dict[str, Any] = {"smt_ftps": "h:21", "ca": Path("no.pem"), "login": "a:b", "open_links": True}
    with pytest.raises(UserError, match=r"headend\.ca_file"):
        headend_serve(gateways=tmp_path / "r.csv", out=tmp_path / "out", port=0, **site)
    assert capsys.readouterr().err == "links.open: the head-end asks nobody for a key (--open-links).\n"


async def test_a_store_that_is_ahead_of_the_clock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(ROSTER + METER)
    url = f"sqlite:///{tmp_path / 'headend.sqlite'}"
    store = HeadEndStore(url)
    wh = np.zeros(4, np.int32)
    reading = MeterReading("10443720000000017", "", NOON, wh, wh, wh.astype(np.uint16), wh == 0, NOON, 0, 0, 0)
    store.keep([reading], NOON, "sweep")
    store.close()

    site = FtpsSite("127.0.0.1", 1, "a", "b", LocalCa.make(tmp_path).ca_file)
    settings = AloneSettings(tdsp("ONCOR"), read_roster(tmp_path / "r.csv"), site, url)
    with bind("127.0.0.1", 0, "the head-end") as bound, pytest.raises(UserError, match=r"headend\.store\.ahead: --out"):
        async with head_end_alone(
            settings, Clock(ClockMode.SCALED, to_us(NOON - 86_400)), bound, RunJournal(10), HeadEndLink(LinkKeys.make())
        ):
            raise AssertionError("it began")


@pytest.mark.parametrize("kind", DATABASES)
def test_a_second_head_end_at_one_database_is_refused_by_whichever_url(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'headend.sqlite'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    again = url.replace("headend.sqlite", "link.sqlite") if kind == "sqlite" else f"{url}&application_name=another"
    (tmp_path / "link.sqlite").symlink_to("headend.sqlite")
    store = HeadEndStore(url)
    with pytest.raises(UserError, match=r"headend\.store\.in_use: .*: Another head-end is working on this database\."):
        HeadEndStore(again)
    store.close()
    HeadEndStore(again).close()
    if kind == "sqlite":
        (tmp_path / "hard.sqlite").hardlink_to(tmp_path / "headend.sqlite")
        with pytest.raises(UserError, match=r"database\.linked"):
            HeadEndStore(again)


def test_how_far_a_store_reaches_is_the_end_of_the_unbroken_run(tmp_path: Path) -> None:
    store = HeadEndStore(f"sqlite:///{tmp_path / 'headend.sqlite'}")
    begins = epoch("2026-08-11T00:00")

    def collected(esiid: str, first: int, count: int) -> MeterReading:
        wh = np.ones(count, np.int32)
        at = begins + first * INTERVAL_S
        return MeterReading(esiid, "", at, wh, wh, wh.astype(np.uint16), wh == 1, at, 0, 0, 0)

    store.keep([collected("1" * 17, 0, 100), collected("1" * 17, 101, 50), collected("2" * 17, 5, 9)], NOON, "sweep")
    reach = store.collected.reach(["1" * 17, "2" * 17, "3" * 17], begins).intervals
    assert [reach[MeterKey(digit * 17, "")] - begins for digit in "123"] == [100 * INTERVAL_S, 0, 0]
    assert store.collected.newest_day() == begins + 86_400
    store.close()

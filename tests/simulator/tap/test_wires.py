"""Modbus and file transfer as lines, and a whole sandbox's file."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from headend.day.posting import FtpsSite, download, upload
from headend.network.transport import ModbusTransport, NoAnswer
from headend.ports import HeadEndError, MeterAddress
from meters.calendar import epoch
from meters.wire.gateway import Gateway
from simulator.parties.ror import AGENT
from simulator.parties.sandbox import DeskSettings
from simulator.tap.chain import check_chain, exchanges
from simulator.tap.ftp import fetched, posted
from simulator.tap.modbus import gateway_seen, modbus_seen
from simulator.world.market import ROR_LOGIN
from tests.headend.network.test_transport import DEAD_UNIT, METERS
from tests.simulator.sandboxes import rig
from tests.simulator.tap.written import log_at, told

NOW = epoch("2026-08-12T17:40")


def address(unit: int, port: int) -> MeterAddress:
    meter = METERS[unit].identity
    return MeterAddress(meter.esiid, meter.meter_number, "127.0.0.1", port, unit, 1, 1)


@pytest.mark.parametrize("end", ["head-end", "gateway"])
async def test_a_read_is_told_at_either_end_of_the_line(tmp_path: Path, end: str) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    at_gateway = end == "gateway"
    gateway = Gateway(METERS, lambda: NOW, seen=gateway_seen(log, METERS) if at_gateway else None)
    await gateway.start()
    transport = ModbusTransport(seen=None if at_gateway else modbus_seen(log))
    try:
        await transport.read_power(address(1, gateway.port))
        with pytest.raises(NoAnswer):
            await transport.read_power(address(DEAD_UNIT, gateway.port))
    finally:
        await transport.close()
        await gateway.stop()
    log.close()
    power, dead = told(tmp_path / "wire.jsonl")[1:]
    meter = METERS[1].identity
    assert power["ids"] == {"esiid": meter.esiid, "meter": meter.meter_number}
    # Function 3, address and count asked; function, octets and registers answered.
    asked, replied = bytes.fromhex(power["ask"]["pdu"]), bytes.fromhex(power["reply"]["pdu"])
    count = int.from_bytes(asked[3:5])
    assert (power["ask"]["unit"], asked[0], len(asked)) == (1, 3, 5)
    assert (replied[:2], len(replied)) == (bytes([3, 2 * count]), 2 + 2 * count)
    assert dead["ask"]["unit"] == DEAD_UNIT
    assert dead["reply"]["pdu"] == "830b"
    assert ("error" in dead["reply"]) is not at_gateway
    told_of = [one.label for one in exchanges(tmp_path / "wire.jsonl")]
    assert told_of[1] == f"read {count} registers from {int.from_bytes(asked[1:3])}"


async def test_a_meter_that_gives_no_answer_is_told(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    gateway = Gateway(METERS, lambda: NOW, silence="hang", seen=gateway_seen(log, METERS))
    await gateway.start()
    transport = ModbusTransport(timeout=0.2)
    try:
        with pytest.raises(NoAnswer):
            await transport.read_power(address(DEAD_UNIT, gateway.port))
    finally:
        await transport.close()
        await gateway.stop()
    (line,) = told(tmp_path / "wire.jsonl")
    assert line["reply"] == {"pdu": "", "error": "no answer"}


async def test_who_posts_notes_each_file_as_a_whole(tmp_path: Path) -> None:
    log = log_at(tmp_path / "wire.jsonl")
    content = b"1,2,3\n"

    async def send(name: str, _content: bytes) -> bool:
        if name == "bad":
            raise HeadEndError("headend.posting.refused", "Nothing listens there.")
        return name == "new"

    async def fetch(name: str) -> bytes:
        if name == "bad":
            raise HeadEndError("headend.posting.refused", "Nothing listens there.")
        return content

    post, get = posted(log, "wires", send), fetched(log, "wires", fetch)
    assert [await post("new", content), await post("old", content), await get("new")] == [True, False, content]
    for call in (post("bad", content), get("bad")):
        with pytest.raises(HeadEndError):
            await call
    told_of = [(one.label, one.came) for one in exchanges(tmp_path / "wire.jsonl")]
    refused = "headend.posting.refused"
    assert told_of == [
        ("upload new", "posted"),
        ("upload old", "it was there already"),
        ("download new", "fetched"),
        ("upload bad", refused),
        ("download bad", refused),
    ]
    file = {"name": "new", "octets": 6, "sha256": sha256(content).hexdigest()}
    assert told(tmp_path / "wire.jsonl")[0]["reply"]["file"] == file


async def test_a_sandbox_tells_every_wire_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    async with rig(tmp_path / "out", wire=path, desk=DeskSettings()) as running:
        sandbox, esiid = running.sandbox, running.esiid(1)
        await running.ask(esiid)
        await running.http.get("/control/clock")
        login = sandbox.market.tdsp_login
        site = FtpsSite("127.0.0.1", sandbox.files.port, login.username, login.password, sandbox.ca.ca_file)
        await asyncio.to_thread(upload, site, "mine.lse", b"no LSE\n")
        assert await asyncio.to_thread(download, site, "mine.lse") == b"no LSE\n"
        with pytest.raises(HeadEndError):
            await asyncio.to_thread(download, site, "none.lse")
        assert sandbox.ror is not None
        agent = (AGENT.username, AGENT.password)
        async with httpx.AsyncClient(base_url=sandbox.ror.server.url, auth=agent, trust_env=False) as desk:
            assert (await desk.post("/calls", json={"esiid": esiid})).status_code == 202
        log_in = {"username": ROR_LOGIN.username, "password": ROR_LOGIN.password}
        token = (await running.http.post("/v2/token/", json=log_in)).json()["accessToken"]
        keys = sandbox.keys
        key = next(one.ids["correlationId"] for one in exchanges(path) if one.wire == "inquiries")
        passwords = [one.password for one in (*sandbox.market.logins.values(), AGENT)]
        secrets = [*passwords, keys.smt, keys.headend, keys.meters, keys.control, keys.seal(key), token]
    assert check_chain(path).closed
    written = path.read_text(encoding="utf-8")
    assert [one for one in secrets if one in written] == []
    wires = {one.wire for one in exchanges(path)}
    assert wires == {"control", "desk", "market", "inquiries", "modbus", "call-backs", "ftps"}
    moved = [
        (line["ask"]["command"], line["from"], line["reply"]["code"], line["reply"]["file"])
        for line in told(path)
        if line["wire"] == "ftps" and "file" in line["reply"]
    ]
    file = {"octets": 7, "sha256": sha256(b"no LSE\n").hexdigest()}
    assert moved == [
        ("STOR", "TDSP", 226, {"name": "mine.lse.part", **file}),
        ("RETR", "TDSP", 226, {"name": "mine.lse", **file}),
    ]
    # Equal secrets are seen equal: the token as it was given, and as it was borne.
    given = next(
        json.loads(one.reply["body"])["accessToken"] for one in exchanges(path) if one.label.endswith("token/")
    )
    borne = {one.ask["headers"]["authorization"] for one in exchanges(path) if "odr" in one.label}
    assert borne == {f"Bearer {given}"}

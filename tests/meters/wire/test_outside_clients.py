"""Clients that are not ours read and write a meter over real sockets: pysunspec2, pyModbusTCP, the command-line client mbpoll."""

from __future__ import annotations

import re
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest
import sunspec2.device
import sunspec2.modbus.modbus
from pyModbusTCP.client import ModbusClient
from pyModbusTCP.constants import (
    EXP_DATA_ADDRESS,
    EXP_DATA_VALUE,
    EXP_GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND,
    EXP_ILLEGAL_FUNCTION,
)
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from meters.calendar import day_of, day_start
from meters.device.meter import EmulatedMeter
from meters.faults.fault import FOR_EVER
from meters.faults.kinds import FaultKind
from meters.register_map import layout as wire
from meters.register_map.decode import decode_header
from tests.meters.gateways import NOW, broken, fault, home, served_apart
from tests.meters.register_map.pages import DOCS
from tests.needs import needs
from tests.simulator.processes import done

HOME, BUSINESS, DEAD = 1, 2, 3
#: Each for a test that writes.
SET, SWITCHED, OPENED = 4, 5, 9
ROUND, RESET, EXCHANGED = 6, 7, 8
#: Wh that they have counted when they begin: the last of six dials.
LAST_DIAL = 10**9 - 1
SPOILED = {11: FaultKind.WRONG_TRANSACTION, 12: FaultKind.WRONG_UNIT, 13: FaultKind.WRONG_LENGTH}
SKIPPED_AT = NOW - NOW % 900 - 5 * 900
METERS: dict[int, EmulatedMeter] = {
    HOME: home(
        1, fault(1, FaultKind.SKIPPED, SKIPPED_AT, SKIPPED_AT + 900), initial_delivered_wh=2**29, initial_received_wh=77
    ),
    BUSINESS: home(2, three_phase=True, multiplier=40),
    SET: home(4),
    SWITCHED: home(5),
    OPENED: home(9),
    ROUND: home(6, initial_delivered_wh=LAST_DIAL),
    **{
        unit: home(unit, fault(unit, kind, NOW, FOR_EVER), initial_delivered_wh=LAST_DIAL)
        for unit, kind in ((RESET, FaultKind.RESET), (EXCHANGED, FaultKind.EXCHANGE))
    },
    **{unit: broken(unit, kind) for unit, kind in {DEAD: FaultKind.DEAD, **SPOILED}.items()},
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served_apart(METERS, "exception") as port:
        yield port


@pytest.fixture
def model_path() -> Iterator[None]:
    """Put the folder of our vendor model's file on pysunspec2's model path."""
    before = sunspec2.device.get_model_defs_path()
    sunspec2.device.set_model_defs_path([str(DOCS / "sunspec"), *before])
    yield
    sunspec2.device.set_model_defs_path(before)


@pytest.fixture
def client(port: int) -> Iterator[ModbusClient]:
    client = ModbusClient("127.0.0.1", port, HOME, timeout=10)
    yield client
    client.close()


def scanned(port: int, unit: int) -> SunSpecModbusClientDeviceTCP:
    device = SunSpecModbusClientDeviceTCP(unit, "127.0.0.1", port, timeout=10)
    device.scan()
    return device


@pytest.mark.parametrize(("unit", "model", "phases"), [(HOME, 202, "AB"), (BUSINESS, 203, "ABC")])
def test_pysunspec2_scans_and_decodes_a_meter(port: int, unit: int, model: int, phases: str) -> None:
    meter, live, power = METERS[unit], METERS[unit].live(NOW), METERS[unit].power(NOW)
    device = scanned(port, unit)
    # A vendor model that it has no file of is passed over, and says so.
    assert [one for one in device.models if isinstance(one, int)] == [1, model, wire.VENDOR_MODEL]
    common, measured = device.common[0], device.models[model][0]
    assert (common.Mn.value, common.SN.value) == ("ami-testbed", meter.identity.meter_number)
    assert (common.Vr.value, common.Opt.value, common.DA.value) == (meter.identity.firmware, None, None)
    assert measured.error_info == ""
    assert measured.W.cvalue == power.watts
    assert sum(measured.points[f"Wph{phase}"].cvalue for phase in phases) == power.watts
    assert measured.PPV.cvalue == pytest.approx(power.decivolts / 10)
    assert measured.A.cvalue * measured.PhV.cvalue == pytest.approx(power.watts, rel=0.001)
    assert (measured.Hz.cvalue, measured.PF.cvalue, measured.Evt.value) == (60, 100, 0)
    multiplier = meter.identity.multiplier
    assert measured.TotWhImp.cvalue == live.delivered_register * multiplier
    assert (measured.TotWhExp.cvalue or 0) == live.received_register * multiplier
    assert (measured.WphC.value is None, measured.PhVphC.value is None) == (model == 202,) * 2
    assert [measured.points[name].value for name in ("TotWhImpPhA", "TotVAhExp", "TotVArhImpQ1", "TotVAh_SF")] == [
        None
    ] * 4


@pytest.mark.parametrize("unit", [ROUND, RESET, EXCHANGED])
def test_pysunspec2_reads_a_counter_that_begins_again_with_another_meter_alone(port: int, unit: int) -> None:
    counted = scanned(port, unit).models[202][0].TotWhImp.value or 0
    register = METERS[unit].live(NOW).delivered_register
    assert (counted > LAST_DIAL > register) if unit != EXCHANGED else (counted == register == 0)


@pytest.mark.parametrize("unit", [HOME, BUSINESS])
@pytest.mark.usefixtures("model_path")
def test_pysunspec2_decodes_the_whole_vendor_model_with_our_model_file(port: int, unit: int) -> None:
    meter, live = METERS[unit], METERS[unit].live(NOW)
    profile = scanned(port, unit).models["load_profile"][0]
    assert profile.error_info == ""
    assert (profile.ESIID.value, profile.MtrNum.value) == (meter.identity.esiid, meter.identity.meter_number)
    assert (profile.Mult.value, profile.Dials.value) == (meter.identity.multiplier, meter.identity.dials)
    assert (profile.Clk.value, profile.Sw.value, profile.PartS.value) == (NOW, wire.SWITCH_CLOSED, 622)
    assert (profile.RegDel.value, profile.RegRcv.value) == (live.delivered_register, live.received_register)
    assert (len(profile.midnight), len(profile.interval)) == (profile.Mids.value, profile.Slots.value) == (40, 3456)
    today = day_of(NOW)
    taken = profile.midnight[wire.snapshot_slot(day_start(today))]
    assert (taken.At.value, taken.Del.value, taken.Rcv.value) == (day_start(today), *(meter.midnight(today, NOW) or ()))
    start = NOW - NOW % 900 - 96 * 900
    shown = meter.window(start, start + 96 * 900, NOW)
    slots = [profile.interval[wire.ring_slot(start + at * 900)] for at in range(96)]
    assert [slot.Del.value for slot in slots] == shown.delivered.tolist()
    assert [slot.Sts.value for slot in slots] == shown.status.tolist()
    assert all(shown.present) == (unit != HOME)


@pytest.mark.usefixtures("model_path")
def test_pysunspec2_sets_the_clock(port: int) -> None:
    profile = scanned(port, SET).models["load_profile"][0]
    profile.Clk.value = NOW + 61
    profile.Clk.write()
    profile.Clk.read()
    assert profile.Clk.value == NOW + 61
    profile.Clk.value = NOW + 7300
    with pytest.raises(sunspec2.modbus.modbus.ModbusClientException, match="exception: 3"):
        profile.Clk.write()


def test_py_modbus_tcp_reads_the_same_in_both_functions(client: ModbusClient) -> None:
    holding = client.read_holding_registers(wire.HEADER, wire.HEADER_COUNT)
    assert holding == client.read_input_registers(wire.HEADER, wire.HEADER_COUNT)
    header = decode_header(holding)
    assert (header.esiid, header.clock) == (METERS[HOME].identity.esiid, NOW)
    assert len(client.read_holding_registers(wire.RING, wire.MAX_READ)) == wire.MAX_READ


def test_py_modbus_tcp_sets_the_clock_and_moves_the_switch(client: ModbusClient) -> None:
    client.unit_id = SWITCHED
    to = NOW - 30
    assert client.write_multiple_registers(wire.CLOCK, [to >> 16, to & 0xFFFF])
    assert client.write_multiple_registers(wire.SWITCH, [wire.SWITCH_OPEN])
    header = decode_header(client.read_holding_registers(wire.HEADER, wire.HEADER_COUNT))
    assert (header.clock, header.switch_closed) == (to, False)
    assert client.write_single_register(wire.SWITCH, wire.SWITCH_CLOSED)
    assert client.read_holding_registers(wire.SWITCH) == [wire.SWITCH_CLOSED]


def test_py_modbus_tcp_identifies_a_meter(client: ModbusClient) -> None:
    told = {0: b"ami-testbed", 1: b"emulated AMS meter", 2: METERS[HOME].identity.firmware.encode()}
    for code, first, objects in ((1, 0, {0, 1, 2}), (3, 1, {1, 2}), (2, 0x80, {0, 1, 2}), (4, 2, {2})):
        answer = client.read_device_identification(code, first)
        assert answer.objects_by_id == {at: told[at] for at in objects}
        assert (answer.conformity_level, answer.more_follows) == (0x81, 0)


def test_py_modbus_tcp_sees_the_exceptions(client: ModbusClient) -> None:
    def refused(answer: object, code: int) -> None:
        assert not answer
        assert client.last_except == code

    refused(client.read_holding_registers(wire.END, 1), EXP_DATA_ADDRESS)
    refused(client.read_input_registers(0, 10), EXP_DATA_ADDRESS)
    refused(client.write_multiple_registers(wire.CLOCK, [1]), EXP_DATA_ADDRESS)
    refused(client.write_multiple_registers(wire.CLOCK, [1, 1]), EXP_DATA_VALUE)
    refused(client.write_multiple_registers(wire.SWITCH, [7]), EXP_DATA_VALUE)
    refused(client.write_single_register(wire.SWITCH, 7), EXP_DATA_VALUE)
    refused(client.write_single_register(wire.CLOCK, 1), EXP_DATA_ADDRESS)
    refused(client.read_coils(wire.BASE, 1), EXP_ILLEGAL_FUNCTION)
    refused(client.read_device_identification(4, 3), EXP_DATA_ADDRESS)
    for client.unit_id in (DEAD, 99):
        refused(client.read_holding_registers(wire.BASE, 2), EXP_GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND)
    client.unit_id = HOME
    assert client.read_holding_registers(wire.BASE, 2)


@pytest.mark.parametrize("unit", SPOILED, ids=SPOILED.values())
def test_py_modbus_tcp_takes_no_corrupt_reply(port: int, unit: int) -> None:
    client = ModbusClient("127.0.0.1", port, unit, timeout=0.3)
    assert client.read_holding_registers(wire.BASE, 2) is None
    assert client.last_error
    client.close()


def mbpoll(port: int, unit: int, first: int, *more: str) -> CompletedProcess[str]:
    needs("mbpoll")
    # -0: addresses as on the wire; -1: once.
    asked = ["mbpoll", "-m", "tcp", "-p", str(port), "-a", str(unit), "-0", "-1", "-r", str(first), "-o", "10"]
    return done(*asked, "127.0.0.1", *more, code=None)


@pytest.mark.process
@pytest.mark.parametrize("kind", ["4", "3"])
def test_mbpoll_reads_registers_on_the_command_line(port: int, kind: str) -> None:
    told = mbpoll(port, HOME, wire.METER_BLOCK.first, "-c", "2", "-t", kind)
    assert told.returncode == 0, told.stderr
    assert re.findall(r"^\[(\d+)\]:\s+(\d+)", told.stdout, re.MULTILINE) == [("40070", "202"), ("40071", "105")]


@pytest.mark.process
def test_mbpoll_reads_the_clock_as_one_number(port: int) -> None:
    told = mbpoll(port, HOME, wire.CLOCK, "-c", "1", "-t", "4:int", "-B")
    assert re.findall(r"^\[\d+\]:\s+(\d+)", told.stdout, re.MULTILINE) == [str(NOW)]


@pytest.mark.process
def test_mbpoll_opens_a_switch_on_the_command_line(port: int) -> None:
    # mbpoll writes one register by function 6.
    told = mbpoll(port, OPENED, wire.SWITCH, "-t", "4", str(wire.SWITCH_OPEN))
    assert told.returncode == 0, told.stderr
    assert not METERS[OPENED].live(NOW).switch_closed


@pytest.mark.process
def test_mbpoll_is_told_of_a_meter_that_does_not_respond(port: int) -> None:
    told = mbpoll(port, DEAD, wire.BASE, "-c", "1")
    assert "Target device failed to respond" in told.stdout + told.stderr

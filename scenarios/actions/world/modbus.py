"""``modbus``: somebody at the gateway's wire reads a meter's registers, past the head-end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from meters.calendar import Seconds, iso
from meters.register_map.decode import decode_header
from meters.register_map.layout import HEADER, HEADER_COUNT, MAX_READ
from scenarios.actions.action import Played, Row, Seen
from scenarios.parts.expected import COUNT, INSTANT, NUMBER, TEXT, TEXTS, TRUTH, Fact
from scenarios.parts.setting import Act
from scenarios.records.values import Count, Instant, Record
from simulator.parties.sandbox import HOST

if TYPE_CHECKING:
    from scenarios.stage import Stage

#: Wall seconds that a reply may take.
_TIMEOUT_S = 5.0


class Modbus(Act):
    """A meter's holding registers are read by Modbus TCP at its gateway; its vendor header unless an address is given."""

    address: int = Field(default=HEADER, ge=0, lt=65_536, description="The first register.")
    count: int = Field(default=HEADER_COUNT, ge=1, le=MAX_READ)
    unit: int | None = Field(default=None, ge=1, le=247, description="Another unit of the gateway than the meter's.")


class RecordedRegisters(Record):
    """What a read of registers gave: of the header, what it tells besides."""

    at: Instant
    exception: Count | None
    trouble: str
    registers: list[Count]
    meter_number: str | None
    clock: Instant | None
    register_wh: Count | None
    switch_closed: bool | None


SeenRegisters = Seen[Modbus, RecordedRegisters]
_OF_THE_HEADER = ("meter_number", "clock", "register_wh", "switch_closed")


def _play(stage: Stage, action: Modbus) -> Played:
    ports = [gateway.port for gateway in stage.sandbox.gateways]
    meter = next(one for one in stage.world.addresses(HOST, ports) if one.esiid == stage.esiid(action))
    unit = action.unit or meter.unit_id

    async def read() -> tuple[int | None, str, list[int]]:
        client = AsyncModbusTcpClient(meter.host, port=meter.port, timeout=_TIMEOUT_S, retries=0, reconnect_delay=0)
        try:
            await client.connect()
            response = await client.read_holding_registers(action.address, count=action.count, device_id=unit)
            return (response.exception_code, "", []) if response.isError() else (None, "", list(response.registers))
        except ModbusException as error:
            return None, type(error).__name__, []
        finally:
            client.close()

    exception, trouble, registers = yield stage.runtime.io("meter", f"{action.ref}/{unit}", read)
    left: dict[str, Any] = dict.fromkeys(_OF_THE_HEADER)
    if registers and (action.address, action.count) == (HEADER, HEADER_COUNT):
        header = decode_header(registers)
        told = (header.meter_number, iso(header.clock), header.delivered_register, header.switch_closed)
        left = dict(zip(_OF_THE_HEADER, told, strict=True))
    return left | {
        "at": iso(stage.runtime.now()), "exception": exception, "trouble": trouble, "registers": registers
    }  # fmt: skip


def _of(name: str) -> Any:
    return lambda seen: seen.record and getattr(seen.record, name)


def _behind_s(seen: SeenRegisters) -> Seconds | None:
    clock = seen.record and seen.record.clock
    return seen.record.at - clock if seen.record and clock else None


def _tell(seen: SeenRegisters) -> str:
    if seen.record is None:
        return "Nothing recorded."
    if seen.record.exception is not None:
        return f"The gateway answers with exception {seen.record.exception:#04x}."
    return (
        f"No reply: {seen.record.trouble}." if seen.record.trouble else f"{len(seen.record.registers)} registers read."
    )


ROWS = (
    Row(
        "modbus",
        "Read at the gateway",
        Modbus,
        RecordedRegisters,
        _play,
        (
            Fact("read_at", INSTANT, "when it was read", _of("at")),
            Fact("registers", COUNT, "registers read", lambda seen: seen.record and len(seen.record.registers)),
            Fact("values", TEXTS, "what they hold, in hexadecimal", lambda seen: seen.record and tuple(f"{one:04x}" for one in seen.record.registers), shown=False),
            Fact("exception", COUNT, "exception code of Modbus", _of("exception")),
            Fact("trouble", TEXT, "why there was no reply", lambda seen: (seen.record and seen.record.trouble) or None),
            Fact("meter_number", TEXT, "number of the meter, as it tells it", _of("meter_number")),
            Fact("clock", INSTANT, "the meter's clock", _of("clock")),
            Fact("clock_behind", NUMBER, "by how much that lies behind", _behind_s, unit="s"),
            Fact("register_wh", COUNT, "register, before the multiplier", _of("register_wh"), unit="Wh"),
            Fact("switch_closed", TRUTH, "whether its service switch is closed", _of("switch_closed")),
        ),
        _tell,
        required=("registers",),
    ),
)  # fmt: skip

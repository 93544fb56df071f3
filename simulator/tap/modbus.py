"""What a meter is asked and answers, as the head-end's line to its gateway has it."""

from __future__ import annotations

from collections.abc import Callable

from headend.ports import MeterAddress
from simulator.tap.log import Wire, WireLog, encoded

_MODBUS = Wire("modbus", "TDSP", "meters")


def modbus_seen(log: WireLog) -> Callable[[MeterAddress], Callable[[bytes, bytes, str], None]]:
    """What a ``ModbusTransport`` tells its exchanges to: PDUs asked and answered, and what kept the meter from answering."""

    def begin(meter: MeterAddress) -> Callable[[bytes, bytes, str], None]:
        began = log.begin()

        def end(asked: bytes, replied: bytes, trouble: str) -> None:
            reply = f'{{"pdu":"{replied.hex()}"}}' if not trouble else encoded({"pdu": replied.hex(), "error": trouble})
            what = (
                f'"ids":{{"esiid":{encoded(meter.esiid)},"meter":{encoded(meter.meter_number)}}},'
                f'"ask":{{"unit":{meter.unit_id},"pdu":"{asked.hex()}"}},"reply":{reply}'
            )
            log.note(_MODBUS, began, what, f"{meter.esiid} {meter.meter_number}")

        return end

    return begin

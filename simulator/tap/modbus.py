"""What a meter is asked and answers, at the head-end's end of the line or at the gateway's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headend.ports import MeterAddress
from meters.device.meter import EmulatedMeter
from simulator.tap.log import Began, Wire, WireLog, encoded

_MODBUS = Wire("modbus", "TDSP", "meters")


def modbus_seen(log: WireLog) -> Callable[[MeterAddress], Callable[[bytes, bytes, str], None]]:
    """What a ``ModbusTransport`` tells its exchanges to: PDUs asked and answered, and what kept the meter from answering."""

    def begin(meter: MeterAddress) -> Callable[[bytes, bytes, str], None]:
        began = log.begin()

        def end(asked: bytes, replied: bytes, trouble: str) -> None:
            _note(log, began, (meter.esiid, meter.meter_number), meter.unit_id, asked, replied, trouble)

        return end

    return begin


def gateway_seen(log: WireLog, meters: Mapping[int, EmulatedMeter]) -> Callable[[int, bytes, bytes], None]:
    """What a ``Gateway`` tells its exchanges to. meters: behind it, by unit id."""
    named = {unit: (one.identity.esiid, one.identity.meter_number) for unit, one in meters.items()}

    def answered(unit: int, asked: bytes, sent: bytes) -> None:
        _note(log, log.begin(), named.get(unit, ("", "")), unit, asked, sent, "" if sent else "no answer")

    return answered


def reader_seen(log: WireLog, ids: Mapping[str, str]) -> Callable[[Began, dict[str, Any], dict[str, Any]], None]:
    """What one who reads a meter by himself tells his exchanges to: when one began, what was asked, what came. ids: of all of them."""
    told, stream = encoded(ids), " ".join(ids.values())

    def ended(began: Began, ask: dict[str, Any], reply: dict[str, Any]) -> None:
        log.note(_MODBUS, began, f'"ids":{told},"ask":{encoded(ask)},"reply":{encoded(reply)}', stream)

    return ended


def _note(
    log: WireLog, began: Began, meter: tuple[str, str], unit: int, asked: bytes, replied: bytes, trouble: str
) -> None:
    reply = f'{{"pdu":"{replied.hex()}"}}' if not trouble else encoded({"pdu": replied.hex(), "error": trouble})
    what = (
        f'"ids":{{"esiid":{encoded(meter[0])},"meter":{encoded(meter[1])}}},'
        f'"ask":{{"unit":{unit},"pdu":"{asked.hex()}"}},"reply":{reply}'
    )
    log.note(_MODBUS, began, what, " ".join(meter))

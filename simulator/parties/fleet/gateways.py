"""Gateways of a fleet opened one after the other, and how a ready line tells them: for the meters alone and for a sandbox."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from meters.calendar import Seconds
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from meters.wire.gateway import Gateway, Silence
from simulator.errors import SimulatorError
from simulator.tap.log import WireLog
from simulator.tap.modbus import gateway_seen


async def open_gateways(
    behind: Sequence[Mapping[int, EmulatedMeter]],
    now: Callable[[], Seconds],
    host: str,
    ports: Sequence[int],
    silence: Silence,
    on_write: Callable[[EmulatedMeter], None] | None,
    closing: contextlib.AsyncExitStack,
    mend: str,
    wire: WireLog | None = None,
) -> list[Gateway]:
    """Listen for each group of meters, by unit id, on its port (0: a free one); ``closing`` stops them.

    mend: what to do about a port that cannot be had. wire: has every exchange. Raises SimulatorError naming it; what was opened is left to ``closing``.
    """
    opened = []
    for units, port in zip(behind, ports, strict=True):
        seen = None if wire is None else gateway_seen(wire, units)
        gateway = Gateway(units, now, host, port, silence, on_write, seen=seen)
        closing.push_async_callback(gateway.stop)
        try:
            await gateway.start()
        except MeterError as error:
            raise SimulatorError(error.code, error.message, error.place, mend) from None
        opened.append(gateway)
    return opened


def gateway_entry(gateway: Gateway) -> dict[str, Any]:
    """A gateway in a ready line."""
    return {
        "host": gateway.host,
        "port": gateway.port,
        "meters": [
            {
                "esiid": meter.identity.esiid,
                "meter_number": meter.identity.meter_number,
                "unit_id": unit_id,
                "multiplier": meter.identity.multiplier,
                "phases": 3 if meter.identity.three_phase else 1,
            }
            for unit_id, meter in gateway.meters.items()
        ],
    }

"""What a meter answers on its register map: each register computed when somebody asks for it, and what a write does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, floor_interval, seconds
from meters.errors import MeterError
from meters.register_map.layout import (
    BASE,
    CLOCK,
    COMMON_BLOCK,
    COMMON_MODEL,
    END,
    END_MODEL,
    HEADER,
    HEADER_BLOCK,
    MARK,
    METER_BLOCK,
    RING,
    RING_BLOCK,
    RING_SLOTS,
    SNAPSHOT_BLOCK,
    SNAPSHOT_SLOTS,
    SNAPSHOTS,
    SWITCH,
    SWITCH_CLOSED,
    SWITCH_OPEN,
    VENDOR_LENGTH,
    VENDOR_MODEL,
    VENDOR_VERSION,
    ring_slot,
)
from meters.register_map.points import Block, Value
from meters.register_map.sunspec import POWER_FAILURE_BIT, SPLIT_PHASE, WYE
from meters.shown import Live, Power, WriteResult

if TYPE_CHECKING:
    from meters.device.meter import EmulatedMeter
    from meters.identity import MeterIdentity

_MAX_INT16 = 0x7FFF
_MAKER, _MODEL = "ami-testbed", "emulated AMS meter"


def encode(meter: EmulatedMeter, now: Seconds, address: int, count: int) -> list[int]:
    """``count`` registers of a meter from ``address``, as they are at the true time ``now``.

    Raises MeterError (``meters.register.address``) where the map has no register.
    """
    end = address + count
    if address < BASE or end > END or count < 1:
        raise MeterError("meters.register.address", f"There are no registers {address} to {end - 1}.")
    octets = b""
    if address < HEADER:
        octets += _cut(_standard_models(meter, now), BASE, address, end)
    if address < SNAPSHOTS and end > HEADER:
        octets += _cut(_header(meter, now), HEADER, address, end)
    if address < RING and end > SNAPSHOTS:
        octets += _snapshots(meter, now, address, end)
    if address < END_MODEL and end > RING:
        octets += _ring(meter, now, address, end)
    if end > END_MODEL:
        octets += _cut(b"\xff\xff\0\0", END_MODEL, address, end)
    registers: list[int] = np.frombuffer(octets, ">u2").tolist()
    return registers


def write(meter: EmulatedMeter, now: Seconds, address: int, values: Sequence[int]) -> WriteResult:
    """Write the clock (both registers) or the switch; what the meter does not take is refused.

    Raises MeterError (``meters.register.address``) for any other registers, half a clock and both points at once among them.
    """
    if address == CLOCK and len(values) == 2:
        return meter.set_clock(now, seconds(values[0] << 16 | values[1]))
    if address == SWITCH and len(values) == 1:
        if values[0] not in (SWITCH_OPEN, SWITCH_CLOSED):
            return WriteResult.REFUSED
        return meter.operate_switch(now, values[0] == SWITCH_CLOSED)
    raise MeterError(
        "meters.register.address", f"Registers {address} to {address + len(values) - 1} cannot be written as one."
    )


def identification(meter: EmulatedMeter, now: Seconds) -> dict[int, bytes]:
    """The basic objects of Modbus's device identification (function 43/14): vendor, product code, revision."""
    return {at: text.encode() for at, text in enumerate((_MAKER, _MODEL, meter.identity_at(now).firmware))}


def _standard_models(meter: EmulatedMeter, now: Seconds) -> bytes:
    """Registers BASE to HEADER: mark, common model, meter model."""
    identity = meter.identity_at(now)
    common = COMMON_BLOCK.pack(
        {
            "ID": COMMON_MODEL,
            "L": COMMON_BLOCK.size - 2,
            "Mn": _MAKER,
            "Md": _MODEL,
            "Vr": identity.firmware,
            "SN": identity.meter_number,
        }
    )
    return MARK.encode() + common + METER_BLOCK.pack(meter_points(identity, meter.live(now), meter.power(now)))


def meter_points(identity: MeterIdentity, live: Live, power: Power) -> dict[str, Value]:
    """The points of model 202 or 203 that the meter has. Its load is taken to be even over the phases, at power factor 1.

    acc32 counters wrap at 2^32 Wh, which is no rollover of the dials.
    """
    wye = identity.three_phase
    phases = ("A", "B", "C") if wye else ("A", "B")
    # A wye's lines are sqrt(3) of its phases apart, the two legs of a split phase their sum.
    phase_decivolts = round(power.decivolts / (sqrt(3) if wye else 2))
    watts = _shared(power.watts, len(phases))
    amperes = [abs(part) * 10 / phase_decivolts if phase_decivolts else 0.0 for part in watts]
    points: dict[str, Value] = {
        "ID": WYE if wye else SPLIT_PHASE,
        "L": METER_BLOCK.size - 2,
        # The model file has current of phase C in every meter, so that of a split phase says 0.
        "AphC": 0,
        "PhV": phase_decivolts,
        "PPV": power.decivolts,
        "V_SF": -1,
        "PhVphAB": power.decivolts,
        "Hz": 0 if power.failed else 6000,
        "Hz_SF": -2,
        "TotWhExp": live.received_total * identity.multiplier % 2**32,
        "TotWhImp": live.delivered_total * identity.multiplier % 2**32,
        "TotWh_SF": 0,
        "Evt": power.failed << POWER_FAILURE_BIT,
    }
    if wye:
        points |= {"PhVphBC": power.decivolts, "PhVphCA": power.decivolts}
    points |= {f"PhVph{phase}": phase_decivolts for phase in phases}
    totals = {
        "A": (amperes, -2),
        "W": ([float(part) for part in watts], 0),
        "VA": ([float(abs(part)) for part in watts], 0),
        "VAR": ([0.0] * len(phases), 0),
    }
    for name, (parts, finest) in totals.items():
        (total, *each), exponent = _scaled([sum(parts), *parts], finest)
        points |= {name: total, f"{name}_SF": exponent}
        points |= {f"{name}ph{phase}": value for phase, value in zip(phases, each, strict=True)}
    points |= {"PF": 100, "PF_SF": 0, **{f"PFph{phase}": 100 for phase in phases}}
    return points


def _header(meter: EmulatedMeter, now: Seconds) -> bytes:
    identity, live = meter.identity_at(now), meter.live(now)
    return HEADER_BLOCK.pack(
        {
            "ID": VENDOR_MODEL,
            "L": VENDOR_LENGTH,
            "ESIID": identity.esiid,
            "MtrNum": identity.meter_number,
            "Mult": identity.multiplier,
            "FwVer": identity.firmware,
            "Clk": live.time,
            "Sw": SWITCH_CLOSED if live.switch_closed else SWITCH_OPEN,
            "IntvS": INTERVAL_S,
            "PartDel": live.partial_delivered,
            "PartRcv": live.partial_received,
            "PartS": live.partial_seconds,
            "Dials": identity.dials,
            "RegDel": live.delivered_register,
            "RegRcv": live.received_register,
            "Slots": RING_SLOTS,
            "Mids": SNAPSHOT_SLOTS,
            "Ph": 3 if identity.three_phase else 2,
            "Ver": VENDOR_VERSION,
        }
    )


def _snapshots(meter: EmulatedMeter, now: Seconds, address: int, end: int) -> bytes:
    """The part of the snapshot block in [address, end): the last 40 midnights by the meter's clock, as far as it has them."""
    low, high = _touched(SNAPSHOT_BLOCK, address, end)
    today = day_of(meter.clock(now))
    slots = []
    for slot in range(low, high):
        day = today - timedelta(days=(today.toordinal() - slot) % SNAPSHOT_SLOTS)
        kept = meter.midnight(day, now)
        slots.append((day_start(day), *kept) if kept else (0, 0, 0))
    return _cut(np.array(slots, SNAPSHOT_BLOCK.dtype).tobytes(), SNAPSHOTS + low * SNAPSHOT_BLOCK.size, address, end)


def _ring(meter: EmulatedMeter, now: Seconds, address: int, end: int) -> bytes:
    """The part of the ring in [address, end): slots that follow each other are intervals that do, but for one seam."""
    low, high = _touched(RING_BLOCK, address, end)
    newest = floor_interval(meter.clock(now)) - INTERVAL_S
    slots = np.zeros(high - low, RING_BLOCK.dtype)
    at = low
    while at < high:
        start = newest - (ring_slot(newest) - at) % RING_SLOTS * INTERVAL_S
        run = min(high - at, (newest - start) // INTERVAL_S + 1)
        shown = meter.window(start, start + run * INTERVAL_S, now)
        part = slots[at - low : at - low + run]
        part["Del"], part["Rcv"], part["Sts"] = shown.delivered, shown.received, shown.status
        at += run
    return _cut(slots.tobytes(), RING + low * RING_BLOCK.size, address, end)


def _touched(block: Block, address: int, end: int) -> tuple[int, int]:
    """First slot and slot after the last that [address, end) touches."""
    first, last = address - block.first, end - block.first
    return max(first // block.size, 0), min(-(-last // block.size), block.times)


def _cut(octets: bytes, base: int, address: int, end: int) -> bytes:
    """Of a block that begins at register ``base``, the octets of [address, end)."""
    return octets[max(address - base, 0) * 2 : (end - base) * 2]


def _shared(whole: int, parts: int) -> list[int]:
    """A whole number in equal parts, the first ones greater by one where it does not divide."""
    each, more = divmod(whole, parts)
    return [each + (part < more) for part in range(parts)]


def _scaled(values: Sequence[float], finest: int) -> tuple[list[int], int]:
    """Numbers as int16 under one exponent of ten: ``finest``, or the least above it under which all of them fit."""
    largest = max(abs(value) for value in values)
    exponent = finest
    while round(largest / 10**exponent) > _MAX_INT16:
        exponent += 1
    return [round(value / 10**exponent) for value in values], exponent

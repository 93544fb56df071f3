"""The wire, defined once: which register of a meter holds what, for the gateway that encodes and the head-end that decodes.

SunSpec common model and model 202, then an own vendor model with what no standard has: clock, 64-bit registers, midnights, ring
of intervals. Energy delivered to the premise = SunSpec *import* (TotWhImp) = LSE channel 4; received from it = TotWhExp = LSE 1.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, day_of, day_start, floor_interval
from meters.errors import MeterError
from meters.load import ERA
from meters.status import (
    Channel,
    Common,
    common_nibble,
    delivered_condition,
    has_value,
    received_condition,
    status_word,
)

if TYPE_CHECKING:
    from meters.meter import EmulatedMeter, Live

__all__ = [
    "Channel",
    "Common",
    "Header",
    "Snapshot",
    "common_nibble",
    "decode_header",
    "decode_ring",
    "decode_snapshots",
    "decode_voltage",
    "delivered_condition",
    "encode",
    "has_value",
    "received_condition",
    "ring_address",
    "ring_slot",
    "snapshot_slot",
    "status_word",
]

#: Most registers a Modbus read may ask for.
MAX_READ = 125

BASE = 40000
COMMON = 40002
METER = 40070
VENDOR = 40177
#: SunSpec model 202: split-phase meter; lengths of the two standard models without id and length.
COMMON_LENGTH, METER_MODEL, METER_LENGTH = 66, 202, 105
#: Points of model 202 used here, absolute.
A, A_SF, PHV, PPV, V_SF, HZ, HZ_SF, W, W_SF = 40072, 40076, 40077, 40081, 40085, 40086, 40087, 40088, 40092
TOT_WH_EXP, TOT_WH_IMP, TOT_WH_SF, EVT = 40108, 40116, 40124, 40175
#: SunSpec's "not implemented" in an int16 and in a scale factor.
NOT_IMPLEMENTED = 0x8000
#: Evt bit 2: power failure.
EVT_POWER_FAILURE = 1 << 2

#: Own vendor model (SunSpec keeps 64001 upwards for vendors).
VENDOR_MODEL = 64209
#: Header: one read of 50 registers says who the meter is, what time it has, and its registers.
HEADER = VENDOR
_HEADER = struct.Struct(">HH24s12sI16sIHHIIHHQQHH")
HEADER_COUNT = _HEADER.size // 2

#: Midnight snapshots: local day ordinal mod 40, each midnight (UTC epoch), delivered, received. Epoch 0: empty.
SNAPSHOTS = HEADER + HEADER_COUNT
SNAPSHOT_SLOTS = 40
_SNAPSHOT = struct.Struct(">IQQ")
SNAPSHOT_WORDS = _SNAPSHOT.size // 2

#: Ring of intervals: slot = (UTC epoch of the interval's *beginning* // 900) mod 3456: delivered, received, status.
RING = SNAPSHOTS + SNAPSHOT_SLOTS * SNAPSHOT_WORDS
RING_SLOTS = 3456
_SLOT = np.dtype([("delivered", ">i4"), ("received", ">i4"), ("status", ">u2")])
SLOT_WORDS = _SLOT.itemsize // 2
#: The slot after the newest is overwritten at the next interval end: a client that took time to ask leaves it alone.
SAFE_SLOTS = RING_SLOTS - 1

END_MODEL = RING + RING_SLOTS * SLOT_WORDS
END = END_MODEL + 2


@dataclass(frozen=True, slots=True)
class Header:
    """The vendor model's head, raw energy units."""

    esiid: str
    meter_number: str
    multiplier: int
    firmware: str
    #: UTC epoch seconds.
    clock: int
    switch_closed: bool
    interval_s: int
    partial_delivered: int
    partial_received: int
    partial_seconds: int
    delivered_register: int
    received_register: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A midnight's registers, raw energy units. midnight 0: the slot is empty."""

    midnight: int
    delivered: int
    received: int


def ring_slot(interval_start: int) -> int:
    """The slot of the interval that begins then."""
    return interval_start // INTERVAL_S % RING_SLOTS


def ring_address(slot: int) -> int:
    """The first register of a ring slot."""
    return RING + slot * SLOT_WORDS


def snapshot_slot(midnight: int) -> int:
    """The slot of the snapshot of a local midnight."""
    return day_of(midnight).toordinal() % SNAPSHOT_SLOTS


def encode(meter: EmulatedMeter, now: int, address: int, count: int) -> list[int]:
    """``count`` registers of a meter from ``address``, computed as its clock says ``now``.

    Raises MeterError (``meters.register.address``) where the map has no register.
    """
    end = address + count
    if address < BASE or end > END or count < 1:
        raise MeterError("meters.register.address", f"There are no registers {address} to {end - 1}.")
    octets = b""
    if address < HEADER:
        octets += _cut(_standard_models(meter, meter.live(now)), BASE, address, end)
    if address < SNAPSHOTS and end > HEADER:
        octets += _cut(_header(meter, meter.live(now)), HEADER, address, end)
    if address < RING and end > SNAPSHOTS:
        octets += _snapshots(meter, now, address, end)
    if address < END_MODEL and end > RING:
        octets += _ring(meter, now, address, end)
    if end > END_MODEL:
        octets += _cut(struct.pack(">HH", 0xFFFF, 0), END_MODEL, address, end)
    registers: list[int] = np.frombuffer(octets, ">u2").tolist()
    return registers


def decode_header(registers: Sequence[int]) -> Header:
    """The ``HEADER_COUNT`` registers from ``HEADER``. Raises MeterError if they are not this vendor model."""
    (model, _, esiid, number, multiplier, firmware, clock, switch, interval_s, *energy, _, _) = _HEADER.unpack(
        _octets(registers)
    )
    if model != VENDOR_MODEL:
        raise MeterError("meters.register.model", f"Model {model} is at {VENDOR}, not {VENDOR_MODEL}.")
    partial_delivered, partial_received, partial_seconds, _, delivered, received = energy
    return Header(
        _text(esiid),
        _text(number),
        multiplier,
        _text(firmware),
        clock,
        bool(switch),
        interval_s,
        partial_delivered,
        partial_received,
        partial_seconds,
        delivered,
        received,
    )


def decode_snapshots(registers: Sequence[int]) -> list[Snapshot]:
    """Whole snapshots read from a snapshot's first register on."""
    return [Snapshot(*fields) for fields in _SNAPSHOT.iter_unpack(_octets(registers))]


def decode_ring(
    registers: Sequence[int],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint16]]:
    """(n,) delivered, received (raw), status of whole ring slots read from a slot's first register on."""
    slots = np.frombuffer(_octets(registers), _SLOT)
    return slots["delivered"].astype(np.int32), slots["received"].astype(np.int32), slots["status"].astype(np.uint16)


def decode_voltage(registers: Sequence[int]) -> float:
    """Volt between the two legs (PPV), from the registers ``PPV`` to ``V_SF``."""
    scale = registers[V_SF - PPV]
    return round(registers[0] * 10.0 ** (scale - 0x10000 if scale & 0x8000 else scale), 4)


def _standard_models(meter: EmulatedMeter, live: Live) -> bytes:
    """Registers BASE to HEADER: SunS, common model, model 202. acc32 counters wrap at 2^32, which is no dial rollover."""
    identity = meter.identity
    words = np.zeros(HEADER - BASE, ">u2")

    def put(address: int, *values: int) -> None:
        words[address - BASE : address - BASE + len(values)] = [value & 0xFFFF for value in values]

    def put_text(address: int, text: str, count: int) -> None:
        words[address - BASE : address - BASE + count] = np.frombuffer(text.encode().ljust(2 * count, b"\0"), ">u2")

    def put_acc32(address: int, value: int) -> None:
        put(address, value >> 16, value)

    put_text(BASE, "SunS", 2)
    put(COMMON, 1, COMMON_LENGTH)
    put_text(COMMON + 2, "ami-testbed", 16)
    put_text(COMMON + 18, "emulated AMS meter", 16)
    put_text(COMMON + 42, identity.firmware, 8)
    put_text(COMMON + 50, identity.meter_number, 16)
    put(METER, METER_MODEL, METER_LENGTH)
    put(METER + 2, *[NOT_IMPLEMENTED] * (TOT_WH_EXP - METER - 2))
    # A line of 240 V between two legs of half that; the current in tenths of an ampere.
    put(A, min(live.watts * 100 // max(live.decivolts, 1), 0x7FFF))
    put(A_SF, -1)
    put(PHV, live.decivolts // 2)
    put(PPV, live.decivolts)
    put(V_SF, -1)
    put(HZ, 6000)
    put(HZ_SF, -2)
    # Power in W as long as an int16 holds it, else in kW.
    small = live.watts <= 0x7FFF
    put(W, live.watts if small else min(live.watts // 1000, 0x7FFF))
    put(W_SF, 0 if small else 3)
    multiplier = identity.multiplier
    put_acc32(TOT_WH_EXP, live.received_register * multiplier)
    put_acc32(TOT_WH_IMP, live.delivered_register * multiplier)
    for scale in (TOT_WH_SF + 17, TOT_WH_SF + 50):
        put(scale, NOT_IMPLEMENTED)
    return words.tobytes()


def _header(meter: EmulatedMeter, live: Live) -> bytes:
    identity = meter.identity
    return _HEADER.pack(
        VENDOR_MODEL,
        END_MODEL - VENDOR - 2,
        identity.esiid.encode(),
        identity.meter_number.encode(),
        identity.multiplier,
        identity.firmware.encode(),
        live.time,
        live.switch_closed,
        INTERVAL_S,
        live.partial_delivered,
        live.partial_received,
        live.partial_seconds,
        0,
        live.delivered_register,
        live.received_register,
        RING_SLOTS,
        SNAPSHOT_SLOTS,
    )


def _snapshots(meter: EmulatedMeter, now: int, address: int, end: int) -> bytes:
    """The part of the snapshot block in [address, end): the last 40 midnights, none before the era."""
    low, high = _slots(SNAPSHOTS, SNAPSHOT_WORDS, SNAPSHOT_SLOTS, address, end)
    today = day_of(now)
    octets = b""
    for slot in range(low, high):
        day = today - timedelta(days=(today.toordinal() - slot) % SNAPSHOT_SLOTS)
        octets += _SNAPSHOT.pack(day_start(day), *meter.midnight(day)) if day >= ERA else bytes(_SNAPSHOT.size)
    return _cut(octets, SNAPSHOTS + low * SNAPSHOT_WORDS, address, end)


def _ring(meter: EmulatedMeter, now: int, address: int, end: int) -> bytes:
    """The part of the ring in [address, end): slots that follow each other are intervals that do, but for one seam."""
    low, high = _slots(RING, SLOT_WORDS, RING_SLOTS, address, end)
    newest = floor_interval(now) - INTERVAL_S
    slots = np.zeros(high - low, _SLOT)
    at = low
    while at < high:
        start = newest - (ring_slot(newest) - at) % RING_SLOTS * INTERVAL_S
        run = min(high - at, (newest - start) // INTERVAL_S + 1)
        delivered, received, status, _ = meter.window(start, start + run * INTERVAL_S)
        part = slots[at - low : at - low + run]
        part["delivered"], part["received"], part["status"] = delivered, received, status
        at += run
    return _cut(slots.tobytes(), RING + low * SLOT_WORDS, address, end)


def _slots(base: int, width: int, slots: int, address: int, end: int) -> tuple[int, int]:
    """First slot and slot after the last that [address, end) touches."""
    return max((address - base) // width, 0), min(-(-(end - base) // width), slots)


def _cut(octets: bytes, base: int, address: int, end: int) -> bytes:
    """Of a block that begins at register ``base``, the octets of [address, end)."""
    return octets[max(address - base, 0) * 2 : (end - base) * 2]


def _octets(registers: Sequence[int]) -> bytes:
    return np.array(registers, ">u2").tobytes()


def _text(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode("ascii", "replace")

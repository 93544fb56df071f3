"""What a head-end makes of a meter's registers: the vendor header, midnights and intervals as records and arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Seconds, seconds
from meters.errors import MeterError
from meters.register_map.layout import HEADER, HEADER_BLOCK, PPV, RING_BLOCK, SNAPSHOT_BLOCK, V_SF, VENDOR_MODEL
from meters.register_map.points import Value, octets


@dataclass(frozen=True, slots=True)
class Header:
    """The vendor model's head, raw energy units."""

    esiid: str
    meter_number: str
    multiplier: int
    firmware: str
    #: The meter's own, UTC epoch seconds.
    clock: Seconds
    switch_closed: bool
    interval_s: Seconds
    partial_delivered: int
    partial_received: int
    partial_seconds: Seconds
    #: Of the kWh register, which begins again after 10^dials x 1000 raw units.
    dials: int
    delivered_register: int
    received_register: int
    phases: int
    version: int


class Snapshot(NamedTuple):
    """A midnight's registers, raw energy units. midnight 0: the slot is empty."""

    midnight: Seconds
    delivered: int
    received: int


class Ring(NamedTuple):
    """Intervals of the ring, each (n,); raw energy units, status words as in ``meters.status``."""

    delivered: NDArray[np.int32]
    received: NDArray[np.int32]
    status: NDArray[np.uint16]


def decode_header(registers: Sequence[int]) -> Header:
    """The ``HEADER_COUNT`` registers from ``HEADER``. Raises MeterError if they are not this vendor model."""
    points = HEADER_BLOCK.unpack(registers)
    if points["ID"] != VENDOR_MODEL:
        raise MeterError("meters.register.model", f"Model {points['ID']} is at {HEADER}, not {VENDOR_MODEL}.")
    return Header(
        esiid=str(points["ESIID"]),
        meter_number=str(points["MtrNum"]),
        multiplier=_number(points, "Mult"),
        firmware=str(points["FwVer"]),
        clock=seconds(_number(points, "Clk")),
        switch_closed=bool(points["Sw"]),
        interval_s=seconds(_number(points, "IntvS")),
        partial_delivered=_number(points, "PartDel"),
        partial_received=_number(points, "PartRcv"),
        partial_seconds=seconds(_number(points, "PartS")),
        dials=_number(points, "Dials"),
        delivered_register=_number(points, "RegDel"),
        received_register=_number(points, "RegRcv"),
        phases=_number(points, "Ph"),
        version=_number(points, "Ver"),
    )


def decode_snapshots(registers: Sequence[int]) -> list[Snapshot]:
    """Whole snapshots read from a snapshot's first register on."""
    found = np.frombuffer(octets(registers), SNAPSHOT_BLOCK.dtype)
    return [Snapshot(*fields) for fields in found.tolist()]


def decode_ring(registers: Sequence[int]) -> Ring:
    """Whole ring slots read from a slot's first register on."""
    slots = np.frombuffer(octets(registers), RING_BLOCK.dtype)
    return Ring(slots["Del"].astype(np.int32), slots["Rcv"].astype(np.int32), slots["Sts"].astype(np.uint16))


def decode_voltage(registers: Sequence[int]) -> float:
    """Volt line to line (PPV), from the registers ``PPV`` to ``V_SF``."""
    exponent = registers[V_SF - PPV]
    return round(registers[0] * 10.0 ** (exponent - 0x10000 if exponent & 0x8000 else exponent), 4)


def _number(points: dict[str, Value], name: str) -> int:
    return cast(int, points[name])

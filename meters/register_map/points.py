"""Points: the values of a register map as data, each with its name, type, unit and meaning; a block is some that follow each other.

Encoding, decoding, the page and the SunSpec model file are all made from these, so that they cannot disagree.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np

from meters.errors import MeterError

#: What a point holds: a number, or text.
Value = int | str


class PointType(StrEnum):
    """SunSpec's point types that are used here, by its names."""

    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    UINT64 = "uint64"
    #: A counter that begins again from 0 after 2^32 - 1; 0 says that nothing is counted.
    ACC32 = "acc32"
    ENUM16 = "enum16"
    BITFIELD32 = "bitfield32"
    #: An exponent of ten.
    SUNSSF = "sunssf"
    #: ASCII, two characters a register, filled up with zeros.
    STRING = "string"
    PAD = "pad"


class _Form(NamedTuple):
    #: Format character of ``struct``.
    code: str
    #: Registers; a string says its own.
    size: int
    #: What the wire shows for a point that the meter does not have ("not implemented" in SunSpec's information model).
    missing: Value


_FORMS: dict[PointType, _Form] = {
    PointType.INT16: _Form("h", 1, -0x8000),
    PointType.UINT16: _Form("H", 1, 0xFFFF),
    PointType.INT32: _Form("i", 2, -0x8000_0000),
    PointType.UINT32: _Form("I", 2, 0xFFFF_FFFF),
    PointType.UINT64: _Form("Q", 4, 0xFFFF_FFFF_FFFF_FFFF),
    PointType.ACC32: _Form("I", 2, 0),
    PointType.ENUM16: _Form("H", 1, 0xFFFF),
    PointType.BITFIELD32: _Form("I", 2, 0xFFFF_FFFF),
    PointType.SUNSSF: _Form("h", 1, -0x8000),
    PointType.STRING: _Form("s", 0, ""),
    PointType.PAD: _Form("H", 1, 0x8000),
}


@dataclass(frozen=True)
class Point:
    """One value of the map."""

    name: str
    type: PointType
    #: One sentence or less for people.
    says: str
    unit: str = ""
    #: Name of the point with its exponent of ten.
    scale: str = ""
    #: Registers of a string.
    length: int = 0
    writable: bool = False
    #: Names of an enumeration's values, or of a bit field's bits.
    symbols: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Registers it takes."""
        return self.length or _FORMS[self.type].size

    @property
    def code(self) -> str:
        """Its format in ``struct``."""
        return f"{2 * self.length}s" if self.length else _FORMS[self.type].code

    @property
    def missing(self) -> Value:
        """The value that says the meter does not have it."""
        return _FORMS[self.type].missing


@dataclass(frozen=True)
class Block:
    """Points that follow each other, from a first register on."""

    name: str
    first: int
    points: tuple[Point, ...]
    #: How often it is there, one after the other.
    times: int = 1

    @cached_property
    def size(self) -> int:
        """Registers of one."""
        return sum(point.size for point in self.points)

    @property
    def end(self) -> int:
        """The register after the last."""
        return self.first + self.size * self.times

    @cached_property
    def addresses(self) -> dict[str, int]:
        """The first register of each point (of the first block, where there are several)."""
        found, at = {}, self.first
        for point in self.points:
            found[point.name] = at
            at += point.size
        return found

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """The block as a record of numbers, as it lies on the wire."""
        kinds = {"h": ">i2", "H": ">u2", "i": ">i4", "I": ">u4", "Q": ">u8"}
        return np.dtype([(point.name, kinds[point.code]) for point in self.points])

    def pack(self, values: Mapping[str, Value]) -> bytes:
        """The block's octets. Points without a value get the one that says the meter does not have them."""
        full = {**self._missing, **values}.values()
        return self._struct.pack(*[value.encode("ascii") if isinstance(value, str) else value for value in full])

    def unpack(self, registers: Sequence[int]) -> dict[str, Value]:
        """Every point's value, from the registers of one block. Raises MeterError for another count of registers."""
        if len(registers) != self.size:
            raise MeterError(
                "meters.register.count", f"The {self.name} has {self.size} registers, not {len(registers)}."
            )
        values = self._struct.unpack(octets(registers))
        return {
            point.name: value.rstrip(b"\0").decode("ascii", "replace") if isinstance(value, bytes) else value
            for point, value in zip(self.points, values, strict=True)
        }

    @cached_property
    def _missing(self) -> dict[str, Value]:
        return {point.name: point.missing for point in self.points}

    @cached_property
    def _struct(self) -> struct.Struct:
        return struct.Struct(">" + "".join(point.code for point in self.points))


def octets(registers: Iterable[int]) -> bytes:
    """Registers as they lie on the wire, high octet first."""
    return np.fromiter(registers, ">u2").tobytes()

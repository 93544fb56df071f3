"""What goes wrong between a meter and its reader: which exception a gateway says for a meter it cannot reach, and spoiled replies.

A spoiled reply is an honest one with one field of its Modbus TCP head changed, so a reader can only find out by looking at the head.
"""

from __future__ import annotations

import struct

from meters.shown import Wire

#: Exceptions that a gateway answers with in a meter's stead: it has no path to it; the meter did not respond.
PATH_UNAVAILABLE, NO_RESPONSE = 0x0A, 0x0B

#: Transaction id, protocol id, octets that follow, unit id.
HEAD = struct.Struct(">HHHB")
#: A spoiled reply says it is one register longer than it is: its reader waits for what never comes.
_TOO_LONG = 2
#: A spoiled id is the honest one with this bit turned: never the same, and the unit stays within 0 to 255.
_TURNED = 0x40
#: Instead of a spoiled transaction id of 0, which some readers take for any.
_NOT_ZERO = 0xFFFF


def stand_in(wire: Wire, code: int) -> int:
    """The exception code that is sent instead of the meter's answer; 0 when the meter itself answers.

    code: of ``Wire.EXCEPTION``.
    """
    if wire is Wire.EXCEPTION:
        return code
    return {Wire.SILENT: NO_RESPONSE, Wire.NO_PATH: PATH_UNAVAILABLE}.get(wire, 0)


def unreached(wire: Wire) -> bool:
    """Whether the request never comes to the meter, so that nothing need come back."""
    return wire in (Wire.SILENT, Wire.NO_PATH)


def spoiled(frame: bytes, wire: Wire) -> bytes:
    """A whole reply as it is sent: as it is, or with the field changed that ``wire`` names."""
    transaction, protocol, length, unit = HEAD.unpack_from(frame)
    if wire is Wire.WRONG_TRANSACTION:
        transaction = transaction ^ _TURNED or _NOT_ZERO
    elif wire is Wire.WRONG_UNIT:
        unit ^= _TURNED
    elif wire is Wire.WRONG_LENGTH:
        length += _TOO_LONG
    else:
        return frame
    return HEAD.pack(transaction, protocol, length, unit) + frame[HEAD.size :]

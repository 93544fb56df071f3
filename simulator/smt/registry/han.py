"""Devices of a home area network: displays, thermostats and switches that a customer has had joined to the meter.

What SMT tells of one is not published: the record and its words are defaults of this project [D].
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from meters.calendar import us_date
from meters.identity import esiid_hash

#: Of this many premises one has devices [D].
ONE_IN = 8
_KINDS = (
    ("In-home display", "ATB-Display"),
    ("Thermostat", "ATB-Thermostat"),
    ("Load control switch", "ATB-Switch"),
)
#: EUI-64 addresses that begin so are nobody's: the bit for local administration is set.
_LOCAL = "02A7B0"


@dataclass(frozen=True, slots=True)
class HanDevice:
    """One device behind a meter."""

    esiid: str
    #: EUI-64: 16 hexadecimal digits.
    mac: str
    device_type: str
    make: str = "ami-testbed"
    model: str = ""
    provisioned: date | None = None
    #: JOINED, PENDING or REMOVED.
    status: str = "JOINED"


def made_devices(esiid: str, since: date, *, at_least: int = 0) -> tuple[HanDevice, ...]:
    """The devices of a premise, drawn by its ESI ID: none at most premises, one or two at the others.

    since: from when on they may have been joined.
    """
    bits = esiid_hash(esiid)
    count = max(at_least, 1 + bits // 64 % 2 if bits % ONE_IN == 0 else 0)
    devices = []
    for ordinal in range(count):
        kind, model = _KINDS[(bits // 128 + ordinal) % len(_KINDS)]
        mac = f"{_LOCAL}{(bits + ordinal) % 16**10:010X}"
        joined = since + timedelta(days=bits // 1024 % 300 + 20 * ordinal)
        devices.append(HanDevice(esiid, mac, kind, model=model, provisioned=joined))
    return tuple(devices)


def han_device(device: HanDevice) -> dict[str, str]:
    """Give the fields that both doors tell of a device."""
    return {
        "macAddress": device.mac,
        "deviceType": device.device_type,
        "make": device.make,
        "model": device.model,
        "provisionedDate": "" if device.provisioned is None else us_date(device.provisioned),
        "status": device.status,
    }

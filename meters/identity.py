"""Who is who: wires companies, delivery points, meters. Every ESI ID and meter number made here is invented.

A premise uses energy and keeps its ESI ID for ever; a meter measures it, and is exchanged. So they are two records.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from meters.errors import MeterError


@dataclass(frozen=True, slots=True)
class Tdsp:
    """A wires company."""

    key: str
    name: str
    #: First digits of its ESI IDs.
    prefix: str
    #: Digits of its ESI IDs: 17, or 22 (which do not fit 64 bits: ESI IDs are text).
    digits: int
    duns: str
    #: ERCOT weather zone in which most of its premises are (default of this project).
    zone: str


#: Prefixes, digits and DUNS numbers as in the market's public lists.
TDSPS: dict[str, Tdsp] = {
    tdsp.key: tdsp
    for tdsp in (
        Tdsp("ONCOR", "Oncor", "1044372", 17, "1039940674000", "NCENT"),
        Tdsp("CENTERPOINT", "CenterPoint", "1008901", 22, "957877905", "COAST"),
        Tdsp("AEP_CENTRAL", "AEP Texas Central", "1003278", 17, "007924772", "SOUTH"),
        Tdsp("AEP_NORTH", "AEP Texas North", "1020404", 17, "007923311", "WEST"),
        Tdsp("TNMP", "TNMP", "1040051", 17, "007929441", "COAST"),
    )
}

#: An invented id counts within this many; the digits before it are nines, far from where companies number premises.
ORDINALS = 10**8
#: Digits of a meter's display in kWh, unless told.
DIALS = 6
#: Coprime to 10, so that ordinal x step mod 10^8 meets every number once: ids are unique and look unordered.
_ESIID_STEP = 61_803_397
_ESIID_BACK = pow(_ESIID_STEP, -1, ORDINALS)
_METER_STEP = 41_421_357


@dataclass(frozen=True, slots=True)
class Premise:
    """A delivery point and what decides how much it uses."""

    esiid: str
    #: ERCOT weather zone.
    zone: str = "NCENT"
    #: ERCOT profile type: a home of high or low winter ratio, a business without demand meter or of medium load factor.
    klass: str = "RESHIWR"
    #: Use against the class average.
    scale: float = 1.0
    #: Rated W of the roof's solar panels; 0: none.
    solar_w: int = 0
    #: Mean Wh a day that charge an electric car; 0: none.
    ev_wh: int = 0


@dataclass(frozen=True, slots=True)
class MeterIdentity:
    """A meter, not a premise: an exchange gives the premise a new one."""

    #: Digits only.
    meter_number: str
    esiid: str
    #: Energy in Wh = raw value on the wire x multiplier.
    multiplier: int = 1
    #: What the registers would have shown at the era of ``meters.load.truth``.
    initial_delivered_wh: int = 0
    initial_received_wh: int = 0
    firmware: str = "ATB-1.0"
    #: Measures three phases, as at businesses (SunSpec model 203), not the two legs of a home (202).
    three_phase: bool = False
    #: Digits of the display in kWh: a register wraps at 10^dials kWh of raw units.
    dials: int = DIALS

    def __post_init__(self) -> None:
        """Refuse what the wire cannot carry."""
        if not (self.meter_number.isascii() and self.meter_number.isdigit() and len(self.meter_number) <= 12):
            raise MeterError(
                "meters.meter_number.malformed",
                f"Meter number '{self.meter_number}' is not 1 to 12 digits.",
                place=self.esiid,
                mend="Leave out letters such as the suffix LG.",
            )
        if not (self.firmware.isascii() and len(self.firmware) <= 16):
            raise MeterError(
                "meters.identity.firmware", f"Firmware '{self.firmware}' is not 16 ASCII characters or fewer."
            )
        if not 4 <= self.dials <= 9:
            raise MeterError(
                "meters.identity.dials",
                f"A display of {self.dials} dials is not one of 4 to 9.",
                place=f"meter {self.meter_number}",
            )
        if not 1 <= self.multiplier <= 100_000 or self.initial_delivered_wh < 0 or self.initial_received_wh < 0:
            raise MeterError(
                "meters.identity.range",
                "A multiplier is 1 to 100000 and a register is not negative.",
                place=f"meter {self.meter_number}",
            )


def tdsp(key: str) -> Tdsp:
    """The wires company of that key. Raises MeterError for an unknown one."""
    if key not in TDSPS:
        raise MeterError("meters.tdsp.unknown", f"There is no TDSP '{key}'.", mend=f"Take one of {', '.join(TDSPS)}.")
    return TDSPS[key]


def make_esiid(tdsp: Tdsp, seed: int, ordinal: int) -> str:
    """An invented ESI ID of the company: prefix, nines, eight digits; one for each ordinal below ``ORDINALS``."""
    nines = "9" * (tdsp.digits - len(tdsp.prefix) - 8)
    return f"{tdsp.prefix}{nines}{_scattered(seed, ordinal, _ESIID_STEP):08d}"


def ordinal_of(tdsp: Tdsp, seed: int, esiid: str) -> int:
    """The ordinal for which ``make_esiid`` gives this ESI ID. Raises MeterError if there is none."""
    if esiid.isascii() and esiid.isdigit():
        ordinal = (int(esiid[-8:]) * _ESIID_BACK - seed) % ORDINALS
        if make_esiid(tdsp, seed, ordinal) == esiid:
            return ordinal
    raise MeterError("meters.esiid.unknown", f"No {tdsp.name} premise of seed {seed} has this ESI ID.", place=esiid)


def make_meter_number(seed: int, ordinal: int) -> str:
    """An invented meter number of nine digits, one for each ordinal below ``ORDINALS``."""
    return f"9{_scattered(seed, ordinal, _METER_STEP):08d}"


def meter_numbers(seed: int, ordinals: NDArray[np.int64]) -> NDArray[np.int64]:
    """(m,) the numbers that ``make_meter_number`` gives for these ordinals."""
    return 9 * ORDINALS + (ordinals + seed % ORDINALS) % ORDINALS * _METER_STEP % ORDINALS


@lru_cache(maxsize=4096)
def esiid_hash(esiid: str) -> int:
    """64 well-mixed bits of an ESI ID, the same on every machine: its digits mod 2^64, mixed.

    Digits of one company differ by less than 2^64, so its ESI IDs never collide. Raises MeterError for anything but digits.
    """
    if not (esiid.isascii() and esiid.isdigit() and 17 <= len(esiid) <= 22):
        raise MeterError(
            "meters.esiid.malformed", f"'{esiid}' is not an ESI ID: 17 to 22 digits.", place=esiid or "esiid"
        )
    return int(mixed(np.array([int(esiid) % 2**64], dtype=np.uint64))[0])


def esiid_numbers(tdsp: Tdsp, seed: int, ordinals: NDArray[np.int64]) -> NDArray[np.uint64]:
    """(m,) digits mod 2^64 of the ESI IDs that ``make_esiid`` gives for these ordinals."""
    base = int(make_esiid(tdsp, seed, 0)) - _scattered(seed, 0, _ESIID_STEP)
    scattered = (ordinals + seed % ORDINALS) % ORDINALS * _ESIID_STEP % ORDINALS
    return np.uint64(base % 2**64) + scattered.astype(np.uint64)


def esiid_texts(tdsp: Tdsp, seed: int, ordinals: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(m, digits) ASCII of the ESI IDs that ``make_esiid`` gives for these ordinals."""
    texts = np.empty((len(ordinals), tdsp.digits), np.uint8)
    texts[:] = np.frombuffer(make_esiid(tdsp, seed, 0).encode(), np.uint8)
    left = (ordinals + seed % ORDINALS) % ORDINALS * _ESIID_STEP % ORDINALS
    for place in range(1, 9):
        left, digit = np.divmod(left, 10)
        texts[:, -place] = digit + ord("0")
    return texts


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit of a number over all 64 (the finalizer of splitmix64, a bijection)."""
    bits = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _scattered(seed: int, ordinal: int, step: int) -> int:
    """A permutation of 0..10^8-1 by ordinal, started somewhere else for each seed."""
    if not 0 <= ordinal < ORDINALS:
        raise MeterError("meters.ordinal.range", f"Ordinal {ordinal} is outside 0 to {ORDINALS - 1}.")
    return (ordinal + seed) % ORDINALS * step % ORDINALS

"""The wire, defined once: which register of a meter holds what (``docs/register-map.md`` is made from this module).

SunSpec common model and meter model, then an own vendor model with what no standard has: clock, 64-bit registers, midnights, ring
of intervals. Energy delivered to the premise = SunSpec *import* (TotWhImp) = LSE channel 4; received from it = TotWhExp = LSE 1.
"""

from __future__ import annotations

from meters.calendar import INTERVAL_S, Seconds, day_of
from meters.register_map.points import Block, Point, PointType
from meters.register_map.sunspec import COMMON_POINTS, METER_POINTS

#: Most registers that a Modbus read may ask for.
MAX_READ = 125

#: The mark "SunS", then the models, each with its id and length first.
BASE = 40000
MARK = "SunS"
COMMON_MODEL = 1
#: Own vendor model (SunSpec keeps 64001 upwards for vendors), and the version of what it holds.
VENDOR_MODEL, VENDOR_VERSION = 64209, 2
SWITCH_OPEN, SWITCH_CLOSED = 0, 1

COMMON_BLOCK = Block("common model", BASE + 2, COMMON_POINTS)
#: Models 202 and 203, whose points are the same.
METER_BLOCK = Block("meter model", COMMON_BLOCK.end, METER_POINTS)

#: One read of the header says who the meter is, what time it has, and its registers.
HEADER_BLOCK = Block(
    "header",
    METER_BLOCK.end,
    (
        Point("ID", PointType.UINT16, f"model id: {VENDOR_MODEL}"),
        Point("L", PointType.UINT16, "registers that follow in this model"),
        Point("ESIID", PointType.STRING, "ESI ID of the premise", length=12),
        Point("MtrNum", PointType.STRING, "meter number", length=6),
        Point("Mult", PointType.UINT32, "energy in Wh = raw value x this"),
        Point("FwVer", PointType.STRING, "firmware", length=8),
        Point(
            "Clk", PointType.UINT32, "the meter's clock, UTC epoch; writable, at most an hour off", "s", writable=True
        ),
        Point(
            "Sw",
            PointType.ENUM16,
            "service switch: 0 open, 1 closed; writable",
            writable=True,
            symbols={"OPEN": SWITCH_OPEN, "CLOSED": SWITCH_CLOSED},
        ),
        Point("IntvS", PointType.UINT16, f"length of an interval: {INTERVAL_S}", "s"),
        Point("PartDel", PointType.INT32, "delivered since the last interval end, raw"),
        Point("PartRcv", PointType.INT32, "received since the last interval end, raw"),
        Point("PartS", PointType.UINT16, "since the last interval end", "s"),
        Point("Dials", PointType.UINT16, "dials of the kWh register: it begins again after 10^dials x 1000 raw"),
        Point("RegDel", PointType.UINT64, "register of energy delivered, raw"),
        Point("RegRcv", PointType.UINT64, "register of energy received, raw"),
        Point("Slots", PointType.UINT16, "slots of the ring of intervals"),
        Point("Mids", PointType.UINT16, "slots of midnight snapshots"),
        Point("Ph", PointType.UINT16, "phases: 2 of a split phase, 3 of a wye"),
        Point("Ver", PointType.UINT16, f"version of this model: {VENDOR_VERSION}"),
    ),
)

#: Midnight snapshots: slot = local day's ordinal (1 January of year 1 is 1) mod 40.
SNAPSHOT_SLOTS = 40
SNAPSHOT_BLOCK = Block(
    "midnight",
    HEADER_BLOCK.end,
    (
        Point("At", PointType.UINT32, "the local midnight, UTC epoch; 0: the slot is empty", "s"),
        Point("Del", PointType.UINT64, "register of energy delivered then, raw"),
        Point("Rcv", PointType.UINT64, "register of energy received then, raw"),
    ),
    SNAPSHOT_SLOTS,
)

#: Ring of intervals: slot = (UTC epoch of the interval's *beginning* by the meter's clock // 900) mod 3456.
RING_SLOTS = 3456
#: The slot after the newest is overwritten at the next interval end: a client that took time to ask leaves it alone.
SAFE_SLOTS = RING_SLOTS - 1
RING_BLOCK = Block(
    "interval",
    SNAPSHOT_BLOCK.end,
    (
        Point("Del", PointType.INT32, "delivered in the interval, raw"),
        Point("Rcv", PointType.INT32, "received in the interval, raw"),
        Point("Sts", PointType.UINT16, "status nibbles, as below"),
    ),
    RING_SLOTS,
)

HEADER, HEADER_COUNT = HEADER_BLOCK.first, HEADER_BLOCK.size
SNAPSHOTS, SNAPSHOT_WORDS = SNAPSHOT_BLOCK.first, SNAPSHOT_BLOCK.size
RING, SLOT_WORDS = RING_BLOCK.first, RING_BLOCK.size
#: The end model: id 0xFFFF, length 0.
END_MODEL = RING_BLOCK.end
END = END_MODEL + 2
VENDOR_LENGTH = END_MODEL - HEADER - 2

#: What a client may write, each whole and alone.
CLOCK, SWITCH = HEADER_BLOCK.addresses["Clk"], HEADER_BLOCK.addresses["Sw"]
#: What a power status needs of the meter model: from the voltage line to line to the exponent.
PPV, V_SF = METER_BLOCK.addresses["PPV"], METER_BLOCK.addresses["V_SF"]


def ring_slot(interval_start: Seconds) -> int:
    """The slot of the interval that begins then."""
    return interval_start // INTERVAL_S % RING_SLOTS


def ring_address(slot: int) -> int:
    """The first register of a ring slot."""
    return RING + slot * SLOT_WORDS


def snapshot_slot(midnight: Seconds) -> int:
    """The slot of the snapshot of a local midnight."""
    return day_of(midnight).toordinal() % SNAPSHOT_SLOTS


def snapshot_address(slot: int) -> int:
    """The first register of a snapshot slot."""
    return SNAPSHOTS + slot * SNAPSHOT_WORDS

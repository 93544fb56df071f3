"""The register map's page and SunSpec model file in ``docs``: made from the layout, written by ``make pages``, held equal by a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from meters.calendar import INTERVAL_S
from meters.register_map import layout as wire
from meters.register_map.points import Block, Point, PointType
from meters.status import Common, Condition
from meters.wire.gateway import IDLE_S

DOCS = Path(__file__).parents[3] / "docs"
#: What a window of 48 hours takes.
_TWO_DAYS = 192

_COMMON_SAYS = {
    Common.DST: "saving time is in effect",
    Common.POWER_FAIL: "the power failed in it",
    Common.CLOCK_FORWARD: "the clock was set forward in it",
    Common.CLOCK_BACK: "the clock was set back in it",
}
_CHANNEL_SAYS = {
    Condition.OK: "good",
    Condition.OVERFLOW: "the pulse counter overflowed",
    Condition.PARTIAL: "less than a whole interval is counted",
    Condition.LONG: "more than a whole interval is counted",
    Condition.SKIPPED: "skipped: there is no value",
    Condition.TEST_MODE: "counted in test mode",
    Condition.CONFIGURATION_CHANGED: "the configuration was changed in it",
    Condition.STOPPED: "recording was stopped: there is no value",
}

_PAGE = """\
# Register map

What an emulated meter holds in which Modbus register. Made from `meters/register_map/layout.py` by `make pages`; a test keeps the two equal.
The vendor model is also a SunSpec model file, [sunspec/model_{vendor}.json](sunspec/model_{vendor}.json): with its folder on their model path, SunSpec tools decode it by name.

* **Addresses** are those on the wire, from 0. Holding registers (function 3) and input registers (function 4) are the same.
* **Numbers** are big-endian, signed ones in two's complement; text is ASCII, two characters a register, filled up with zeros.
* **Not implemented** is what SunSpec says for the type: int16 and sunssf 0x8000, uint16 and enum16 0xFFFF, acc32 0, pad 0x8000.
* **Energy** in the vendor model is *raw*: Wh = raw value x `Mult`. The meter model's counters are Wh and wrap at 2^32 alone: they go on where a register's dials go
  around or begin again, and a meter that takes another's place begins its own.
* **Direction**: delivered to the premise = SunSpec import (`TotWhImp`) = LSE channel 4; received from it = SunSpec export (`TotWhExp`) = LSE channel 1.
* **Scale**: value = register x 10^exponent, the exponent being the point that the column names.

## What is answered

| request | answer |
|---|---|
| functions 3 and 4, up to {max_read} registers of the map | the registers as they are at that instant |
| function 16 on {clock} and {clock_2}, both at once (`Clk`) | the clock is set; exception 3 if that is more than an hour from what it shows |
| function 6 or 16 on {switch} alone (`Sw`), 0 or 1 | the switch opens or closes; exception 3 for another value, or if the meter does not obey |
| either, and the command cannot be kept (`--state` on a full disk) | exception 4; the meter does not obey |
| function 6 or 16 on anything else: half a clock, clock and switch together | exception 2 |
| function 43 with MEI type 14, streams (codes 1 to 3) or one object (4) | vendor, product code and revision: the basic objects; exception 2 for one object more, 3 for another code |
| a register outside {base} to {last} | exception 2 |
| more than {max_read} registers or none; counts that contradict each other | exception 3 |
| any other function | exception 1 |
| a unit id without a meter | exception 0x0B, as a gateway whose target does not respond |
| more to slow meters of one connection than the gateway keeps | exception 6 |
| a meter that cannot be reached | exception 0x0B (0x0A where the gateway has no path), or nothing at all |

Requests may follow each other on a connection without waiting: each is answered under its own transaction id, a slow meter's after its neighbours'. A connection that has brought no whole request
for {idle} s is closed; at the limit of the process's descriptors a gateway closes new ones at once and logs that once a minute.

## The models

| from | to | model | length |
|---|---|---|---|
| {base} | {mark_end} | the mark `{mark}` | |
{chain}
| {end_model} | {last} | end: 0xFFFF, 0 | 0 |

## Common model 1

{common}

## Meter model 202 (split phase: homes) and 203 (wye: commercial)

The load is taken to be even over the phases, at power factor 1: W = PhV x A, within rounding. Unused points of phase C are not implemented in model 202,
but for its current, which SunSpec's model file demands: 0.

{meter}

## Vendor model {vendor}

Version {version}. Version 1 had no `Dials`, `Ph` and `Ver`; its snapshots and ring began two registers earlier.

### Header

{header}

### Midnight snapshots

{snapshot_slots} slots of {snapshot_words} registers, from {snapshots}: the registers at each of the last {snapshot_slots} local midnights, today's included. The slot of a day is its
ordinal (1 January of year 1 is 1) mod {snapshot_slots}; slot *s* begins at {snapshots} + {snapshot_words} x *s*.

{snapshot}

### Ring of intervals

{ring_slots} slots of {slot_words} registers, from {ring}: the last {ring_days} days of {minutes}-minute intervals. The slot of an interval is (UTC epoch of its *beginning*, by the
meter's clock, // {interval_s}) mod {ring_slots}; slot *s* begins at {ring} + {slot_words} x *s*. Slots that follow each other are intervals that do, but for the one seam between the
newest, which ended at the last whole interval, and the oldest. Whoever takes time to read leaves the oldest alone: it is overwritten next.

A read takes {slots_a_read} slots, so 48 hours are {two_days_reads} reads, {two_days_most} where they lie over the ring's end.

{slot}

Status, bits 15-12, for the interval (any of):

| bit | | |
|---|---|---|
{common_bits}

bits 11-8 for the delivered channel and 7-4 for the received one (one of):

| value | | |
|---|---|---|
{conditions}

These are the nibbles of the extended interval status of ANSI C12.19. Bits 3-0 are 0.
"""


def _table(block: Block) -> str:
    first = "offset" if block.times > 1 else "address"
    rows = [
        f"| {first} | point | type | registers | access | unit | scale | holds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for point in block.points:
        at = block.addresses[point.name] - (block.first if block.times > 1 else 0)
        access = "RW" if point.writable else "R"
        rows.append(
            f"| {at} | `{point.name}` | {point.type} | {point.size} | {access} | {point.unit} | {point.scale} | {point.says} |"
        )
    return "\n".join(rows)


def _chain() -> str:
    models = (
        (wire.COMMON_BLOCK.first, wire.COMMON_BLOCK.end, "common model 1"),
        (wire.METER_BLOCK.first, wire.METER_BLOCK.end, "meter model 202 or 203"),
        (wire.HEADER, wire.END_MODEL, f"vendor model {wire.VENDOR_MODEL}"),
    )
    return "\n".join(f"| {first} | {end - 1} | {name} | {end - first - 2} |" for first, end, name in models)


def page() -> str:
    """Give the text of ``docs/register-map.md``."""
    slots_a_read = wire.MAX_READ // wire.SLOT_WORDS
    reads = -(-_TWO_DAYS // slots_a_read)
    return _PAGE.format(
        vendor=wire.VENDOR_MODEL,
        version=wire.VENDOR_VERSION,
        max_read=wire.MAX_READ,
        clock=wire.CLOCK,
        clock_2=wire.CLOCK + 1,
        switch=wire.SWITCH,
        base=wire.BASE,
        mark=wire.MARK,
        mark_end=wire.BASE + 1,
        chain=_chain(),
        end_model=wire.END_MODEL,
        last=wire.END - 1,
        common=_table(wire.COMMON_BLOCK),
        meter=_table(wire.METER_BLOCK),
        header=_table(wire.HEADER_BLOCK),
        snapshot=_table(wire.SNAPSHOT_BLOCK),
        snapshots=wire.SNAPSHOTS,
        snapshot_slots=wire.SNAPSHOT_SLOTS,
        snapshot_words=wire.SNAPSHOT_WORDS,
        ring=wire.RING,
        ring_slots=wire.RING_SLOTS,
        ring_days=wire.RING_SLOTS * INTERVAL_S // 86_400,
        minutes=INTERVAL_S // 60,
        interval_s=INTERVAL_S,
        slot=_table(wire.RING_BLOCK),
        slot_words=wire.SLOT_WORDS,
        slots_a_read=slots_a_read,
        two_days_reads=reads,
        two_days_most=reads + 1,
        idle=f"{IDLE_S:g}",
        common_bits="\n".join(
            f"| {12 + bit.bit_length() - 1} | {bit.name} | {says} |" for bit, says in _COMMON_SAYS.items()
        ),
        conditions="\n".join(f"| {one:d} | {one.name} | {says} |" for one, says in _CHANNEL_SAYS.items()),
    )


def _point(point: Point) -> dict[str, Any]:
    made: dict[str, Any] = {"name": point.name, "type": str(point.type), "size": point.size, "desc": point.says}
    if point.type is not PointType.PAD:
        made["mandatory"] = "M"
    if point.unit:
        made["units"] = point.unit
    if point.writable:
        made["access"] = "RW"
    if point.symbols:
        made["symbols"] = [{"name": name, "value": value} for name, value in point.symbols.items()]
    if point.name == "ID":
        made["value"] = wire.VENDOR_MODEL
    return made


def _group(block: Block) -> dict[str, Any]:
    points = [_point(point) for point in block.points]
    return {"name": block.name, "type": "group", "count": block.times, "points": points}


def model_file() -> str:
    """Give the text of the vendor model's SunSpec model file."""
    model = {
        "id": wire.VENDOR_MODEL,
        "group": {
            "name": "load_profile",
            "type": "group",
            "label": "AMS meter load profile",
            "desc": "Identity, clock, registers, midnight snapshots and ring of intervals of an emulated AMS meter; energy is raw: Wh = value x Mult.",
            "points": [_point(point) for point in wire.HEADER_BLOCK.points],
            "groups": [_group(wire.SNAPSHOT_BLOCK), _group(wire.RING_BLOCK)],
        },
    }
    return json.dumps(model, indent=1) + "\n"


def pages() -> dict[Path, str]:
    """Each file's text by its path."""
    return {
        DOCS / "register-map.md": page(),
        DOCS / "sunspec" / f"model_{wire.VENDOR_MODEL}.json": model_file(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

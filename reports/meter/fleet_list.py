"""What ``ami meters list`` prints: a fleet's meters and where they are read, or the magic ESI IDs; as lines or as JSON, one meter at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from meters.calendar import seconds
from meters.faults.fault import Happening
from meters.fleet import Fleet
from reports.meter.day import fault_json, fault_text
from simulator.world.roster import magic, place_of

#: Heads of the columns and their widths; an ESI ID's depends on the company.
_HEADS = (
    ("meter", 6),
    ("ESI ID", 22),
    ("number", 9),
    ("gateway", 7),
    ("unit", 4),
    ("class", 8),
    ("zone", 6),
    ("phases", 6),
    ("mult", 4),
    ("roof kW", 7),
    ("car kWh", 7),
)
_RIGHT = {"meter", "gateway", "unit", "phases", "mult", "roof kW", "car kWh"}


def _row(cells: tuple[str, ...], digits: int) -> str:
    line = ""
    for (name, width), cell in zip(_HEADS, cells, strict=False):
        size = digits if name == "ESI ID" else width
        line += f"{cell:>{size}}  " if name in _RIGHT else f"{cell:<{size}}  "
    return (line + "".join(cells[len(_HEADS) :])).rstrip()


def fleet_lines(fleet: Fleet, most: int) -> Iterator[Text]:
    """A head and at most so many meters, a line each; then how many more there are."""
    declared, digits = fleet.faults(fleet.ordinals), fleet.tdsp.digits
    yield Text(
        _row((*(name for name, _ in _HEADS), "faults" if declared or fleet.has_lookalikes else ""), digits), style="dim"
    )
    rows = min(fleet.count, most)
    for ordinal in range(1, rows + 1):
        premise, identity, place = fleet.premise(ordinal), fleet.identity(ordinal), place_of(ordinal)
        yield Text(
            _row(
                (
                    str(place.meter),
                    premise.esiid,
                    identity.meter_number,
                    str(place.gateway),
                    str(place.unit),
                    premise.klass,
                    premise.zone,
                    "3" if identity.three_phase else "2",
                    str(identity.multiplier),
                    f"{premise.solar_w / 1000:.1f}" if premise.solar_w else "",
                    f"{premise.ev_wh / 1000:.1f}" if premise.ev_wh else "",
                    _said([*declared.get(ordinal, ()), *fleet.lookalikes(ordinal)], replayed=ordinal in fleet.loads),
                ),
                digits,
            )
        )
    if rows < fleet.count:
        yield Text(f"and {fleet.count - rows:,} more: --all or --json lists them", style="dim")


def _said(faults: list[Happening], *, replayed: bool) -> str:
    """One fault or look-alike in full, several by kind."""
    words = ["load replayed"] if replayed else []
    if len(faults) == 1:
        words.append(fault_text(faults[0]))
    else:
        words += [
            f"{kind} x{times}" if times > 1 else kind
            for kind, times in Counter(f"{fault.kind}" for fault in faults).items()
        ]
    return ", ".join(words)


def fleet_json(fleet: Fleet, mix: str) -> Iterator[str]:
    """The document in pieces, one meter a line."""
    declared = fleet.faults(fleet.ordinals)
    head = {"tdsp": fleet.tdsp.key, "seed": fleet.seed, "count": fleet.count, "mix": mix}
    yield json.dumps(head)[:-1] + ', "meters": [\n'
    for ordinal in range(1, fleet.count + 1):
        premise, identity, place = fleet.premise(ordinal), fleet.identity(ordinal), place_of(ordinal)
        entry: dict[str, Any] = {
            "meter": place.meter,
            "esiid": premise.esiid,
            "meter_number": identity.meter_number,
            "gateway": place.gateway,
            "unit": place.unit,
            "class": premise.klass,
            "zone": premise.zone,
            "scale": premise.scale,
            "phases": 3 if identity.three_phase else 2,
            "multiplier": identity.multiplier,
            "solar_w": premise.solar_w,
            "ev_wh_a_day": premise.ev_wh,
            "replayed": ordinal in fleet.loads,
            "faults": [fault_json(one) for one in declared.get(ordinal, ())],
            "lookalikes": [fault_json(one) for one in fleet.lookalikes(ordinal)],
        }
        yield json.dumps(entry) + (",\n" if ordinal < fleet.count else "\n")
    yield "]}\n"


def special_lines(fleet: Fleet) -> Iterator[Text]:
    """The magic ESI IDs of the fleet's company, where they are read, and what each does."""
    found = magic(fleet, seconds(0))
    digits = fleet.tdsp.digits
    yield Text(
        f"Magic ESI IDs of {fleet.tdsp.name}, whatever the seed; 'ami meters serve' has them on gateway {found[0][2].gateway}, "
        "the one after the fleet's last.",
        style="dim",
    )
    yield Text(f"{'unit':>4}  {'ESI ID':<{digits}}  {'number':<9}  what it does", style="dim")
    for meter, note, place in found:
        identity = meter.identity
        yield Text(f"{place.unit:>4}  {identity.esiid:<{digits}}  {identity.meter_number:<9}  {note}")


def special_json(fleet: Fleet) -> Iterator[str]:
    """The same as one JSON document."""
    rows = [
        {
            "esiid": meter.identity.esiid,
            "meter_number": meter.identity.meter_number,
            "gateway": place.gateway,
            "unit": place.unit,
            "note": note,
        }
        for meter, note, place in magic(fleet, seconds(0))
    ]
    yield json.dumps({"tdsp": fleet.tdsp.key, "special": rows}) + "\n"

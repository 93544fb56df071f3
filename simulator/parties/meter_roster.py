"""A head-end's records of its meters: from the ready line of the emulated ones, or from a CSV file of a tester's own gateways."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headend.ports import MeterAddress, MeterKey
from meters.errors import reason
from simulator.errors import SimulatorError
from simulator.parties.ready_line import ReadyLine

COLUMNS = ("esiid", "meter_number", "host", "port", "unit_id", "multiplier", "access_point", "phases")
_OPTIONAL = ("multiplier", "access_point", "phases")
_MEND = f"The columns are {', '.join(COLUMNS)}; the last three may be left out."


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    esiid: str = Field(pattern=r"^\d{17,22}$")
    meter_number: str = Field(pattern=r"^\d{1,12}$")
    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65_535)
    unit_id: int = Field(ge=1, le=247)
    multiplier: int = Field(default=1, ge=1, le=100_000)
    #: The radio resource; the meters of one gateway share one unless told otherwise.
    access_point: int = Field(default=-1, ge=0)
    phases: int = Field(default=1, ge=1, le=3)


def roster_of(ready: ReadyLine, place: str) -> list[MeterAddress]:
    """The records for the meters of a ready line. Raises SimulatorError for a line without gateways."""
    found = [
        MeterAddress(
            meter.esiid,
            meter.meter_number,
            gateway.host,
            gateway.port,
            meter.unit_id,
            meter.multiplier,
            access_point,
            phases=meter.phases,
        )
        for access_point, gateway in enumerate(ready.gateways)
        for meter in gateway.meters
    ]
    if not found:
        raise SimulatorError(
            "roster.empty", "This ready line has no meters.", place, "Name that of 'ami meters serve --json'."
        )
    return found


def read_roster(file: Path) -> list[MeterAddress]:
    """Read a roster: CSV with a header. Raises SimulatorError ``roster.*`` with file and line of the first fault."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return _addresses(file, csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SimulatorError(
            "roster.unreadable", f"The roster cannot be read: {reason(error)}.", str(file), _MEND
        ) from None


def _addresses(file: Path, rows: csv.DictReader[str]) -> list[MeterAddress]:
    header = [name.strip() for name in rows.fieldnames or ()]
    lacking = [name for name in COLUMNS if name not in header and name not in _OPTIONAL]
    strange = [name for name in header if name not in COLUMNS]
    if lacking or strange or len(set(header)) < len(header):
        what = f"lacks {', '.join(lacking)}" if lacking else f"has {', '.join(strange) or 'a column twice'}"
        raise SimulatorError("roster.columns", f"The header {what}.", f"{file}:1", _MEND)
    rows.fieldnames = header
    found: dict[MeterKey, MeterAddress] = {}
    points: dict[tuple[str, int], int] = {}
    for line, row in _rows(file, rows):
        key = MeterKey(row.esiid, row.meter_number)
        if key in found:
            raise SimulatorError(
                "roster.meter",
                f"Meter {key.number} at ESI ID {key.esiid} is named again.",
                f"{file}:{line}",
                "Of several meters at an ESI ID each has a number of its own.",
            )
        point = row.access_point
        if point < 0:
            point = points.setdefault((row.host, row.port), len(points))
        found[key] = MeterAddress(*key, row.host, row.port, row.unit_id, row.multiplier, point, phases=row.phases)
    if not found:
        raise SimulatorError("roster.empty", "The roster names no meter.", str(file), _MEND)
    return list(found.values())


def _rows(file: Path, rows: csv.DictReader[str]) -> Iterator[tuple[int, _Row]]:
    for written in rows:
        cells: dict[Any, Any] = {
            name: cell.strip() if isinstance(cell, str) else cell for name, cell in written.items()
        }
        if None in cells or None in cells.values():
            raise SimulatorError(
                "roster.row", "The row has another number of cells than the header.", f"{file}:{rows.line_num}", _MEND
            )
        try:
            yield rows.line_num, _Row.model_validate({name: cell for name, cell in cells.items() if cell != ""})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise SimulatorError(
                "roster.row",
                f"{'.'.join(map(str, first['loc']))}: {first['msg']}.",
                f"{file}:{rows.line_num}",
                _MEND,
            ) from None

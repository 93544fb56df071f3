"""A registry as a folder of CSV files, read and written: one file per kind of record, one column per field of the record.

Columns and their types are those of the records themselves, so a field that is added there is read and written here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, cast, get_args, get_type_hints

from meters.calendar import YEARS
from simulator.errors import SimulatorError
from simulator.input.csv_text import CsvColumns, csv_rows
from simulator.smt.registry.checks import cross_faults
from simulator.smt.registry.han import HanDevice
from simulator.smt.registry.meter_attributes import MeterAttributes
from simulator.smt.registry.passwords import hash_fault, hash_password
from simulator.smt.registry.records import (
    Agreement,
    Entity,
    MeterExchange,
    Occupancy,
    PointMeter,
    Records,
    RorPeriod,
    ServicePoint,
    User,
)
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.limits import RequesterClass


class _Malformed(Exception):  # noqa: N818 (never leaves this module)
    """A cell that cannot be taken: what is wrong, and the mend."""


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: Any
    required: bool


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One file: its records' class and, in ``Records``, their place."""

    file: str
    record: type
    place: str
    required: bool
    #: Columns that are no field of the record.
    extra: tuple[str, ...] = ()


#: Every file of a registry's folder. Without the last five there are no such records.
SHEETS = (
    _Sheet("entities.csv", Entity, "entities", True),
    _Sheet("service_points.csv", ServicePoint, "points", True),
    _Sheet("ror_periods.csv", RorPeriod, "periods", True),
    _Sheet("users.csv", User, "users", True, ("password",)),
    _Sheet("occupancies.csv", Occupancy, "occupancies", False),
    _Sheet("agreements.csv", Agreement, "agreements", False),
    _Sheet("han_devices.csv", HanDevice, "han_devices", False),
    _Sheet("meter_exchanges.csv", MeterExchange, "exchanges", False),
    _Sheet("other_meters.csv", PointMeter, "other_meters", False),
)
#: What a cell must look like beyond its type, by column, and how to say so.
_PATTERNS: dict[str, tuple[str, str]] = {
    "esiid": (r"\d{17,22}", "Write the 17 to 22 digits; a spreadsheet must keep the column as text."),
    "meter_number": (r"\d{1,12}", "Write 1 to 12 digits, without letters."),
    "duns": (r"(\d{9}|\d{13})?", "Write 9 or 13 digits; a spreadsheet must keep the column as text."),
    # A home folder of the file site bears the name.
    "username": (r"\w[\w.@-]{0,63}", "Write letters, digits and . _ @ - alone, 64 at most."),
    "password_hash": (
        r"\$argon2(id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[\w+/]+\$[\w+/]+",
        "Write an Argon2 hash ($argon2id$...), or the password in a column of that name.",
    ),
    "mac": (r"[0-9A-F]{16}", "Write 16 hexadecimal digits in capitals."),
}
#: Columns that take one of some words.
_WORDS: dict[str, type[StrEnum]] = {"requester_class": RequesterClass}
#: What other systems write for a period without an end.
_OPEN_END = "9999-12-31"
_BOUNDS = {"multiplier": (1, 100_000), "read_day": (1, 28)}


def read_registry(folder: Path) -> Registry:
    """Read a folder of CSV files. Raises SimulatorError for the first fault; ``registry_faults`` tells them all."""
    records, faults = _read(folder)
    if faults:
        first, more = faults[0], len(faults) - 1
        sentence = f"{first.message} ({more} more {'fault' if more == 1 else 'faults'}.)" if more else first.message
        raise SimulatorError(first.code, sentence, first.place, first.mend)
    return Registry(
        records.points,
        records.entities,
        records.periods,
        records.users,
        occupancies=records.occupancies,
        agreements=records.agreements,
        han_devices=records.han_devices,
        exchanges=records.exchanges,
        other_meters=records.other_meters,
    )


def registry_faults(folder: Path) -> list[SimulatorError]:
    """Everything that is wrong with a folder, each with file, line, column and mend."""
    return _read(folder)[1]


def write_new_registry(registry: Registry, folder: Path) -> None:
    """Write a registry into a folder that has none. Raises SimulatorError ``smt.registry.there``: what somebody has changed by hand is not written over."""
    there = [sheet.file for sheet in SHEETS if (folder / sheet.file).exists()]
    if there:
        raise SimulatorError(
            "smt.registry.there",
            f"The folder has a registry already ({there[0]}).",
            str(folder),
            "Name another folder, or remove its CSV files.",
        )
    write_registry(registry, folder)


def write_registry(registry: Registry, folder: Path) -> None:
    """Write a registry into a folder, made if it is not there; files of an earlier one are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for sheet in SHEETS:
        rows = getattr(registry.records, sheet.place)
        columns = _columns(sheet.record)
        out = io.StringIO(newline="")
        table = csv.writer(out, lineterminator="\n")
        table.writerow(column.name for column in columns)
        table.writerows([_text(value) for value in _values(row)] for row in rows)
        (folder / sheet.file).write_text(out.getvalue(), encoding="utf-8")


def _columns(record: type) -> list[_Column]:
    """One column per field, those of a meter's attributes among them."""
    kinds = get_type_hints(record)
    columns = []
    for field in fields(record):
        if kinds[field.name] is MeterAttributes:
            columns += _columns(MeterAttributes)
        else:
            columns.append(_Column(field.name, kinds[field.name], _required(field)))
    return columns


def _required(field: Field[Any]) -> bool:
    # A login without a hash has a password instead.
    return field.default is MISSING and field.default_factory is MISSING and field.name != "password_hash"


def _values(record: Any) -> Iterator[Any]:
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, MeterAttributes):
            yield from _values(value)
        else:
            yield value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, tuple):
        return " ".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)


# -- reading ------------------------------------------------------------------------------------------------------


def _read(folder: Path) -> tuple[Records, list[SimulatorError]]:
    found: dict[str, tuple[Any, ...]] = {}
    places: dict[int, str] = {}
    faults: list[SimulatorError] = []
    for sheet in SHEETS:
        path = folder / sheet.file
        rows = []
        for place, row in _rows(sheet, path, faults):
            places[id(row)] = place
            rows.append(row)
        found[sheet.place] = tuple(rows)
    records = Records(**found)
    if not faults:
        faults = cross_faults(records, lambda record: places[id(record)])
    return records, faults


def _rows(sheet: _Sheet, path: Path, faults: list[SimulatorError]) -> Iterator[tuple[str, Any]]:
    columns = {column.name: column for column in _columns(sheet.record)}
    needed = [column.name for column in columns.values() if column.required]
    known = CsvColumns([*columns, *sheet.extra], needed, (*sheet.extra, "password_hash") if sheet.extra else ())
    for place, cells in csv_rows(path, known, SimulatorError, "smt.registry", faults, required=sheet.required):
        before = len(faults)
        values = dict(_parsed(cells, columns, place, faults))
        if len(faults) == before:
            yield place, _made(sheet.record, values)


def _parsed(
    cells: Mapping[str, str], columns: dict[str, _Column], place: str, faults: list[SimulatorError]
) -> Iterator[tuple[str, Any]]:
    """Every cell's value; an empty one is the field's default."""
    passwords = 0
    for name, text in cells.items():
        column = columns.get(name, _Column(name, str, False))
        if name in ("password", "password_hash"):
            passwords += bool(text)
        if not text:
            if column.required:
                faults.append(
                    SimulatorError(
                        "smt.registry.empty", "The cell is empty.", f"{place}: {name}", "Every row needs it."
                    )
                )
            continue
        try:
            yield name, _value(column, text)
        except _Malformed as fault:
            sentence, mend = fault.args
            faults.append(SimulatorError("smt.registry.value", sentence, f"{place}: {name}", mend))
    if "password_hash" in columns and passwords != 1:
        sentence = "A login has either a password or a password_hash."
        faults.append(SimulatorError("smt.registry.password", sentence, f"{place}: password", "Give one of them."))


def _value(column: _Column, text: str) -> Any:
    kind = column.kind
    if isinstance(kind, UnionType):
        kind = next(one for one in get_args(kind) if one is not type(None))
    kind = _WORDS.get(column.name, kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _word(kind, text)
    return _READ.get(kind, _line)(column.name, text)


def _yes_or_no(_: str, text: str) -> bool:
    if text not in ("Y", "N"):
        raise _Malformed(f"'{text[:40]}' is not Y or N.", "Write Y or N.")
    return text == "Y"


def _whole(name: str, text: str) -> int:
    low, high = _BOUNDS.get(name, (0, 10**9))
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII) or not low <= int(text) <= high:
        raise _Malformed(f"'{text[:40]}' is not a whole number of {low} to {high}.", "Write the digits alone.")
    return int(text)


def _day(name: str, text: str) -> date | None:
    if name == "last_day" and text == _OPEN_END:
        return None
    try:
        # The form is looked at too: fromisoformat also takes weeks and days without hyphens.
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise _Malformed(f"'{text[:40]}' is not a day.", "Write it as 2026-08-12.") from None
    if day.year >= YEARS.stop:
        raise _Malformed(f"{text} is out of range.", f"Give a year before {YEARS.stop}; leave an open end empty.")
    return day


def _word(words: type[StrEnum], text: str) -> StrEnum:
    if text not in list(words):
        raise _Malformed(f"'{text[:40]}' is none of {', '.join(words)}.", "Take one of them.")
    return words(text)


def _line(name: str, text: str) -> str:
    if any(one < " " or one == "\x7f" for one in text):
        raise _Malformed("The cell holds a control character.", "Write it in one line of text.")
    pattern, mend = _PATTERNS.get(name, ("", ""))
    if pattern and not re.fullmatch(pattern, text, re.ASCII):
        raise _Malformed(f"'{text[:40]}' is malformed.", mend)
    if name == "password_hash" and (fault := hash_fault(text)):
        raise _Malformed(fault, mend)
    return text


#: How a cell is read, by the type of its field; all else is a line of text.
_READ: dict[Any, Callable[[str, str], Any]] = {
    bool: _yes_or_no,
    int: _whole,
    date: _day,
    tuple[str, ...]: lambda _, text: tuple(text.split()),
}


def _made(record: type, values: dict[str, Any]) -> Any:
    if record in (ServicePoint, MeterExchange, PointMeter):
        names = {field.name for field in fields(MeterAttributes)}
        attributes = replace(MeterAttributes(), **{name: values.pop(name) for name in names & set(values)})
        values["attributes"] = attributes
    if record is User:
        password = values.pop("password", "")
        if password:
            values["password_hash"] = hash_password(password)
    return cast(Callable[..., Any], record)(**values)

"""Whether the records of a registry fit together: nothing twice, nobody named who is not there, no period that ends before it begins. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from datetime import date
from typing import Any

from simulator.errors import SimulatorError
from simulator.smt.registry.records import EntityKind, PointMeter, Records, RorPeriod, UserKind

#: For whom each kind of user speaks; a customer for nobody.
_SPEAKS_FOR = {UserKind.ROR: EntityKind.ROR, UserKind.TDSP: EntityKind.TDSP, UserKind.CSP: EntityKind.CSP}


def cross_faults(records: Records, place: Callable[[Any], str]) -> list[SimulatorError]:
    """What does not fit together. place: where a record was written, ``file:line``."""

    def fault(record: Any, column: str, code: str, message: str, mend: str) -> SimulatorError:
        return SimulatorError(f"smt.registry.{code}", message, f"{place(record)}: {column}", mend)

    found = [
        fault(record, column, "twice", f"{value} stands twice.", "Every one stands once.")
        for rows, column in (
            (records.entities, "duns"),
            (records.points, "esiid"),
            (records.users, "username"),
            (records.han_devices, "mac"),
        )
        for record, value in _repeated(rows, column)
    ]
    found += [
        fault(record, "meter_number", "twice", f"Meter {value} stands twice.", "Of several each has its own number.")
        for record, value in _repeated((*records.points, *records.other_meters), "esiid", "meter_number")
        if isinstance(record, PointMeter)
    ]
    found += [fault(record, column, "unknown", message, mend) for record, column, message, mend in _unknown(records)]
    tdsps = [entity for entity in records.entities if entity.kind is EntityKind.TDSP and entity.key]
    found += [
        fault(record, "key", "twice", f"{value} is the key of two TDSPs.", "Every TDSP has its own.")
        for record, value in _repeated(tdsps, "key")
    ]
    found += [
        fault(
            later,
            "first_day",
            "overlap",
            f"Two REPs are of record for {later.esiid} on {later.first_day}.",
            "End the earlier period on the day before.",
        )
        for later in _overlapping(records.periods)
    ]
    found += [
        fault(user, "duns", "duns", "A customer speaks for no company.", "Leave the DUNS number of a customer empty.")
        for user in records.users
        if user.kind is UserKind.CUSTOMER and user.duns
    ]
    periods: tuple[Any, ...] = (*records.periods, *records.occupancies, *records.agreements)
    found += [
        fault(record, "last_day", "period", "The period ends before it begins.", "Its last day is one of its days.")
        for record in periods
        if record.last_day is not None and record.last_day < record.first_day
    ]
    return found


def _repeated(rows: Iterable[Any], *columns: str) -> Iterator[tuple[Any, str]]:
    seen: set[str] = set()
    for row in rows:
        value = " ".join(getattr(row, column) for column in columns)
        if value in seen:
            yield row, value
        seen.add(value)


def _overlapping(periods: Iterable[RorPeriod]) -> Iterator[RorPeriod]:
    """Every period that begins before an earlier one at its ESI ID has ended."""
    held: dict[str, date] = {}
    for period in sorted(periods, key=lambda one: one.first_day):
        ends = held.get(period.esiid)
        if ends is not None and period.first_day <= ends:
            yield period
        held[period.esiid] = max(ends or date.min, period.last_day or date.max)


def _unknown(records: Records) -> Iterator[tuple[Any, str, str, str]]:
    """Who or what is named and not there: record, column, sentence, mend."""
    tdsps = [entity for entity in records.entities if entity.kind is EntityKind.TDSP]
    esiids = {point.esiid for point in records.points}
    companies = {(entity.duns, entity.kind) for entity in records.entities}
    customers = {user.username for user in records.users if user.kind is UserKind.CUSTOMER}
    lived: tuple[Any, ...] = (*records.occupancies, *records.agreements)
    metered: tuple[Any, ...] = (
        *records.periods,
        *lived,
        *records.han_devices,
        *records.exchanges,
        *records.other_meters,
    )
    speakers: tuple[tuple[Any, EntityKind], ...] = (
        *((period, EntityKind.ROR) for period in records.periods),
        *((agreement, EntityKind.CSP) for agreement in records.agreements),
        *((user, _SPEAKS_FOR[user.kind]) for user in records.users if user.kind in _SPEAKS_FOR),
    )
    no_point = "There is no ESI ID {}.", "Add it to service_points.csv."
    #: Who names what, what there is of it, the column, the sentence, the mend.
    table: tuple[tuple[Iterable[tuple[Any, Any]], Container[Any], str, str, str], ...] = (
        (
            ((one, one.key or None) for one in tdsps),
            {one.key for one in tdsps},
            "key",
            "A TDSP needs a key.",
            "Give the short name that service points carry.",
        ),
        (
            ((point, point.tdsp_key) for point in records.points),
            {one.key for one in tdsps},
            "tdsp_key",
            "There is no TDSP '{}'.",
            "Name the key of one in entities.csv.",
        ),
        (((one, one.esiid) for one in metered), esiids, "esiid", *no_point),
        (
            ((one, (one.duns, kind)) for one, kind in speakers),
            companies,
            "duns",
            "'{0[0]}' is the DUNS number of no {0[1]}.",
            "Add it to entities.csv.",
        ),
        (((user, esiid) for user in records.users for esiid in user.esiids), esiids, "esiids", *no_point),
        (
            ((one, one.username) for one in lived if one.username),
            customers,
            "username",
            "There is no customer '{}'.",
            "Add the login to users.csv.",
        ),
    )
    for named, known, column, sentence, mend in table:
        yield from ((one, column, sentence.format(name), mend) for one, name in named if name not in known)

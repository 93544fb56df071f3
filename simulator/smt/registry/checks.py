"""Whether the records of a registry fit together: nothing twice, nobody named who is not there, no period that ends before it begins. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from simulator.errors import SimulatorError
from simulator.smt.registry.records import EntityKind, Records, RorPeriod, UserKind

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


def _repeated(rows: Iterable[Any], column: str) -> Iterator[tuple[Any, str]]:
    seen: set[str] = set()
    for row in rows:
        value = getattr(row, column)
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
    esiids = {point.esiid for point in records.points}
    kinds = {entity.duns: entity.kind for entity in records.entities}
    keys = {entity.key for entity in records.entities if entity.kind is EntityKind.TDSP}
    customers = {user.username for user in records.users if user.kind is UserKind.CUSTOMER}
    for entity in records.entities:
        if entity.kind is EntityKind.TDSP and not entity.key:
            yield entity, "key", "A TDSP needs a key.", "Give the short name that service points carry."
    for point in records.points:
        if point.tdsp_key not in keys:
            yield point, "tdsp_key", f"There is no TDSP '{point.tdsp_key}'.", "Name the key of one in entities.csv."
    named: tuple[Any, ...] = (
        *records.periods,
        *records.occupancies,
        *records.agreements,
        *records.han_devices,
        *records.exchanges,
    )
    for record in named:
        if record.esiid not in esiids:
            yield record, "esiid", f"There is no ESI ID {record.esiid}.", "Add it to service_points.csv."
    wanted: list[tuple[Any, EntityKind]] = [(period, EntityKind.ROR) for period in records.periods]
    wanted += [(agreement, EntityKind.CSP) for agreement in records.agreements]
    wanted += [(one, _SPEAKS_FOR[one.kind]) for one in records.users if one.kind in _SPEAKS_FOR]
    for record, kind in wanted:
        if kinds.get(record.duns) is not kind:
            yield record, "duns", f"'{record.duns}' is the DUNS number of no {kind}.", "Add it to entities.csv."
    for user in records.users:
        for esiid in user.esiids:
            if esiid not in esiids:
                yield user, "esiids", f"There is no ESI ID {esiid}.", "Add it to service_points.csv."
    lived: tuple[Any, ...] = (*records.occupancies, *records.agreements)
    for period in lived:
        if period.username and period.username not in customers:
            yield period, "username", f"There is no customer '{period.username}'.", "Add the login to users.csv."

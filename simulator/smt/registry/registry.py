"""Who may see what: a registry's records in memory, looked up by their ids, by the day.

Whoever may not see an ESI ID gets the answer that an unknown one gets: nobody learns whether a foreign one exists.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Protocol

from simulator.smt.registry.han import HanDevice
from simulator.smt.registry.records import (
    Agreement,
    Entity,
    EntityKind,
    MeterExchange,
    Occupancy,
    PointMeter,
    Records,
    RorPeriod,
    ServicePoint,
    User,
    UserKind,
)


class _Period(Protocol):
    @property
    def first_day(self) -> date: ...
    @property
    def last_day(self) -> date | None: ...


def _holds(period: _Period, day: date) -> bool:
    return period.first_day <= day and (period.last_day is None or day <= period.last_day)


class Registry:
    """The records in memory, looked up by their ids."""

    def __init__(
        self,
        points: Iterable[ServicePoint],
        entities: Iterable[Entity],
        periods: Iterable[RorPeriod],
        users: Iterable[User],
        *,
        occupancies: Iterable[Occupancy] = (),
        agreements: Iterable[Agreement] = (),
        han_devices: Iterable[HanDevice] = (),
        exchanges: Iterable[MeterExchange] = (),
        other_meters: Iterable[PointMeter] = (),
    ) -> None:
        """Take the records in. Of two periods that hold on one day, the one that began later counts."""
        records = Records(
            tuple(points),
            tuple(entities),
            tuple(periods),
            tuple(users),
            tuple(occupancies),
            tuple(agreements),
            tuple(han_devices),
            tuple(exchanges),
            tuple(other_meters),
        )
        self.take(records)

    def take(self, records: Records) -> None:
        """Go by these records from now on: index them."""
        self.records = records
        self.points = {point.esiid: point for point in self.records.points}
        self.entities = {entity.duns: entity for entity in self.records.entities}
        self.users = {user.username: user for user in self.records.users}
        self._folders: dict[str, str] = {}
        for user in self.records.users:
            if user.kind is UserKind.ROR:
                self._folders.setdefault(user.duns, user.username)
        self._tdsps = {entity.key: entity for entity in self.records.entities if entity.kind is EntityKind.TDSP}
        self._periods: defaultdict[str, list[RorPeriod]] = defaultdict(list)
        self._occupancies: defaultdict[str, list[Occupancy]] = defaultdict(list)
        self._agreements: defaultdict[str, list[Agreement]] = defaultdict(list)
        self._devices: defaultdict[str, list[HanDevice]] = defaultdict(list)
        #: ESI IDs that a DUNS or a username may ever have had to do with.
        self._related: defaultdict[str, set[str]] = defaultdict(set)
        for period in sorted(self.records.periods, key=lambda one: one.first_day, reverse=True):
            self._periods[period.esiid].append(period)
            self._related[period.duns].add(period.esiid)
        since_ever = (Occupancy(esiid, user.username, date.min) for user in self.records.users for esiid in user.esiids)
        for occupancy in (*self.records.occupancies, *since_ever):
            self._occupancies[occupancy.esiid].append(occupancy)
            self._related[occupancy.username].add(occupancy.esiid)
        for agreement in self.records.agreements:
            self._agreements[agreement.esiid].append(agreement)
            self._related[agreement.duns].add(agreement.esiid)
        for device in self.records.han_devices:
            self._devices[device.esiid].append(device)
        self._exchanges: defaultdict[str, list[MeterExchange]] = defaultdict(list)
        for exchange in sorted(self.records.exchanges, key=lambda one: one.first_day, reverse=True):
            self._exchanges[exchange.esiid].append(exchange)
        self._other_meters: defaultdict[str, list[PointMeter]] = defaultdict(list)
        for meter in self.records.other_meters:
            self._other_meters[meter.esiid].append(meter)

    def point(self, esiid: str, day: date) -> ServicePoint:
        """A service point with the meter that hangs there on a day. Raises KeyError for an ESI ID that there is none of."""
        point = self.points[esiid]
        newest = next((exchange for exchange in self._exchanges.get(esiid, ()) if exchange.first_day <= day), None)
        if newest is None:
            return point
        return replace(point, meter_number=newest.meter_number, attributes=newest.attributes)

    def meters(self, point: ServicePoint) -> list[PointMeter]:
        """The meters that measure a service point at once, its own row's first."""
        first = PointMeter(point.esiid, point.meter_number, point.multiplier, point.attributes)
        return [first, *self._other_meters.get(point.esiid, ())]

    def ror_of_record(self, esiid: str, day: date) -> str | None:
        """DUNS of the REP of record on an operating day; None without one."""
        return next((period.duns for period in self._periods.get(esiid, ()) if _holds(period, day)), None)

    def folder_of(self, duns: str) -> str | None:
        """Whose folder of the file site a ROR's files go to: its first log-in's. None without one."""
        return self._folders.get(duns)

    def tdsp_key(self, duns: str) -> str:
        """Key of the TDSP with this DUNS; empty if there is none."""
        entity = self.entities.get(duns)
        return entity.key if entity is not None and entity.kind is EntityKind.TDSP else ""

    def tdsp_of(self, point: ServicePoint) -> Entity | None:
        """The wires company of a service point; None if it is not registered."""
        return self._tdsps.get(point.tdsp_key)

    def han_devices(self, esiid: str) -> tuple[HanDevice, ...]:
        """The devices behind the meter of an ESI ID."""
        return tuple(self._devices.get(esiid, ()))

    def final_read_days(self, esiid: str) -> set[date]:
        """The days that begin with a read for billing out of the cycle: retailer or customer changed at that midnight."""
        ends: set[date] = set()
        for period in (*self._periods.get(esiid, ()), *self._occupancies.get(esiid, ())):
            if period.first_day > date.min:
                ends.add(period.first_day)
            if period.last_day is not None:
                ends.add(period.last_day + timedelta(days=1))
        return ends

    def may_see(self, user: User, esiid: str, day: date) -> bool:
        """Whether a user may see an ESI ID's data of an operating day (AC1); False for an unknown ESI ID too."""
        point = self.points.get(esiid)
        if point is None:
            return False
        match user.kind:
            case UserKind.CUSTOMER:
                return self._lives_at(user.username, esiid, day)
            case UserKind.TDSP:
                return point.tdsp_key == self.tdsp_key(user.duns)
            case UserKind.CSP:
                return any(
                    agreement.duns == user.duns
                    and _holds(agreement, day)
                    and (not agreement.username or self._lives_at(agreement.username, esiid, day))
                    for agreement in self._agreements.get(esiid, ())
                )
            case UserKind.ROR:
                return self.ror_of_record(esiid, day) == user.duns

    def may_request(self, user: User, esiid: str, day: date) -> bool:
        """Whether a user may ask for an on-demand read: the ROR of record of that day, the customer, or a CSP that they let."""
        return user.kind is not UserKind.TDSP and self.may_see(user, esiid, day)

    def seen_since(self, user: User, esiid: str, day: date, earliest: date) -> date:
        """The first of the unbroken days up to ``day`` that a user may see, looked for no further back than ``earliest``."""
        first = day
        while first > earliest and self.may_see(user, esiid, first - timedelta(days=1)):
            first -= timedelta(days=1)
        return first

    def seen_by(self, user: User, day: date) -> list[ServicePoint]:
        """Every service point that a user may see on a day, by ESI ID."""
        among: Iterable[str] = self.points
        if user.kind is not UserKind.TDSP:
            among = self._related.get(user.username if user.kind is UserKind.CUSTOMER else user.duns, ())
        return [self.point(esiid, day) for esiid in sorted(among) if self.may_see(user, esiid, day)]

    def _lives_at(self, username: str, esiid: str, day: date) -> bool:
        return any(
            occupancy.username == username and _holds(occupancy, day) for occupancy in self._occupancies.get(esiid, ())
        )

"""Who and what SMT knows: service points, market entities, who serves an ESI ID from when to when, users.

Whoever may not see an ESI ID gets the answer that an unknown one gets: nobody learns whether a foreign one exists.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class EntityKind(StrEnum):
    """What a market entity is."""

    TDSP = "TDSP"
    ROR = "ROR"
    CSP = "CSP"


class UserKind(StrEnum):
    """On whose behalf a user logs in."""

    ROR = "ror"
    CUSTOMER = "customer"
    TDSP = "tdsp"


@dataclass(frozen=True, slots=True)
class ServicePoint:
    """A delivery point, and what the assumptions A1 to A4 say of it."""

    esiid: str
    #: Digits only.
    meter_number: str
    tdsp_key: str
    #: A1: an AMS meter with a daily register read and 15-minute intervals.
    ams: bool = True
    #: A2: installed and provisioned by the TDSP.
    provisioned: bool = True
    #: A3: SMT receives its usage.
    receiving: bool = True
    #: A4: in LSE format.
    lse: bool = True
    energized: bool = True
    multiplier: int = 1
    address: str = ""
    city: str = ""
    state: str = "TX"
    zip_code: str = ""
    county: str = ""
    load_zone: str = ""
    weather_zone: str = ""
    premise_type: str = "Residential"
    customer: str = ""
    #: Number of the radio resource that the meter hangs on, within its TDSP.
    access_point: int = 0


@dataclass(frozen=True, slots=True)
class Entity:
    """A market entity. ``key``: the short name of a TDSP, as service points carry it."""

    duns: str
    name: str
    kind: EntityKind
    key: str = ""


@dataclass(frozen=True, slots=True)
class RorPeriod:
    """A REP is of record for an ESI ID from the midnight that begins ``first_day`` to the one that ends ``last_day`` (None: still)."""

    esiid: str
    duns: str
    first_day: date
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A login. ``duns``: of the entity it speaks for; a customer has none and owns ``esiids``."""

    username: str
    password_hash: str
    kind: UserKind
    duns: str = ""
    esiids: tuple[str, ...] = ()
    #: What policies with classes count by.
    requester_class: str = "ror_call_centre"
    first_name: str = ""
    last_name: str = ""
    email: str = ""


class Registry:
    """The records in memory, looked up by their ids."""

    def __init__(
        self,
        points: Iterable[ServicePoint],
        entities: Iterable[Entity],
        periods: Iterable[RorPeriod],
        users: Iterable[User],
    ) -> None:
        """Index the records. Of two periods that hold on one day, the one that began later counts."""
        self.points = {point.esiid: point for point in points}
        self.entities = {entity.duns: entity for entity in entities}
        self.users = {user.username: user for user in users}
        self._periods: defaultdict[str, list[RorPeriod]] = defaultdict(list)
        for period in sorted(periods, key=lambda one: one.first_day, reverse=True):
            self._periods[period.esiid].append(period)

    def ror_of_record(self, esiid: str, day: date) -> str | None:
        """DUNS of the REP of record on an operating day; None without one."""
        for period in self._periods.get(esiid, ()):
            if period.first_day <= day and (period.last_day is None or day <= period.last_day):
                return period.duns
        return None

    def tdsp_key(self, duns: str) -> str:
        """Key of the TDSP with this DUNS; empty if there is none."""
        entity = self.entities.get(duns)
        return entity.key if entity is not None and entity.kind is EntityKind.TDSP else ""

    def may_see(self, user: User, esiid: str, day: date) -> bool:
        """Whether a user may see an ESI ID's data of an operating day (AC1); False for an unknown ESI ID too."""
        point = self.points.get(esiid)
        if point is None:
            return False
        if user.kind is UserKind.CUSTOMER:
            return esiid in user.esiids
        if user.kind is UserKind.TDSP:
            return point.tdsp_key == self.tdsp_key(user.duns)
        return self.ror_of_record(esiid, day) == user.duns

    def may_request(self, user: User, esiid: str, day: date) -> bool:
        """Whether a user may ask for an on-demand read: the ROR of record of that day, or the customer."""
        return user.kind is not UserKind.TDSP and self.may_see(user, esiid, day)

    def seen_by(self, user: User, day: date) -> list[ServicePoint]:
        """Every service point that a user may see on a day, by ESI ID."""
        among = user.esiids if user.kind is UserKind.CUSTOMER else self.points
        return [self.points[esiid] for esiid in sorted(among) if self.may_see(user, esiid, day)]

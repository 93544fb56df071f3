"""The records that a registry is made of: service points, meters, market entities, users, and who serves, lives at or may look at an ESI ID from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from simulator.smt.registry.han import HanDevice
from simulator.smt.registry.meter_attributes import MeterAttributes


class EntityKind(StrEnum):
    """What a market entity is."""

    TDSP = "TDSP"
    ROR = "ROR"
    CSP = "CSP"


class UsageFormat(StrEnum):
    """How a ROR gets the usage that is posted, in its folder of the file site."""

    LSE = "LSE"
    #: SMT's interval CSV.
    CSV = "CSV"
    NONE = "NONE"


class UserKind(StrEnum):
    """On whose behalf a user logs in."""

    ROR = "ror"
    CUSTOMER = "customer"
    TDSP = "tdsp"
    #: A competitive service provider, whom customers let see their usage.
    CSP = "csp"


_NO_ATTRIBUTES = MeterAttributes()


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
    #: Day of the month on which the TDSP reads for billing.
    read_day: int = 1
    attributes: MeterAttributes = _NO_ATTRIBUTES
    #: Number of the radio resource that the meter hangs on, within its TDSP.
    access_point: int = 0


@dataclass(frozen=True, slots=True)
class PointMeter:
    """A meter at a service point. Of several the first stands in the point's own row, and what the ESI ID uses is the sum of all."""

    esiid: str
    #: Digits only.
    meter_number: str
    multiplier: int = 1
    attributes: MeterAttributes = _NO_ATTRIBUTES


@dataclass(frozen=True, slots=True)
class MeterExchange:
    """Another meter hangs at an ESI ID in the place of the first, by SMT's records from the midnight on that begins ``first_day``."""

    esiid: str
    #: Digits only.
    meter_number: str
    first_day: date
    attributes: MeterAttributes = _NO_ATTRIBUTES


@dataclass(frozen=True, slots=True)
class Entity:
    """A market entity. ``key``: the short name of a TDSP, as service points carry it."""

    duns: str
    name: str
    kind: EntityKind
    key: str = ""
    #: Of a ROR: the files that it gets of what is posted.
    usage_files: UsageFormat = UsageFormat.LSE


@dataclass(frozen=True, slots=True)
class RorPeriod:
    """A REP is of record for an ESI ID from the midnight that begins ``first_day`` to the one that ends ``last_day`` (None: still)."""

    esiid: str
    duns: str
    first_day: date
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Occupancy:
    """A customer lives at an ESI ID from move-in to move-out, both days included (None: still)."""

    esiid: str
    username: str
    first_day: date
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """A customer lets a CSP see days of their ESI ID, both included (None: until further notice).

    username: of the customer; with one, the CSP's access ends at that customer's move-out (DOMAIN §12).
    """

    esiid: str
    duns: str
    first_day: date
    last_day: date | None = None
    username: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """A login. ``duns``: of the entity it speaks for; a customer has none, and lives where an ``Occupancy`` says."""

    username: str
    password_hash: str
    kind: UserKind
    duns: str = ""
    #: Where a customer has always lived and still does: an occupancy without a beginning or an end.
    esiids: tuple[str, ...] = ()
    #: What policies with classes count by.
    requester_class: str = "ror_call_centre"
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    #: Whether a customer may use the market API; every other user may.
    onboarded: bool = False


class Records(NamedTuple):
    """Everything that a registry is made of, as it was given."""

    points: tuple[ServicePoint, ...]
    entities: tuple[Entity, ...]
    periods: tuple[RorPeriod, ...]
    users: tuple[User, ...]
    occupancies: tuple[Occupancy, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    han_devices: tuple[HanDevice, ...] = ()
    exchanges: tuple[MeterExchange, ...] = ()
    #: Beside the first of their service points.
    other_meters: tuple[PointMeter, ...] = ()

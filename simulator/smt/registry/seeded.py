"""A registry of N made premises of one TDSP, as a market has them: retailers by share, switches, move-outs, agreements, devices, odd ones.

Drawn by seed and ordinal, so the same arguments give the same registry. All names, numbers and shares are inventions of this project [D].
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from meters.device.installation import multipliers
from meters.identity import Tdsp, make_esiid, make_meter_number, tdsp
from meters.load.premises import BUSINESS_CLASSES, CLASSES, MARKET, PremiseArrays
from simulator.smt.registry.han import HanDevice, made_devices
from simulator.smt.registry.meter_attributes import installed_meter
from simulator.smt.registry.passwords import hash_password
from simulator.smt.registry.records import (
    Agreement,
    Entity,
    EntityKind,
    Occupancy,
    RorPeriod,
    ServicePoint,
    User,
    UserKind,
)
from simulator.smt.registry.registry import Registry

#: Retailers and their shares in percent.
RETAILERS = (
    ("9990001110000", "Pecan Bend Power (invented)", 40),
    ("9990002220000", "Salt Fork Energy (invented)", 30),
    ("9990003330000", "Caprock Light (invented)", 20),
    ("9990004440000", "Dry Creek Electric (invented)", 10),
)
CSP = ("9990009990000", "Windmill Advisors (invented)")
#: One password for every made login: an Argon2 hash each would take longer than everything else.
PASSWORD = "made-market-1"
FIRMWARE = "ATB-1.0"
_STREETS = ("PECAN BEND", "CALICHE", "MOCKINGBIRD", "LIVE OAK", "BLANCO VISTA", "WINDMILL", "MESQUITE", "BLUEBONNET")
_LOAD_ZONES = {
    "NCENT": "LZ_NORTH",
    "NORTH": "LZ_NORTH",
    "EAST": "LZ_NORTH",
    "COAST": "LZ_HOUSTON",
    "SCENT": "LZ_SOUTH",
    "SOUTH": "LZ_SOUTH",
    "WEST": "LZ_WEST",
    "FWEST": "LZ_WEST",
}
#: Of so many premises one: switched its retailer within the last year, was moved out of, lets the CSP look, lacks something.
_SWITCHED, _MOVED, _AGREED, _ODD = 9, 13, 25, 100
_LACKS = ("ams", "provisioned", "receiving", "lse", "energized")
#: Every month has it.
_LAST_READ_DAY = 28
_HISTORY_DAYS = 730


def load_zone(weather_zone: str) -> str:
    """The ERCOT load zone of a weather zone; Houston for one that is not in the table."""
    return _LOAD_ZONES.get(weather_zone, "LZ_HOUSTON")


def address(index: int) -> str:
    """An invented street address."""
    return f"{100 + 7 * index} {_STREETS[index % len(_STREETS)]} LN"


def seeded_registry(tdsp_key: str, seed: int, count: int, today: date) -> Registry:
    """The registry of ``count`` premises: those of ``premises.make_premise`` with the market's mix, ordinals from 0.

    Raises MeterError for a TDSP that there is none of, or a count that is out of range. Ten thousand take about half a second.
    """
    company = tdsp(tdsp_key)
    columns = PremiseArrays.generate(seed, company, count, mix=MARKET)
    factors = multipliers(columns.curves, columns.hashes).tolist()
    classes = (columns.curves % len(CLASSES)).tolist()
    since = today - timedelta(days=_HISTORY_DAYS)
    hashed = hash_password(PASSWORD)
    points: list[ServicePoint] = []
    periods: list[RorPeriod] = []
    users = _companies(company, hashed)
    occupancies: list[Occupancy] = []
    agreements: list[Agreement] = []
    devices: list[HanDevice] = []
    for ordinal, bits in enumerate(columns.hashes.tolist()):
        business = CLASSES[classes[ordinal]] in BUSINESS_CLASSES
        point = _point(company, seed, ordinal, bits, since, factors[ordinal], business, bool(columns.solar_w[ordinal]))
        points.append(point)
        periods += _periods(point.esiid, bits, since, today)
        username = f"customer.{ordinal + 1}"
        users.append(
            User(
                username,
                hashed,
                UserKind.CUSTOMER,
                requester_class="customer",
                first_name="Customer",
                last_name=str(ordinal + 1),
                email=f"{username}@example.com",
            )
        )
        moved = today - timedelta(days=bits // 7 % 300) if bits % _MOVED == 1 else None
        occupancies.append(Occupancy(point.esiid, username, since, moved))
        if bits % _AGREED == 2:
            agreements.append(Agreement(point.esiid, CSP[0], today - timedelta(days=365), None, username))
        devices += made_devices(point.esiid, since)
    return Registry(
        points,
        _entities(company),
        periods,
        users,
        occupancies=occupancies,
        agreements=agreements,
        han_devices=devices,
    )


def _point(
    company: Tdsp, seed: int, ordinal: int, bits: int, since: date, multiplier: int, business: bool, roof: bool
) -> ServicePoint:
    number = make_meter_number(seed, ordinal)
    installed = since - timedelta(days=bits // 3 % 2000)
    point = ServicePoint(
        make_esiid(company, seed, ordinal),
        number,
        company.key,
        multiplier=multiplier,
        address=address(ordinal),
        city="EXAMPLE",
        zip_code=f"{75000 + ordinal % 5000:05d}",
        county="EXAMPLE",
        load_zone=load_zone(company.zone),
        weather_zone=company.zone,
        premise_type="Commercial" if business else "Residential",
        customer=f"CUSTOMER {ordinal + 1}",
        read_day=read_day(bits),
        attributes=installed_meter(
            number,
            company.key,
            installed,
            multiplier=multiplier,
            three_phase=business,
            generates=roof,
            firmware=FIRMWARE,
        ),
    )
    if bits % _ODD == 3:
        lacks = _LACKS[bits // _ODD % len(_LACKS)]
        point = replace(point, **{lacks: False})  # type: ignore[arg-type]
    return point


def read_day(bits: int) -> int:
    """The day of the month on which a premise is read for billing: one of 21 cycles."""
    return 1 + bits // 11 % 21


def read_day_from(first: date) -> int:
    """The read day whose billing period begins on ``first``, or on the 1st where that month's last days are no read days."""
    return first.day if first.day <= _LAST_READ_DAY else 1


def _periods(esiid: str, bits: int, since: date, today: date) -> list[RorPeriod]:
    now = _retailer(bits)
    if bits % _SWITCHED:
        return [RorPeriod(esiid, now, since)]
    switched = today - timedelta(days=bits // 5 % 365)
    others = [duns for duns, _, _ in RETAILERS if duns != now]
    before = others[bits // 17 % len(others)]
    return [RorPeriod(esiid, before, since, switched - timedelta(days=1)), RorPeriod(esiid, now, switched)]


def _retailer(bits: int) -> str:
    drawn = bits // 19 % 100
    for duns, _, share in RETAILERS:
        drawn -= share
        if drawn < 0:
            return duns
    raise AssertionError("the shares are a hundred")


def _entities(company: Tdsp) -> list[Entity]:
    wires = Entity(company.duns, company.name, EntityKind.TDSP, company.key)
    return [wires, *(Entity(duns, name, EntityKind.ROR) for duns, name, _ in RETAILERS), Entity(*CSP, EntityKind.CSP)]


def _companies(company: Tdsp, hashed: str) -> list[User]:
    rors = [User(f"ror.{number}", hashed, UserKind.ROR, duns) for number, (duns, _, _) in enumerate(RETAILERS, 1)]
    return [
        *rors,
        User(f"{company.key.lower()}.headend", hashed, UserKind.TDSP, company.duns),
        User("csp.1", hashed, UserKind.CSP, CSP[0], requester_class="csp"),
    ]

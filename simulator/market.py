"""The market around a world's meters: TDSP, retailers, the customer, their log-ins, and service points that break an assumption each.

Every name, number and password here is invented and printed by the sandbox; none of it guards anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from meters.faults.kinds import KINDS, FaultKind
from meters.identity import esiid_hash, make_esiid, make_meter_number
from meters.meter import EmulatedMeter
from meters.premises import BUSINESS_CLASSES
from simulator.smt.auth import hash_password
from simulator.smt.han import HanDevice, made_devices
from simulator.smt.meter_attributes import installed_meter
from simulator.smt.registry import Entity, EntityKind, Registry, RorPeriod, ServicePoint, User, UserKind
from simulator.smt.registry_seed import address, load_zone, read_day, read_day_from
from simulator.world import OTHER_ROR_DUNS, ROR_DUNS, World


@dataclass(frozen=True, slots=True)
class Login:
    """What someone needs to log in."""

    username: str
    password: str
    duns: str = ""


ROR_LOGIN = Login("pecanbend.api", "pecan-bend-1", ROR_DUNS)
OTHER_ROR_LOGIN = Login("saltfork.api", "salt-fork-1", OTHER_ROR_DUNS)
CUSTOMER_LOGIN = Login("customer.one", "customer-one-1")


def tdsp_login(world: World) -> Login:
    """The log-in of the world's TDSP, for its file folder."""
    return Login(f"{world.tdsp.key.lower()}.headend", "head-end-1", world.tdsp.duns)


#: Service points beyond the meters: what they lack, and what a tester should expect.
SPECIALS: tuple[tuple[str, str], ...] = (
    ("ams", "no AMS meter: an on-demand request is refused (A1)"),
    ("provisioned", "meter not provisioned: refused (A2)"),
    ("receiving", "SMT does not receive its usage: refused (A3)"),
    ("lse", "SMT does not receive LSE for it: refused (A4)"),
    ("energized", "de-energised: refused"),
)


@dataclass(frozen=True, slots=True)
class Market:
    """The registry, and the notes on its special ESI IDs: (ESI ID, meter number, what is special)."""

    registry: Registry
    tdsp_login: Login
    notes: tuple[tuple[str, str, str], ...]


def build_market(world: World) -> Market:
    """Register a world: the first gateway's meters are served by the one retailer, all others by the other."""
    company, key = tdsp_login(world), world.tdsp.key
    since = world.spec.first_day - timedelta(days=730)
    devices: list[HanDevice] = []
    points: list[ServicePoint] = []
    periods: list[RorPeriod] = []
    faulty: dict[str, FaultKind] = {}
    for fault in world.faults:
        faulty.setdefault(fault.esiid, fault.kind)
    notes: list[tuple[str, str, str]] = []
    for gateway, units in enumerate(world.gateways):
        duns = ROR_DUNS if gateway == 0 or gateway >= world.spec.gateways else OTHER_ROR_DUNS
        for meter in units.values():
            identity = meter.identity
            # The customer's own premise has a device to look at.
            devices += made_devices(identity.esiid, since, at_least=0 if points else 1)
            points.append(replace(_metered(len(points), meter, key, since), access_point=gateway))
            periods.append(RorPeriod(identity.esiid, duns, since))
            if gateway == 0 and identity.esiid in faulty:
                notes.append((identity.esiid, identity.meter_number, _fault_note(faulty[identity.esiid])))
    # Of these two a whole billing period is posted from the beginning, so that monthly billing has an answer.
    points[:2] = [replace(one, read_day=read_day_from(world.spec.first_day)) for one in points[:2]]
    first, second = points[0], points[1]
    ordinary = [
        (point.esiid, point.meter_number, _fault_note(faulty.get(point.esiid)) + whose)
        for point, whose in ((first, "; the customer's own"), (second, ""))
    ]
    notes = [note for note in notes if note[0] not in (first.esiid, second.esiid)]
    if len(world.gateways) > 1:
        foreign = next(iter(world.gateways[1].values())).identity
        notes.append((foreign.esiid, foreign.meter_number, "served by another retailer: unknown to ror"))
    for ordinal, (lacks, note) in enumerate(SPECIALS, world.spec.meters + 1):
        esiid, number = make_esiid(world.tdsp, world.seed, ordinal), make_meter_number(world.seed, ordinal)
        point = _point(len(points), esiid, number, key, world.tdsp.zone)
        point = replace(point, attributes=installed_meter(number, key, since))
        points.append(replace(point, **{lacks: False}))  # type: ignore[arg-type]
        periods.append(RorPeriod(esiid, ROR_DUNS, since))
        notes.append((esiid, number, note))
    for gateway_units in world.gateways[world.spec.gateways :]:
        identities = [meter.identity for meter in gateway_units.values()]
        notes += [(one.esiid, one.meter_number, world.special[one.esiid]) for one in identities]
    entities = [
        Entity(company.duns, world.tdsp.name, EntityKind.TDSP, key),
        Entity(ROR_DUNS, "Pecan Bend Power (invented)", EntityKind.ROR),
        Entity(OTHER_ROR_DUNS, "Salt Fork Energy (invented)", EntityKind.ROR),
    ]
    users = [
        _user(ROR_LOGIN, UserKind.ROR),
        _user(OTHER_ROR_LOGIN, UserKind.ROR),
        _user(company, UserKind.TDSP),
        replace(
            _user(CUSTOMER_LOGIN, UserKind.CUSTOMER),
            esiids=(first.esiid,),
            requester_class="customer",
            first_name="Customer",
            last_name="One",
            email="customer.one@example.com",
        ),
    ]
    registry = Registry(points, entities, periods, users, han_devices=devices)
    return Market(registry, company, (*ordinary, *notes))


def _metered(index: int, meter: EmulatedMeter, tdsp_key: str, since: date) -> ServicePoint:
    """The service point of an emulated meter: what SMT tells of it is what the meter is."""
    identity, premise = meter.identity, meter.premise
    point = _point(index, identity.esiid, identity.meter_number, tdsp_key, premise.zone)
    return replace(
        point,
        multiplier=identity.multiplier,
        premise_type="Commercial" if premise.klass in BUSINESS_CLASSES else "Residential",
        attributes=installed_meter(
            identity.meter_number,
            tdsp_key,
            since,
            multiplier=identity.multiplier,
            three_phase=identity.three_phase,
            generates=premise.solar_w > 0,
            firmware=identity.firmware,
        ),
    )


_FAULT_NOTES = {
    FaultKind.GAP: "the meter lost intervals: VEE estimated them",
    FaultKind.SPIKE: "the meter reported a spike: VEE took it out",
    FaultKind.DEAD: "the meter is dead: an on-demand read fails after its retries and the day's allowance comes back",
}


def _fault_note(kind: FaultKind | None) -> str:
    """What a tester should know of a meter with that fault."""
    if kind is None:
        return "ordinary"
    does = KINDS[kind].does
    return _FAULT_NOTES.get(kind, f"{does[0].lower()}{does[1:-1]}")


def _user(login: Login, kind: UserKind) -> User:
    return User(login.username, hash_password(login.password), kind, login.duns)


def _point(index: int, esiid: str, meter_number: str, tdsp_key: str, zone: str) -> ServicePoint:
    return ServicePoint(
        esiid=esiid,
        meter_number=meter_number,
        tdsp_key=tdsp_key,
        address=address(index),
        city="EXAMPLE",
        zip_code=f"{75000 + index:05d}",
        county="EXAMPLE",
        load_zone=load_zone(zone),
        weather_zone=zone,
        customer=f"CUSTOMER {index + 1}",
        read_day=read_day(esiid_hash(esiid)),
    )

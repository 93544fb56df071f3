"""The market around a world's meters: TDSP, retailers, the customer, their log-ins, and service points that break an assumption each.

Every name, number and password here is invented and printed by the sandbox; none of it guards anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from meters.calendar import day_of
from meters.device.meter import EmulatedMeter
from meters.faults.kinds import KINDS, FaultKind
from meters.identity import esiid_hash, make_esiid, make_meter_number
from meters.load.premises import BUSINESS_CLASSES
from simulator.errors import SimulatorError
from simulator.smt.registry.csv_files import read_registry, registry_faults
from simulator.smt.registry.han import HanDevice, made_devices
from simulator.smt.registry.meter_attributes import MeterAttributes, installed_meter
from simulator.smt.registry.passwords import hash_password, password_is
from simulator.smt.registry.records import (
    Agreement,
    Entity,
    EntityKind,
    MeterExchange,
    Occupancy,
    PointMeter,
    RorPeriod,
    ServicePoint,
    UsageFormat,
    User,
    UserKind,
)
from simulator.smt.registry.registry import Registry
from simulator.smt.registry.seeded import CSP, address, load_zone, read_day, read_day_from
from simulator.world.market_spec import FIRST_CUSTOMER, OTHER_ROR_DUNS, ROR_DUNS, RORS, MarketSpec
from simulator.world.meters import World, WorldSpec


@dataclass(frozen=True, slots=True)
class Login:
    """What someone needs to log in."""

    username: str
    password: str
    duns: str = ""


ROR_LOGIN = Login("pecanbend.api", "pecan-bend-1", ROR_DUNS)
OTHER_ROR_LOGIN = Login("saltfork.api", "salt-fork-1", OTHER_ROR_DUNS)
CUSTOMER_LOGIN = Login(FIRST_CUSTOMER, "customer-one-1")
CSP_LOGIN = Login("windmill.api", "windmill-1", CSP[0])


def logins(spec: MarketSpec) -> dict[str, Login]:
    """Who may act in a scenario, by username: RORs, CSP, customers. A registry from files must have those that act."""
    others = {
        FIRST_CUSTOMER,
        *(occupancy.customer for occupancy in spec.occupancies),
        *(agreement.customer for agreement in spec.agreements),
        *spec.classes,
    }
    known = {login.username: login for login in (ROR_LOGIN, OTHER_ROR_LOGIN, CSP_LOGIN)}
    duns = {username.partition(".")[0]: login.duns for username, login in known.items()}
    named = (
        Login(username, f"{username.replace('.', '-')}-1", duns.get(username.partition(".")[0], ""))
        for username in sorted(others - {*known})
    )
    return known | {login.username: login for login in named}


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
    #: Every log-in, by role; a customer beyond the first by name.
    logins: dict[str, Login]


def recorded_since(spec: WorldSpec) -> date:
    """The day on which a made registry begins: 24 months of history lie before the first operating day."""
    return spec.first_day - timedelta(days=730)


def first_ror(spec: WorldSpec, ordinal: int) -> str:
    """DUNS number of the ROR that is of record at a service point before any switch: the one has the first gateway's meters and what lies behind the
    world's own, the other all between."""
    return OTHER_ROR_DUNS if spec.per_gateway < ordinal <= spec.meters else ROR_DUNS


def build_market(world: World) -> Market:
    """Register a world: the first gateway's meters are served by the one retailer, all others by the other; then what its spec says of the market.

    Raises SimulatorError for a folder of files that is no registry of this world.
    """
    spec = world.spec.market
    if spec.registry is not None:
        for fault in foreign_registry(world):
            raise fault
        return _market(world, read_registry(spec.registry), ())
    since = recorded_since(world.spec)
    metered = list(_metered_points(world, since))
    points = [*metered, *_special_points(world, since, len(metered))]
    registry = Registry(
        points,
        _entities(world),
        list(_periods(world, points, since)),
        _users(world, points[0].esiid),
        occupancies=_occupancies(world, since),
        agreements=_agreements(world),
        han_devices=list(_han_devices(world, since)),
        exchanges=list(_exchanges(world)),
        other_meters=list(_other_meters(world, metered, since)),
    )
    return _market(world, registry, tuple(_notes(world, points, len(metered))))


def _market(world: World, registry: Registry, notes: tuple[tuple[str, str, str], ...]) -> Market:
    tdsp = tdsp_login(world)
    roles = {ROR_LOGIN: "ror", OTHER_ROR_LOGIN: "other_ror", CSP_LOGIN: "csp", CUSTOMER_LOGIN: "customer", tdsp: "tdsp"}
    known = dict.fromkeys([*roles, *logins(world.spec.market).values()])
    there = {roles.get(one, one.username): one for one in known if one.username in registry.users}
    return Market(registry, tdsp, notes, there)


def _metered_points(world: World, since: date) -> Iterator[ServicePoint]:
    """The service points of the meters, in their order, each as it is told to differ: of two at an ESI ID that of the first."""
    lacking = {one.meter: one.model_dump(exclude={"meter"}) for one in world.spec.market.service_points}
    first: dict[str, tuple[int, int, EmulatedMeter]] = {}
    for ordinal, (gateway, _, meter) in enumerate(world.placed, 1):
        first.setdefault(meter.identity.esiid, (ordinal, gateway, meter))
    for index, (ordinal, gateway, meter) in enumerate(first.values()):
        point = replace(_metered(index, meter, world.tdsp.key, since), access_point=gateway)
        if ordinal <= 2:
            # Of these two a whole billing period is posted from the beginning, so that monthly billing has an answer.
            point = replace(point, read_day=read_day_from(world.spec.first_day))
        yield replace(point, **lacking.get(ordinal, {}))


def _other_meters(world: World, metered: list[ServicePoint], since: date) -> Iterator[PointMeter]:
    """The meters that measure a service point beside its first."""
    first = {(point.esiid, point.meter_number) for point in metered}
    for meter in world.meters:
        one, key = meter.identity, world.tdsp.key
        if (one.esiid, one.meter_number) not in first:
            attributes = _attributes(meter, one.meter_number, key, since)
            yield PointMeter(one.esiid, one.meter_number, one.multiplier, attributes)


def _special_points(world: World, since: date, meters: int) -> Iterator[ServicePoint]:
    """A service point for each of ``SPECIALS``, behind those of all meters."""
    key = world.tdsp.key
    for index, (lacks, _) in enumerate(SPECIALS):
        ordinal = world.spec.meters + 1 + index
        esiid, number = make_esiid(world.tdsp, world.seed, ordinal), make_meter_number(world.seed, ordinal)
        point = _point(meters + index, esiid, number, key, world.tdsp.zone)
        yield replace(point, attributes=installed_meter(number, key, since), **{lacks: False})  # type: ignore[arg-type]


def _notes(world: World, points: list[ServicePoint], metered: int) -> Iterator[tuple[str, str, str]]:
    """What a tester should know: two ordinary ones, the first gateway's faulty ones, the other retailer's first, those that lack something, the magic."""
    faulty: dict[str, FaultKind] = {}
    for fault in world.faults:
        faulty.setdefault(fault.esiid, fault.kind)
    for ordinal, point in enumerate(points[: max(2, len(world.gateways[0]))], 1):
        if ordinal <= 2 or point.esiid in faulty:
            own = "; the customer's own" if ordinal == 1 else ""
            yield point.esiid, point.meter_number, _fault_note(faulty.get(point.esiid)) + own
    if world.spec.gateways > 1:
        foreign = next(iter(world.gateways[1].values())).identity
        yield foreign.esiid, foreign.meter_number, "served by another retailer: unknown to ror"
    for point, (_, note) in zip(points[metered:], SPECIALS, strict=True):
        yield point.esiid, point.meter_number, note
    # Behind the last gateway may be the magic ESI IDs.
    for units in world.gateways[world.spec.gateways :]:
        for meter in units.values():
            yield meter.identity.esiid, meter.identity.meter_number, world.special[meter.identity.meter_number]


def _entities(world: World) -> list[Entity]:
    files, company = world.spec.market.usage_files, tdsp_login(world)
    rors = ((ROR_DUNS, "Pecan Bend Power (invented)"), (OTHER_ROR_DUNS, "Salt Fork Energy (invented)"))
    return [
        Entity(company.duns, world.tdsp.name, EntityKind.TDSP, world.tdsp.key),
        *(Entity(duns, name, EntityKind.ROR, usage_files=files.get(duns, UsageFormat.LSE)) for duns, name in rors),
        *([Entity(*CSP, EntityKind.CSP)] if world.spec.market.agreements else []),
    ]


def _users(world: World, first: str) -> list[User]:
    """Who logs in. first: ESI ID of the first meter, the first customer's unless its occupancies are told: then those are all."""
    spec = world.spec.market
    known = logins(spec).values()
    users = [_user(login, UserKind.ROR) for login in known if login.duns in RORS]
    users.append(_user(tdsp_login(world), UserKind.TDSP))
    if spec.agreements:
        users.append(replace(_user(CSP_LOGIN, UserKind.CSP), requester_class="csp"))
    owned = () if any(occupancy.meter == 1 for occupancy in spec.occupancies) else (first,)
    customers = (login for login in known if not login.duns)
    users += [
        replace(
            _customer(customer, owned if customer == CUSTOMER_LOGIN else ()),
            onboarded=customer.username in spec.onboarded,
        )
        for customer in customers
    ]
    return [replace(one, requester_class=spec.classes.get(one.username, one.requester_class)) for one in users]


def foreign_registry(world: World) -> Iterator[SimulatorError]:
    """What keeps the folder of files that a world names from being its registry, the faults of the files first."""
    folder = world.spec.market.registry
    assert folder is not None
    faults = registry_faults(folder)
    yield from faults
    if faults:
        return
    registry = read_registry(folder)

    def fault(file: str, text: str, mend: str) -> SimulatorError:
        return SimulatorError("market.registry", text, str(folder / file), mend)

    for meter in world.meters:
        identity = meter.identity
        point = registry.points.get(identity.esiid)
        here = [] if point is None else [(point.tdsp_key, one.meter_number) for one in registry.meters(point)]
        if (world.tdsp.key, identity.meter_number) not in here:
            text = f"Meter {identity.meter_number} of {world.tdsp.key} at ESI ID {identity.esiid} is not in it."
            yield fault(
                "service_points.csv", text, "Write the world's own with 'ami scenario registry', and change that."
            )
            return
    for login, kind in ((tdsp_login(world), UserKind.TDSP), (ROR_LOGIN, UserKind.ROR)):
        user = registry.users.get(login.username)
        if user is None or (user.kind, user.duns) != (kind, login.duns) or not password_is(user, login.password):
            text = f"The log-in {login.username} of {login.duns}, password {login.password}, is not in it."
            yield fault("users.csv", text, "Add it: the parties of a scenario log in so.")


def _periods(world: World, points: list[ServicePoint], since: date) -> Iterator[RorPeriod]:
    """Who is of record from when to when: each switch ends what was before it."""
    spec, ordinals = world.spec, dict[str, int]()
    for ordinal, meter in enumerate(world.meters, 1):
        ordinals.setdefault(meter.identity.esiid, ordinal)
    for point in points:
        ordinal = ordinals.get(point.esiid, spec.meters + 1)
        duns, first = first_ror(spec, ordinal), since
        switches = (one for one in spec.market.switches if one.meter == ordinal)
        for switch in sorted(switches, key=lambda one: one.effective):
            yield RorPeriod(point.esiid, duns, first, switch.effective - timedelta(days=1))
            duns, first = switch.to, switch.effective
        yield RorPeriod(point.esiid, duns, first)


def _occupancies(world: World, since: date) -> list[Occupancy]:
    return [
        Occupancy(world.esiid(one.meter), one.customer, one.move_in or since, one.move_out)
        for one in world.spec.market.occupancies
    ]


def _agreements(world: World) -> list[Agreement]:
    return [
        Agreement(world.esiid(one.meter), CSP[0], one.first_day, one.last_day, one.customer)
        for one in world.spec.market.agreements
    ]


def _han_devices(world: World, since: date) -> Iterator[HanDevice]:
    for index, esiid in enumerate(dict.fromkeys(meter.identity.esiid for meter in world.meters)):
        # The customer's own premise has a device to look at.
        yield from made_devices(esiid, since, at_least=0 if index else 1)


def _exchanges(world: World) -> Iterator[MeterExchange]:
    for meter in world.meters:
        for known, number in world.exchanges(meter):
            attributes = _attributes(meter, number, world.tdsp.key, day_of(known - 1))
            yield MeterExchange(meter.identity.esiid, number, day_of(known), attributes)


def _customer(login: Login, esiids: tuple[str, ...]) -> User:
    name = login.username.removeprefix("customer.")
    return replace(
        _user(login, UserKind.CUSTOMER),
        esiids=esiids,
        requester_class="customer",
        first_name="Customer",
        last_name=name.capitalize(),
        email=f"{login.username}@example.com",
    )


def _metered(index: int, meter: EmulatedMeter, tdsp_key: str, since: date) -> ServicePoint:
    """The service point of an emulated meter: what SMT tells of it is what the meter is."""
    identity, premise = meter.identity, meter.premise
    point = _point(index, identity.esiid, identity.meter_number, tdsp_key, premise.zone)
    return replace(
        point,
        multiplier=identity.multiplier,
        premise_type="Commercial" if premise.klass in BUSINESS_CLASSES else "Residential",
        attributes=_attributes(meter, identity.meter_number, tdsp_key, since),
    )


def _attributes(meter: EmulatedMeter, number: str, tdsp_key: str, installed: date) -> MeterAttributes:
    """What SMT tells of a meter of that number at the place of ``meter``: an exchange brings one of the same kind."""
    return installed_meter(
        number,
        tdsp_key,
        installed,
        multiplier=meter.identity.multiplier,
        three_phase=meter.identity.three_phase,
        generates=meter.premise.solar_w > 0,
        firmware=meter.identity.firmware,
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

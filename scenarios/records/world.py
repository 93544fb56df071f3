"""The world and the policy of a run, as far as a verdict or a report rests on them."""

from __future__ import annotations

from typing import Annotated

from scenarios.records.values import CODE, Count, Day, Instant, Record
from simulator.ror.billing.plan import RatePlan
from simulator.smt.throttle.limits import Source


class Login(Record):
    """The retailer's log-in at SMT."""

    username: str
    duns: str


class ServicePoint(Record):
    """What SMT's registry says of the ESI ID: A1 to A4, and who serves it."""

    ams: bool
    provisioned: bool
    receiving: bool
    lse: bool
    ror_of_record: str | None
    ror_name: str | None


class RorDay(Record):
    """What a file holds of the ESI ID's consumption."""

    day: Day
    wh: Count


class RorFile(Record):
    """An LSE file in the retailer's own folder."""

    file: str
    records: Count
    faults: Count
    days: list[RorDay]
    foreign: list[str]


class Fault(Record):
    """A fault of a meter, from the ledger of faults."""

    esiid: str
    kind: str
    first_end_local: Instant
    last_end_local: Instant


class Premise(Record):
    """What a run knows of an account: its ESI ID, its plan, its retailer, who serves it."""

    esiid: str
    plan: str
    #: An old recording may lack the plan's terms, which the chart of the cost is drawn from.
    plan_terms: RatePlan | None = None
    ror: Login
    service_point: ServicePoint
    #: A recording from before RORs had files of their own has none.
    ror_files: list[RorFile] | None = None


class World(Record):
    """World of the run."""

    tdsp: str
    meters: int
    faults: list[Fault]
    #: By the account's id.
    accounts: dict[str, Premise]


class Policy(Record):
    """Throttle of the run."""

    name: str
    title: str
    source: Annotated[Source, CODE]

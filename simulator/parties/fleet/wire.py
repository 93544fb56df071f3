"""What the control API's part for meters says on the wire."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from headend.wire import Instant
from meters.faults.kinds import Channel, FaultKind, Span

#: Kinds that say what has always been, which nothing can be switched to.
NEVER = {Span.ALWAYS}


class Health(StrEnum):
    """How a meter does."""

    OK = "ok"
    #: It answers at times, late or wrongly.
    FLAKY = "flaky"
    #: It does not answer now.
    DEAD = "dead"
    #: It answers as it should, and something else is wrong with it.
    FAULTY = "faulty"


class FaultAsked(BaseModel):
    """A fault to switch on."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "dead", "esiid": "10443729924385485"}]}
    )

    kind: FaultKind
    esiid: str = Field(pattern=r"^[0-9]{1,22}$", examples=["10443729924385485"])
    meterNumber: str | None = Field(default=None, max_length=32, description="Where two meters are at the ESI ID.")
    first: Instant | None = Field(default=None, description="Begins then, not before now; now unless given.")
    until: Instant | None = Field(
        default=None, description="Is over then; lasts until it is switched off unless given."
    )
    params: dict[str, float] = Field(
        default_factory=dict, description="As its kind takes them.", examples=[{"factor": 40}]
    )
    channel: Channel | None = Field(default=None, description="Of a fault of intervals: which channels it takes.")


class FaultState(BaseModel):
    """A fault of a meter that is or will be."""

    id: str = Field(examples=["fault-1"])
    active: bool = Field(description="Whether it acts now.")
    kind: FaultKind
    does: str
    esiid: str
    meterNumber: str
    first: str | None = Field(description="Null: it has always been.")
    until: str | None = Field(description="Null: until it is switched off.")
    params: dict[str, float]
    declared: bool = Field(description="Whether it was there from the beginning; else it was switched on here.")
    lasting: bool = Field(
        description="Whether it has always been, or happens at an instant: then it cannot be switched off."
    )


class FaultList(BaseModel):
    """Faults that are or will be, by id."""

    faults: list[FaultState]


class MeterTold(BaseModel):
    """How one meter does."""

    esiid: str
    meterNumber: str
    gateway: int = Field(description="From 1 on.")
    unit: int = Field(description="Modbus unit id.")
    state: Health
    faults: list[FaultKind] = Field(description="That act now.")
    note: str = Field(description="What a magic ESI ID does; empty for others.")


class MeterList(BaseModel):
    """The meters of this process."""

    at: str
    counts: dict[Health, int] = Field(description="Of all of them.")
    meters: list[MeterTold] = Field(description="Of these those that were asked for.")
    leftOut: int


class MetersAsked(BaseModel):
    """Which meters. A name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    state: Health | None = Field(default=None, description="That do so.")
    esiid: str | None = Field(default=None, pattern=r"^[0-9]{1,22}$")
    most: int = Field(default=100, ge=0, le=10_000, description="Given at most.")
    skip: int = Field(default=0, ge=0, le=1_000_000, description="So many are left out before: to page on.")


class LoginTold(BaseModel):
    """A log-in of the test bed's own."""

    role: str = Field(examples=["customer"])
    username: str
    password: str = Field(description="Invented, as everything here; of this test bed alone.")
    duns: str = Field(description="Empty for who has none.")


class SpecialTold(BaseModel):
    """An ESI ID with something special."""

    esiid: str
    meterNumber: str
    note: str = Field(description="What it does.")


class BedTold(BaseModel):
    """The test bed: where each part is, who may log in, which ESI IDs are special."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "smtUrl": "http://127.0.0.1:8600",
                    "headendUrl": "http://127.0.0.1:8610",
                    "rorUrl": "http://127.0.0.1:8650",
                    "ftpsHost": "127.0.0.1",
                    "ftpsPort": 8621,
                    "policy": "smt-today",
                    "veePreset": "oncor",
                    "keysFile": "/home/tester/ami-out/sandbox/keys.json",
                    "logins": [
                        {"role": "customer", "username": "customer.one", "password": "customer-one-1", "duns": ""}
                    ],
                    "esiids": [
                        {
                            "esiid": "10443729924385485",
                            "meterNumber": "907055285",
                            "note": "ordinary; the customer's own",
                        }
                    ],
                }
            ]
        }
    )

    smtUrl: str
    headendUrl: str
    rorUrl: str = Field(description="Empty without a retailer's desk.")
    ftpsHost: str
    ftpsPort: int
    policy: str = Field(description="The throttle.")
    veePreset: str
    keysFile: str = Field(description="With the keys of the links, on its machine.")
    logins: list[LoginTold]
    esiids: list[SpecialTold]

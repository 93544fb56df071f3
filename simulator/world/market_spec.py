"""The market of a world as a scenario says it: switches of ROR, move-ins and move-outs, agreements, what a service point lacks, files of RORs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from simulator.input.mistakes import did_you_mean, shown_value
from simulator.smt.registry.records import UsageFormat
from simulator.smt.throttle.limits import RequesterClass

#: The retailers of every made world: of record for the first gateway's meters, and for all others.
ROR_DUNS, OTHER_ROR_DUNS = "9990001110000", "9990002220000"
RORS = (ROR_DUNS, OTHER_ROR_DUNS)
#: The customer of the first meter.
FIRST_CUSTOMER = "customer.one"


def _of_a_ror(duns: str) -> str:
    if duns not in RORS:
        raise ValueError(f"no ROR of the world has the DUNS number '{duns}'; {did_you_mean(duns, RORS)}")
    return duns


def _written_day(value: Any) -> Any:
    if isinstance(value, (str, date)):
        return value
    raise ValueError(f"{shown_value(value)} is no day; write it as 2026-08-12")


RorDuns = Annotated[str, AfterValidator(_of_a_ror)]
Day = Annotated[date, BeforeValidator(_written_day)]
#: A customer's log-in.
Customer = Annotated[str, Field(pattern=r"^customer\.[a-z0-9]{1,32}$", description="A log-in, customer.one.")]


#: What a log-in of each company, or of a customer, may be counted as.
_CLASSES = {
    **dict.fromkeys(("pecanbend", "saltfork"), (RequesterClass.ROR_CALL_CENTRE, RequesterClass.ROR_BULK)),
    "customer": (RequesterClass.CUSTOMER, RequesterClass.HOME_AUTOMATION),
}
Who = Annotated[str, Field(pattern=rf"^({'|'.join(_CLASSES)})\.[a-z0-9]{{1,32}}$")]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _OfMeter(_Spec):
    meter: int = Field(ge=1, strict=True, description="Ordinal of the meter, from 1 on.")


class SwitchSpec(_OfMeter):
    """A switch of ROR: another one is of record from the midnight that begins ``effective``."""

    to: RorDuns
    effective: Day


class OccupancySpec(_OfMeter):
    """A customer lives at a premise, move-in and move-out day included. Of a meter that has one, these are all."""

    customer: Customer
    move_in: Day | None = None
    move_out: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.move_in is not None and self.move_out is not None and self.move_out < self.move_in:
            raise ValueError(f"the move-out on {self.move_out} comes before the move-in on {self.move_in}")
        return self


class AgreementSpec(_OfMeter):
    """A customer lets the CSP see days of the premise, both included; no longer than they live there."""

    customer: Customer
    first_day: Day
    last_day: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError(f"the agreement ends on {self.last_day}, before it begins on {self.first_day}")
        return self


class ServicePointSpec(_OfMeter):
    """What SMT's records say of a service point that is not as the others (A1 to A4)."""

    ams: bool = True
    provisioned: bool = True
    receiving: bool = True
    lse: bool = True
    energized: bool = True


class MarketSpec(_Spec):
    """The market around a world's meters, as far as it is not as every world's."""

    switches: tuple[SwitchSpec, ...] = ()
    occupancies: tuple[OccupancySpec, ...] = ()
    agreements: tuple[AgreementSpec, ...] = ()
    service_points: tuple[ServicePointSpec, ...] = ()
    usage_files: dict[RorDuns, UsageFormat] = Field(
        default_factory=dict, description="By DUNS number of a ROR, the files that it gets of what is posted."
    )
    onboarded: tuple[Customer, ...] = Field(
        default=(), description="Customers who may use the market API for their own ESI IDs."
    )
    classes: dict[Who, RequesterClass] = Field(
        default_factory=dict,
        description="By log-in, what policies count it as; one that a retailer does not have yet is another of its own.",
    )
    registry: Path | None = Field(
        default=None, description="A folder of CSV files that is the registry, instead of one made for the world."
    )

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        for name, counted in self.classes.items():
            if counted not in (known := _CLASSES[name.partition(".")[0]]):
                raise ValueError(f"{name} is no log-in of class {counted}; choose {' or '.join(known)}")
        return self

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        said = [name for name in type(self).model_fields if name != "registry" and getattr(self, name)]
        if self.registry is not None and said:
            raise ValueError(f"the registry's folder says {said[0]} too; leave one out")
        return self

    @property
    def named(self) -> Iterator[tuple[tuple[str, int], int]]:
        """Each meter that is named: (field and place in it, ordinal)."""
        for field in ("switches", "occupancies", "agreements", "service_points"):
            for place, entry in enumerate(getattr(self, field)):
                yield (field, place), entry.meter

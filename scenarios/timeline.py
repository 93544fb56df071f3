"""The timeline of a scenario: what happens when, and what it is expected to come to."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from meters.calendar import Seconds, local, seconds
from scenarios.requirements import REQUIREMENTS
from simulator.input.mistakes import day_or_time, did_you_mean
from simulator.ror.call.analysis import Question
from simulator.smt.complaints.declared import ComplaintSpec
from simulator.smt.complaints.kinds import ComplaintKind
from simulator.world.market import CUSTOMER_LOGIN, ROR_LOGIN
from simulator.world.meters import World

#: No caller waits and no middle tier takes longer than a day.
DAY_S = 86_400


def _name(text: str) -> str:
    if not text or len(text) > 64 or not set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
        raise ValueError(f"'{text}' is no name; write small letters, digits and hyphens, at most 64")
    return text


def _in_central(when: datetime) -> datetime:
    return when if when.tzinfo is None else local(seconds(when.timestamp()))


Name = Annotated[str, AfterValidator(_name)]
Day = Annotated[date, BeforeValidator(day_or_time)]
#: Central Prevailing Time; what carries an offset is brought to it.
LocalTime = Annotated[datetime, BeforeValidator(day_or_time), AfterValidator(_in_central)]
Duration = Annotated[float, Field(ge=0, le=DAY_S, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class Spec(BaseModel):
    """What is written in a scenario file: nothing beside the fields, and nothing of it changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CallExpectation(Spec):
    """What a balance call must come to. Fields left out are not looked at."""

    outcome: Literal["answered", "refused", "failed", "not_needed"]
    store: Count | None = None
    meter: Count | None = None
    refusal: str | None = None
    before_hang_up: bool | None = None


class StatusExpectation(Spec):
    """What a power status request must come to."""

    outcome: Literal["answered", "refused", "failed"]
    status: Literal["ON", "OFF", "UNKNOWN"] | None = None
    refusal: str | None = None


class ReadExpectation(Spec):
    """What an on-demand read by a retailer or CSP must come to."""

    outcome: Literal["answered", "refused", "failed"]
    code: str | None = Field(default=None, description="Of the refusal, or of the error: AC1, say.")


class PortalExpectation(Spec):
    """What a read through the portal must come to; ``unanswered``: the polls ended without a new read."""

    outcome: Literal["answered", "refused", "failed", "unanswered"]
    refusal: str | None = Field(default=None, description="The portal's statusCode: 5031, 5032, or in words.")
    status: Literal["FAILED", "T-FAILED"] | None = None
    calls: Count | None = Field(default=None, description="Portal calls that it takes, log-in included.")
    reading: Literal["new", "earlier"] | None = Field(
        default=None, description="Whether the reading shown is of the request, or was taken before it."
    )


class RebillExpectation(Spec):
    """Whether the bill told must be within the tolerance of AMB-12."""

    within: bool


class _Action(Spec):
    at: LocalTime
    ref: Name
    verifies: tuple[str, ...] = ()

    @field_validator("verifies")
    @classmethod
    def _known(cls, verifies: tuple[str, ...]) -> tuple[str, ...]:
        for verify in verifies:
            if verify not in REQUIREMENTS:
                raise ValueError(f"there is no requirement '{verify}'; {did_you_mean(verify, REQUIREMENTS)}")
        return verifies


class BalanceCall(_Action):
    """A customer calls about the balance."""

    do: Literal["balance_call"]
    question: Question
    patience_s: Seconds = Field(gt=0, le=DAY_S)
    poll_s: Seconds = Field(default=seconds(5), gt=0, le=DAY_S)
    expect: CallExpectation


class PowerStatus(_Action):
    """The retailer asks for a power status."""

    do: Literal["power_status"]
    login: str = Field(default=ROR_LOGIN.username, description="Who asks: a ROR or the CSP.")
    patience_s: Seconds = Field(default=seconds(180), gt=0, le=DAY_S)
    poll_s: Seconds = Field(default=seconds(5), gt=0, le=DAY_S)
    expect: StatusExpectation


class OnDemandRead(_Action):
    """A retailer or the CSP asks for a plain on-demand read: the register, now."""

    do: Literal["on_demand_read"]
    login: str = Field(default=ROR_LOGIN.username, description="Who asks: a ROR or the CSP.")
    poll_s: Seconds = Field(default=seconds(5), gt=0, le=DAY_S)
    expect: ReadExpectation


class PortalRead(_Action):
    """A customer reads the meter through the portal: by an app, or by home automation as the public client does."""

    do: Literal["portal_read"]
    login: str = Field(default=CUSTOMER_LOGIN.username, description="Who asks: a customer.")
    client: Literal["app", "home_automation", "home_assistant"] = Field(
        default="app",
        description="home_automation does not look at the answer to its request, and polls on after a refusal; home_assistant besides looks at once, and takes whatever read is shown as completed.",
    )
    host: Literal["www.smartmetertexas.com", "smartmetertexas.com"] | None = Field(
        default=None, description="SMT's name that the client asks for; the address itself unless given."
    )
    visits: bool = Field(default=False, description="The client looks at the front page first, and keeps its cookies.")
    poll_s: Seconds = Field(default=seconds(15), gt=0, le=DAY_S)
    polls: int = Field(default=20, gt=0, le=1000)
    expect: PortalExpectation


class Rebill(_Action):
    """The bill of an earlier call once VEE data are in."""

    do: Literal["rebill"]
    of: str
    expect: RebillExpectation


class SameAnswers(_Action):
    """The retailer at the market API and the customer at the portal ask for the same: intervals, daily reads, meter attributes, premise, HAN devices (AC2)."""

    do: Literal["same_answers"]
    login: str = Field(default=CUSTOMER_LOGIN.username, description="The customer at the portal.")
    days: int = Field(default=2, ge=1, le=30, description="Operating days of usage, up to the last one that is posted.")


class ScenarioComplaint(ComplaintSpec):
    """A complaint that is on in its window; ``meters`` names ESI IDs by their meters' ordinals."""

    meters: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.kind is ComplaintKind.HANG:
            raise ValueError("a hang takes wall time, which a scenario's clock does not wait for; use gateway_timeout")
        return self

    def spec(self, world: World) -> ComplaintSpec:
        """It with the ESI IDs of the built world."""
        said = self.model_dump(exclude={"meters"}, exclude_unset=True)
        if self.meters:
            said["esiids"] = (*self.esiids, *(world.esiid(meter) for meter in self.meters))
        return ComplaintSpec.model_validate(said)


class ComplaintAction(_Action):
    """A complaint is declared, or one that was declared is lifted, by the control API in the middle of the run."""

    do: Literal["complaint"]
    declare: ScenarioComplaint | None = None
    lift: str | None = Field(default=None, description="The ref of the action that declared it.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.declare is None) == (self.lift is None):
            raise ValueError("say either what to declare or what to lift")
        return self


Action = Annotated[
    BalanceCall | PowerStatus | OnDemandRead | PortalRead | Rebill | SameAnswers | ComplaintAction,
    Field(discriminator="do"),
]

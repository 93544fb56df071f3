"""A scenario but for what its actions are: the world, the policy, the cast, when files are posted; and what every action has."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from headend.day.times import Apart, DailyTimes
from headend.vee.preset import PostTime, Preset
from headend.vee.quality import Channel
from meters.calendar import Seconds, seconds
from scenarios.parts.expected import Expectation
from scenarios.parts.written import DAY_S, Day, Duration, LocalTime, Name, Requirement, Spec
from simulator.input.mistakes import shown_value
from simulator.input.vee_preset import chosen_preset
from simulator.input.yaml_text import ClockTime
from simulator.ror.account import LONGEST_CYCLE_DAYS, WORTH_ASKING, Account, LastBill, Money, Payment, Zone
from simulator.ror.billing.plan import RatePlan, shipped_plan
from simulator.smt.complaints.declared import ComplaintSpec
from simulator.smt.complaints.kinds import ComplaintKind
from simulator.world.market import CUSTOMER_LOGIN, ROR_LOGIN
from simulator.world.meters import World, WorldSpec

_DELAY = re.compile(r"\+(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def delay(written: Any) -> Seconds | None:
    """Seconds of what is written as ``+1h30m10s``; None for anything else."""
    found = _DELAY.fullmatch(written) if isinstance(written, str) and len(written) > 1 else None
    if found is None:
        return None
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    wait = hours * 3600 + minutes * 60 + rest
    return seconds(wait) if wait <= LONGEST_CYCLE_DAYS * DAY_S else None


def _as_a_file_has_it(schema: dict[str, Any]) -> None:
    """An action that comes after another needs no time, and counts its delay in ``at``."""
    schema["required"].remove("at")
    del schema["properties"]["after_s"]


class Act(Spec):
    """What every action of a timeline has. ``at`` is never later than it begins; one that comes ``after`` another begins when that is over."""

    model_config = ConfigDict(json_schema_extra=_as_a_file_has_it)
    do: str
    at: LocalTime = Field(
        description="Or +15m: so long after the action before, or after the one that 'after' names is over."
    )
    after: Name | None = Field(default=None, description="The ref of the action that must be over.")
    after_s: Seconds = seconds(0)
    ref: Name
    account: str | None = Field(
        default=None, description="The id of the account that it is about; the first one unless given."
    )
    verifies: tuple[Requirement, ...] = ()
    expect: Expectation

    @property
    def lasts(self) -> Seconds:
        """For how long it begins what must be over before the run is; of what is done at once, 0."""
        return seconds(0)


class MiddleSpec(Spec):
    """The middle tier's time, fixed: seconds to the pick-up and back."""

    pickup_s: Duration
    return_s: Duration


class AccountSpec(Spec):
    """The retailer's account of the customer, whose premise is named by its meter's ordinal."""

    account_id: str = Field(min_length=1)
    customer_name: str = Field(min_length=1)
    meter: int = Field(ge=1)
    plan: str | RatePlan = Field(description="A shipped plan, the path of a file, or written out.")
    cycle_first: Day
    cycle_last: Day
    full_cycle_days: int | None = Field(default=None, ge=1, le=LONGEST_CYCLE_DAYS)
    last_bill: LastBill | None = None
    payments: tuple[Payment, ...] = ()
    customer_since: Day | None = Field(
        default=None, description="First day on which the customer is this retailer's; all of the cycle unless given."
    )
    ror: str = Field(default=ROR_LOGIN.username, description="Log-in of the retailer whose account it is.")
    customer: str = Field(default=CUSTOMER_LOGIN.username, description="Log-in of the customer at the portal.")
    zone: Zone | None = Field(default=None, description="Weather zone, for what heat and cold make of a day.")
    worth_asking: Money = Field(
        default=WORTH_ASKING, description="$ that knowing the gap must be worth, for the meter to be asked (S2)."
    )

    @property
    def rates(self) -> RatePlan:
        """Its rate plan. Raises a UserError if there is none of that name."""
        return shipped_plan(self.plan) if isinstance(self.plan, str) else self.plan

    def account(self, world: World) -> Account:
        """The account with the ESI ID of the built world."""
        multiplier = world.meters[self.meter - 1].identity.multiplier
        name = self.plan if isinstance(self.plan, str) else self.plan.name
        said = self.model_dump(exclude={"meter", "ror", "customer", "plan"})
        return Account(esiid=world.esiid(self.meter), multiplier=multiplier, plan=name, **said)


class PostingSpec(Spec):
    """Operating days, both included, whose posting is not as on others."""

    first: Day
    last: Day | None = Field(default=None, description="The first one alone unless given.")
    at: ClockTime | None = Field(default=None, description="Posted at this time of the next day.")
    held_days: int | None = Field(default=None, ge=1, le=30, description="Posted so many days late.")
    never: bool = Field(
        default=False, description="Not posted; with meters or a channel, they alone are left out of the file."
    )
    meters: tuple[int, ...] = ()
    channel: Literal["C", "G"] | None = Field(default=None, description="C is consumption, G what a premise gives.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum((self.at is not None, self.held_days is not None, self.never)) != 1:
            raise ValueError("say one of at, held_days and never")
        if (self.meters or self.channel) and not self.never:
            raise ValueError("a meter or a channel is left out for good; write never: true, or name no meters")
        if self.last is not None and self.last < self.first:
            raise ValueError("it ends before it begins; exchange the days, or mend one")
        return self

    def apart(self, world: World | None = None) -> Apart:
        """It as the head-end has it. world: that names its meters."""
        channel = {"C": Channel.LOAD, "G": Channel.GENERATION, None: None}[self.channel]
        esiids = frozenset(f"{one}" if world is None else world.esiid(one) for one in self.meters)
        held = None if self.never else self.held_days or 0
        return Apart(self.first, self.last or self.first, self.at, held, esiids, channel)

    def covers(self, day: date) -> bool:
        """Whether a day is one of them."""
        return self.first <= day <= (self.last or self.first)


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


def _named_or_written_out(value: Any) -> Any:
    if isinstance(value, (str, dict)):
        return value
    raise ValueError(f"{shown_value(value)} is no policy; name a preset, or write title, source and limits")


class Setting(Spec):
    """A scenario, whatever its actions are. Local times are Central Prevailing Time."""

    name: Name
    title: str = Field(min_length=1)
    tags: tuple[Name, ...] = Field(default=(), description="What 'ami scenario run --tag' finds it by.")
    seed: int = Field(ge=0, lt=2**63)
    world: WorldSpec
    policy: Annotated[str | dict[str, Any], BeforeValidator(_named_or_written_out)]
    sweep_every_h: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 4
    vee_at: ClockTime = time(1, 0)
    vee_preset: str = Field(
        default="", description="How VEE goes: a shipped preset or a YAML file; the TDSP's unless given."
    )
    post_at: ClockTime | None = Field(default=None, description="As the preset has it unless given.")
    posting: tuple[PostingSpec, ...] = Field(
        default=(), description="Operating days whose posting is not as on others."
    )
    middle: MiddleSpec | None = Field(default=None, description="Drawn from the law of DOMAIN §4 unless fixed.")
    account: AccountSpec
    accounts: tuple[AccountSpec, ...] = Field(
        default=(), description="Further accounts; an action names one by its id."
    )
    complaints: tuple[ScenarioComplaint, ...] = ()
    #: AMB-12: the bill told may differ from the re-bill by so much of it, or by so many dollars.
    tolerance_percent: Decimal = Field(default=Decimal(2), ge=0, le=100)
    tolerance_usd: Decimal = Field(default=Decimal(1), ge=0, le=100_000)
    timeline: tuple[Act, ...] = Field(min_length=1)

    @property
    def preset(self) -> Preset:
        """How its VEE goes. Raises a UserError if the file is not sound."""
        return chosen_preset(self.vee_preset or self.world.tdsp.lower())

    @property
    def times(self) -> DailyTimes:
        """When its head-end validates and posts: what is declared counts."""
        post = self.preset.post if self.post_at is None else PostTime(self.post_at)
        return DailyTimes(self.vee_at, post, self.seed, tuple(one.apart() for one in self.posting))

    def times_in(self, world: World) -> DailyTimes:
        """The same with the ESI IDs of the built world."""
        return replace(self.times, apart=tuple(one.apart(world) for one in self.posting))

    @property
    def cast(self) -> dict[str, AccountSpec]:
        """Every account by its id, the one that is meant where none is named first."""
        return {one.account_id: one for one in (self.account, *self.accounts)}

    def account_of(self, action: Act) -> AccountSpec:
        """The account that an action is about."""
        return self.account if action.account is None else self.cast[action.account]

"""A scenario file: the world, the policy, the retailer's account, the timeline of what happens, and what is expected of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from meters.calendar import epoch, local
from meters.errors import MeterError
from scenarios.errors import ScenarioError
from scenarios.requirements import REQUIREMENTS
from simulator.mistakes import Parts, did_you_mean, mistakes_of, shown_value
from simulator.ror.account import Account, LastBill, Payment
from simulator.ror.analysis import Question
from simulator.smt.complaint_kinds import ComplaintKind
from simulator.smt.complaints import ComplaintSpec
from simulator.world import World, WorldSpec
from simulator.yaml_input import ClockTime, Mistake, Written, YamlProblem, read_yaml

#: Where the shipped scenarios are.
SHIPPED = Path(__file__).parent
MALFORMED = "scenario.malformed"
#: No caller waits and no middle tier takes longer than a day.
DAY_S = 86_400


def _name(text: str) -> str:
    if not text or len(text) > 64 or not set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
        raise ValueError(f"'{text}' is no name; write small letters, digits and hyphens, at most 64")
    return text


def _written(value: Any) -> Any:
    # A number would be taken for seconds since 1970.
    if isinstance(value, (str, date)):
        return value
    raise ValueError(
        f"{shown_value(value)} is no day or time; write it as 2026-08-12, with T17:40 behind it for a time"
    )


def _in_central(when: datetime) -> datetime:
    return when if when.tzinfo is None else local(int(when.timestamp()))


Name = Annotated[str, AfterValidator(_name)]
Day = Annotated[date, BeforeValidator(_written)]
#: Central Prevailing Time; what carries an offset is brought to it.
LocalTime = Annotated[datetime, BeforeValidator(_written), AfterValidator(_in_central)]
Seconds = Annotated[float, Field(ge=0, le=DAY_S, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MiddleSpec(_Spec):
    """The middle tier's time, fixed: seconds to the pick-up and back."""

    pickup_s: Seconds
    return_s: Seconds


class AccountSpec(_Spec):
    """The retailer's account of the customer, whose premise is named by its meter's ordinal."""

    account_id: str = Field(min_length=1)
    customer_name: str = Field(min_length=1)
    meter: int = Field(ge=1)
    plan: str
    cycle_first: Day
    cycle_last: Day
    last_bill: LastBill | None = None
    payments: tuple[Payment, ...] = ()

    def account(self, world: World) -> Account:
        """The account with the ESI ID of the built world."""
        return Account(esiid=world.esiid(self.meter), **self.model_dump(exclude={"meter"}))


class CallExpectation(_Spec):
    """What a balance call must come to. Fields left out are not looked at."""

    outcome: Literal["answered", "refused", "failed", "not_needed"]
    store: Count | None = None
    meter: Count | None = None
    refusal: str | None = None
    before_hang_up: bool | None = None


class StatusExpectation(_Spec):
    """What a power status request must come to."""

    outcome: Literal["answered", "refused", "failed"]
    status: Literal["ON", "OFF", "UNKNOWN"] | None = None
    refusal: str | None = None


class PortalExpectation(_Spec):
    """What a read through the portal must come to; ``unanswered``: the polls ended without a new read."""

    outcome: Literal["answered", "refused", "failed", "unanswered"]
    refusal: str | None = Field(default=None, description="The portal's statusCode: 5031, 5032, or in words.")
    status: Literal["FAILED", "T-FAILED"] | None = None
    calls: Count | None = Field(default=None, description="Portal calls that it takes, log-in included.")


class RebillExpectation(_Spec):
    """Whether the bill told must be within the tolerance of AMB-12."""

    within: bool


class _Action(_Spec):
    at: LocalTime
    ref: Name
    verifies: tuple[str, ...] = ()

    @field_validator("verifies")
    @classmethod
    def _known(cls, verifies: tuple[str, ...]) -> tuple[str, ...]:
        for one in verifies:
            if one not in REQUIREMENTS:
                raise ValueError(f"there is no requirement '{one}'; {did_you_mean(one, REQUIREMENTS)}")
        return verifies


class BalanceCall(_Action):
    """A customer calls about the balance."""

    do: Literal["balance_call"]
    question: Question
    patience_s: int = Field(gt=0, le=DAY_S)
    poll_s: int = Field(default=5, gt=0, le=DAY_S)
    expect: CallExpectation


class PowerStatus(_Action):
    """The retailer asks for a power status."""

    do: Literal["power_status"]
    patience_s: int = Field(default=180, gt=0, le=DAY_S)
    poll_s: int = Field(default=5, gt=0, le=DAY_S)
    expect: StatusExpectation


class PortalRead(_Action):
    """The customer reads the meter through the portal, as home automation does."""

    do: Literal["portal_read"]
    poll_s: int = Field(default=15, gt=0, le=DAY_S)
    polls: int = Field(default=20, gt=0, le=1000)
    expect: PortalExpectation


class Rebill(_Action):
    """The bill of an earlier call once VEE data are in."""

    do: Literal["rebill"]
    of: str
    expect: RebillExpectation


Action = Annotated[BalanceCall | PowerStatus | PortalRead | Rebill, Field(discriminator="do")]


class ScenarioComplaint(ComplaintSpec):
    """A complaint that is on from the beginning, in its window; ``meters`` names ESI IDs by their meters' ordinals."""

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


class Scenario(_Spec):
    """One scenario. Local times are Central Prevailing Time."""

    name: Name
    title: str = Field(min_length=1)
    seed: int = Field(ge=0, lt=2**63)
    world: WorldSpec
    policy: Annotated[str | dict[str, Any], BeforeValidator(_named_or_written_out)]
    sweep_every_h: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 4
    vee_at: ClockTime = time(1, 0)
    post_at: ClockTime = time(7, 30)
    middle: MiddleSpec | None = Field(default=None, description="Drawn from the law of DOMAIN §4 unless fixed.")
    account: AccountSpec
    complaints: tuple[ScenarioComplaint, ...] = ()
    #: AMB-12: the bill told may differ from the re-bill by so much of it, or by so many dollars.
    tolerance_percent: Decimal = Field(default=Decimal(2), ge=0, le=100)
    tolerance_usd: Decimal = Field(default=Decimal(1), ge=0, le=100_000)
    timeline: tuple[Action, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for one in unfitting(self, Parts()):
            raise ValueError(f"{one.message.rstrip('.')}; {one.mend}")
        return self


def unfitting(scenario: Scenario, parts: Parts) -> Iterator[Mistake]:
    """What does not fit together in a scenario, as far as its parts are sound."""
    if parts.have("vee_at", "post_at") and scenario.post_at <= scenario.vee_at:
        text = f"Posting at {scenario.post_at:%H:%M} does not come after VEE at {scenario.vee_at:%H:%M}."
        yield Mistake(MALFORMED, ("post_at",), text, "Post later, or run VEE earlier.")
    if parts.have("account.cycle_first", "account.cycle_last"):
        account = scenario.account
        if account.cycle_last < account.cycle_first:
            text = f"The cycle ends on {account.cycle_last}, before it begins on {account.cycle_first}."
            yield Mistake(MALFORMED, ("account", "cycle_last"), text, "Exchange the days, or mend one.")
    if parts.have("world.meters"):
        if parts.have("account.meter"):
            yield from _no_meter(scenario, scenario.account.meter, "account")
        if parts.have("complaints"):
            for place, one in enumerate(scenario.complaints):
                for ordinal in one.meters:
                    yield from _no_meter(scenario, ordinal, "complaints", place)
        if parts.have("world.premises"):
            for place, premise in enumerate(scenario.world.premises):
                yield from _no_meter(scenario, premise.meter, "world", "premises", place)
        if parts.have("world.faults"):
            for place, fault in enumerate(scenario.world.faults):
                for ordinal in fault.ordinals:
                    yield from _no_meter(scenario, ordinal, "world", "faults", place)
        if parts.have("world.market"):
            for market_loc, ordinal in scenario.world.market.named:
                yield from _no_meter(scenario, ordinal, "world", "market", *market_loc)
    if parts.have("timeline"):
        yield from _disorder(scenario)
        if parts.have("world.first_day") and scenario.timeline[0].at.date() <= scenario.world.first_day:
            text = f"The first action does not come after the world's first_day, {scenario.world.first_day}."
            yield Mistake(MALFORMED, ("timeline", 0, "at"), text, "Begin the world at least a day earlier.")


def _no_meter(scenario: Scenario, ordinal: int, *loc: str | int) -> Iterator[Mistake]:
    if ordinal > scenario.world.meters:
        text = f"There is no meter {ordinal}: the world has {scenario.world.meters}."
        mend = "Take one of them, or give the world more meters."
        yield Mistake(MALFORMED, (*loc, "meter"), text, mend)


def _disorder(scenario: Scenario) -> Iterator[Mistake]:
    """Names given twice, re-bills of no call, times that do not ascend or do not exist."""
    seen: dict[str, str] = {}
    before: int | None = None
    for place, one in enumerate(scenario.timeline):
        loc = ("timeline", place)
        if one.ref in seen:
            yield Mistake(MALFORMED, (*loc, "ref"), f"Two actions are called {one.ref}.", "Rename one.")
        if one.do == "rebill" and seen.get(one.of) != "balance_call":
            calls = [ref for ref, what in seen.items() if what == "balance_call"]
            mend = did_you_mean(one.of, calls) if calls else "Put the call before it."
            yield Mistake(MALFORMED, (*loc, "of"), f"There is no balance_call {one.of} before this re-bill.", mend)
        seen.setdefault(one.ref, one.do)
        now = _instant(one.at)
        if now is None:
            text = f"{one.at:%Y-%m-%d %H:%M} does not exist: clocks go forward over it."
            yield Mistake(MALFORMED, (*loc, "at"), text, "Give a time outside 02:00-02:59 of that night.")
        elif before is not None and now < before:
            text = f"{one.ref} comes before the action above it."
            yield Mistake(MALFORMED, (*loc, "at"), text, "Let the times of the timeline ascend.")
        before = now or before


def _instant(when: datetime) -> int | None:
    try:
        return epoch(when)
    except MeterError:
        return None


def read(path: Path) -> Written:
    """Read a scenario file's YAML. Raises ScenarioError with the file, the line and the mend."""
    mend = "See 'ami scenario list' for the shipped ones."
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ScenarioError("scenario.unreadable", f"The scenario cannot be read: {reason}.", str(path), mend) from None
    return written_of(text, str(path))


def written_of(text: str, place: str) -> Written:
    """The YAML of a scenario's text. Raises ScenarioError for what is no YAML, no mapping, or a load study."""
    try:
        written = read_yaml(text, place)
    except YamlProblem as error:
        where = place if error.line is None else f"{place}:{error.line}"
        raise ScenarioError("scenario.yaml", f"The YAML is wrong: {error.problem}.", where, "Mend the line.") from None
    if not isinstance(written.value, dict):
        text = "A scenario is a mapping with a name, a world and a timeline."
        raise ScenarioError(MALFORMED, text, place, f"See {SHIPPED.name}/customer-balance-inquiry.yaml for one.")
    if "timeline" not in written.value and {"levels", "policies"} & set(written.value):
        mend = f"Run it with 'ami capacity run {place}'."
        raise ScenarioError("scenario.is_study", "This is a load study, not a scenario.", place, mend)
    return written


def load(path: Path) -> Scenario:
    """Read a scenario file and check its form. Raises ScenarioError with file, line, field and mend of the first mistake."""
    return _model(read(path))


def _model(written: Written) -> Scenario:
    try:
        return Scenario.model_validate(written.value)
    except ValidationError as error:
        raise written.error(mistakes_of(error, written.value, Scenario, MALFORMED)[0], ScenarioError) from None


def shipped() -> list[Path]:
    """The scenario files that come with the test bed."""
    return sorted(SHIPPED.glob("*.yaml"))

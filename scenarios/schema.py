"""A scenario file: the world, the policy, the retailer's account, the timeline of what happens, and what is expected of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from headend.day.times import DailyTimes
from headend.vee.preset import PostTime, Preset
from meters.calendar import Seconds, epoch
from meters.errors import MeterError
from scenarios.errors import ScenarioError
from scenarios.timeline import (
    Action,
    ComplaintAction,
    Day,
    Duration,
    Name,
    OnDemandRead,
    PortalRead,
    PowerStatus,
    SameAnswers,
    ScenarioComplaint,
    Spec,
)
from simulator.input.mistakes import Parts, did_you_mean, mistakes_of, shown_value
from simulator.input.vee_preset import chosen_preset
from simulator.input.yaml_text import ClockTime, Loc, Mistake, UnreadableFile, YamlDocument, YamlProblem, read_yaml_file
from simulator.ror.account import LONGEST_CYCLE_DAYS, WORTH_ASKING, Account, LastBill, Money, Payment, Zone
from simulator.world.market import logins
from simulator.world.meters import World, WorldSpec

MALFORMED = "scenario.malformed"


class MiddleSpec(Spec):
    """The middle tier's time, fixed: seconds to the pick-up and back."""

    pickup_s: Duration
    return_s: Duration


class AccountSpec(Spec):
    """The retailer's account of the customer, whose premise is named by its meter's ordinal."""

    account_id: str = Field(min_length=1)
    customer_name: str = Field(min_length=1)
    meter: int = Field(ge=1)
    plan: str
    cycle_first: Day
    cycle_last: Day
    full_cycle_days: int | None = Field(default=None, ge=1, le=LONGEST_CYCLE_DAYS)
    last_bill: LastBill | None = None
    payments: tuple[Payment, ...] = ()
    customer_since: Day | None = Field(
        default=None, description="First day on which the customer is this retailer's; all of the cycle unless given."
    )
    zone: Zone | None = Field(default=None, description="Weather zone, for what heat and cold make of a day.")
    worth_asking: Money = Field(
        default=WORTH_ASKING, description="$ that knowing the gap must be worth, for the meter to be asked (S2)."
    )

    def account(self, world: World) -> Account:
        """The account with the ESI ID of the built world."""
        multiplier = world.meters[self.meter - 1].identity.multiplier
        return Account(esiid=world.esiid(self.meter), multiplier=multiplier, **self.model_dump(exclude={"meter"}))


def _named_or_written_out(value: Any) -> Any:
    if isinstance(value, (str, dict)):
        return value
    raise ValueError(f"{shown_value(value)} is no policy; name a preset, or write title, source and limits")


class Scenario(Spec):
    """One scenario. Local times are Central Prevailing Time."""

    name: Name
    title: str = Field(min_length=1)
    seed: int = Field(ge=0, lt=2**63)
    world: WorldSpec
    policy: Annotated[str | dict[str, Any], BeforeValidator(_named_or_written_out)]
    sweep_every_h: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 4
    vee_at: ClockTime = time(1, 0)
    vee_preset: str = Field(
        default="", description="How VEE goes: a shipped preset or a YAML file; the TDSP's unless given."
    )
    post_at: ClockTime | None = Field(default=None, description="As the preset has it unless given.")
    middle: MiddleSpec | None = Field(default=None, description="Drawn from the law of DOMAIN §4 unless fixed.")
    account: AccountSpec
    complaints: tuple[ScenarioComplaint, ...] = ()
    #: AMB-12: the bill told may differ from the re-bill by so much of it, or by so many dollars.
    tolerance_percent: Decimal = Field(default=Decimal(2), ge=0, le=100)
    tolerance_usd: Decimal = Field(default=Decimal(1), ge=0, le=100_000)
    timeline: tuple[Action, ...] = Field(min_length=1)

    @property
    def preset(self) -> Preset:
        """How its VEE goes. Raises a UserError if the file is not sound."""
        return chosen_preset(self.vee_preset or self.world.tdsp.lower())

    @property
    def times(self) -> DailyTimes:
        """When its head-end validates and posts: what is declared counts."""
        post = self.preset.post if self.post_at is None else PostTime(self.post_at)
        return DailyTimes(self.vee_at, post, self.seed)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for mistake in unfitting(self, Parts()):
            raise ValueError(f"{mistake.message.rstrip('.')}; {mistake.mend}")
        return self


def unfitting(scenario: Scenario, parts: Parts) -> Iterator[Mistake]:
    """What does not fit together in a scenario, as far as its parts are sound."""
    for needed, looked_at in _LOOKED_AT:
        if parts.have(*needed):
            yield from looked_at(scenario)


def _posted_too_soon(scenario: Scenario) -> Iterator[Mistake]:
    if scenario.post_at is not None and scenario.post_at <= scenario.vee_at:
        text = f"Posting at {scenario.post_at:%H:%M} does not come after VEE at {scenario.vee_at:%H:%M}."
        yield Mistake(MALFORMED, ("post_at",), text, "Post later, or run VEE earlier.")


def _cycle_backwards(scenario: Scenario) -> Iterator[Mistake]:
    account = scenario.account
    if account.cycle_last < account.cycle_first:
        text = f"The cycle ends on {account.cycle_last}, before it begins on {account.cycle_first}."
        yield Mistake(MALFORMED, ("account", "cycle_last"), text, "Exchange the days, or mend one.")


def _longer_than_whole(scenario: Scenario) -> Iterator[Mistake]:
    account = scenario.account
    days = (account.cycle_last - account.cycle_first).days + 1
    if account.full_cycle_days is not None and account.full_cycle_days < days:
        text = f"The cycle has {days} days, the whole that it is a part of {account.full_cycle_days}."
        yield Mistake(MALFORMED, ("account", "full_cycle_days"), text, "Leave it away for a whole cycle.")


def _before_the_world(scenario: Scenario) -> Iterator[Mistake]:
    if scenario.timeline[0].at.date() <= scenario.world.first_day:
        text = f"The first action does not come after the world's first_day, {scenario.world.first_day}."
        yield Mistake(MALFORMED, ("timeline", 0, "at"), text, "Begin the world at least a day earlier.")


def _no_meter(named: Callable[[Scenario], Iterable[tuple[int, Loc]]]) -> Callable[[Scenario], Iterator[Mistake]]:
    def looked_at(scenario: Scenario) -> Iterator[Mistake]:
        for ordinal, loc in named(scenario):
            if ordinal > scenario.world.meters:
                text = f"There is no meter {ordinal}: the world has {scenario.world.meters}."
                mend = "Take one of them, or give the world more meters."
                yield Mistake(MALFORMED, (*loc, "meter"), text, mend)

    return looked_at


def _disorder(scenario: Scenario) -> Iterator[Mistake]:
    """Names given twice, re-bills of no call, times that do not ascend or do not exist."""
    seen: dict[str, str] = {}
    declared: list[str] = []
    before: Seconds | None = None
    for place, action in enumerate(scenario.timeline):
        loc = ("timeline", place)
        if action.ref in seen:
            yield Mistake(MALFORMED, (*loc, "ref"), f"Two actions are called {action.ref}.", "Rename one.")
        if action.do == "rebill" and seen.get(action.of) != "balance_call":
            calls = [ref for ref, what in seen.items() if what == "balance_call"]
            mend = did_you_mean(action.of, calls) if calls else "Put the call before it."
            yield Mistake(MALFORMED, (*loc, "of"), f"There is no balance_call {action.of} before this re-bill.", mend)
        if action.do == "complaint" and action.lift is not None and action.lift not in declared:
            mend = did_you_mean(action.lift, declared) if declared else "Declare one before it."
            yield Mistake(MALFORMED, (*loc, "lift"), f"No complaint {action.lift} was declared before this.", mend)
        if action.do == "complaint" and action.declare is not None:
            declared.append(action.ref)
        seen.setdefault(action.ref, action.do)
        now = _instant(action.at)
        if now is None:
            text = f"{action.at:%Y-%m-%d %H:%M} does not exist: clocks go forward over it."
            yield Mistake(MALFORMED, (*loc, "at"), text, "Give a time outside 02:00-02:59 of that night.")
        elif before is not None and now < before:
            text = f"{action.ref} comes before the action above it."
            yield Mistake(MALFORMED, (*loc, "at"), text, "Let the times of the timeline ascend.")
        before = now or before


def _no_login(scenario: Scenario) -> Iterator[Mistake]:
    """Who acts must have a log-in, and one of the door that they come to."""
    known = logins(scenario.world.market)
    customers = [name for name, login in known.items() if not login.duns]
    others = [name for name, login in known.items() if login.duns]
    for place, action in enumerate(scenario.timeline):
        if not isinstance(action, PowerStatus | OnDemandRead | PortalRead | SameAnswers):
            continue
        among = others if isinstance(action, PowerStatus | OnDemandRead) else customers
        if action.login not in among:
            text = f"There is no log-in {action.login} that can act here."
            yield Mistake(MALFORMED, ("timeline", place, "login"), text, did_you_mean(action.login, among))


#: The meters that each part names, by ordinal, and where.
_NAMED: dict[str, Callable[[Scenario], Iterable[tuple[int, Loc]]]] = {
    "account.meter": lambda one: [(one.account.meter, ("account",))],
    "complaints": lambda one: (
        (ordinal, ("complaints", at)) for at, told in enumerate(one.complaints) for ordinal in told.meters
    ),
    "timeline": lambda one: (
        (ordinal, ("timeline", at, "declare"))
        for at, action in enumerate(one.timeline)
        if isinstance(action, ComplaintAction) and action.declare is not None
        for ordinal in action.declare.meters
    ),
    "world.premises": lambda one: (
        (premise.meter, ("world", "premises", at)) for at, premise in enumerate(one.world.premises)
    ),
    "world.faults": lambda one: (
        (ordinal, ("world", "faults", at)) for at, fault in enumerate(one.world.faults) for ordinal in fault.ordinals
    ),
    "world.lookalikes": lambda one: (
        (ordinal, ("world", "lookalikes", at))
        for at, spec in enumerate(one.world.lookalikes)
        for ordinal in spec.ordinals
    ),
    "world.market": lambda one: ((ordinal, ("world", "market", *loc)) for loc, ordinal in one.world.market.named),
}
#: What is looked at, and the parts that must be sound for it.
_LOOKED_AT: tuple[tuple[tuple[str, ...], Callable[[Scenario], Iterator[Mistake]]], ...] = (
    (("vee_at", "post_at"), _posted_too_soon),
    (("account.cycle_first", "account.cycle_last"), _cycle_backwards),
    (("account.cycle_first", "account.cycle_last", "account.full_cycle_days"), _longer_than_whole),
    *((("world.meters", part), _no_meter(named)) for part, named in _NAMED.items()),
    (("timeline",), _disorder),
    (("timeline", "world.market"), _no_login),
    (("timeline", "world.first_day"), _before_the_world),
)


def _instant(when: datetime) -> Seconds | None:
    try:
        return epoch(when)
    except MeterError:
        return None


def read(path: Path) -> YamlDocument:
    """Read a scenario file's YAML. Raises ScenarioError with file, line and mend for what is no YAML, no mapping, or a load study."""
    place = str(path)
    try:
        written = read_yaml_file(path)
    except UnreadableFile as error:
        text, mend = f"The scenario cannot be read: {error.problem}.", "See 'ami scenario list' for the shipped ones."
        raise ScenarioError("scenario.unreadable", text, place, mend) from None
    except YamlProblem as error:
        text = f"The YAML is wrong: {error.problem}."
        raise ScenarioError("scenario.yaml", text, error.place, "Mend the line.") from None
    if not isinstance(written.value, dict):
        text = "A scenario is a mapping with a name, a world and a timeline."
        raise ScenarioError(MALFORMED, text, place, "Look at a shipped one; 'ami scenario list' tells their files.")
    if "timeline" not in written.value and {"levels", "policies"} & set(written.value):
        mend = f"Run it with 'ami capacity run {place}'."
        raise ScenarioError("scenario.is_study", "This is a load study, not a scenario.", place, mend)
    return written


def load(path: Path) -> Scenario:
    """Read a scenario file and check its form. Raises ScenarioError with file, line, field and mend of the first mistake."""
    written = read(path)
    try:
        return Scenario.model_validate(written.value)
    except ValidationError as error:
        raise written.error(mistakes_of(error, written.value, Scenario, MALFORMED)[0], ScenarioError) from None

"""A scenario file: the world, the policy, the retailer's account, the timeline of what happens, and what is expected of it."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scenarios.errors import ScenarioError
from scenarios.requirements import REQUIREMENTS
from simulator.ror.account import Account, LastBill, Payment
from simulator.ror.analysis import Question
from simulator.world import World, WorldSpec

#: Where the shipped scenarios are.
SHIPPED = Path(__file__).parent


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MiddleSpec(_Spec):
    """The middle tier's time, fixed: seconds to the pick-up and back."""

    pickup_s: float = Field(ge=0)
    return_s: float = Field(ge=0)


class AccountSpec(_Spec):
    """The retailer's account of the customer, whose premise is named by its meter's ordinal."""

    account_id: str
    customer_name: str
    meter: int = Field(ge=1)
    plan: str
    cycle_first: date
    cycle_last: date
    last_bill: LastBill | None = None
    payments: tuple[Payment, ...] = ()

    def account(self, world: World) -> Account:
        """The account with the ESI ID of the built world."""
        return Account(esiid=world.esiid(self.meter), **self.model_dump(exclude={"meter"}))


class CallExpectation(_Spec):
    """What a balance call must come to. Fields left out are not looked at."""

    outcome: Literal["answered", "refused", "failed", "not_needed"]
    store: int | None = None
    meter: int | None = None
    refusal: str | None = None
    before_hang_up: bool | None = None


class StatusExpectation(_Spec):
    """What a power status request must come to."""

    outcome: Literal["answered", "refused", "failed"]
    status: Literal["ON", "OFF", "UNKNOWN"] | None = None
    refusal: str | None = None


class RebillExpectation(_Spec):
    """Whether the bill told must be within the tolerance of AMB-12."""

    within: bool


class _Action(_Spec):
    at: datetime
    ref: str = Field(pattern=r"^[a-z0-9-]{1,64}$")
    verifies: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        unknown = [one for one in self.verifies if one not in REQUIREMENTS]
        if unknown:
            raise ValueError(f"unknown requirement {unknown[0]}; known: {', '.join(REQUIREMENTS)}")
        return self


class BalanceCall(_Action):
    """A customer calls about the balance."""

    do: Literal["balance_call"]
    question: Question
    patience_s: int = Field(gt=0)
    poll_s: int = Field(default=5, gt=0)
    expect: CallExpectation


class PowerStatus(_Action):
    """The retailer asks for a power status."""

    do: Literal["power_status"]
    patience_s: int = Field(default=180, gt=0)
    poll_s: int = Field(default=5, gt=0)
    expect: StatusExpectation


class Rebill(_Action):
    """The bill of an earlier call once VEE data are in."""

    do: Literal["rebill"]
    of: str
    expect: RebillExpectation


Action = Annotated[BalanceCall | PowerStatus | Rebill, Field(discriminator="do")]


class Scenario(_Spec):
    """One scenario. Local times are Central Prevailing Time."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,64}$")
    title: str
    seed: int = Field(ge=0, lt=2**63)
    world: WorldSpec
    policy: str | dict[str, Any]
    sweep_every_h: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 4
    vee_at: time = time(1, 0)
    post_at: time = time(7, 30)
    middle: MiddleSpec | None = Field(default=None, description="Drawn from the law of DOMAIN §4 unless fixed.")
    account: AccountSpec
    #: AMB-12: the bill told may differ from the re-bill by so much of it, or by so many dollars.
    tolerance_percent: Decimal = Decimal(2)
    tolerance_usd: Decimal = Decimal(1)
    timeline: tuple[Action, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        refs = [one.ref for one in self.timeline]
        double = [ref for ref in refs if refs.count(ref) > 1]
        if double:
            raise ValueError(f"two actions are called {double[0]}")
        for before, after in zip(self.timeline, self.timeline[1:], strict=False):
            if after.at < before.at:
                raise ValueError(f"{after.ref} comes before {before.ref}: the timeline must ascend")
        calls = {one.ref for one in self.timeline if one.do == "balance_call"}
        for one in self.timeline:
            if one.do == "rebill" and one.of not in calls:
                raise ValueError(f"{one.ref} is of {one.of}, which is no balance_call before it")
        if self.account.meter > self.world.meters:
            raise ValueError(f"there is no meter {self.account.meter}: the world has {self.world.meters}")
        if self.timeline[0].at.date() <= self.world.first_day:
            raise ValueError("the first action must come after the world's first_day")
        return self


def load(path: Path) -> Scenario:
    """Read a scenario file. Raises ScenarioError with the file, the line or field, and the mend."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ScenarioError(
            "scenario.unreadable",
            f"The scenario cannot be read: {reason}.",
            str(path),
            "See 'ami scenario list' for the shipped ones.",
        ) from None
    return parse(text, str(path))


def parse(text: str, place: str) -> Scenario:
    """Read a scenario's text; see ``load``."""
    try:
        written = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise ScenarioError(
            "scenario.yaml",
            f"This is not YAML: {getattr(error, 'problem', error)}.",
            f"{place}{line}",
            "Mend the line.",
        ) from None
    if not isinstance(written, dict):
        raise ScenarioError("scenario.malformed", "A scenario is a mapping with a name, a world and a timeline.", place)
    try:
        return Scenario.model_validate(written)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part not in ("balance_call", "power_status", "rebill"))
        raise ScenarioError(
            "scenario.malformed",
            f"{first['msg']}.",
            f"{place}: {field}" if field else place,
            f"{error.error_count()} fault(s) in all." if error.error_count() > 1 else "",
        ) from None


def shipped() -> list[Path]:
    """The scenario files that come with the test bed."""
    return sorted(SHIPPED.glob("*.yaml"))

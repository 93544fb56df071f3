"""What stands in the files of a folder of accounts. ``accounts.yaml``: customers and their plans; CSV files: reading days, bills, payments."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Generic, NamedTuple, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from simulator.input.mistakes import shown_value
from simulator.ror.account import WORTH_ASKING, Money, Zone

T = TypeVar("T")
ACCOUNTS, READING_DAYS, BILLS, PAYMENTS = "accounts.yaml", "reading_days.csv", "bills.csv", "payments.csv"


def _written_day(value: Any) -> Any:
    # The form is looked at too: a number would be taken for seconds since 1970.
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII)):
        return value
    raise ValueError(f"{shown_value(value)} is no day; write it as 2026-08-12")


class _Form(NamedTuple):
    """What a text looks like, and how to say so."""

    pattern: str
    what: str
    mend: str

    def __call__(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text, re.ASCII):
            raise ValueError(f"{shown_value(text)} is no {self.what}; {self.mend}")
        return text

    @property
    def told(self) -> Any:
        """For the schema."""
        return Field(json_schema_extra={"pattern": f"^{self.pattern}$"})


_ID = _Form(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", "account id", "write letters, digits and . _ - alone, 40 at most")
_ESI_ID = _Form(r"\d{17,22}", "ESI ID", "write its 17 to 22 digits, in quotes")
_CYCLE = _Form(r"\w{1,20}", "name of a cycle", "write letters and digits alone, in quotes")
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2099, 11, 30)), BeforeValidator(_written_day)]
#: It stands in addresses of the desk's API.
AccountId = Annotated[str, AfterValidator(_ID), _ID.told]
EsiId = Annotated[str, AfterValidator(_ESI_ID), _ESI_ID.told]
Cycle = Annotated[str, AfterValidator(_CYCLE), _CYCLE.told]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanSince(_Part):
    """A plan, and the first day of the cycle from which it is billed."""

    plan: str = Field(min_length=1, max_length=100, description="A shipped plan's name, or a file of the folder.")
    since: Day


class AccountEntry(_Part):
    """One customer at one ESI ID. Names are invented."""

    account_id: AccountId
    customer_name: str = Field(min_length=1, max_length=100)
    esiid: EsiId
    cycle: Cycle = Field(description="The meter is read for billing on this cycle's days in reading_days.csv.")
    plans: tuple[PlanSince, ...] = Field(min_length=1, max_length=50)
    first_day: Day | None = Field(default=None, description="The customer's first day: a switch or a move-in.")
    last_day: Day | None = Field(default=None, description="Their last day: a switch or a move-out.")
    multiplier: int = Field(default=1, ge=1, le=100_000, description="A meter's reading times it is Wh.")
    zone: Zone | None = Field(default=None, description="Weather zone, for what heat and cold make of a day.")
    worth_asking: Money = Field(
        default=WORTH_ASKING, description="$ that knowing the gap must be worth, for the meter to be asked (S2)."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValueError("the last_day comes before the first_day; exchange them, or mend one")
        if any(b.since <= a.since for a, b in pairwise(self.plans)):
            raise ValueError("plans must ascend by since; put them in order, each day once")
        return self


class Written(_Part, Generic[T]):
    """The whole of ``accounts.yaml``."""

    accounts: list[T] = Field(min_length=1, max_length=1_000_000)


class ReadingDay(_Part):
    """A row of ``reading_days.csv``: a billing cycle begins at this day's midnight, when the meter is read."""

    cycle: Cycle
    day: Day


class BillRow(_Part):
    """A row of ``bills.csv``: a bill that was sent. $ with tax."""

    account_id: AccountId
    amount: Money
    billed: Day
    due: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.due < self.billed:
            raise ValueError("the bill is due before it was sent; mend one of the days")
        return self


class PaymentRow(_Part):
    """A row of ``payments.csv``: what was received. $."""

    account_id: AccountId
    received: Day
    amount: Money


def accounts_schema() -> dict[str, Any]:
    """The JSON Schema of ``accounts.yaml``."""
    schema = Written[AccountEntry].model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Accounts"}

"""The retailer's own record of a customer: account, billing cycle, last bill, payments; and what is due on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from meters.calendar import Seconds, day_end, day_of, day_start
from meters.load.weather import ZONES
from simulator.ror.billing.money import cents

#: What a meter read is worth asking for, $: a quarter of a minute of an agent's time [D].
WORTH_ASKING = Decimal("0.25")
#: No account is older, and no bill covers more than a year and its proration.
FIRST_YEAR, LONGEST_CYCLE_DAYS = 2000, 400


#: $.
Money = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)]


def _a_zone(text: str) -> str:
    if text not in ZONES:
        raise ValueError(f"there is no weather zone '{text}'; write one of {', '.join(ZONES)}")
    return text


#: A weather zone that generated premises lie in.
Zone = Annotated[str, AfterValidator(_a_zone)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LastBill(_Record):
    """The last bill sent. $ with tax."""

    amount: Money
    billed: date
    due: date


class Payment(_Record):
    """A payment received on a day."""

    received: date
    amount: Money


class Account(_Record):
    """One customer's account for one ESI ID. Names are invented."""

    account_id: str
    customer_name: str
    esiid: str = Field(pattern=r"^\d{17,22}$")
    #: Name of the plan file without ``.yaml``.
    plan: str
    #: First and last operating day of the billing cycle that runs, both included.
    cycle_first: date
    cycle_last: date
    #: Days of the whole cycle, where the customer's begins or ends within it (a switch, a move); None: it is a whole one.
    full_cycle_days: int | None = Field(default=None, ge=1, le=LONGEST_CYCLE_DAYS)
    #: A meter's reading times it is Wh.
    multiplier: int = Field(default=1, ge=1, le=100_000)
    last_bill: LastBill | None = None
    #: What was received before the last bill is in that bill.
    payments: tuple[Payment, ...] = ()
    #: First day on which the customer is this retailer's; None: all of the cycle is.
    customer_since: date | None = None
    #: Weather zone of the premise, where it is known: then what heat and cold make of a day is told.
    zone: str | None = None
    #: What knowing the gap must be worth, $, for the meter to be asked for it.
    worth_asking: Money = WORTH_ASKING

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.cycle_last < self.cycle_first:
            raise ValueError("cycle_last must not lie before cycle_first")
        if self.cycle_first.year < FIRST_YEAR or (self.cycle_last - self.cycle_first).days >= LONGEST_CYCLE_DAYS:
            raise ValueError(f"a cycle begins in {FIRST_YEAR} or later and has at most {LONGEST_CYCLE_DAYS} days")
        if self.full_cycle_days is not None and self.full_cycle_days < self.cycle_days:
            raise ValueError("full_cycle_days must not be fewer than the cycle's own days")
        return self

    @property
    def cycle_start(self) -> Seconds:
        """UTC epoch seconds at which the cycle begins."""
        return day_start(self.cycle_first)

    @property
    def own_start(self) -> Seconds:
        """UTC epoch seconds from which its usage is this retailer's to bill."""
        return (
            self.cycle_start if self.customer_since is None else max(self.cycle_start, day_start(self.customer_since))
        )

    def expected_from(self, vee_end: Seconds | None) -> Seconds:
        """UTC epoch seconds from which an unknown interval is one that is expected; before it it is a hole. vee_end: where VEE data end."""
        return self.own_start if vee_end is None else max(vee_end, self.own_start)

    @property
    def cycle_end(self) -> Seconds:
        """UTC epoch seconds at which the cycle ends."""
        return day_end(self.cycle_last)

    @property
    def premise_cycle(self) -> tuple[str, date, date]:
        """ESI ID, first and last day of the cycle."""
        return self.esiid, self.cycle_first, self.cycle_last

    @property
    def cycle_days(self) -> int:
        """Days of the cycle."""
        return (self.cycle_last - self.cycle_first).days + 1


@dataclass(frozen=True, slots=True)
class Balance:
    """What the retailer's own record says is owed, before the running cycle. $."""

    as_of: date
    last_bill: Decimal
    paid: Decimal
    #: Negative: the account is in credit.
    amount_due: Decimal
    due: date | None
    past_due: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money as strings, days as ISO dates."""
        return {
            "as_of": self.as_of.isoformat(),
            "last_bill_usd": str(cents(self.last_bill)),
            "paid_usd": str(cents(self.paid)),
            "amount_due_usd": str(cents(self.amount_due)),
            "due": None if self.due is None else self.due.isoformat(),
            "past_due": self.past_due,
        }


def balance(account: Account, now: Seconds) -> Balance:
    """Give the balance at an instant (UTC epoch seconds): last bill less the payments received since it, by that day. Pure."""
    today = day_of(now)
    billed = account.last_bill.amount if account.last_bill is not None else Decimal(0)
    since = account.last_bill.billed if account.last_bill is not None else date.min
    paid = sum((one.amount for one in account.payments if since <= one.received <= today), Decimal(0))
    owed = billed - paid
    due = account.last_bill.due if account.last_bill is not None else None
    return Balance(today, billed, paid, owed, due, due is not None and owed > 0 and today > due)

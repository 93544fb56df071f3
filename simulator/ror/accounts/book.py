"""A retailer's accounts, and what of each holds at an instant: which cycle, which plan, which bill."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from meters.calendar import Seconds, day_of
from simulator.ror.account import Account, LastBill, Payment
from simulator.ror.accounts.written import AccountEntry
from simulator.ror.billing.plan import RatePlan
from simulator.ror.errors import RorError

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Customer:
    """One account with all that its folder says of it."""

    entry: AccountEntry
    #: The cycle's, ascending.
    reading_days: tuple[date, ...]
    #: As many as ``entry.plans``.
    plans: tuple[RatePlan, ...]
    #: Ascending by the day on which they were sent.
    bills: tuple[LastBill, ...] = ()
    payments: tuple[Payment, ...] = ()

    def begins(self, day: date) -> bool:
        """Whether a cycle of this customer begins on a day."""
        return day == self.entry.first_day or day in self.reading_days

    def at(self, now: Seconds) -> tuple[Account, RatePlan]:
        """The account and its plan as they are at an instant (UTC epoch seconds); of a customer who has left, as of their last day.

        Raises RorError where the folder knows of no cycle then, or of no plan for it.
        """
        entry, today = self.entry, day_of(now)
        day = today if entry.last_day is None else min(today, entry.last_day)
        place = bisect_right(self.reading_days, day)
        if not 0 < place < len(self.reading_days) or (entry.first_day and day < entry.first_day):
            raise RorError(
                "ror.account.no_cycle",
                f"No billing cycle of account {entry.account_id} is known on {day}.",
                place=entry.account_id,
                mend="Complete reading_days.csv: a day before and one after it.",
            )
        whole = self.reading_days[place - 1], self.reading_days[place] - _DAY
        first, last = max(whole[0], entry.first_day or whole[0]), min(whole[1], entry.last_day or whole[1])
        plan = bisect_right([one.since for one in entry.plans], first) - 1
        if plan < 0:
            raise RorError(
                "ror.account.no_plan",
                f"Account {entry.account_id} has no plan for the cycle that begins on {first}.",
                place=entry.account_id,
                mend=f"Its first plan is billed since {entry.plans[0].since}.",
            )
        account = Account(
            account_id=entry.account_id,
            customer_name=entry.customer_name,
            esiid=entry.esiid,
            plan=entry.plans[plan].plan,
            cycle_first=first,
            cycle_last=last,
            full_cycle_days=None if (first, last) == whole else (whole[1] - whole[0]).days + 1,
            multiplier=entry.multiplier,
            zone=entry.zone,
            worth_asking=entry.worth_asking,
            last_bill=next((bill for bill in reversed(self.bills) if bill.billed <= today), None),
            payments=tuple(payment for payment in self.payments if payment.received <= today),
        )
        return account, self.plans[plan]


class AccountBook:
    """All accounts."""

    def __init__(self, customers: Iterable[Customer]) -> None:
        """Each account id once; of several at one ESI ID none at the same time."""
        self._by_id: dict[str, Customer] = {}
        self._at: dict[str, list[Customer]] = {}
        for customer in customers:
            self._by_id[customer.entry.account_id] = customer
            self._at.setdefault(customer.entry.esiid, []).append(customer)

    def __len__(self) -> int:
        """How many accounts there are."""
        return len(self._by_id)

    def __iter__(self) -> Iterator[Customer]:
        """Every account, as they were written."""
        return iter(self._by_id.values())

    def account(self, account_id: str) -> Customer:
        """The account of an id. Raises RorError ``ror.account.unknown``."""
        if account_id not in self._by_id:
            raise RorError("ror.account.unknown", "There is no account of that id.", "account_id", _MEND)
        return self._by_id[account_id]

    def of_esiid(self, esiid: str, day: date) -> Customer:
        """The account at an ESI ID on a day, or the latest that ended before it. Raises RorError ``ror.account.unknown``."""
        begun = [one for one in self._at.get(esiid, ()) if (one.entry.first_day or date.min) <= day]
        if not begun:
            raise RorError("ror.account.unknown", "No account of ours is at that ESI ID.", "esiid", _MEND)
        return max(begun, key=lambda one: one.entry.first_day or date.min)


_MEND = "GET /accounts lists them."

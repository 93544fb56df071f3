"""The retailer's own record: what is due, and when it is past due."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from meters.calendar import epoch
from simulator.ror.account import Account, LastBill, Payment, balance

ACCOUNT = Account(
    account_id="A-1001",
    customer_name="Wilhelmina Tarbush",
    esiid="10443720000000017",
    plan="longhorn-thousand-24",
    cycle_first=date(2026, 7, 16),
    cycle_last=date(2026, 8, 14),
    last_bill=LastBill(amount=Decimal("131.07"), billed=date(2026, 7, 17), due=date(2026, 8, 2)),
    payments=(Payment(received=date(2026, 7, 30), amount=Decimal("100.00")),),
)


def test_amount_due_is_the_last_bill_less_the_payments_received() -> None:
    owed = balance(ACCOUNT, epoch("2026-08-12T17:40"))
    assert (owed.amount_due, owed.past_due) == (Decimal("31.07"), True)
    assert owed.to_dict()["amount_due_usd"] == "31.07"


def test_a_payment_counts_from_its_day_on() -> None:
    assert balance(ACCOUNT, epoch("2026-07-29T23:59")).amount_due == Decimal("131.07")
    assert balance(ACCOUNT, epoch("2026-07-30T00:00")).amount_due == Decimal("31.07")


def test_a_payment_older_than_the_bill_does_not_pay_it() -> None:
    before = Payment(received=date(2026, 7, 16), amount=Decimal("100.00"))
    account = ACCOUNT.model_copy(
        update={"payments": (before, Payment(received=date(2026, 7, 17), amount=Decimal("31.07")))}
    )
    assert balance(account, epoch("2026-08-12T17:40")).paid == Decimal("31.07")


def test_a_cycle_that_is_a_part_of_a_shorter_one_is_refused() -> None:
    with pytest.raises(ValidationError, match="full_cycle_days"):
        Account.model_validate(ACCOUNT.model_dump() | {"full_cycle_days": 29})


def test_a_bill_is_not_past_due_on_its_due_day() -> None:
    assert not balance(ACCOUNT, epoch("2026-08-02T23:59")).past_due


def test_a_new_customer_owes_nothing_yet() -> None:
    owed = balance(ACCOUNT.model_copy(update={"last_bill": None, "payments": ()}), epoch("2026-08-12T17:40"))
    assert (owed.amount_due, owed.due) == (Decimal(0), None)


def test_cycle_ends_at_the_midnight_after_its_last_day() -> None:
    assert (ACCOUNT.cycle_end, ACCOUNT.cycle_days) == (epoch("2026-08-15T00:00"), 30)


def test_a_cycle_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValidationError, match="cycle_last"):
        Account.model_validate(ACCOUNT.model_dump() | {"cycle_last": date(2026, 7, 1)})

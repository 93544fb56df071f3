"""What of an account holds at an instant: the cycle between two readings, the plan that it began with, the bill sent last."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from meters.calendar import day_of, days, epoch
from simulator.ror.account import balance
from simulator.ror.accounts.book import AccountBook
from simulator.ror.accounts.folder import read_accounts
from simulator.ror.errors import RorError
from tests.simulator.ror.accounts.bent_accounts import SOURCE


@pytest.fixture(scope="module")
def book() -> AccountBook:
    return read_accounts(SOURCE)


CALL = epoch("2026-08-12T17:40")


def test_a_cycle_goes_from_one_reading_to_the_day_before_the_next(book: AccountBook) -> None:
    account, plan = book.account("PB-1001").at(CALL)
    assert (account.cycle_first, account.cycle_last) == (date(2026, 7, 16), date(2026, 8, 16))
    assert account.full_cycle_days is None
    assert plan.name == "Longhorn Thousand 24"
    assert account.last_bill is not None
    assert account.last_bill.amount == Decimal("131.07")
    assert balance(account, CALL).amount_due == 0


def test_the_cycles_of_three_years_follow_each_other_without_a_day_between(book: AccountBook) -> None:
    first, last = date(2025, 9, 16), date(2028, 12, 17)
    found = [book.account("PB-1001").at(epoch(f"{day}T00:00"))[0].premise_cycle for day in days(first, last)]
    cycles = list(dict.fromkeys((begins, ends) for _, begins, ends in found))
    assert [day for begins, ends in cycles for day in days(begins, ends)] == list(days(first, last))


def test_a_plan_holds_from_the_reading_that_begins_its_first_cycle(book: AccountBook) -> None:
    customer = book.account("PB-1002")
    names = [customer.at(epoch(text))[1].name for text in ("2026-08-23T23:59", "2026-08-24T00:00")]
    assert names == ["Caprock Credit 1000", "Evening Saver"]


def test_a_move_makes_two_parts_of_a_whole_cycle(book: AccountBook) -> None:
    gone, came = (book.account(name).at(CALL)[0] for name in ("PB-1003", "PB-1004"))
    assert (gone.cycle_first, gone.cycle_last) == (date(2026, 7, 16), date(2026, 8, 4))
    assert (came.cycle_first, came.cycle_last) == (date(2026, 8, 5), date(2026, 8, 16))
    assert gone.cycle_days + came.cycle_days == gone.full_cycle_days == came.full_cycle_days == 32
    # Who has left is asked for the last cycle, whenever that is.
    assert book.account("PB-1003").at(epoch("2026-11-01T12:00"))[0] == gone


def test_an_esi_id_is_its_customers_of_the_day(book: AccountBook) -> None:
    esiid = "10443729947992279"
    found = [book.of_esiid(esiid, date(2026, 8, day)).entry.account_id for day in (4, 5)]
    assert found == ["PB-1003", "PB-1004"]
    assert [one.entry.account_id for one in book] == ["PB-1001", "PB-1002", "PB-1003", "PB-1004"]
    assert len(book) == 4


@pytest.mark.parametrize(
    ("text", "sent", "paid"),
    [("2026-06-16T23:00", None, 0), ("2026-06-30T08:00", "118.62", 1), ("2026-07-17T08:00", "131.07", 1)],
)
def test_what_is_still_to_come_is_not_known_yet(book: AccountBook, text: str, sent: str | None, paid: int) -> None:
    account, _ = book.account("PB-1001").at(epoch(text))
    assert (None if account.last_bill is None else str(account.last_bill.amount)) == sent
    assert len(account.payments) == paid


@pytest.mark.parametrize(
    ("account_id", "now", "code"),
    [
        ("PB-1001", "2025-09-15T23:59", "ror.account.no_cycle"),
        ("PB-1001", "2028-12-18T00:00", "ror.account.no_cycle"),
        ("PB-1004", "2026-08-04T23:59", "ror.account.no_cycle"),
    ],
)
def test_an_instant_that_the_folder_does_not_reach_is_told(
    book: AccountBook, account_id: str, now: str, code: str
) -> None:
    with pytest.raises(RorError) as caught:
        book.account(account_id).at(epoch(now))
    assert caught.value.code == code
    assert caught.value.mend


def test_who_is_not_there_is_told(book: AccountBook) -> None:
    with pytest.raises(RorError, match=r"ror\.account\.unknown"):
        book.account("PB-9")
    with pytest.raises(RorError, match=r"ror\.account\.unknown"):
        book.of_esiid("10443720000000017", day_of(CALL))

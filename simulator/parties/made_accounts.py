"""Accounts made for a sandbox's retailer, so that a tester can call at once: one for each ESI ID that it is of record for."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from meters.calendar import YEARS, Seconds, day_of
from meters.identity import esiid_hash
from meters.load.weather import ZONES
from simulator.ror.account import LastBill, Payment
from simulator.ror.accounts.book import AccountBook, Customer
from simulator.ror.accounts.written import AccountEntry, PlanSince
from simulator.ror.billing.plan import shipped_plan
from simulator.smt.registry.records import ServicePoint
from simulator.smt.registry.registry import Registry

#: In turn, the demo's first: those under Oncor's charges, whose meters a sandbox has.
PLANS = ("longhorn-thousand-24", "bluebonnet-saver-12", "caprock-credit-1000")
#: Bills that have been sent; every fourth customer has not paid the last one.
_SENT, _UNPAID = 3, 4


def made_accounts(registry: Registry, duns: str, now: Seconds) -> AccountBook:
    """The accounts of the ROR with a DUNS number, in the order of SMT's records: read on the day that those have, on shipped plans, their bills drawn.

    now: UTC epoch seconds, up to which bills have been sent.
    """
    today = day_of(now)
    own = [point for point in registry.points.values() if registry.ror_of_record(point.esiid, today) == duns]
    return AccountBook(_customer(ordinal, point, today) for ordinal, point in enumerate(own))


@cache
def _reading_days(day_of_month: int) -> tuple[date, ...]:
    return tuple(date(year, month, day_of_month) for year in YEARS for month in range(1, 13))


def _customer(ordinal: int, point: ServicePoint, today: date) -> Customer:
    plan, reading_days = PLANS[ordinal % len(PLANS)], _reading_days(point.read_day)
    bills: list[LastBill] = []
    payments: list[Payment] = []
    for back, read in enumerate([day for day in reading_days if day < today][-_SENT:][::-1]):
        # Between $60 and $240, by lot.
        amount = Decimal(6_000 + (esiid_hash(point.esiid) >> 16 * back) % 18_000) / 100
        bill = LastBill(amount=amount, billed=read + timedelta(days=1), due=read + timedelta(days=17))
        bills.insert(0, bill)
        if back or ordinal % _UNPAID != _UNPAID - 1:
            payments.insert(0, Payment(received=bill.due - timedelta(days=3), amount=amount))
    entry = AccountEntry(
        account_id=f"A-{ordinal + 1:04d}",
        customer_name=point.customer.title(),
        esiid=point.esiid,
        cycle=f"{point.read_day:02d}",
        plans=(PlanSince(plan=plan, since=reading_days[0]),),
        multiplier=point.multiplier,
        zone=point.weather_zone if point.weather_zone in ZONES else None,
    )
    return Customer(entry, reading_days, (shipped_plan(plan),), tuple(bills), tuple(payments))

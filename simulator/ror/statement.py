"""What a usage file says of a billing cycle, without an account or a call: the bill to date, where it goes, the plan's edges, the day's pattern. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from meters.calendar import INTERVAL_S, Seconds, day_of_interval, iso, local, seconds
from simulator.ror.account import Account
from simulator.ror.billing.fact_label import LABEL_DAYS
from simulator.ror.billing.money import kwh, money
from simulator.ror.billing.plan import RatePlan
from simulator.ror.call.analysis import EdgeWorth, edge_worths
from simulator.ror.call.stand import Stand, take_stand
from simulator.ror.errors import RorError
from simulator.ror.expected.likely import AFTER, BEFORE
from simulator.ror.expected.projection import Projection, project
from simulator.ror.expected.worth import Outlook, closed_bills, outlook
from simulator.ror.pattern import HourlyPattern, Outdoors, hourly_pattern
from simulator.ror.usage import Quality, UsageRecord

#: A file may name none that an account can have; nothing here asks for it.
_NO_ESIID = "0" * 17
#: Whole days of a home's own below which it is said that few are known [D].
_FEW_DAYS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A cycle as it stands at an instant."""

    account: Account
    plan: RatePlan
    #: To which the record was looked at, UTC epoch seconds.
    at: Seconds
    #: The values up to then.
    record: UsageRecord
    #: None: no value of the cycle is known.
    stand: Stand | None
    projection: Projection
    outlook: Outlook
    #: Of a cycle that is over there are none.
    edges: tuple[EdgeWorth, ...]
    pattern: HourlyPattern

    @property
    def closed(self) -> bool:
        """Whether the bill is that of the whole cycle."""
        return self.stand is not None and self.stand.to >= self.account.cycle_end

    def sentences(self) -> list[str]:
        """What it says, the bill first."""
        told = self._bill() + ([] if self.closed else self._ahead())
        told += [edge.statement() for edge in self.edges if edge.in_reach] or [
            edge.statement() for edge in self.edges[:1]
        ]
        return [*told, *filter(None, (self.pattern.day_sentence(), self.pattern.usual_sentence()))]

    def _bill(self) -> list[str]:
        if self.stand is None:
            return [f"No value of the cycle from {self.account.cycle_first} is known: nothing is billed yet."]
        cycle, bill = self.record.within(self.account.cycle_start, self.stand.to), self.stand.bill
        lacking = sum(hole.end - hole.start for hole in self.stand.holes) // INTERVAL_S
        name = "Bill to date" if not self.closed else "Bill of what is known" if lacking else "Bill"
        told = [
            f"{name}: {money(bill.total)} with tax, for {kwh(bill.usage_wh)} kWh from {self.account.cycle_first} to {_clock(self.stand.to)}."
        ]
        estimated = cycle.wh_of(Quality.VEE_ESTIMATED)
        if estimated:
            told.append(f"{kwh(estimated)} kWh of it are estimated.")
        if lacking:
            told.append(
                f"{lacking:,} quarter hours of it are not known, the first from {_clock(self.stand.holes[0].start)}: they are not in the bill, and what depends on "
                "the whole usage, as credits, fees and tiers do, is as of the known part alone."
            )
        told += [
            f"{line.kind.value.capitalize()} of {money(abs(line.amount))} {line.text}: {line.standing.value}."
            for line in bill.undecided
        ]
        return told

    def _ahead(self) -> list[str]:
        ahead, bills, used = self.projection, self.outlook, self.projection.draws.days_used
        told = [
            f"Where it goes by {self.account.cycle_last}: {kwh(ahead.total_wh)} kWh, in eight of ten {kwh(ahead.low_wh)} to {kwh(ahead.high_wh)}; "
            f"of the bills that these ways come to the middle one is {money(bills.middle)}, eight of ten lie from {money(bills.low)} to {money(bills.high)}, and the mean is {money(bills.expected)}."
        ]
        if not used:
            told.append("No whole day of this home is known: that is the band of any home in this season.")
        elif used < _FEW_DAYS:
            days = "1 whole day of this home is" if used == 1 else f"{used} whole days of this home are"
            told.append(f"Only {days} known of the last {BEFORE}: the band is as wide as that leaves it.")
        if self.plan.export is not None and not ahead.draws.roof:
            told.append("No whole day tells what this home gives to the grid: the band is that of one without a roof.")
        return told

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money as strings, energy in whole Wh, instants as ISO 8601 in Central time."""
        return {
            "plan": self.plan.name,
            "cycle_first": self.account.cycle_first.isoformat(),
            "cycle_last": self.account.cycle_last.isoformat(),
            "at": iso(self.at),
            "closed": self.closed,
            "stand": None if self.stand is None else self.stand.to_dict(),
            "projection": self.projection.to_dict(),
            "projected_usd": self.outlook.to_dict(),
            "edges": [edge.to_dict() for edge in self.edges],
            "pattern": self.pattern.to_dict(),
            "sentences": self.sentences(),
        }


def cycle_of(first: date, last: date | None = None) -> Account:
    """An account that has a cycle and no more; one of 30 days unless its last day is given. Raises RorError for what is none."""
    try:
        last = first + timedelta(days=LABEL_DAYS - 1) if last is None else last
        return Account(account_id="", customer_name="", esiid=_NO_ESIID, plan="", cycle_first=first, cycle_last=last)
    except (ValueError, OverflowError):
        span = f"{first} to {last}" if last else f"{LABEL_DAYS} days from {first}"
        text = f"{span} is no billing cycle: it has 1 to 400 days, from 2000 on."
        raise RorError("ror.balance.cycle", text, "--cycle-first", "Give its first and its last day.") from None


def state(
    account: Account, plan: RatePlan, record: UsageRecord, at: Seconds | None = None, outdoors: Outdoors | None = None
) -> Statement:
    """Look at a cycle as it stands at an instant (UTC epoch seconds; the end of the record unless given), or at its own end. outdoors: see ``hourly_pattern``.

    Raises RorError for a record that has nothing before it.
    """
    place = "--cycle-first" if at is None else "--at"
    at = min(seconds(record.ends[-1]) if at is None else at, account.cycle_end)
    known = record.only(record.ends <= at)
    if not len(known.ends):
        text = f"The first value is of {iso(seconds(record.ends[0]) - INTERVAL_S)}: nothing is known at {iso(at)}."
        raise RorError("ror.balance.at", text, place, "Give a cycle, or an instant, that the file reaches.")
    if account.cycle_start - known.ends[-1] > AFTER * 86400:
        text = f"The cycle begins on {account.cycle_first}, and the last value known is of {iso(seconds(known.ends[-1]))}: nothing tells of days that far ahead."
        raise RorError(
            "ror.balance.ahead", text, place, f"Give a cycle that begins within {AFTER} days of the last value."
        )
    stand = take_stand(account, plan, known)
    ahead = project(known, account) if stand is None else stand.projection
    bills = outlook(closed_bills(plan, account, ahead.draws)) if stand is None else stand.outlook
    closed = stand is not None and stand.to >= account.cycle_end
    edges = () if closed else tuple(edge_worths(plan, account, ahead))
    pattern = hourly_pattern(known, day_of_interval(seconds(known.ends[-1])), outdoors)
    return Statement(account, plan, at, known, stand, ahead, bills, edges, pattern)


def _clock(ts: Seconds) -> str:
    return local(ts).strftime("%Y-%m-%d %H:%M")


def day_given(text: str, place: str) -> date:
    """A day written 2026-07-16. Raises RorError for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RorError("ror.balance.day", f"'{text}' is no day.", place, "Write it as 2026-07-16.") from None

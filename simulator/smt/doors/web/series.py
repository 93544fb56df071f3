"""Usage as what charts draw: posted days, and of a day that is not posted what was read of it on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from headend.wire import InquiryResult
from meters.calendar import Seconds, days, interval_ends, seconds
from simulator.smt.usage.billing_periods import BilledPeriod
from simulator.smt.usage.store import StoredDay
from simulator.web.charts import QUARTER_HOURS, Chart, Column, day_ticks
from simulator.web.kinds import ACTUAL, ESTIMATED, METER, MISSING, STORE
from simulator.web.words import begins, named_day

#: Of every how many days, and of every how many billing periods, one is marked below.
_DAYS_MARKED, _PERIODS_MARKED = 7, 4


def posted_day(load: StoredDay, generation: StoredDay | None, beside: Sequence[int]) -> Chart:
    """A posted day. beside: whole Wh of others, as a line."""
    names = begins(load.day)
    return Chart(
        f"kWh used in each quarter hour of {named_day(load.day)}",
        QUARTER_HOURS,
        names,
        day_ticks(load.day),
        _column(load),
        # The head-end posts zeros for a meter without generation.
        _column(generation) if generation is not None and generation.wh.any() else None,
        beside,
    )


def unposted_day(day: date, read: InquiryResult, until: Seconds, beside: Sequence[int]) -> Chart | None:
    """A day of which nothing is posted: what an answer has of it, None if it has nothing. until: to where it was asked for, UTC epoch seconds."""
    ends = [seconds(end) for end in interval_ends(day).tolist() if end <= until]
    known = {seconds(one.end.timestamp()): one for one in read.intervals}
    if not any(end in known for end in ends):
        return None
    kinds, wh = list[str](), list[int]()
    for end in ends:
        one = known.get(end)
        kinds.append(MISSING if one is None else {"store": STORE, "meter": METER}[one.source])
        wh.append(0 if one is None else one.wh)
    names = begins(day)
    label = f"kWh used in each quarter hour of {named_day(day)} so far, not validated"
    return Chart(label, QUARTER_HOURS, names, day_ticks(day), Column(kinds, wh), None, beside)


def by_day(load: Sequence[StoredDay], generation: Sequence[StoredDay], last: date) -> Chart | None:
    """Sums of days, from the first that is posted to ``last``; None without any."""
    if not load:
        return None
    shown = days(load[0].day, last)
    used, given = ({one.day: one for one in stored} for stored in (load, generation))
    marked = range(len(shown) - 1, -1, -_DAYS_MARKED)
    solar = any(one.wh.any() for one in generation)
    return Chart(
        f"kWh used on each day from {named_day(shown[0])} to {named_day(shown[-1])}",
        ("day", "days"),
        [f"{day:%a %b %d}" for day in shown],
        [(index, f"{shown[index]:%b %d}") for index in reversed(marked)],
        _sums(shown, used),
        _sums(shown, given) if solar else None,
    )


def by_period(periods: Sequence[BilledPeriod]) -> Chart | None:
    """Billing periods; None without any."""
    if not periods:
        return None
    kinds = [ESTIMATED if one.estimated else ACTUAL for one in periods]
    return Chart(
        "kWh used in each billing period",
        ("period", "periods"),
        [f"{one.start:%b %d %Y} to {one.end - timedelta(days=1):%b %d %Y}" for one in periods],
        [(index, f"{periods[index].start:%b %y}") for index in range(0, len(periods), _PERIODS_MARKED)],
        Column(kinds, [one.wh for one in periods]),
    )


def _column(day: StoredDay) -> Column:
    return Column([ESTIMATED if late else ACTUAL for late in day.estimated.tolist()], day.wh.tolist())


def _sums(shown: Sequence[date], stored: Mapping[date, StoredDay]) -> Column:
    """One bar a day; a day with an interval that is estimated counts as estimated."""
    kinds, wh = list[str](), list[int]()
    for day in shown:
        one = stored.get(day)
        kinds.append(MISSING if one is None else ESTIMATED if one.estimated.any() else ACTUAL)
        wh.append(0 if one is None else int(one.wh.sum()))
    return Column(kinds, wh)

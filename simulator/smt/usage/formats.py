"""Reports as files: SMT's interval CSV, daily and monthly CSV, LSE; and their names. Pure.

Columns and name of the interval CSV are SMT's (DOMAIN §5 [V]); those of the daily and the monthly one are defaults of this project [D]. A delivery
has no apostrophe before the ESI ID, as a portal export has [D].
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headend.lse import writer as lse
from headend.lse.format import STAMP
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, Seconds, day_start, local, us_date, us_stamp
from simulator.smt.usage.billing_periods import BilledPeriod
from simulator.smt.usage.kwh import kwh
from simulator.smt.usage.store import StoredDay

INTERVAL_COLUMNS = (
    "ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,"
    "ESTIMATED_ACTUAL,CONSUMPTION_SURPLUSGENERATION"
)
#: How the name of an interval CSV begins.
INTERVAL_STEM = "IntervalMeterUsage"
DAILY_COLUMNS = "ESIID,READ_DATE,REVISION_DATE,START_READING,END_READING,USAGE_KWH,CONSUMPTION_SURPLUSGENERATION"
MONTHLY_COLUMNS = "ESIID,START_DATE,END_DATE,REVISION_DATE,ACTUAL_KWH,METERED_KW,BILLED_KW,METERED_KVA,BILLED_KVA"
#: What a CSV calls each channel.
_CALLED = {Channel.LOAD: "Consumption", Channel.GENERATION: "Surplus Generation"}


def interval_csv(stored: Iterable[StoredDay]) -> bytes:
    """One row per interval, in order of time; in the repeated hour the order decides. An interval ends at `` 00:00`` of the next day."""
    return _csv(INTERVAL_COLUMNS, (row for day in stored for row in _interval_rows(day)))


def _interval_rows(day: StoredDay) -> Iterator[str]:
    head = f"{day.esiid},{us_date(day.day)},{us_stamp(day.loaded_at)}"
    called = _CALLED[day.channel]
    begin = day_start(day.day)
    clocks = [local(begin + index * INTERVAL_S).strftime("%H:%M") for index in range(len(day.wh) + 1)]
    for index, (wh, late) in enumerate(zip(day.wh.tolist(), day.estimated.tolist(), strict=True)):
        yield f"{head}, {clocks[index]}, {clocks[index + 1]},{kwh(wh)},{'E' if late else 'A'},{called}"


def daily_csv(stored: Iterable[StoredDay]) -> bytes:
    """One row per day and revision that has a register at both midnights."""
    return _csv(
        DAILY_COLUMNS,
        (
            f"{day.esiid},{us_date(day.day)},{us_stamp(day.loaded_at)},{kwh(day.start_wh)},{kwh(day.stop_wh)},"
            f"{kwh(int(day.wh.sum()))},{_CALLED[day.channel]}"
            for day in stored
            if day.start_wh is not None and day.stop_wh is not None
        ),
    )


def monthly_csv(periods: Iterable[tuple[str, BilledPeriod]]) -> bytes:
    """One row per ESI ID and billing period."""
    return _csv(MONTHLY_COLUMNS, (",".join((esiid, *one.body().values())) for esiid, one in periods))


def lse_file(stored: Iterable[StoredDay]) -> bytes:
    """The days as LSE records, each stamped with when the TDSP had made it."""
    return lse.dumps(
        lse.LseRecord(day.esiid, day.channel, day.day, day.start_wh, day.stop_wh, day.wh, day.estimated, day.posted_at)
        for day in stored
    )


def report_name(stem: str, suffix: str, created_at: Seconds, key: str) -> str:
    """``IntervalMeterUsage<ccyymmddhhmmss><correlationId>.CSV``. created_at: UTC epoch seconds."""
    return f"{stem}{local(created_at).strftime(STAMP)}{key}.{suffix}"


def _csv(columns: str, rows: Iterable[str]) -> bytes:
    return "".join(f"{row}\n" for row in (columns, *rows)).encode("ascii")

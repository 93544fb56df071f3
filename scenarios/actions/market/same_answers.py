"""``same_answers``: both doors are asked for the same, and tell the same (AC2); a daily read is the sum of the day's intervals."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import Field

from meters.calendar import day_of
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.market.portal_read import AtPortal
from scenarios.actions.market.requests import why
from scenarios.parts.expected import COUNT, TEXT, TEXTS, Fact
from scenarios.records.actions import Trouble
from scenarios.records.values import Record
from simulator.customer.same_answers import QUESTIONS, same_answers

if TYPE_CHECKING:
    from scenarios.stage import Stage

#: Day, consumption and both midnight registers, as the market API and the portal name them.
BY_API = ("readDate", "energyDataKwh", "startReading", "endReading")
AT_PORTAL = ("date", "reading", "startreading", "endreading")
#: Digits with a point among them or before them.
_NUMBER = re.compile(r"\d*\.?\d+")


class SameAnswers(AtPortal):
    """The retailer at the market API and the customer at the portal ask for the same: intervals, daily reads, meter attributes, premise, HAN devices (AC2)."""

    days: int = Field(default=2, ge=1, le=30, description="Operating days of usage, up to the last one that is posted.")


class UsageRow(Record):
    """An operating day and channel of usage."""

    DT: str
    RT: str


class DoorAnswers(Record):
    """What a door told, by question (``same_answers.QUESTIONS``), as it came; nothing where it gave no answer."""

    usage: list[UsageRow] = Field(default_factory=list)
    #: None in a recording of before the portal told it.
    daily: list[dict[str, Any]] | None = None
    meter: list[dict[str, Any]] = Field(default_factory=list)
    premise: dict[str, Any] = Field(default_factory=dict)
    devices: list[dict[str, Any]] = Field(default_factory=list)


class RecordedAnswers(Record):
    """What both doors told."""

    market: DoorAnswers
    portal: DoorAnswers
    trouble: Trouble | None


SeenAnswers = Seen[SameAnswers, RecordedAnswers]


def _play(stage: Stage, action: SameAnswers) -> Played:
    esiid = stage.esiid(action)
    end = stage.sandbox.smt.store.last_vee_end(esiid)
    last = day_of(stage.runtime.now() if end is None else end) - timedelta(days=1)
    first = max(last - timedelta(days=action.days - 1), stage.scenario.world.first_day)
    portal = stage.portal_client(action.by(stage.scenario))
    return (yield from same_answers(stage.runtime, stage.ror_client(action), portal, esiid, first, last, action.ref))


def daily_reads(rows: list[dict[str, Any]] | None, words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Day, kWh and registers of each row. Consumption is text at one door and a number at the other: three places are a Wh."""
    found: list[tuple[str, ...]] = []
    for row in rows or []:
        day, used, start, end = (str(row.get(word)) for word in words)
        found.append((day, f"{Decimal(used):.3f}" if _NUMBER.fullmatch(used) else used, start, end))
    return found


def kwh_of(row: UsageRow) -> str:
    """What the 100 slots of an operating day sum up to."""
    values = [slot.partition("-")[0] for slot in str((row.model_extra or {}).get("RD", "")).split(",")]
    return f"{sum((Decimal(value) for value in values if _NUMBER.fullmatch(value)), Decimal(0)):.3f}"


def _market(seen: SeenAnswers) -> DoorAnswers:
    return DoorAnswers() if seen.record is None else seen.record.market


def _told(seen: SeenAnswers) -> dict[str, tuple[Any, Any]]:
    """What both doors told, by question; daily reads in one shape, and left out where an old recording has none."""
    market, portal = _market(seen), DoorAnswers() if seen.record is None else seen.record.portal
    told: dict[str, tuple[Any, Any]] = {one: (getattr(market, one), getattr(portal, one)) for one in QUESTIONS}
    if told["daily"] == (None, None):
        del told["daily"]
    else:
        told["daily"] = (daily_reads(market.daily, BY_API), daily_reads(portal.daily, AT_PORTAL))
    return told


def _unanswered(seen: SeenAnswers) -> tuple[str, ...]:
    return tuple(question for question, (market, _) in _told(seen).items() if not market)


def _different(seen: SeenAnswers) -> tuple[str, ...]:
    return tuple(question for question, (market, portal) in _told(seen).items() if market != portal)


def _no_sums(seen: SeenAnswers) -> tuple[str, ...]:
    market = _market(seen)
    sums = {row.DT: kwh_of(row) for row in market.usage if row.RT == "C"}
    told = {day: kwh for day, kwh, *_ in daily_reads(market.daily, BY_API)}
    return tuple(
        f"{day}: {told[day]} kWh, not {sums[day]}"
        for day in sorted(sums.keys() & told.keys())
        if told[day] != sums[day]
    )


def _meter(seen: SeenAnswers) -> dict[str, Any]:
    return next(iter(_market(seen).meter), {})


def _days(seen: SeenAnswers) -> tuple[str, ...]:
    return tuple(sorted({row.DT for row in _market(seen).usage}))


def _tell(seen: SeenAnswers) -> str:
    if _unanswered(seen) or _different(seen) or _no_sums(seen):
        return f"Market API and portal API do not tell the same. {why(seen.record and seen.record.trouble)}"
    devices, daily = len(_market(seen).devices), len(_market(seen).daily or [])
    return (
        f"Market API and portal API tell the same: {len(_days(seen))} operating days of usage, {daily} daily reads that are their sum, "
        f"{len(_meter(seen))} meter attributes, "
        f"the premise, {devices} HAN device{'' if devices == 1 else 's'}."
    )


ROWS = (
    Row(
        "same_answers",
        "The same answers",
        SameAnswers,
        RecordedAnswers,
        _play,
        (
            Fact("trouble", TEXT, "trouble in asking", lambda seen: seen.record and seen.record.trouble and seen.record.trouble.reason),
            Fact("unanswered", TEXTS, "questions that the market API does not answer", _unanswered, shown=False),
            Fact("different", TEXTS, "answers that differ at the portal", _different, shown=False),
            Fact("no_sums", TEXTS, "days whose daily read is not their intervals' sum", _no_sums, shown=False),
            Fact("usage_days", TEXTS, "operating days of usage", _days),
            Fact("channels", TEXTS, "channels of usage", lambda seen: tuple(sorted({row.RT for row in _market(seen).usage}))),
            Fact("meter_serial_number", TEXT, "serial number of the meter", lambda seen: _meter(seen).get("meterSerialNumber")),
            Fact("meter_attributes", COUNT, "meter attributes", lambda seen: len(_meter(seen))),
            Fact("premise", TEXT, "address of the premise", lambda seen: _market(seen).premise.get("address")),
            Fact("han_devices", COUNT, "HAN devices", lambda seen: len(_market(seen).devices)),
        ),
        _tell,
        implied=lambda _: {"trouble": {"absent": True}, "unanswered": [], "different": [], "no_sums": []},
    ),
)  # fmt: skip

"""``registry_change``: SMT's records change in mid-run: another retailer, another customer, another agreement, another meter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from meters.calendar import day_of, iso
from scenarios.actions.action import Played, Row, Seen
from scenarios.parts.expected import INSTANT, TEXT, TEXTS, TRUTH, Fact
from scenarios.parts.setting import Act
from scenarios.parts.written import Day
from scenarios.records.values import Instant, Record
from simulator.smt.registry.records import Agreement, MeterExchange, Occupancy, Records, RorPeriod
from simulator.smt.registry.seeded import CSP

if TYPE_CHECKING:
    from scenarios.stage import Stage


class RegistryChange(Act):
    """SMT's records of the account's ESI ID change while the run goes on."""

    change: Literal["switch", "move_in", "move_out", "agree", "end_agreement", "exchange", "energize", "deenergize"]
    to: str | None = Field(
        default=None,
        description="switch: DUNS of the new retailer; move_in: log-in of the customer; exchange: number of the new meter.",
    )
    effective: Day | None = Field(
        default=None, description="First day of what is new, last day of what ends; the day of the change unless given."
    )

    @model_validator(mode="after")
    def _to_whom(self) -> Self:
        if (self.to is None) == (self.change in ("switch", "move_in", "exchange")):
            wrong = "needs a 'to'; write to whom or what" if self.to is None else "has no 'to'; leave it away"
            raise ValueError(f"{self.change} {wrong}")
        return self


class RecordedChange(Record):
    """What SMT's records have of the ESI ID once they are changed, on the day from which on that holds."""

    at: Instant
    ror_of_record: str | None
    customers: list[str]
    csps: list[str]
    meter_number: str
    energized: bool


SeenChange = Seen[RegistryChange, RecordedChange]


def _ended(periods: Any, esiid: str, last: date) -> tuple[Any, ...]:
    """Periods of an ESI ID that go on are over after a day."""

    def goes_on(one: Any) -> bool:
        return bool(one.esiid == esiid and one.first_day <= last and (one.last_day is None or one.last_day > last))

    return tuple(replace(one, last_day=last) if goes_on(one) else one for one in periods)


def _switch(records: Records, esiid: str, day: date, to: str) -> Records:
    before = _ended(records.periods, esiid, day - timedelta(days=1))
    return records._replace(periods=(*before, RorPeriod(esiid, to, day)))


def _move_in(records: Records, esiid: str, day: date, to: str) -> Records:
    return records._replace(occupancies=(*records.occupancies, Occupancy(esiid, to, day)))


def _move_out(records: Records, esiid: str, day: date, _: str) -> Records:
    """Who has always lived there has an occupancy from then on, which has an end."""
    ever = [user for user in records.users if esiid in user.esiids]
    users = tuple(
        replace(user, esiids=tuple(one for one in user.esiids if one != esiid)) if user in ever else user
        for user in records.users
    )
    was = (*records.occupancies, *(Occupancy(esiid, user.username, date.min) for user in ever))
    return records._replace(users=users, occupancies=_ended(was, esiid, day))


def _agree(records: Records, esiid: str, day: date, _: str) -> Records:
    return records._replace(agreements=(*records.agreements, Agreement(esiid, CSP[0], day)))


def _end_agreement(records: Records, esiid: str, day: date, _: str) -> Records:
    return records._replace(agreements=_ended(records.agreements, esiid, day))


def _exchange(records: Records, esiid: str, day: date, to: str) -> Records:
    (point,) = (one for one in records.points if one.esiid == esiid)
    return records._replace(exchanges=(*records.exchanges, MeterExchange(esiid, to, day, point.attributes)))


def _energized(now: bool) -> Callable[[Records, str, date, str], Records]:
    def change(records: Records, esiid: str, _day: date, _to: str) -> Records:
        points = (replace(one, energized=now) if one.esiid == esiid else one for one in records.points)
        return records._replace(points=tuple(points))

    return change


_CHANGES: dict[str, Callable[[Records, str, date, str], Records]] = {
    "switch": _switch, "move_in": _move_in, "move_out": _move_out, "agree": _agree, "end_agreement": _end_agreement,
    "exchange": _exchange, "energize": _energized(True), "deenergize": _energized(False),
}  # fmt: skip
#: What ends holds through its last day.
_END = ("move_out", "end_agreement")


def _play(stage: Stage, action: RegistryChange) -> Played:
    registry, esiid = stage.sandbox.market.registry, stage.esiid(action)
    day = action.effective or day_of(stage.runtime.now())
    registry.take(_CHANGES[action.change](registry.records, esiid, day, action.to or ""))
    yield stage.runtime.env.timeout(0)
    then = day + timedelta(days=1) if action.change in _END else day
    seen = [user for user in registry.users.values() if registry.may_see(user, esiid, then)]
    point = registry.point(esiid, then)
    return {
        "at": iso(stage.runtime.now()),
        "ror_of_record": registry.ror_of_record(esiid, then),
        "customers": sorted(user.username for user in seen if user.kind == "customer"),
        "csps": sorted(user.username for user in seen if user.kind == "csp"),
        "meter_number": point.meter_number,
        "energized": point.energized,
    }


def _of(name: str) -> Any:
    return lambda seen: seen.record and getattr(seen.record, name)


def _names(name: str) -> Any:
    return lambda seen: seen.record and tuple(getattr(seen.record, name))


def _tell(seen: SeenChange) -> str:
    one = seen.record
    if one is None:
        return "Nothing recorded."
    who = ", ".join((*one.customers, *one.csps)) or "nobody"
    return f"{seen.action.change.replace('_', ' ').capitalize()}: retailer {one.ror_of_record}, meter {one.meter_number}; {who} may look besides."


ROWS = (
    Row(
        "registry_change",
        "Change of SMT's records",
        RegistryChange,
        RecordedChange,
        _play,
        (
            Fact("changed_at", INSTANT, "when the records changed", _of("at")),
            Fact("ror_of_record", TEXT, "DUNS of the retailer of record from then on", _of("ror_of_record")),
            Fact("customers", TEXTS, "log-ins of customers who live there", _names("customers")),
            Fact("csps", TEXTS, "log-ins of CSPs with an agreement", _names("csps")),
            Fact("meter_number", TEXT, "number of the meter that SMT has", _of("meter_number")),
            Fact("energized", TRUTH, "whether it is energised", _of("energized")),
        ),
        _tell,
    ),
)  # fmt: skip

"""How collection stands, as the head-end tells it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from headend.ports import MeterKey
from headend.store.states import Cause, DayState
from headend.wire import Instant
from meters.calendar import Seconds, local


class CollectionAsked(BaseModel):
    """Whose states. A name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    complete: bool | None = None
    esiid: str = Field(default="", pattern=r"^(\d{17,22})?$")
    after: str = Field(default="", max_length=22, description="Begin behind this ESI ID.")
    limit: int = Field(default=1_000, ge=1, le=10_000)


class MeterCollection(BaseModel):
    """How the collection of a meter's operating day stands."""

    esiid: str = Field(examples=["10443720000000017"])
    meterNumber: str = Field(description="By the records.", examples=["900000017"])
    attempts: int = Field(ge=0, description="Since the day has ended; sweeps that follow each other closely are one.")
    cause: Cause = Field(description="Why the latest attempt that failed did; empty if none has.")
    complete: bool = Field(description="Every interval is known, and the registers at both midnights are.")
    estimationStopped: bool = Field(
        description="It is silent with many others of its area: when VEE ran, nothing was made up for it."
    )
    lastAttemptAt: Instant | None = None
    lastChangeAt: Instant | None = Field(default=None, description="When something of it came, since it has ended.")


class DayCollection(BaseModel):
    """An operating day's meters, by ESI ID."""

    operatingDay: date
    meters: list[MeterCollection]


def told(day: date, states: Sequence[DayState], stopped: Collection[MeterKey]) -> DayCollection:
    """The states of a day. stopped: meters whose estimation is."""

    def instant(at: Seconds | None) -> Instant | None:
        return None if at is None else local(at)

    meters = [
        MeterCollection(
            esiid=state.esiid,
            meterNumber=state.meter_number,
            attempts=state.attempts,
            cause=state.cause,
            complete=state.complete,
            estimationStopped=state.meter in stopped,
            lastAttemptAt=instant(state.tried_at),
            lastChangeAt=instant(state.changed_at),
        )
        for state in states
    ]
    return DayCollection(operatingDay=day, meters=meters)

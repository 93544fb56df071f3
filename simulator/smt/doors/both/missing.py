"""What SMT lacks of an operating day, as a tester, a TDSP and a REP are told of it."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from meters.calendar import day_end
from simulator.smt.doors.both.bodies import day_asked
from simulator.smt.party import Smt
from simulator.smt.registry.records import User
from simulator.smt.usage.missing import missing

#: ESI IDs that one reply names at most. A default of this project.
MOST_NAMED = 10_000


class MissingAsked(BaseModel):
    """Of which day. A name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    day: Annotated[date, BeforeValidator(day_asked)] = Field(description="Operating day.", examples=["2026-08-11"])


class MissingGroup(BaseModel):
    """One TDSP's ESI IDs of one REP of record."""

    tdsp: str = Field(description="DUNS number.")
    tdspName: str
    ror: str | None = Field(description="DUNS number of the REP of record on that day; null where there was none.")
    rorName: str
    expected: int = Field(description="ESI IDs of which SMT receives usage as LSE.")
    missing: int
    esiids: list[str] = Field(description=f"Those that are missing; {MOST_NAMED:,} of a reply at most.")


class MissingTold(BaseModel):
    """ESI IDs of which nothing is loaded for an operating day."""

    day: date
    over: bool = Field(description="Whether the day is over: until then all are missing.")
    groups: list[MissingGroup]


async def missing_told(smt: Smt, day: date, user: User | None = None) -> MissingTold:
    """What is missing of a day, for a user, or for a tester."""
    registry, room, groups = smt.registry, MOST_NAMED, []
    tdsps = {entity.key: entity for entity in registry.entities.values() if entity.key}
    for one in await asyncio.to_thread(missing, registry, smt.store, day, user):
        tdsp, ror = tdsps.get(one.tdsp_key), registry.entities.get(one.ror or "")
        named = one.esiids[:room]
        room -= len(named)
        groups.append(
            MissingGroup(
                tdsp=tdsp.duns if tdsp else "",
                tdspName=tdsp.name if tdsp else "",
                ror=one.ror,
                rorName=ror.name if ror else "",
                expected=one.expected,
                missing=len(one.esiids),
                esiids=named,
            )
        )
    return MissingTold(day=day, over=day_end(day) <= smt.driver.now(), groups=groups)

"""The control API of a test bed: what time it is, and on the manual clock how to move it."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from headend.http.described_api import party_of
from headend.wire import Instant
from meters.calendar import Seconds, seconds
from simulator.errors import SimulatorError
from simulator.parties.clock_sharing import clock_entry
from simulator.runtime.clock import MAX_SPEED, MIN_SPEED
from simulator.runtime.driver import Runtime

#: How far one call moves the manual clock at most, seconds: it answers when all that is due until then is done.
FURTHEST_S = 366 * 86400


class ClockState(BaseModel):
    """What time it is in the model."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "mode": "scaled",
                    "now": "2026-08-12T17:40:00-05:00",
                    "speed": 60.0,
                    "epoch": "2026-08-12T12:00:00-05:00",
                    "wallStart": 1786554000.25,
                }
            ]
        }
    )

    mode: str = Field(examples=["manual"])
    now: str = Field(examples=["2026-08-12T17:40:00-05:00"])
    speed: float = Field(description="Model seconds in a wall second; 0 on the manual clock.", examples=[0.0])
    epoch: str | None = Field(
        default=None, description="The model's time at `wallStart`; null on the manual clock, which nobody can share."
    )
    wallStart: float | None = Field(
        default=None,
        description="Wall time in Unix seconds. With epoch and speed, it gives another party the same now.",
    )


class Advance(BaseModel):
    """How far to move the manual clock: by seconds, or to an instant."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"seconds": 900}, {"to": "2026-08-12T20:10:00-05:00"}]}
    )

    seconds: Seconds | None = Field(default=None, strict=True, ge=0, le=FURTHEST_S, examples=[900])
    to: Instant | None = Field(
        default=None,
        description=f"At most {FURTHEST_S // 86400} days ahead.",
        examples=["2026-08-12T20:10:00-05:00"],
    )


class Speed(BaseModel):
    """How fast to run on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"speed": 600}]})

    speed: float = Field(ge=MIN_SPEED, le=MAX_SPEED, description="Model seconds in a wall second.", examples=[600])


#: Of a handler's parameter: the runtime whose application took the request.
ServedRuntime = Annotated[Runtime, party_of(Runtime)]


@cache
def router() -> APIRouter:
    """The routes under ``/control/clock``."""
    routes = APIRouter(prefix="/control", tags=["Control"])

    @routes.get("/clock", summary="The model's time")
    async def clock(runtime: ServedRuntime) -> ClockState:
        return _state(runtime)

    @routes.post("/clock/advance", summary="Move the manual clock", response_model=ClockState)
    async def advance(asked: Advance, runtime: ServedRuntime) -> ClockState | JSONResponse:
        """Move model time; returns when everything due until then is done. The one handler that waits for model time."""
        if not runtime.clock.manual:
            return _refuse(409, "control.clock.running", "The clock runs by itself: only --clock manual can be moved.")
        if (asked.seconds is None) == (asked.to is None):
            return _refuse(400, "control.clock.malformed", "Give either seconds or to.")
        to = runtime.now() + (asked.seconds or 0) if asked.to is None else seconds(asked.to.timestamp())
        if to > runtime.now() + FURTHEST_S:
            return _refuse(400, "control.clock.far", f"It moves {FURTHEST_S // 86400} days at a time at most.")
        try:
            await runtime.run_until(to)
        except SimulatorError as error:
            return _refuse(400, error.code, error.message)
        return _state(runtime)

    @routes.post("/clock/speed", summary="Let the clock run at another speed", response_model=ClockState)
    async def speed(asked: Speed, runtime: ServedRuntime) -> ClockState | JSONResponse:
        """Run on from now at another speed. Where parties of other processes go by the clock it stays as it is: they would not hear of it."""
        if runtime.clock.manual:
            return _refuse(409, "control.clock.manual", "The clock is moved by hand: POST /control/clock/advance.")
        if not runtime.whole:
            return _refuse(
                409, "control.clock.shared", "Other processes may go by this clock: begin them all at another speed."
            )
        runtime.set_speed(asked.speed)
        return _state(runtime)

    return routes


def _state(runtime: Runtime) -> ClockState:
    entry = clock_entry(runtime)
    return ClockState(wallStart=entry.pop("wall_start", None), **entry)


def _refuse(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"errorCode": code, "errorMessage": message}, status_code=status)

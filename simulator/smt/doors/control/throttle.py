"""The control API's part for the throttle: how much of each limit is used that concerns an ESI ID."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from headend.http.examples import documented
from headend.wire import InquiryKind
from meters.calendar import day_of, iso
from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.throttle.decision import NEVER, Door, Kind, Measure, Scope
from simulator.smt.throttle.standing import Standing


class ThrottleAsked(BaseModel):
    """Of which ESI ID, and for whom. A name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    esiid: str = Field(pattern=r"^[0-9]{1,22}$", examples=["10443729924385485"])
    username: str = Field(
        default="",
        max_length=64,
        description="Who would ask: limits by class of requester and by door look at it; a log-in of its REP of record unless given.",
    )


class LimitTold(BaseModel):
    """One limit as it stands."""

    limit: str
    rule: str = Field(description="In words.")
    code: str = Field(description="Of its refusals.", examples=["FR-CR016.1b"])
    kind: Kind | None = Field(description="What it counts; null: reads and power statuses together.")
    doors: list[Door]
    scope: Scope = Field(description="Whose requests count together.")
    scopeValue: str
    measure: Measure
    amount: int = Field(description="So much is let in; of a bucket what flows in, of a breaker what opens it.")
    used: int = Field(description="In the window that counts now; of a bucket the tokens that are gone.")
    held: int = Field(description="By requests under way.")
    free: bool = Field(description="Whether one more would be let in now.")
    freeFrom: str | None = Field(
        description="When the next is let in if all that is held succeeds; null: now, or never under this policy."
    )


class ThrottleTold(BaseModel):
    """The limits of the policy that concern an ESI ID."""

    esiid: str
    policy: str
    username: str = Field(description="For whom they are told.")
    at: str
    limits: list[LimitTold]


def router() -> APIRouter:
    """``GET /control/throttle``."""
    routes = APIRouter(prefix="/control", tags=["Control"])

    @routes.get(
        "/throttle",
        response_model=ThrottleTold,
        responses={404: documented("There is no such ESI ID, or no such log-in.", BusinessErrorReply)},
        summary="The throttle as it stands for an ESI ID",
    )
    def throttle(asked: Annotated[ThrottleAsked, Query()], smt: ServedSmt) -> ThrottleTold | JSONResponse:
        """Tell of each limit of the policy what is used and held, and from when on it lets one in. Nothing is reserved by asking."""
        if asked.esiid not in smt.registry.points:
            return _unknown("control.throttle.esiid", f"There is no ESI ID {asked.esiid}.")
        now = smt.driver.now()
        asker = (
            asked.username or smt.registry.folder_of(smt.registry.ror_of_record(asked.esiid, day_of(now)) or "") or ""
        )
        user = smt.registry.users.get(asker)
        if asker and user is None:
            return _unknown("control.throttle.username", f"There is no log-in {asker}.")
        of_class = user.requester_class if user else ""
        kinds = (InquiryKind.REGISTER, InquiryKind.POWER)
        requested = [smt.desk.filing.counted(asked.esiid, kind, door, of_class, now) for kind in kinds for door in Door]
        return ThrottleTold(
            esiid=asked.esiid,
            policy=smt.config.policy.name,
            username=asker,
            at=iso(now),
            limits=[_told(one) for one in smt.admission.standing(requested, now)],
        )

    return routes


def _told(one: Standing) -> LimitTold:
    limit, decision = one.limit, one.decision
    later = not decision.ok and decision.retry_at != NEVER
    return LimitTold(
        limit=limit.name,
        rule=limit.rule,
        code=limit.code,
        kind=limit.kind,
        doors=sorted(limit.doors),
        scope=limit.scope,
        scopeValue=one.scope_value,
        measure=limit.measure,
        amount=limit.amount,
        used=one.used,
        held=one.held,
        free=decision.ok,
        freeFrom=iso(decision.retry_at) if later else None,
    )


def _unknown(code: str, message: str) -> JSONResponse:
    return JSONResponse({"errorCode": code, "errorMessage": message}, status_code=404)

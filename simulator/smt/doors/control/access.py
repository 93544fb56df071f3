"""The control API's part for the access log: who read an ESI ID."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from simulator.smt.access.log import MOST_GIVEN, Access
from simulator.smt.doors.both.served import ServedSmt


class AccessAsked(BaseModel):
    """Whose reads. A name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    esiid: str = Field(pattern=r"^[0-9]{1,22}$", examples=["10443729924385485"])
    most: int = Field(default=100, ge=1, le=MOST_GIVEN, description="Reads given at most, the latest.")


class AccessReply(BaseModel):
    """The reads of an ESI ID, the latest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "esiid": "10443729924385485",
                    "reads": [
                        {
                            "at": "2026-08-12T17:41:05.250000-05:00",
                            "username": "pecanbend.api",
                            "duns": "9990001110000",
                            "esiid": "10443729924385485",
                            "door": "market",
                            "what": "status",
                            "correlationId": "482915007734",
                            "transId": "2",
                        }
                    ],
                }
            ]
        }
    )

    esiid: str
    reads: list[Access]


def router() -> APIRouter:
    """``GET /control/access``."""
    routes = APIRouter(prefix="/control", tags=["Control"])

    @routes.get("/access", summary="Who read an ESI ID")
    async def access(asked: Annotated[AccessAsked, Query()], smt: ServedSmt) -> AccessReply:
        """Tell who read usage, attributes or a request's status of an ESI ID, when and through which door, the latest first."""
        return AccessReply(esiid=asked.esiid, reads=smt.access.of(asked.esiid, asked.most))

    return routes

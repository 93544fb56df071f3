"""The on-demand part of SMT's market API: the documented fields, and the gap-fill extension as optional ones beside them.

`POST /v2/odr/`, `POST /v2/odrstatus/`, `POST /v2/powerstatus/`. Existing names, typos and number shapes are SMT's own.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from headend.ondemand.gap import GAP_LIMIT
from headend.wire import PartialInterval, PowerState, ServedInterval
from meters.calendar import INTERVAL_S
from simulator.smt.doors.both.bodies import LONGEST_ID, Asking, Posted, Refusal

PENDING = "Request Submitted by API"
RETRIEVED = "ODR retreived successfully"
_GAP_H = GAP_LIMIT * INTERVAL_S // 3600


class OdrRequest(Asking):
    """`POST /v2/odr/` and `POST /v2/powerstatus/`. `readType` and `callReference` are the extension; without them it is a plain ODR."""

    #: Kept, so that a slip is seen.
    model_config = ConfigDict(extra="allow")

    ESIID: str = Field(examples=["10443729924385485"])
    MeterNumber: str | None = None
    readType: Literal["REGISTER", "INTERVALS"] = Field(
        default="REGISTER", description=f"`INTERVALS`: the non-VEE intervals of the gap, at most {_GAP_H} h."
    )
    callReference: str = Field(
        default="",
        max_length=64,
        description="The customer's call that this request belongs to.",
        examples=["call-0001"],
    )


class OdrAck(BaseModel):
    """Reply of `/v2/odr/` and `/v2/powerstatus/`, HTTP 200. Refused: `statusCode` "1", no `correlationId`, `refusal` set."""

    trans_id: str
    correlationId: str | None = Field(default=None, examples=["482915007734"])
    statusCode: Literal["0", "1"]
    statusReason: str
    refusal: Refusal | None = None


class OdrStatusRequest(Posted):
    """`POST /v2/odrstatus/`."""

    trans_id: str = Field(max_length=LONGEST_ID, examples=["ror-000018"])
    requestorID: str = Field(examples=["pecanbend.api"])
    correlationId: str = Field(examples=["482915007734"])
    requesterType: str | None = None
    requesterAuthenticationID: str | None = None
    reportFormat: str = "JSON"
    deliveryMode: str = "API"
    SMTTermsandConditions: str = "Y"


class Span(BaseModel):
    """A stretch of time, `[start, end)`."""

    start: AwareDatetime
    end: AwareDatetime


class OdrRead(BaseModel):
    """The register read of the documented reply; `0E+0` while pending."""

    registeredRead: float = Field(
        description="kWh, written in scientific notation: `2.3459133E+4`.", examples=[23459.133]
    )
    readDate: str = Field(examples=["08/12/2026 17:41:12"])


class AnswerFinding(BaseModel):
    """A rule that the TDSP's answer broke. What a fatal one touched is left out of the answer; what another one did is in it."""

    code: str = Field(examples=["ENERGY-SIZE"])
    field: str = Field(examples=["intervals[].wh"])
    reason: str


class OdrStatus(BaseModel):
    """Reply of `/v2/odrstatus/`. Fields after `odrRead` are the extension, present only on INTERVALS and power status requests."""

    trans_id: str
    correlationId: str
    statusCode: Literal["PEN", "0", "1"]
    statusReason: str
    odrRead: OdrRead | None = None
    quality: Literal["non-VEE"] | None = None
    gap: Span | None = Field(
        default=None,
        description="From the end of the last posted VEE interval to the last whole quarter hour before the inquiry.",
    )
    intervals: list[ServedInterval] | None = None
    missing: list[AwareDatetime] | None = Field(
        default=None, description="Ends of intervals that the meter has no value for."
    )
    partial: PartialInterval | None = None
    uncovered: list[Span] | None = Field(
        default=None, description=f"What a gap over {_GAP_H} h leaves open (its oldest part)."
    )
    holes: list[Span] | None = Field(
        default=None, description="Older intervals that VEE never posted; not filled here."
    )
    reachesTo: AwareDatetime | None = None
    meterReads: int | None = None
    refusal: Refusal | None = None
    powerStatus: PowerState | None = None
    findings: list[AnswerFinding] | None = Field(
        default=None, description="What the TDSP's answer was found to break; absent where nothing was."
    )

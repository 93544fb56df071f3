"""Requests and replies of SMT's market API for token and reads, field names and typos as SMT has them (DOMAIN §3)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from simulator.smt.doors.both.bodies import ESIID, LONGEST_ID, Asking, EnergyDay, Posted, listed


class TokenRequest(Posted):
    """`POST /v2/token/`. A missing field is the gateway's own error."""

    username: str = Field(default="", examples=["pecanbend.api"])
    password: str = Field(default="", examples=["pecan-bend-1"])


class TokenReply(BaseModel):
    """The bearer token; `expiresIn` is a string of seconds."""

    statusCode: int = 200
    accessToken: str
    tokenType: str = "Bearer"
    expiresIn: str = Field(examples=["3600"])
    issuedAt: str
    expiresAt: str


def once(value: list[str]) -> list[str]:
    """Each ESI ID once, in the order of the first mention."""
    return list(dict.fromkeys(value))


def capitals(value: object) -> object:
    """Public clients write ``c`` for ``C`` [S]."""
    return value.upper() if isinstance(value, str) else value


class ReadsRequest(Asking):
    """`POST /v2/15minintervalreads/`, `/v2/dailyreads/`, `/v2/monthlybillingInformation/` and `/v2/greenbutton/`."""

    startDate: str = Field(examples=["08/01/2026"], description="MM/DD/YYYY")
    endDate: str = Field(examples=["08/11/2026"], description="MM/DD/YYYY")
    deliveryMode: Literal["API", "EML", "FTP"] = Field(
        default="API",
        description="`API`: in the reply, one ESI ID. `FTP`: a file in the sender's folder of the file site. `EML` is refused.",
    )
    reportFormat: Literal["JSON", "XML", "CSV", "LSE"] = Field(
        default="JSON", description="Each call says which of them it has; `XML` is Green Button's alone."
    )
    version: Literal["L", "A"] = Field(default="L", description="`L`: latest revision of each day; `A`: all.")
    readingType: Annotated[Literal["C", "G", "A"], BeforeValidator(capitals)] = Field(
        default="C", description="`C` consumption, `G` surplus generation, `A` both."
    )
    esiid: Annotated[list[str], BeforeValidator(listed), AfterValidator(once)] = Field(min_length=1, examples=[[ESIID]])


class IntervalReads(BaseModel):
    """Reply of `/v2/15minintervalreads/`."""

    trans_id: str
    esiid: str
    energyData: list[EnergyDay]


class RegisteredRead(BaseModel):
    """Registers of an operating day, kWh as text."""

    readDate: str = Field(examples=["08/11/2026"])
    revisionDate: str = Field(examples=["08/12/2026 07:30:00"])
    startReading: str = Field(examples=["24002.915"])
    endReading: str = Field(examples=["24038.915"])
    energyDataKwh: str = Field(examples=["36.000"])


class DailyReads(BaseModel):
    """Reply of `/v2/dailyreads/`."""

    trans_id: str
    esiid: str
    registeredReads: list[RegisteredRead]


class BillingMonth(BaseModel):
    """A billing period, from read to read; kWh and kW as text."""

    startDate: str = Field(examples=["07/06/2026"])
    endDate: str = Field(examples=["08/06/2026"], description="The next period starts on it.")
    revisionDate: str = Field(examples=["08/06/2026 07:30:00"])
    actualkWh: str = Field(examples=["1204.118"])
    meteredKW: str = Field(examples=["6.912"], description="The highest quarter hour.")
    billedKW: str = Field(examples=["0.000"], description="Homes are billed no demand.")
    meteredKVA: str = Field(examples=["6.912"])
    billedKVA: str = Field(examples=["0.000"])


class MonthlyReads(BaseModel):
    """Reply of `/v2/monthlybillingInformation/`."""

    trans_id: str
    esiid: str
    billingData: list[BillingMonth]


class ReportAck(BaseModel):
    """Reply to a request for a file. Poll `/v2/reportrequeststatus/` with the `correlationId`."""

    trans_id: str
    correlationId: str = Field(examples=["482915007735"])
    statusCode: Literal["0"] = "0"
    statusReason: str


class ReportStatusRequest(Posted):
    """`POST /v2/reportrequeststatus/`."""

    trans_id: str = Field(max_length=LONGEST_ID, examples=["ror-000041"])
    requestorID: str = Field(examples=["pecanbend.api"])
    correlationId: str = Field(examples=["482915007735"])
    requesterType: str | None = None
    requesterAuthenticationID: str | None = None
    SMTTermsandConditions: str = "Y"


class ReportStatus(BaseModel):
    """How a request for a file stands: `PEN` under way, `0` delivered, `1` failed. The reply is not published: fields are this test bed's."""

    trans_id: str
    correlationId: str
    statusCode: Literal["PEN", "0", "1"]
    statusReason: str
    fileName: str | None = Field(default=None, description="In the sender's folder of the file site.")


class GatewayErrorReply(BaseModel):
    """What the gateway says."""

    error: str = Field(examples=["Incorrect username or password."])

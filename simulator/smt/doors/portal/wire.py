"""Requests and replies of SMT's portal API, field names as its customers' clients know them (DOMAIN §4)."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, BaseModel, Field

from simulator.smt.doors.both.bodies import EnergyDay, Posted

_ESIID = "10443729924385485"


class PortalLogin(Posted):
    """`POST /commonapi/user/authenticate`."""

    username: str = Field(examples=["customer.one"])
    password: str = Field(examples=["customer-one-1"])
    rememberMe: str | bool = "true"


class MeterList(Posted):
    """`POST /api/meter`."""

    esiid: str = Field(
        default="*",
        description="`*`: every meter of the account.",
        examples=["*"],
        validation_alias=AliasChoices("esiid", "ESIID"),
    )


class PortalRead(Posted):
    """`POST /api/ondemandread`."""

    ESIID: str = Field(examples=[_ESIID])
    MeterNumber: str | None = Field(default=None, description="If given, it must be the one at this ESI ID.")


class LatestRead(Posted):
    """`POST /api/usage/latestodrread`."""

    ESIID: str = Field(examples=[_ESIID])


class IntervalSynch(Posted):
    """`POST /api/adhoc/intervalsynch`: at most 30 days, one ESI ID."""

    startDate: str = Field(examples=["08/11/2026"], description="MM/DD/YYYY")
    endDate: str = Field(examples=["08/11/2026"], description="MM/DD/YYYY")
    ESIID: list[str] = Field(min_length=1, examples=[[_ESIID]])
    reportFormat: str = "JSON"


class UsageAsked(Posted):
    """`POST /api/usage/interval`, `/api/usage/daily` and `/api/usage/monthly`: at most the 24 months of the history."""

    esiid: str = Field(examples=[_ESIID])
    startDate: str = Field(examples=["08/11/2026"], description="MM/DD/YYYY")
    endDate: str = Field(examples=["08/11/2026"], description="MM/DD/YYYY")


class PortalToken(BaseModel):
    """Who logged in, and the bearer token."""

    usr_id: str
    is_rgstrd: Literal["Y"]
    usr_type: Literal["RES"]
    usr_frst_nm: str
    usr_lst_nm: str
    usr_eml: str
    lang_pref: Literal["en"]
    ai: Literal["N"]
    smtStatus: Literal["active"]
    smtStatuskey: Literal["SMTPR_smtStatus"]
    token: str = Field(description="Lives fifteen minutes from its last use.")


class LoginRefused(BaseModel):
    """Why a log-in failed."""

    errormessage: Literal["ERR-USR-USERNOTFOUND", "ERR-USR-INVALIDPASSWORDERROR", "ERR-USR-TOOMANYATTEMPTS"]


class TokenRefused(BaseModel):
    """A call without a valid token."""

    message: Literal["Invalid Token"]


class PortalMeter(BaseModel):
    """A meter of the account."""

    customer: str
    email: str
    description: str = Field(description="Type of the premise.")
    address: str
    city: str
    state: str
    zip: str
    esiid: str
    meterNumber: str
    meterMultiplier: int
    fullAddress: str
    errmsg: Literal["Success"]
    recordStatus: Literal["ESIID-RECORD-EXISTS"]
    statusIndicator: bool
    dunsNumber: str


class PortalMeters(BaseModel):
    """Reply of `/api/meter`."""

    data: list[PortalMeter]


class DashboardMeter(BaseModel):
    """The meter that the account sees first."""

    description: str
    address: str
    fullAddress: str
    esiid: str
    meterNumber: str
    meterMultiplier: int


class DashboardData(BaseModel):
    """What the account sees first."""

    defaultMeterDetails: DashboardMeter | None = Field(description="Null for an account without a meter.")
    latestDate: str | None = Field(description="The last day that is posted, MM/DD/YYYY.")


class DashboardReply(BaseModel):
    """Reply of `/api/dashboard`."""

    data: DashboardData


class ReadTaken(BaseModel):
    """A request that is taken on. Its result is asked for at `/api/usage/latestodrread`."""

    trans_id: str
    correlationId: str
    statusCode: Literal["0"]
    statusReason: str


class ReadTurnedAway(BaseModel):
    """A request that is turned away."""

    RequestStatus: Literal["FLR"]
    statusCode: str = Field(
        description="`5031`: an hourly limit; `5032`: another limit; otherwise the code of a business error."
    )
    statusReason: str


class OnDemandReply(BaseModel):
    """Reply of `/api/ondemandread`."""

    data: ReadTaken | ReadTurnedAway


class Latest(BaseModel):
    """The latest register read; all null when there never was one."""

    odrstatus: Literal["PENDING", "COMPLETED", "FAILED", "T-FAILED"] | None
    odrread: str | None = Field(description="kWh; `0` while pending, null after a failure.")
    odrusage: str | None = Field(description="kWh since the last posted midnight.")
    odrdate: str | None = Field(description="Local time without an offset.")
    responseMessage: Literal["SUCCESS"] = Field(description="Also after a failure.")


class LatestReply(BaseModel):
    """Reply of `/api/usage/latestodrread`."""

    data: Latest


class DataError(BaseModel):
    """Why there is nothing."""

    errorCode: str
    errorMessage: str


class SlotData(BaseModel):
    """Posted days in 100 slots each."""

    trans_id: str
    esiid: str
    energyData: list[EnergyDay]


class SynchReply(BaseModel):
    """Reply of `/api/adhoc/intervalsynch`."""

    data: SlotData | DataError


class UsageRow(BaseModel):
    """One interval, kWh. The last one of a day ends at ` 12:00 am`."""

    starttime: str = Field(description="Local time, leading blank included.")
    endtime: str
    date: str
    consumption: float
    consumption_est_act: Literal["A", "E"]
    generation: float
    generation_est_act: Literal["A", "E"] | None


class UsageReply(BaseModel):
    """Reply of `/api/usage/interval`; no rows for what is not posted, or not yours."""

    intervaldata: list[UsageRow]
    generationFlag: bool = Field(description="Whether there is any surplus generation.")


class DailyRow(BaseModel):
    """A posted day, kWh."""

    date: str = Field(description="MM/DD/YYYY")
    reading: float = Field(description="What was used on that day.")
    startreading: str = Field(description="The register at its first midnight.")
    endreading: str


class DailyReply(BaseModel):
    """Reply of `/api/usage/daily`; no rows for what is not posted, or not yours."""

    dailyData: list[DailyRow]


class MonthlyRow(BaseModel):
    """A billing period, from read to read. `mtrd` and `blld` are the demand of the market API's `meteredKW` to `billedKVA`, whatever the name says [D]."""

    startdate: str = Field(description="MM/DD/YYYY")
    enddate: str = Field(description="The next period starts on it.")
    actl_kwh_usg: float = Field(description="What was used, kWh.")
    mtrd_kwh_usg: float
    blld_kwh_usg: float
    mtrd_kva_usg: str
    blld_kva_usg: str
    lastupdate: str = Field(description="Local time without an offset.")
    errmsg: Literal["Success"]


class MonthlyReply(BaseModel):
    """Reply of `/api/usage/monthly`; a period is told when every day of it is posted and yours."""

    monthlyData: list[MonthlyRow]

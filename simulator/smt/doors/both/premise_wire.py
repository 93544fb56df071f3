"""Requests and replies for meter attributes, premise and HAN devices, the same fields at both doors.

The names of ``MeterInfo`` are SMT's (DOMAIN §3 [S]); all others, and that everything is text, are defaults of this project [D].
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, create_model

from simulator.smt.doors.both.bodies import ESIID, Asking, listed
from simulator.smt.registry.meter_attributes import MeterAttributes, meter_info


class RecordsRequest(Asking):
    """`POST /v2/meterInfo/`, `/v2/premiseInfo/` and `/v2/hanDevices/`: one ESI ID, as `esiid` or in public clients' words as `ESIIDMeterList: [{"esiid"}]` [S]."""

    esiid: Annotated[list[str], BeforeValidator(listed)] = Field(
        min_length=1, examples=[[ESIID]], validation_alias=AliasChoices("esiid", "ESIIDMeterList")
    )


#: One field per row of ``meter_info``, so that what is told and what is documented cannot disagree.
MeterInfo: type[BaseModel] = create_model(
    "MeterInfo",
    __doc__="The attributes of a meter; dates are MM/DD/YYYY, yes and no are Y and N.",
    **dict.fromkeys(meter_info(MeterAttributes(), "", 1, "", ""), (str, ...)),  # type: ignore[call-overload]
)


class PremiseInfo(BaseModel):
    """Where the delivery point is and of what kind."""

    address: str
    city: str
    state: str
    zip: str
    county: str
    loadZone: str
    weatherZone: str
    premiseType: str
    status: Literal["Energized", "De-energized"]


class HanDeviceInfo(BaseModel):
    """A device of the home area network."""

    macAddress: str = Field(description="EUI-64, 16 hexadecimal digits.")
    deviceType: str
    make: str
    model: str
    provisionedDate: str
    status: str


class _Reply(BaseModel):
    trans_id: str
    esiid: str


class MeterInfoReply(_Reply):
    """Reply of `/v2/meterInfo/`: one entry per meter at the ESI ID, under the name that public clients look for [S]."""

    MeterData: list[MeterInfo]


class PremiseInfoReply(_Reply):
    """Reply of `/v2/premiseInfo/`."""

    premiseInfo: PremiseInfo


class HanDevicesReply(_Reply):
    """Reply of `/v2/hanDevices/`; an empty list where there is none."""

    hanDevices: list[HanDeviceInfo]

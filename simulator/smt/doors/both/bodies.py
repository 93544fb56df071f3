"""Bodies that both doors have: the base of every one that is posted, a day of energy, a refusal, a business error, and what is told of it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from headend.http.examples import documented
from headend.wire import writable
from meters.calendar import YEARS
from simulator.smt.errors import BAD_FIELD, BUSINESS

#: Of a default sandbox, for examples.
ESIID = "10443729924385485"
#: Characters of an id that the sender chooses. A default of this project.
LONGEST_ID = 200
#: How customers name themselves at the market API.
CUSTOMER_TYPES = ("RES", "BUS")


class Posted(BaseModel):
    """Fields beyond the documented ones are left alone; every text can be held by any database, file and reply."""

    model_config = ConfigDict(extra="ignore")

    @field_validator("*", mode="after")
    @classmethod
    def _can_be_written(cls, value: Any) -> Any:
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str):
                writable(text)
        return value


def listed(value: object) -> object:
    """One ESI ID stands for a list of one; of a list of objects the ``esiid`` of each is meant."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [one.get("esiid") if isinstance(one, dict) else one for one in value]
    return value


class Asking(Posted):
    """Whom an order at the market API is from."""

    trans_id: str = Field(max_length=LONGEST_ID, examples=["ror-000017"])
    requestorID: str = Field(examples=["pecanbend.api"])
    requesterType: Literal["RES", "BUS", "REP", "CSP", "TDSP"] = Field(examples=["REP"])
    requesterAuthenticationID: str | None = Field(
        default=None,
        examples=["9990001110000"],
        description="DUNS of the requester. Whoever asks as `RES` or `BUS`, for their own ESI ID, has none and leaves it out.",
        validate_default=True,
    )
    deliveryMode: str = "API"
    reportFormat: str = "JSON"
    SMTTermsandConditions: str = "Y"

    @field_validator("requesterAuthenticationID")
    @classmethod
    def _by_whom(cls, value: str | None, asked: ValidationInfo) -> str | None:
        if value is None and asked.data.get("requesterType") not in (None, *CUSTOMER_TYPES):
            raise ValueError("the DUNS number of the requester; only RES and BUS have none")
        return value


class EnergyDay(BaseModel):
    """One revision of an operating day: `RD` has 100 comma slots of `<kWh>-<A|E>`, placed by local clock."""

    DT: str = Field(examples=["08/11/2026"])
    RevTS: str = Field(examples=["08/12/2026 07:30:00"])
    RT: Literal["C", "G"]
    RD: str = Field(examples=[".198-A,.141-A,..."])


class Refusal(BaseModel):
    """Why a request is refused and when to come back."""

    code: str = Field(examples=["FR-CR016.1b"])
    reason: str
    retryAt: AwareDatetime | None = Field(default=None, examples=["2026-08-13T00:00:00-05:00"])


class BusinessErrorReply(BaseModel):
    """What stands against a request: HTTP 200, or 400 for a body that is not as documented."""

    errorCode: str = Field(examples=["1"], description=f"One of: {', '.join(BUSINESS)}; with HTTP 400 {BAD_FIELD}.")
    errorMessage: str = Field(examples=["No data received from the respective TDSP"])


BAD_BODY = documented("The body is not as documented; the message names the field.", BusinessErrorReply)


def day_asked(value: object) -> object:
    """A query's day, checked before it is read. Raises ValueError."""
    # A number would be taken for seconds since 1970.
    if value is None or isinstance(value, date):
        return value
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(value), re.ASCII) or int(str(value)[:4]) not in YEARS:
        raise ValueError(f"write it as 2026-08-12, in {YEARS.start} to {YEARS.stop - 1}")
    return value

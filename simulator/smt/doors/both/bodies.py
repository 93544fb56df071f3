"""Bodies that both doors have: the base of every one that is posted, a day of energy, a refusal, a business error, and what is told of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from headend.http.examples import documented
from headend.wire import writable
from simulator.smt.errors import BAD_FIELD, BUSINESS

#: Of a default sandbox, for examples.
ESIID = "10443729924385485"


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
    """One ESI ID stands for a list of one."""
    return [value] if isinstance(value, str) else value


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

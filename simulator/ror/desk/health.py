"""Whether a balance desk can do its work: its ledger takes lines, SMT answers and knows it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

#: How SMT was when a call last asked it.
SmtSeen = Literal["ok", "unreachable", "refused", "unknown"]


class DeskHealth(BaseModel):
    """The service answers; ``status`` says whether it can do its work."""

    status: Literal["ok", "degraded"]
    smt: SmtSeen = Field(
        description="When a call last asked it: `unreachable`, or `refused` the log-in; `unknown`: none has asked yet."
    )
    ledger: Literal["ok", "unwritable"] = Field(description="`unwritable`: no call is taken.")
    accounts: int
    callsUnderWay: int
    callsLost: list[str] = Field(
        description="Calls that were under way when the desk was last stopped; nobody was told anything."
    )
    clockLagS: float = Field(
        description="Wall seconds that it was behind its clock lately, the most of the last ten; above 1 the clock was not kept."
    )

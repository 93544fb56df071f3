"""What VEE found of a day, as the head-end tells it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from headend.store.findings import KeptFinding
from headend.vee.rules import RULES
from headend.wire import OperatingDay

#: Findings that one reply tells at most.
MOST = 10_000


def _rule(name: str) -> str:
    if name and name not in RULES:
        raise ValueError(f"the rule table has no such rule; it has {', '.join(RULES)}")
    return name


class FindingsAsked(BaseModel):
    """Which findings. A name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    day: OperatingDay = Field(description="Operating day, YYYY-MM-DD.", examples=["2026-08-11"])
    esiid: str = Field(default="", pattern=r"^(\d{17,22})?$", description="Of this ESI ID alone.")
    rule: Annotated[str, AfterValidator(_rule)] = Field(
        default="", description="By this rule of the table alone.", examples=["clock.off"]
    )
    most: int = Field(default=1_000, ge=1, le=MOST, description="Given at most.")
    skip: int = Field(default=0, ge=0, le=1_000_000_000, description="So many are left out before: to page on.")


class FindingTold(BaseModel):
    """One finding."""

    esiid: str
    meterNumber: str = Field(description="Of the place's first meter by the records.")
    rule: str = Field(description="Id in the rule table.")
    severity: str = Field(description="`estimate`: intervals were estimated; `tell`: no value was changed.")
    channel: int = Field(description="4: delivered; 1: received.")
    sentence: str
    value: int = Field(description="What was found; the sentence says of what.")
    limit: int = Field(description="What it was held to; 0 where there is no such number.")
    first: str | None = Field(
        description="When the first interval of a rule on intervals begins; null for one on days."
    )
    last: str | None = Field(description="When the last one ends.")


class DayFindings(BaseModel):
    """Findings of an operating day, by ESI ID, meter and channel."""

    day: date
    count: int = Field(description="So many there are of what was asked for, on this page or not.")
    findings: list[FindingTold]


def day_findings(day: date, count: int, kept: Sequence[KeptFinding]) -> DayFindings:
    """The reply."""
    return DayFindings(day=day, count=count, findings=[_told(one) for one in kept])


def _told(kept: KeptFinding) -> FindingTold:
    found, evidence = kept.finding, kept.finding.evidence
    return FindingTold(
        esiid=kept.meter.esiid,
        meterNumber=kept.meter.number,
        rule=found.id,
        severity=found.severity,
        channel=int(evidence["channel"]),
        sentence=found.sentence,
        value=int(evidence["value"]),
        limit=int(evidence["limit"]),
        first=str(evidence["first"]) if "first" in evidence else None,
        last=str(evidence["last"]) if "last" in evidence else None,
    )

"""What the fields of a scenario file are made of: names, local times, durations; and the base of every model of what is written there."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from meters.calendar import local, seconds
from scenarios.rules.registry import REGISTRY
from simulator.input.mistakes import day_or_time, did_you_mean

#: No caller waits and no middle tier takes longer than a day.
DAY_S = 86_400


class Spec(BaseModel):
    """What is written in a scenario file: nothing beside the fields, and nothing of it changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _name(text: str) -> str:
    if not text or len(text) > 64 or not set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
        raise ValueError(f"'{text}' is no name; write small letters, digits and hyphens, at most 64")
    return text


def _in_central(when: datetime) -> datetime:
    return when if when.tzinfo is None else local(seconds(when.timestamp()))


def _requirement(ident: Any) -> Any:
    if not isinstance(ident, str) or ident not in REGISTRY:
        raise ValueError(f"there is no requirement '{ident}'; {did_you_mean(str(ident), REGISTRY)}")
    return ident


def _written_out(value: Any) -> Any:
    """Refuse text that pydantic would take for seconds since 1970."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d", value):
        raise ValueError(f"'{value}' is no time here; write it as 2026-08-12T17:40")
    return day_or_time(value)


Name = Annotated[str, AfterValidator(_name)]
Requirement = Annotated[str, AfterValidator(_requirement)]
Day = Annotated[date, BeforeValidator(day_or_time)]
#: Central Prevailing Time; what carries an offset is brought to it.
LocalTime = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_in_central)]
Duration = Annotated[float, Field(ge=0, le=DAY_S, allow_inf_nan=False)]

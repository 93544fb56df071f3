"""The base of every body that is posted to SMT's doors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from headend.wire import writable


class Posted(BaseModel):
    """Fields beyond the documented ones are left alone; every text can be held by any database, file and reply."""

    model_config = ConfigDict(extra="ignore")

    @field_validator("*", mode="after")
    @classmethod
    def _can_be_written(cls, value: Any) -> Any:
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, str):
                writable(one)
        return value

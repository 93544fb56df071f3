"""The usage of an account's cycle, in columns: at a call, after the posting of its re-bill, and what SMT handed on for the call."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import model_validator

from meters.calendar import Seconds
from scenarios.records.values import CODE, Epoch, Record
from simulator.ror.usage import Quality, Source


class Interval(NamedTuple):
    """An interval of the retailer's record."""

    end: Seconds
    wh: int
    quality: Quality
    source: Source


class ServedInterval(NamedTuple):
    """An interval as SMT handed it on."""

    end: Seconds
    wh: int
    source: Literal["store", "meter"]
    collected_at: Seconds


class Columns(Record):
    """Intervals in columns."""

    ends: list[Epoch]
    #: Below zero where a head-end told it so: a slip that SMT finds and hands on (ENERGY-SIGN).
    wh: list[int]

    @model_validator(mode="after")
    def _even(self) -> Self:
        if len({len(getattr(self, column)) for column in type(self).model_fields}) > 1:
            raise ValueError("the columns differ in length")
        return self


class Usage(Columns):
    """Intervals of the retailer's record."""

    quality: list[Annotated[Quality, CODE]]
    source: list[Annotated[Source, CODE]]

    @property
    def intervals(self) -> list[Interval]:
        """Its intervals, in order."""
        return list(map(Interval, self.ends, self.wh, self.quality, self.source))


class Served(Columns):
    """Intervals as SMT handed them on."""

    source: list[Literal["store", "meter"]]
    collected_at: list[Epoch]

    @property
    def intervals(self) -> list[ServedInterval]:
        """Its intervals, in order."""
        return list(map(ServedInterval, self.ends, self.wh, self.source, self.collected_at))


class Usages(Record):
    """What is known of the cycle's usage at a call, and after the posting of its re-bill."""

    at_call: Usage
    after_posting: Usage | None = None
    served: Served

"""Whether an on-demand request can be taken on at all: AC1, A1 to A4 and their neighbours, in one order. Pure.

None of this spends an allowance or reaches a meter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from simulator.smt.registry.records import ServicePoint, User
from simulator.smt.registry.registry import Registry


@dataclass(frozen=True)
class _Asked:
    """A request as it is looked at. ``point`` is there once it is known that its user may ask for it."""

    registry: Registry
    user: User
    esiid: str
    meter_number: str | None
    day: date

    @cached_property
    def point(self) -> ServicePoint:
        return self.registry.point(self.esiid, self.day)

    def allowed(self) -> bool:
        return self.registry.may_request(self.user, self.esiid, self.day)

    def of_its_meter(self) -> bool:
        here = {meter.meter_number for meter in self.registry.meters(self.point)}
        return not self.meter_number or re.sub(r"\D", "", self.meter_number) in here

    def of_a_ror(self) -> bool:
        return self.registry.ror_of_record(self.esiid, self.day) is not None


#: Each rule with the code of ``errors.BUSINESS`` that breaking it gives, in the order in which they are looked at.
_RULES: tuple[tuple[str, Callable[[_Asked], bool]], ...] = (
    ("AC1", _Asked.allowed),
    ("METER", _Asked.of_its_meter),
    ("A1", lambda asked: asked.point.ams),
    ("A2", lambda asked: asked.point.provisioned),
    ("A3", lambda asked: asked.point.receiving),
    ("A4", lambda asked: asked.point.lse),
    ("NO-ROR", _Asked.of_a_ror),
    ("DE-ENERGIZED", lambda asked: asked.point.energized),
)
#: All that ``objection`` may give: a request that meets one is in no ledger.
OBJECTIONS = tuple(code for code, _ in _RULES)


def objection(registry: Registry, user: User, esiid: str, meter_number: str | None, day: date) -> str | None:
    """What stands against a request of this day: a code of ``errors.BUSINESS``, or None.

    meter_number: as the requester gave it, with or without the suffix that some TDSPs print; empty or None is not compared.
    """
    asked = _Asked(registry, user, esiid, meter_number, day)
    return next((code for code, holds in _RULES if not holds(asked)), None)

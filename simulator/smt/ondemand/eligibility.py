"""Whether an on-demand request can be taken on at all: AC1, A1 to A4 and their neighbours, in one order. Pure.

None of this spends an allowance or reaches a meter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from simulator.smt.registry.records import ServicePoint, User
from simulator.smt.registry.registry import Registry

#: Each rule of a service point with the code of ``errors.BUSINESS`` that breaking it gives.
POINT_RULES: tuple[tuple[str, Callable[[ServicePoint], bool]], ...] = (
    ("A1", lambda point: point.ams),
    ("A2", lambda point: point.provisioned),
    ("A3", lambda point: point.receiving),
    ("A4", lambda point: point.lse),
)
#: All that ``objection`` may give: a request that meets one is in no ledger.
OBJECTIONS = frozenset({"AC1", "METER", *(code for code, _ in POINT_RULES), "NO-ROR", "DE-ENERGIZED"})


def objection(registry: Registry, user: User, esiid: str, meter_number: str | None, day: date) -> str | None:
    """What stands against a request of this day: a code of ``errors.BUSINESS``, or None.

    meter_number: as the requester gave it, with or without the suffix that some TDSPs print; empty or None is not compared.
    """
    if not registry.may_request(user, esiid, day):
        return "AC1"
    point = registry.point(esiid, day)
    here = {meter.meter_number for meter in registry.meters(point)}
    if meter_number and re.sub(r"\D", "", meter_number) not in here:
        return "METER"
    for code, holds in POINT_RULES:
        if not holds(point):
            return code
    if registry.ror_of_record(esiid, day) is None:
        return "NO-ROR"
    return None if point.energized else "DE-ENERGIZED"

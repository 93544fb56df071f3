"""Bodies of the market API's calls for meter attributes, premise and HAN devices as its OpenAPI document shows them."""

from __future__ import annotations

from simulator.smt.doors.both.examples import ESIID, Examples, business, one
from simulator.smt.doors.both.premise_examples import DEVICES, METER, PREMISE
from simulator.smt.doors.market.examples import asked

RECORDS_ASKED = {"one": one("One ESI ID", asked("ror-000030", esiid=[ESIID]))}
_ERRORS = business(("AC1", ()), ("REQUESTOR", ()))


def _told(summary: str, field: str, value: object) -> Examples:
    return {"found": one(summary, {"trans_id": "ror-000030", "esiid": ESIID, field: value}), **_ERRORS}


METER_INFO = _told("The meter at the ESI ID", "meterInfo", [METER])
PREMISE_INFO = _told("The premise", "premiseInfo", PREMISE)
HAN_DEVICES = _told("A display", "hanDevices", DEVICES)

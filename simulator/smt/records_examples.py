"""Bodies for meter attributes, premise and HAN devices as the OpenAPI document shows them, for both doors."""

from __future__ import annotations

from datetime import date

from simulator.smt.door_examples import ESIID, Examples, business, one
from simulator.smt.han import HanDevice, han_device
from simulator.smt.market_examples import asked
from simulator.smt.meter_attributes import installed_meter
from simulator.smt.records import meter_of, premise_of
from simulator.smt.registry import Entity, EntityKind, Registry, ServicePoint

_POINT = ServicePoint(
    ESIID,
    "941421357",
    "ONCOR",
    address="100 PECAN BEND LN",
    city="EXAMPLE",
    zip_code="75000",
    county="EXAMPLE",
    load_zone="LZ_NORTH",
    weather_zone="NCENT",
    attributes=installed_meter("941421357", "ONCOR", date(2024, 7, 8), firmware="ATB-1.0"),
)
_REGISTRY = Registry([_POINT], [Entity("1039940674000", "Oncor", EntityKind.TDSP, "ONCOR")], [], [])
METER = meter_of(_REGISTRY, _POINT)
PREMISE = premise_of(_POINT)
DEVICES = [
    han_device(
        HanDevice(ESIID, "02A7B00123456789", "In-home display", model="ATB-Display", provisioned=date(2025, 1, 5))
    )
]
RECORDS_ASKED = {"one": one("One ESI ID", asked("ror-000030", esiid=[ESIID]))}
_ERRORS = business(("AC1", ()), ("REQUESTOR", ()))


def _told(summary: str, field: str, value: object) -> Examples:
    return {"found": one(summary, {"trans_id": "ror-000030", "esiid": ESIID, field: value}), **_ERRORS}


METER_INFO = _told("The meter at the ESI ID", "meterInfo", [METER])
PREMISE_INFO = _told("The premise", "premiseInfo", PREMISE)
HAN_DEVICES = _told("A display", "hanDevices", DEVICES)

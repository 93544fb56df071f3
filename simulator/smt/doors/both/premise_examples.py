"""Meter, premise and HAN devices as both doors' OpenAPI documents show them."""

from __future__ import annotations

from datetime import date

from simulator.smt.doors.both.examples import ESIID
from simulator.smt.doors.both.premise import meter_of, premise_of
from simulator.smt.registry.han import HanDevice, han_device
from simulator.smt.registry.meter_attributes import installed_meter
from simulator.smt.registry.records import Entity, EntityKind, ServicePoint
from simulator.smt.registry.registry import Registry

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

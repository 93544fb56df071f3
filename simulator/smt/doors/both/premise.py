"""What both doors tell of a service point beside its usage: its meter, its premise, its HAN devices. One source for both (AC2)."""

from __future__ import annotations

from simulator.smt.registry.han import han_device
from simulator.smt.registry.meter_attributes import meter_info
from simulator.smt.registry.records import ServicePoint
from simulator.smt.registry.registry import Registry


def meters_of(registry: Registry, point: ServicePoint) -> list[dict[str, str]]:
    """Give the fields of ``meterInfo`` of each meter at a service point."""
    company = registry.tdsp_of(point)
    duns, status = company.duns if company is not None else "", "Active" if point.provisioned else "Not provisioned"
    return [
        meter_info(meter.attributes, duns, meter.multiplier, meter.meter_number, status)
        for meter in registry.meters(point)
    ]


def premise_of(point: ServicePoint) -> dict[str, str]:
    """Give what is told of the premise."""
    return {
        "address": point.address,
        "city": point.city,
        "state": point.state,
        "zip": point.zip_code,
        "county": point.county,
        "loadZone": point.load_zone,
        "weatherZone": point.weather_zone,
        "premiseType": point.premise_type,
        "status": "Energized" if point.energized else "De-energized",
    }


def devices_of(registry: Registry, point: ServicePoint) -> list[dict[str, str]]:
    """Give what is told of each HAN device; empty where there is none."""
    return [han_device(device) for device in registry.han_devices(point.esiid)]

"""The same question gets the same answer at both doors (AC2): usage, meter attributes, premise, HAN devices, in a sandbox with real meters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from meters.load.premises import BUSINESS_CLASSES
from simulator.world.market import CUSTOMER_LOGIN, ROR_LOGIN
from tests.simulator.sandboxes import Rig, rig

RANGE = {"startDate": "08/08/2026", "endDate": "08/11/2026"}


async def test_portal_and_market_api_tell_the_same(made: Rig) -> None:
    esiid = made.esiid(1)
    login = {"username": CUSTOMER_LOGIN.username, "password": CUSTOMER_LOGIN.password}
    token = (await made.http.post("/commonapi/user/authenticate", json=login)).json()["token"]
    market_token = await made.client.token()
    sender = {
        "trans_id": "1",
        "requestorID": ROR_LOGIN.username,
        "requesterType": "REP",
        "requesterAuthenticationID": ROR_LOGIN.duns,
        "esiid": [esiid],
    }

    async def portal(path: str, **fields: Any) -> Any:
        headers = {"authorization": f"Bearer {token}"}
        return (await made.http.post(path, json=fields, headers=headers)).json()

    async def market(path: str, **fields: Any) -> Any:
        headers = {"authorization": f"Bearer {market_token}"}
        return (await made.http.post(f"/v2{path}", json=sender | fields, headers=headers)).json()

    at_portal = {
        "usage": (await portal("/api/adhoc/intervalsynch", ESIID=[esiid], **RANGE))["data"]["energyData"],
        "meter": (await portal("/api/meterattributes", esiid=esiid))["data"],
        "premise": (await portal("/api/premise", esiid=esiid))["data"],
        "devices": (await portal("/api/handevices", esiid=esiid))["data"],
    }
    at_market = {
        "usage": (await market("/15minintervalreads/", readingType="A", **RANGE))["energyData"],
        "meter": (await market("/meterInfo/"))["MeterData"],
        "premise": (await market("/premiseInfo/"))["premiseInfo"],
        "devices": (await market("/hanDevices/"))["hanDevices"],
    }
    listed = (await portal("/api/meter", esiid="*"))["data"][0]
    assert listed["address"] == at_portal["premise"]["address"]
    assert str(listed["meterMultiplier"]) == at_portal["meter"][0]["KWHMeterMultiplier"]
    one_by_one = (await portal("/api/usage/interval", esiid=esiid, **RANGE))["intervaldata"]
    daily = (await market("/dailyreads/", **RANGE))["registeredReads"]
    sums = [
        round(sum(row["consumption"] for row in one_by_one if row["date"] == day), 3)
        for day in sorted({row["date"] for row in one_by_one})
    ]
    assert [float(one["energyDataKwh"]) for one in daily] == sums
    by_day = (await portal("/api/usage/daily", esiid=esiid, **RANGE))["dailyData"]
    assert [(one["date"], one["reading"], one["startreading"], one["endreading"]) for one in by_day] == [
        (one["readDate"], float(one["energyDataKwh"]), one["startReading"], one["endReading"]) for one in daily
    ]
    at_portal, at_market, _ = at_portal, at_market, listed
    assert at_portal == at_market
    assert len(at_portal["usage"]) == 4
    assert at_portal["devices"]


async def test_what_smt_tells_of_a_meter_is_what_the_meter_is(tmp_path: Path) -> None:
    async with rig(tmp_path, posted_days=1) as made:
        world, market = made.sandbox.settings.world, made.sandbox.market.registry
        for meter in world.meters:
            point = market.points[meter.identity.esiid]
            assert point.multiplier == meter.identity.multiplier
            assert point.attributes.firmware == meter.identity.firmware
            assert point.attributes.phases == (3 if meter.identity.three_phase else 1)
            assert point.attributes.generates is (meter.premise.solar_w > 0)
            assert point.attributes.utility_meter_id == f"{meter.identity.meter_number}LG"
            assert (point.premise_type == "Commercial") is (meter.premise.klass in BUSINESS_CLASSES)

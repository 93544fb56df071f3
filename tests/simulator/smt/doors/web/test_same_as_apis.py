"""A page, the market API and the portal API tell the same (AC2), in a sandbox with real meters: usage, registers, sums, records, files, a read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from meters.calendar import parse_us_date
from simulator.smt.doors.both.rd import rd_parse
from simulator.web.words import kwh, spaced
from simulator.world.market import CUSTOMER_LOGIN, ROR_LOGIN
from tests.simulator.sandboxes import Rig, rig
from tests.simulator.smt.doors.web.visits import Visit, cells, facts, kinds

RANGE = {"startDate": "08/08/2026", "endDate": "08/11/2026"}
DAYS = [f"2026-08-{day:02d}" for day in range(8, 12)]


class Asking:
    """The same ESI ID at each of the three doors."""

    def __init__(self, made: Rig, esiid: str) -> None:
        self.made, self.esiid = made, esiid
        self.sender = {"trans_id": "1", "requestorID": ROR_LOGIN.username, "requesterType": "REP", "requesterAuthenticationID": ROR_LOGIN.duns}  # fmt: skip

    async def market(self, path: str, **fields: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {await self.made.client.token()}"}
        return await self.made.http.post(
            f"/v2{path}", json=self.sender | {"esiid": [self.esiid]} | fields, headers=headers
        )

    async def portal(self, path: str, **fields: Any) -> Any:
        login = {"username": CUSTOMER_LOGIN.username, "password": CUSTOMER_LOGIN.password}
        token = (await self.made.http.post("/commonapi/user/authenticate", json=login)).json()["token"]
        headers = {"authorization": f"Bearer {token}"}
        return (await self.made.http.post(path, json={"esiid": self.esiid} | fields, headers=headers)).json()


async def logged_in(made: Rig) -> Visit:
    visit = Visit(made.http, str(made.http.base_url).rstrip("/"))
    assert (await visit.log_in(CUSTOMER_LOGIN.username, CUSTOMER_LOGIN.password)).status_code == 303
    return visit


async def test_usage_registers_sums_records_and_files_are_those_of_the_apis(made: Rig) -> None:
    asking, visit = Asking(made, made.esiid(1)), await logged_in(made)
    root = f"/ui/m/{asking.esiid}"
    energy = (await asking.market("/15minintervalreads/", readingType="C", **RANGE)).json()["energyData"]
    by_one = (await asking.portal("/api/usage/interval", **RANGE))["intervaldata"]
    assert len(energy) == len(DAYS)
    for day, told in zip(DAYS, energy, strict=True):
        assert parse_us_date(told["DT"]).isoformat() == day
        page = (await visit.get(f"{root}/usage?day={day}")).text
        wh, estimated = rd_parse(told["RD"], parse_us_date(told["DT"]))
        shown = cells(page)
        assert [row[1] for row in shown] == [kwh(one) for one in wh.tolist()]
        assert [row[1] for row in shown] == [
            kwh(round(one["consumption"] * 1000)) for one in by_one if one["date"] == day
        ]
        assert kinds(page) == ["estimated" if late else "actual" for late in estimated.tolist()]
        assert [row[2] for row in shown] == [f"VEE, {kind}" for kind in kinds(page)]

    daily = (await asking.market("/dailyreads/", **RANGE)).json()["registeredReads"]
    reads = cells((await visit.get(f"{root}/reads?to=2026-08-11")).text)
    assert [row[:4] for row in reversed(reads)][-len(daily) :] == [
        [one["readDate"], one["startReading"], one["endReading"], one["energyDataKwh"]] for one in daily
    ]
    month = cells((await visit.get(f"{root}/usage?view=month&day=2026-08-11")).text)
    assert [row[1] for row in month][-len(daily) :] == [one["energyDataKwh"] for one in daily]

    page = (await visit.get(f"{root}/meter")).text
    told = (
        (await asking.market("/premiseInfo/")).json()["premiseInfo"]
        | (await asking.market("/meterInfo/")).json()["MeterData"][0]
        | (await asking.market("/hanDevices/")).json()["hanDevices"][0]
    )
    named = {spaced(name): value or "not known" for name, value in told.items()}
    assert {name: value for name, value in facts(page).items() if name in named} == named

    for form, asked in (("csv", {"reportFormat": "CSV"}), ("lse", {"reportFormat": "LSE"})):
        own = await visit.get(f"{root}/download?format={form}&from=2026-08-08&to=2026-08-11")
        theirs = await asking.market("/15minintervalreads/", readingType="A", version="L", **asked, **RANGE)
        assert own.content == theirs.content
        assert own.headers["content-disposition"].startswith("attachment;")
    own = await visit.get(f"{root}/download?format=gb&from=2026-08-08&to=2026-08-11")
    assert own.content == (await asking.market("/greenbutton/", reportFormat="XML", **RANGE)).content


async def test_a_read_is_told_alike_whichever_door_it_came_through(tmp_path: Path) -> None:
    async with rig(tmp_path, policy="smt-today", posted_days=2) as made:
        asking, visit = Asking(made, made.esiid(1)), await logged_in(made)
        status = await made.ask(asking.esiid)
        page = (await visit.get(f"/ui/m/{asking.esiid}/usage?day=2026-08-12")).text
        assert status.intervals
        assert len({one.source for one in status.intervals}) == 2
        assert kinds(page) == [one.source for one in status.intervals]
        assert [row[1] for row in cells(page)] == [kwh(one.wh) for one in status.intervals]

        at = (await visit.post(f"/ui/m/{asking.esiid}/read", kind="REGISTER")).headers["location"]
        assert 'data-poll="/ui/r/' in (await visit.get(at)).text
        await made.sandbox.runtime.run_until(made.sandbox.runtime.now() + 600)
        told = (await visit.get(at)).text
        latest = (await asking.portal("/api/usage/latestodrread", ESIID=asking.esiid))["data"]
        assert latest["odrstatus"] == "COMPLETED"
        assert f"The register stood at {latest['odrread']} kWh" in told
        assert f"that is {latest['odrusage']} kWh" in told

"""The portal API as customers' clients find it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, day_end, day_start, micros, parse_us_date, seconds
from simulator.customer.portal_user import PortalClient
from simulator.smt.access.gatekeeper import TokenLife
from simulator.smt.registry.records import Occupancy, User, UserKind
from simulator.smt.registry.registry import Registry
from tests.simulator.smt.rig import FOREIGN, HASH, NEIGHBOUR, PASSWORD, PLAIN, Rig, record, registry

NEVER = {"odrstatus": None, "odrread": None, "odrusage": None, "odrdate": None, "responseMessage": "SUCCESS"}


@pytest.mark.parametrize("path", ["/commonapi/user/authenticate", "/api/user/authenticate"])
async def test_a_login_gives_a_token_or_says_what_is_wrong(rig: Rig, path: str) -> None:
    assert (await rig.client.get("/")).status_code == 200

    async def told(username: str, password: str) -> tuple[int, dict[str, Any]]:
        body = {"username": username, "password": password, "rememberMe": "true"}
        reply = await rig.client.post(path, json=body)
        return reply.status_code, reply.json()

    status, login = await told("customer", PASSWORD)
    assert status == 200
    assert login["token"]
    assert (login["usr_type"], login["smtStatuskey"]) == ("RES", "SMTPR_smtStatus")
    assert await told("nobody", PASSWORD) == (400, {"errormessage": "ERR-USR-USERNOTFOUND"})
    for _ in range(5):
        assert await told("customer", "x") == (400, {"errormessage": "ERR-USR-INVALIDPASSWORDERROR"})
    assert (await told("customer", PASSWORD))[0] == 403


async def test_an_unused_token_dies_after_fifteen_minutes(rig: Rig) -> None:
    for _ in range(3):
        assert (await rig.portal("/api/meter", esiid="*"))["data"]
        rig.wall += 899
    rig.wall += 1
    dead = await rig.client.post(
        "/api/meter",
        json={"esiid": "*"},
        headers={"Authorization": f"Bearer {rig.tokens['portal customer']}"},
    )
    none = await rig.client.post("/api/meter", json={"esiid": "*"})
    assert (dead.status_code, dead.json()) == (401, {"message": "Invalid Token"})
    assert (none.status_code, none.json()) == (401, {"message": "Invalid Token"})


async def test_meters_are_those_of_the_account(rig: Rig) -> None:
    (one,) = (await rig.portal("/api/meter", esiid="*"))["data"]
    ror = (await rig.portal("/api/meter", "lonestar.api", esiid="*"))["data"]
    foreign = await rig.portal("/api/meter", esiid=FOREIGN)
    assert (one["esiid"], one["meterNumber"], one["fullAddress"]) == (
        PLAIN,
        "200000017",
        "1 Test Way Nowhere, TX 75001",
    )
    assert (one["errmsg"], one["recordStatus"], one["zip"]) == ("Success", "ESIID-RECORD-EXISTS", "75001-0.00")
    assert {PLAIN, NEIGHBOUR} < {point["esiid"] for point in ror}
    assert FOREIGN not in {point["esiid"] for point in ror}
    assert foreign == {"data": []}


async def test_a_read_goes_from_pending_to_completed(tmp_path: Path) -> None:
    async with Rig(tmp_path, "smt-today") as rig:
        rig.post_days()
        latest: list[dict[str, Any]] = []
        latest.append((await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"])
        ack = (await rig.portal("/api/ondemandread", ESIID=PLAIN, MeterNumber="200000017"))["data"]
        await rig.wait(10)
        latest.append((await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"])
        await rig.wait(70)
        latest.append((await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"])
        # For some seconds after a new request the read before it is returned.
        await rig.portal("/api/ondemandread", ESIID=PLAIN)
        await rig.wait(4)
        latest.append((await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"])
        await rig.wait(1)
        latest.append((await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"])
    assert ack["statusCode"] == "0"
    assert len(ack["correlationId"]) == 12
    assert latest[0] == NEVER
    pending = {"odrstatus": "PENDING", "odrread": "0", "odrusage": "0", "responseMessage": "SUCCESS"}
    assert latest[1] == pending | {"odrdate": "08/12/2026 17:40:00"}
    done = {
        "odrstatus": "COMPLETED",
        "odrread": "23459.133",
        "odrusage": "20318.333",
        "odrdate": "08/12/2026 17:40:15",
        "responseMessage": "SUCCESS",
    }
    assert latest[2] == latest[3] == done
    assert latest[4]["odrstatus"] == "PENDING"


@pytest.mark.parametrize(
    ("posted_to", "moved_in", "usage"),
    [
        ("2026-08-11", date(2026, 8, 12), "20318.333"),
        # The last midnight that is posted lies in another's days.
        ("2026-08-10", date(2026, 8, 12), "0.000"),
        ("2026-08-10", date(2026, 8, 11), "20327.933"),
    ],
)
async def test_usage_counts_from_no_midnight_before_the_users_own_days(
    tmp_path: Path, posted_to: str, moved_in: date, usage: str
) -> None:
    records = registry().records
    users = [replace(user, esiids=()) for user in records.users]
    moved = Registry(*records._replace(users=tuple(users))[:4], occupancies=[Occupancy(PLAIN, "customer", moved_in)])
    async with Rig(tmp_path, registered=moved) as rig:
        rig.post_days(last=posted_to)
        await rig.portal("/api/ondemandread", ESIID=PLAIN)
        await rig.wait(80)
        assert (await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"]["odrusage"] == usage


async def test_without_a_posted_midnight_nothing_was_used(rig: Rig) -> None:
    await rig.portal("/api/ondemandread", ESIID=PLAIN)
    await rig.wait(80)
    told = (await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"]
    assert (told["odrstatus"], told["odrread"], told["odrusage"]) == ("COMPLETED", "23459.133", "0.000")


async def test_a_read_from_before_a_move_is_anothers(tmp_path: Path) -> None:
    records = registry().records
    users = [replace(user, esiids=()) for user in records.users]
    moved = Registry(
        *records._replace(users=tuple(users))[:4], occupancies=[Occupancy(PLAIN, "customer", date(2026, 8, 13))]
    )
    async with Rig(tmp_path, registered=moved) as rig:
        await rig.asked()
        await rig.wait(80)
        for _ in range(2):
            assert (await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"] == NEVER
            await rig.wait(12 * 3600)
        # It is the retailer's all the same, and the meter now the customer's.
        assert [one["esiid"] for one in (await rig.portal("/api/meter", esiid="*"))["data"]] == [PLAIN]
        assert (await rig.portal("/api/usage/latestodrread", "lonestar.api", ESIID=PLAIN))["data"]["odrread"]


async def test_a_browser_is_led_to_the_pages_and_a_program_told_where_they_are(rig: Rig) -> None:
    led = await rig.client.get("/", headers={"accept": "text/html,*/*"})
    assert (led.status_code, led.headers["location"], led.headers["vary"]) == (303, "/ui/", "accept")
    assert "set-cookie" not in led.headers
    told = await rig.client.get("/")
    assert (told.status_code, told.headers["vary"]) == (200, "accept")
    assert "Pages for a browser: /ui/" in told.text
    assert "smt_visited=1" in told.headers["set-cookie"]


async def test_of_a_meter_of_others_there_are_no_months(rig: Rig) -> None:
    for esiid in (FOREIGN, PLAIN):
        rig.post_days(count=70, esiid=esiid)
    asked = {"startDate": "07/01/2026", "endDate": "08/11/2026"}
    months = [(await rig.portal("/api/usage/monthly", esiid=esiid, **asked))["monthlyData"] for esiid in (FOREIGN, PLAIN)]  # fmt: skip
    assert months[0] == []
    assert [(one["startdate"], one["enddate"], one["actl_kwh_usg"]) for one in months[1]] == [("07/01/2026", "08/01/2026", 297.6)]  # fmt: skip


async def test_a_failed_read_is_null_and_still_says_success(tmp_path: Path) -> None:
    async with Rig(tmp_path, expiry_us=micros(60_000_000)) as rig:
        rig.head_end.amend = {"outcome": "failed", "reason": "dead"}
        rig.head_end.seconds = 0
        await rig.portal("/api/ondemandread", ESIID=PLAIN)
        await rig.wait(80)
        t_failed = (await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"]
        rig.smt.desk.expiry_us = micros(600_000_000)
        await rig.portal("/api/ondemandread", ESIID=PLAIN)
        await rig.wait(80)
        failed = (await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"]
    assert t_failed == NEVER | {"odrstatus": "T-FAILED", "odrdate": "08/12/2026 17:41:00"}
    assert failed == NEVER | {"odrstatus": "FAILED", "odrdate": "08/12/2026 17:42:30"}


async def test_the_hourly_limit_is_5031_and_shared_with_the_retailer(tmp_path: Path) -> None:
    async with Rig(tmp_path, "smt-today") as rig:
        await rig.portal("/api/ondemandread", ESIID=PLAIN)
        await rig.asked()
        reply = await rig.portal("/api/ondemandread", ESIID=PLAIN)
    assert reply == {
        "data": {
            "RequestStatus": "FLR",
            "statusCode": "5031",
            "statusReason": "You have reached the limit of two On Demand Read request for this ESIID per hour, "
            "you may try again after one hour",
        }
    }


async def test_the_daily_limit_is_5032(rig: Rig) -> None:
    await rig.portal("/api/ondemandread", ESIID=PLAIN)
    reply = await rig.portal("/api/ondemandread", ESIID=PLAIN)
    assert (reply["data"]["RequestStatus"], reply["data"]["statusCode"]) == ("FLR", "5032")


async def test_a_foreign_meter_looks_like_an_unknown_one(rig: Rig) -> None:
    for path, field in (("/api/ondemandread", "ESIID"), ("/api/usage/latestodrread", "ESIID")):
        foreign = await rig.portal(path, **{field: NEIGHBOUR})
        assert foreign == await rig.portal(path, **{field: "99900000000099999"})
    assert (await rig.portal("/api/ondemandread", ESIID=NEIGHBOUR))["data"]["statusCode"] == "AC1"


async def test_interval_data_tell_both_channels(rig: Rig) -> None:
    rig.post_days()
    day = rig.today().replace(day=11)
    asked = {"startDate": "08/11/2026", "endDate": "08/11/2026"}
    before = await rig.portal("/api/usage/interval", esiid=PLAIN, **asked)
    # What a head-end posts of a meter that generates nothing.
    rig.smt.store.load([record(PLAIN, day, seconds(1), Channel.GENERATION, wh=0)], seconds(1))
    zeros = await rig.portal("/api/usage/interval", esiid=PLAIN, **asked)
    surplus = record(PLAIN, day, seconds(1), Channel.GENERATION, wh=50)
    surplus.estimated[0] = True
    rig.smt.store.load([surplus], seconds(2))
    after = await rig.portal("/api/usage/interval", esiid=PLAIN, **asked)
    synch = (await rig.portal("/api/adhoc/intervalsynch", ESIID=[PLAIN], **asked))["data"]
    first = {
        "starttime": " 12:00 am",
        "endtime": " 12:15 am",
        "date": "2026-08-11",
        "consumption": 0.1,
        "consumption_est_act": "A",
        "generation": 0,
        "generation_est_act": None,
    }
    assert before["intervaldata"][0] == first
    assert before["intervaldata"][-1]["endtime"] == " 12:00 am"
    assert before["generationFlag"] is False
    assert zeros == before
    assert after["intervaldata"][0] == first | {"generation": 0.05, "generation_est_act": "E"}
    assert after["generationFlag"] is True
    assert [one["RT"] for one in synch["energyData"]] == ["C", "G"]


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"startDate": "08/12/2026", "endDate": "08/12/2026"}, "1", "No Energy Data received from the respective TDSP"),
        ({"ESIID": [NEIGHBOUR]}, "1", "No Energy Data received from the respective TDSP"),
        ({"startDate": "07/12/2026"}, "RANGE", "At most 30 days are given at a time."),
        ({"endDate": "8/11/26"}, "INVALID-DATE", "Invalid Date. Expected format of: endDate is MM/dd/yyyy"),
    ],
)
async def test_interval_synch_says_why_there_is_nothing(
    rig: Rig, fields: dict[str, Any], code: str, message: str
) -> None:
    rig.post_days()
    asked: dict[str, Any] = {"startDate": "07/13/2026", "endDate": "08/11/2026", "ESIID": [PLAIN]}
    assert len((await rig.portal("/api/adhoc/intervalsynch", **asked))["data"]["energyData"]) == 30
    reply = await rig.portal("/api/adhoc/intervalsynch", **(asked | fields))
    assert reply == {"data": {"errorCode": code, "errorMessage": message}}


async def test_two_years_by_one_call_are_what_the_market_api_tells_and_what_the_intervals_sum_up_to(rig: Rig) -> None:
    rig.post_days(count=725)
    years = {"startDate": "08/12/2024", "endDate": "08/11/2026"}
    rows = (await rig.portal("/api/usage/interval", esiid=PLAIN, **years))["intervaldata"]
    daily = (await rig.portal("/api/usage/daily", esiid=PLAIN, **years))["dailyData"]
    monthly = (await rig.portal("/api/usage/monthly", esiid=PLAIN, **years))["monthlyData"]
    read = (await rig.market("/dailyreads/", esiid=[PLAIN], **years)).json()["registeredReads"]
    billed = (await rig.market("/monthlybillingInformation/", esiid=[PLAIN], **years)).json()["billingData"]
    used: dict[date, int] = defaultdict(int)
    for row in rows:
        used[date.fromisoformat(row["date"])] += round(row["consumption"] * 1000)
    assert len(used) == len(daily) == 725
    assert len(rows) == sum((day_end(day) - day_start(day)) // INTERVAL_S for day in used)
    assert [(parse_us_date(one["date"]), round(one["reading"] * 1000)) for one in daily] == list(used.items())
    # The retailer's days begin with 2025.
    own = [one for one in daily if parse_us_date(one["date"]) >= date(2025, 1, 1)]
    assert len(read) == 588
    assert [(one["readDate"], one["startReading"], one["endReading"]) for one in read] == [
        (one["date"], one["startreading"], one["endreading"]) for one in own
    ]
    assert len(monthly) >= 20
    assert len(billed) >= 17
    for month, bill in zip(monthly[-len(billed) :], billed, strict=True):
        start, end = parse_us_date(month["startdate"]), parse_us_date(month["enddate"])
        assert round(month["actl_kwh_usg"] * 1000) == sum(wh for day, wh in used.items() if start <= day < end)
        assert (bill["startDate"], bill["endDate"]) == (month["startdate"], month["enddate"])
        assert float(bill["actualkWh"]) == month["actl_kwh_usg"]
        assert float(bill["meteredKW"]) == month["mtrd_kwh_usg"] == float(month["mtrd_kva_usg"])


@pytest.mark.parametrize("path", ["interval", "daily", "monthly"])
async def test_usage_before_the_history_is_told_so(rig: Rig, path: str) -> None:
    asked = {"esiid": PLAIN, "startDate": "08/11/2024", "endDate": "08/11/2026"}
    assert (await rig.portal(f"/api/usage/{path}", **asked))["errorCode"] == "HISTORY"


async def test_a_dashboard_without_a_meter_shows_none(tmp_path: Path) -> None:
    nobody = User("customer", HASH, UserKind.CUSTOMER)
    async with Rig(tmp_path, registered=Registry([], [], [], [nobody])) as rig:
        assert await rig.portal("/api/dashboard") == {"data": {"defaultMeterDetails": None, "latestDate": None}}


@pytest.mark.parametrize(("life", "log_ins"), [(TokenLife.WALL, 1), (TokenLife.MODEL, 24)])
async def test_a_home_that_comes_every_hour_logs_in_as_often_as_tokens_live_by_the_models_clock(
    tmp_path: Path, life: TokenLife, log_ins: int
) -> None:
    async with Rig(tmp_path, token_life=life) as rig:
        home = PortalClient(rig.client, "customer", PASSWORD)
        for _ in range(24):
            await home.latest(PLAIN)
            await rig.wait(3600)
    # Of a log-in but the first there is a call beside it that was refused.
    assert home.calls == 24 + 2 * log_ins - 1

"""Token and VEE reads through the market API: shapes, slots, dates, who may see what."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from headend.vee.quality import Channel
from meters.calendar import seconds
from simulator.smt.doors.both.rd import rd_parse
from simulator.smt.registry.meter_attributes import installed_meter
from simulator.smt.registry.records import PointMeter, User, UserKind
from simulator.smt.registry.registry import Registry
from tests.simulator.smt.rig import FOREIGN, HASH, NEIGHBOUR, PASSWORD, PLAIN, Rig, record, registry

RANGE: dict[str, Any] = {"startDate": "08/10/2026", "endDate": "08/11/2026", "esiid": [PLAIN]}


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"username": "lonestar.api", "password": "wrong"}, 401, "Incorrect username or password."),
        ({"username": "nobody", "password": PASSWORD}, 401, "Incorrect username or password."),
        ({"password": PASSWORD}, 400, "Please provide username."),
        ({"username": "lonestar.api"}, 400, "Please provide password."),
    ],
)
async def test_a_bad_login_is_the_gateways_error(rig: Rig, body: dict[str, str], status: int, error: str) -> None:
    reply = await rig.client.post("/v2/token", json=body)
    assert (reply.status_code, reply.json()) == (status, {"error": error})


async def test_many_bad_logins_are_blocked(rig: Rig) -> None:
    body = {"username": "lonestar.api", "password": "wrong"}
    told = [(await rig.client.post("/v2/token/", json=body)).status_code for _ in range(6)]
    assert told == [401] * 5 + [403]


async def test_a_token_lives_an_hour_of_wall_time(rig: Rig) -> None:
    rig.post_days()
    body = {"username": "lonestar.api", "password": PASSWORD}
    token = (await rig.client.post("/v2/token/", json=body)).json()
    assert (token["statusCode"], token["tokenType"], token["expiresIn"]) == (200, "Bearer", "3600")
    assert (await rig.market("/dailyreads/", **RANGE)).status_code == 200
    await rig.wait(7200)
    assert (await rig.market("/dailyreads/", **RANGE)).status_code == 200
    rig.wall += 3600
    expired = await rig.market("/dailyreads/", **RANGE)
    missing = await rig.client.post("/v2/dailyreads/", json={})
    assert (expired.status_code, missing.status_code) == (401, 403)
    assert missing.json() == {"error": "Basic authentication header is missing."}


async def test_interval_reads_have_100_slots_a_day(rig: Rig) -> None:
    rig.post_days()
    reply = (await rig.market("/15minintervalreads/", **RANGE)).json()
    assert (reply["trans_id"], reply["esiid"]) == ("t-1", PLAIN)
    assert [one["DT"] for one in reply["energyData"]] == ["08/10/2026", "08/11/2026"]
    assert reply["energyData"][0] | {"RD": ""} == {
        "DT": "08/10/2026",
        "RevTS": "08/12/2026 17:40:00",
        "RT": "C",
        "RD": "",
    }
    assert reply["energyData"][0]["RD"].startswith(".100-A,.100-A,")
    assert reply["energyData"][0]["RD"].count(",") == 99


@pytest.mark.parametrize(
    ("day", "text", "empty"),
    [(date(2026, 3, 8), "03/08/2026", range(8, 16)), (date(2025, 11, 2), "11/02/2025", range(0))],
)
async def test_dst_days_fill_the_slots_of_their_local_clock(rig: Rig, day: date, text: str, empty: range) -> None:
    kept = record(PLAIN, day, seconds(1000))
    kept.wh[:] = range(len(kept.wh))
    rig.smt.store.load([kept], seconds(1000))
    for reply in (
        (await rig.market("/15minintervalreads/", startDate=text, endDate=text, esiid=[PLAIN])).json(),
        (await rig.portal("/api/adhoc/intervalsynch", startDate=text, endDate=text, ESIID=[PLAIN]))["data"],
    ):
        (one,) = reply["energyData"]
        assert [slot for slot, value in enumerate(one["RD"].split(",")) if not value] == list(empty)
        assert rd_parse(one["RD"], day)[0].tolist() == kept.wh.tolist()


async def test_versions_and_reading_types_choose(rig: Rig) -> None:
    day = date(2026, 8, 11)
    rig.smt.store.load(
        [record(PLAIN, day, seconds(1)), record(PLAIN, day, seconds(1), Channel.GENERATION, 7)], seconds(1)
    )
    rig.smt.store.load([record(PLAIN, day, seconds(2), wh=200)], seconds(2))

    async def told(**fields: str) -> list[tuple[str, str]]:
        reply = await rig.market("/15minintervalreads/", **(RANGE | fields))
        return [(one["RT"], one["RD"][:4]) for one in reply.json()["energyData"]]

    assert await told() == [("C", ".200")]
    assert await told(version="A") == [("C", ".100"), ("C", ".200")]
    assert await told(readingType="G") == [("G", ".007")]
    assert await told(readingType="A") == [("C", ".200"), ("G", ".007")]


async def test_daily_reads_are_kwh_texts_at_both_midnights(rig: Rig) -> None:
    rig.post_days()
    reply = (await rig.market("/dailyreads", **RANGE)).json()
    assert reply["registeredReads"][0] == {
        "readDate": "08/10/2026",
        "revisionDate": "08/12/2026 17:40:00",
        "startReading": "3121.600",
        "endReading": "3131.200",
        "energyDataKwh": "9.600",
    }


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"startDate": "2026-08-10"}, "INVALID-DATE", "Invalid Date. Expected format of: startDate is MM/dd/yyyy"),
        ({"startDate": "٠٨/10/2026"}, "INVALID-DATE", "Invalid Date. Expected format of: startDate is MM/dd/yyyy"),
        ({"endDate": "02/30/2026"}, "INVALID-DATE", "Invalid Date. Expected format of: endDate is MM/dd/yyyy"),
        ({"startDate": "08/12/2026"}, "DATE-ORDER", "startDate 08/12/2026 is later than endDate 08/11/2026."),
        ({"startDate": "08/10/2024"}, "HISTORY", None),
        ({"startDate": "01/01/2026", "endDate": "01/02/2026"}, "1", "No data received from the respective TDSP"),
        ({"startDate": "12/01/2029", "endDate": "12/31/9999"}, "1", "No data received from the respective TDSP"),
        ({"esiid": [FOREIGN]}, "AC1", None),
        ({"esiid": ["99900000000099999"]}, "AC1", None),
        ({"esiid": [PLAIN, FOREIGN]}, "ONE-ESIID", None),
        ({"deliveryMode": "FTP"}, "DELIVERY", "deliveryMode FTP is not offered here: use API."),
        ({"deliveryMode": "EML"}, "DELIVERY", "deliveryMode EML is not offered here: use API."),
        ({"reportFormat": "XML"}, "FORMAT", None),
    ],
)
async def test_what_cannot_be_answered_has_a_code_and_a_sentence(
    rig: Rig, fields: dict[str, Any], code: str, message: str | None
) -> None:
    rig.post_days()
    for path in ("/15minintervalreads/", "/dailyreads/"):
        reply = await rig.market(path, **(RANGE | fields))
        assert reply.status_code == 200
        assert reply.json()["errorCode"] == code
        assert message in (None, reply.json()["errorMessage"])


async def test_a_customer_has_no_market_api(rig: Rig) -> None:
    reply = await rig.market("/dailyreads/", "customer", **RANGE)
    assert reply.json() == {"errorCode": "2076", "errorMessage": "API Integration is not done."}


HOMES = [
    User(name, HASH, UserKind.CUSTOMER, esiids=(esiid,), onboarded=True)
    for name, esiid in (("home", PLAIN), ("next", NEIGHBOUR))
]


async def test_an_onboarded_home_owner_asks_in_public_clients_words_for_its_own_alone(tmp_path: Path) -> None:
    """The body of a public client: RES, no DUNS number, no delivery, no format, the log-in in capitals, ``c`` in small."""
    async with Rig(tmp_path, registered=registry(*HOMES)) as rig:
        rig.post_days()
        body: dict[str, Any] = RANGE | {"requestorID": "HOME", "readingType": "c"}
        found = (await rig.market("/dailyreads/", "home", **body)).json()
        assert len(found["registeredReads"]) == 2
        assert (await rig.market("/dailyreads/", "home", **(body | {"esiid": [FOREIGN]}))).json()["errorCode"] == "AC1"
        key = (await rig.market("/odr/", "home", ESIID=PLAIN)).json()["correlationId"]
        assert (await rig.market("/odrstatus/", "home", correlationId=key)).json()["statusCode"] == "PEN"
        others = await rig.market("/odrstatus/", "next", correlationId=key)
        assert others.json()["errorCode"] == "CORRELATION"


async def test_who_is_no_home_owner_names_its_duns_number(rig: Rig) -> None:
    reply = await rig.market("/dailyreads/", requesterAuthenticationID=None, **RANGE)
    told = "requesterAuthenticationID: the DUNS number of the requester; only RES and BUS have none"
    assert (reply.status_code, reply.json()) == (400, {"errorCode": "FIELD", "errorMessage": told})


async def test_meter_info_takes_the_list_that_public_clients_send(rig: Rig) -> None:
    by_list, plain = [
        (await rig.market("/meterInfo/", **asked)).json()["MeterData"]
        for asked in ({"ESIIDMeterList": [{"esiid": PLAIN}]}, {"esiid": [PLAIN]})
    ]
    assert by_list == plain
    assert plain[0]["KWHMeterMultiplier"]
    reply = await rig.market("/meterInfo/", ESIIDMeterList=[{"meter": 1}])
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "FIELD")


async def test_every_meter_of_an_esi_id_is_told_at_both_doors_and_either_number_is_good(tmp_path: Path) -> None:
    other = PointMeter(PLAIN, "200000018", 40, installed_meter("200000018", "coastal", date(2026, 1, 5), multiplier=40))
    records = registry().records
    async with Rig(tmp_path, registered=Registry(*records[:4], other_meters=[other])) as rig:
        (market,) = [(await rig.market("/meterInfo/", esiid=[PLAIN])).json()["MeterData"]]
        assert (await rig.portal("/api/meterattributes", esiid=PLAIN))["data"] == market
        assert [(one["utilityMeterId"], one["KWHMeterMultiplier"]) for one in market] == [
            ("200000017", "1"),
            ("200000018", "40"),
        ]
        listed = (await rig.portal("/api/meter", esiid="*"))["data"]
        assert [(one["esiid"], one["meterNumber"], one["meterMultiplier"]) for one in listed] == [
            (PLAIN, "200000017", 1),
            (PLAIN, "200000018", 40),
        ]
        first = (await rig.portal("/api/dashboard"))["data"]["defaultMeterDetails"]
        assert first["meterNumber"] == "200000017"
        assert (await rig.asked(MeterNumber="200000019"))["errorCode"] == "METER"
        assert (await rig.asked(MeterNumber="200000018"))["statusCode"] == "0"


async def test_a_body_that_is_not_as_documented_names_its_field(rig: Rig) -> None:
    wrong = await rig.market("/dailyreads/", **(RANGE | {"version": "X"}))
    missing = await rig.market("/odrstatus/")
    token = rig.tokens["lonestar.api"]
    garbage = await rig.client.post(
        "/v2/odr/", content=b"{", headers={"Authorization": f"Bearer {token}", "content-type": "application/json"}
    )
    assert [one.status_code for one in (wrong, missing, garbage)] == [400, 400, 400]
    assert wrong.json()["errorMessage"].startswith("version: ")
    assert missing.json() == {"errorCode": "FIELD", "errorMessage": "correlationId: Field required"}
    assert garbage.json()["errorCode"] == "FIELD"


@pytest.mark.parametrize(
    ("content", "content_type", "message"),
    [
        (b'{"ESIID":"1"}', None, "it has no content-type: send a JSON object with content-type: application/json"),
        (b"\xff\xfe\xff", "application/json", "it cannot be read: send a JSON object in UTF-8"),
    ],
)  # fmt: skip
async def test_a_body_that_cannot_be_read_says_what_to_send(
    rig: Rig, content: bytes, content_type: str | None, message: str
) -> None:
    await rig.market("/odrstatus/")
    headers = {"Authorization": f"Bearer {rig.tokens['lonestar.api']}"}
    if content_type is not None:
        headers["content-type"] = content_type
    reply = await rig.client.post("/v2/odr/", content=content, headers=headers)
    assert (reply.status_code, reply.json()) == (400, {"errorCode": "FIELD", "errorMessage": f"body: {message}"})


async def test_what_no_route_takes_is_the_gateways_error(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig:
        unknown, near, method, elsewhere, nowhere, read = [
            await rig.client.post("/v2/NewSubscription/", json={}),
            await rig.client.post("/v2/meterinfos/", json={}),
            await rig.client.get("/v2/odr/"),
            await rig.client.post("/api/usage/monthlies", json={}),
            await rig.client.get("/favicon.ico"),
            await rig.client.get("/api/meter"),
        ]
    assert (unknown.status_code, unknown.json()) == (404, {"error": "There is no such call."})
    assert near.json() == {"error": "There is no such call. Did you mean /v2/meterInfo/?"}
    assert (method.status_code, method.json()) == (405, {"error": "This method is not offered here: use POST."})
    assert method.headers["allow"] == "POST"
    meant = {"errorCode": "NO-CALL", "errorMessage": "There is no such call. Did you mean /api/usage/monthly?"}
    assert (elsewhere.status_code, elsewhere.json()) == (404, meant)
    assert (nowhere.status_code, nowhere.json()) == (404, meant | {"errorMessage": "There is no such call."})
    assert (read.status_code, read.json()["errorCode"]) == (405, "NO-METHOD")


async def test_a_fault_says_that_the_connection_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    async with Rig(tmp_path) as rig:
        monkeypatch.setattr(rig.smt.ledger, "entry", broken)
        rig.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(rig.app, raise_app_exceptions=False), base_url="http://smt"
        )
        reply = await rig.market("/odrstatus/", correlationId="1")
    assert (reply.status_code, reply.headers["connection"]) == (500, "close")
    assert reply.json() == {"error": "Something went wrong. Please try again later."}


async def test_the_documents_show_each_path_with_examples(rig: Rig) -> None:
    assert (await rig.client.get("/healthz")).json()["status"] == "ok"
    document = (await rig.client.get("/openapi.json")).json()
    market = sorted(path for path in document["paths"] if path.startswith("/v2"))
    assert market == [
        f"/v2/{one}/"
        for one in (
            "15minintervalreads",
            "dailyreads",
            "greenbutton",
            "hanDevices",
            "meterInfo",
            "missing",
            "monthlybillingInformation",
            "odr",
            "odrstatus",
            "powerstatus",
            "premiseInfo",
            "reportrequeststatus",
            "token",
        )
    ]
    assert "gap" in document["paths"]["/v2/odr/"]["post"]["requestBody"]["content"]["application/json"]["examples"]

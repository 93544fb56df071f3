"""On-demand requests through the market API: what stands against them, the throttle at both places, how each ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.smt.throttle.policy import parse_policy
from tests.simulator.smt.rig import FOREIGN, NEIGHBOUR, PLAIN, Rig

REFUSED_RESULT = {"outcome": "refused", "reason": "the meter is needed and may not be read", "meterReads": 0}


async def test_a_gap_is_answered_with_its_intervals_by_source(rig: Rig) -> None:
    rig.post_days()
    ack = await rig.asked(readType="INTERVALS", callReference="call-0001")
    assert (ack["statusCode"], ack["statusReason"]) == (
        "0",
        "Request submitted successfully for further processing",
    )
    assert re.fullmatch(r"\d{12}", ack["correlationId"])
    await rig.wait(30)
    pending = await rig.status(ack["correlationId"])
    assert (pending["statusCode"], pending["statusReason"]) == ("PEN", "Request Submitted by API")
    await rig.wait(60)
    status = await rig.status(ack["correlationId"])
    assert (status["statusCode"], status["statusReason"]) == ("0", "ODR retreived successfully")
    assert status["quality"] == "non-VEE"
    assert status["gap"] == {"start": "2026-08-12T00:00:00-05:00", "end": "2026-08-12T17:30:00-05:00"}
    sources = [one["source"] for one in status["intervals"]]
    assert (sources.count("store"), sources.count("meter")) == (64, 6)
    assert status["uncovered"] == []
    assert status["holes"] == []
    assert status["meterReads"] == 1
    (asked,) = rig.head_end.asked
    assert (asked.meterAllowed, asked.callReference) == (True, "call-0001")
    assert rig.notes.of("request completed") == [
        {"esiid": PLAIN, "inquiry": "INTERVALS", "call": "call-0001", "reason": "", "store": 64, "meter": 6, "missing": 0, "meter_reads": 1}
    ]  # fmt: skip


async def test_a_register_read_is_written_in_scientific_notation(rig: Rig) -> None:
    ack = await rig.asked()
    pending = await rig.market("/odrstatus", correlationId=ack["correlationId"])
    await rig.wait(80)
    done = await rig.market("/odrstatus/", correlationId=ack["correlationId"])
    assert '"odrRead":{"registeredRead":0E+0,"readDate":"08/12/2026 17:40:00"}' in pending.text
    assert '"odrRead":{"registeredRead":2.3459133E+4,"readDate":"08/12/2026 17:40:15"}' in done.text
    assert done.json()["statusCode"] == "0"
    assert "intervals" not in done.json()


async def test_a_second_plain_read_of_the_day_is_refused_at_once_with_the_time_of_the_first(rig: Rig) -> None:
    await rig.asked()
    under_way = await rig.asked()
    await rig.wait(80)
    spent = await rig.asked()
    assert under_way["refusal"]["reason"].endswith("A request of 2026-08-12T17:40:00-05:00 is under way.")
    assert spent["statusCode"] == "1"
    assert "correlationId" not in spent
    assert spent["refusal"] == {
        "code": "FR-CR016.1b",
        "reason": "FR CR016.1 allows one successful meter read request per ESI ID and day. "
        "It was used at 2026-08-12T17:41:15-05:00.",
        "retryAt": "2026-08-13T00:00:00-05:00",
    }
    assert len(rig.head_end.asked) == 1


async def test_a_refusal_found_by_the_head_end_comes_with_what_its_store_holds(rig: Rig) -> None:
    rig.post_days()
    await rig.asked()
    await rig.wait(80)
    held = {
        "end": "2026-08-12T00:15:00-05:00",
        "wh": 7,
        "source": "store",
        "collectedAt": "2026-08-12T04:00:00-05:00",
        "status": 0x2000,
    }
    rig.head_end.amend = REFUSED_RESULT | {"intervals": [held], "reachesTo": held["end"]}
    ack = await rig.asked(readType="INTERVALS")
    assert ack["statusCode"] == "0"
    await rig.wait(80)
    status = await rig.status(ack["correlationId"])
    assert rig.head_end.asked[1].meterAllowed is False
    assert status["statusCode"] == "1"
    assert status["refusal"]["code"] == "FR-CR016.1b"
    assert "It was used at" in status["refusal"]["reason"]
    assert status["refusal"]["retryAt"] == "2026-08-13T00:00:00-05:00"
    assert (status["intervals"], status["reachesTo"]) == ([held], held["end"])


async def test_power_status_and_read_have_an_allowance_each(rig: Rig) -> None:
    first = await rig.asked("/powerstatus/")
    await rig.wait(80)
    status = await rig.status(first["correlationId"])
    second = await rig.asked("/powerstatus/")
    read = await rig.asked()
    assert status["powerStatus"] == {
        "status": "ON",
        "source": "reply",
        "switchState": "CLOSED",
        "voltage": 243.1,
        "at": "2026-08-12T17:40:15-05:00",
    }
    assert second["refusal"]["code"] == "FR-CR016.1a"
    assert read["statusCode"] == "0"


async def test_an_unknown_or_malformed_call_back_is_told_so(rig: Rig) -> None:
    unknown = await rig.call_back({"correlationId": "1", "outcome": "completed"})
    malformed = await rig.call_back({"correlationId": "1", "outcome": "fine"})
    await rig.wait(1)
    assert (unknown.status_code, unknown.json()) == (404, {"correlationId": "1", "status": "unknown"})
    assert malformed.status_code == 400
    assert malformed.json()["errorMessage"].startswith("outcome: ")


async def test_nobody_learns_whether_a_foreign_esiid_exists(rig: Rig) -> None:
    foreign = await rig.asked(ESIID=FOREIGN)
    unknown = await rig.asked(ESIID="99900000000099999")
    tdsp = (await rig.market("/odr/", "wires", ESIID=PLAIN)).json()
    assert foreign == unknown == tdsp
    assert foreign["errorCode"] == "AC1"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"requestorID": "rival.api"}, "REQUESTOR"),
        ({"requesterAuthenticationID": "9990000000012"}, "DUNS"),
        ({"SMTTermsandConditions": "N"}, "TERMS"),
        ({"deliveryMode": "FTP"}, "DELIVERY"),
        ({"deliveryMode": "EML"}, "DELIVERY"),
        ({"reportFormat": "CSV"}, "FORMAT"),
        ({"reportFormat": "LSE"}, "FORMAT"),
        ({"MeterNumber": "200000018"}, "METER"),
    ],
)
async def test_a_request_that_does_not_fit_its_sender_has_a_code(rig: Rig, fields: dict[str, str], code: str) -> None:
    assert (await rig.asked(**fields))["errorCode"] == code


async def test_a_meter_number_may_carry_its_suffix(rig: Rig) -> None:
    assert (await rig.asked(MeterNumber="200000017LG"))["statusCode"] == "0"


async def test_a_gap_over_48_hours_is_cut_and_holes_are_listed(rig: Rig) -> None:
    rig.post_days("2026-08-09", 3)
    rig.post_days("2026-08-04", 3)
    ack = await rig.asked(readType="INTERVALS")
    await rig.wait(80)
    status = await rig.status(ack["correlationId"])
    assert len(status["intervals"]) == 192
    assert status["uncovered"] == [{"start": "2026-08-10T00:00:00-05:00", "end": "2026-08-10T17:30:00-05:00"}]
    assert status["holes"] == [{"start": "2026-08-05T00:00:00-05:00", "end": "2026-08-07T00:00:00-05:00"}]


async def test_only_who_asked_may_poll(rig: Rig) -> None:
    ack = await rig.asked()
    spied = (await rig.market("/odrstatus/", "rival.api", correlationId=ack["correlationId"])).json()
    unknown = (await rig.market("/odrstatus/", "rival.api", correlationId="1")).json()
    assert spied == unknown
    assert spied["errorCode"] == "CORRELATION"


async def test_a_silent_limit_refuses_without_a_reason(tmp_path: Path) -> None:
    silent = {"name": "BULK", "kind": "read", "scope": "ror", "amount": 0, "window": "day", "code": "BULK", "rule": "secret", "told": False}  # fmt: skip
    policy = parse_policy("silent", {"title": "t", "limits": [silent]}, place="test")
    async with Rig(tmp_path, policy) as rig:
        reply = await rig.market("/odr/", ESIID=PLAIN)
    assert reply.json()["statusReason"] == "The request was not processed"
    assert "refusal" not in reply.json()
    assert "secret" not in reply.text


async def test_slips_of_a_requester_are_in_the_audit_and_refuse_nothing(rig: Rig) -> None:
    await rig.asked()
    who = {"trans_id": "t", "requestorID": "lonestar.api", "requesterAuthenticationID": "9990000000011"}
    body = who | {"requesterType": "CSP", "ESIID": PLAIN, "ReadType": "INTERVALS", "x" * 99: {"a": 1}}
    headers = {"Authorization": f"Bearer {rig.tokens['lonestar.api']}"}
    reply = await rig.client.post("/v2/powerstatus/", json=body, headers=headers)
    assert reply.json()["statusCode"] == "0"
    mine = {"correlationId": reply.json()["correlationId"]}
    (life,) = (await rig.client.get("/control/requests", params=mine)).json()["requests"]
    found = [step for step in life["transitions"] if step["state"] == "found"]
    assert [(step["rule"], step["field"]) for step in found] == [
        ("REQUESTER-TYPE", "requesterType"),
        ("UNKNOWN-FIELD", "ReadType"),
        ("UNKNOWN-FIELD", "x" * 64),
        ("TERMS-LEFT-OUT", "SMTTermsandConditions"),
    ]
    assert found[1]["value"] == "'ReadType', perhaps readType"
    assert [step["state"] for step in life["transitions"]][:2] == ["requested", "accepted"]
    await rig.wait(80)
    assert (await rig.status(mine["correlationId"])).get("findings") is None


async def test_a_request_that_failed_or_expired_says_how_and_has_no_content(rig: Rig) -> None:
    rig.head_end.accepts = 503
    key = (await rig.asked())["correlationId"]
    await rig.wait(80)
    status = await rig.status(key)
    assert (status["statusCode"], status["statusReason"].split(":")[0]) == ("1", "FAILED")
    assert "odrRead" not in status


async def test_records_are_told_of_one_esi_id_at_a_time(rig: Rig) -> None:
    reply = (await rig.market("/premiseInfo/", esiid=[PLAIN, NEIGHBOUR])).json()
    assert reply["errorCode"] == "ONE-ESIID"

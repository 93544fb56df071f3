"""What a tester is told of reads and of on-demand requests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from headend.vee.quality import Channel
from meters.calendar import seconds
from tests.simulator.smt.rig import NEIGHBOUR, PLAIN, Rig, record


async def test_every_read_stands_in_the_access_log_with_its_door(rig: Rig) -> None:
    rig.post_days()
    # Read with the other channel, it is one read all the same.
    rig.smt.store.load([record(PLAIN, rig.today() - timedelta(days=1), seconds(1), Channel.GENERATION)], seconds(1))
    ack = await rig.asked()
    await rig.status(ack["correlationId"])
    day: dict[str, Any] = {
        "startDate": "08/10/2026",
        "endDate": "08/11/2026",
        "version": "L",
        "readingType": "A",
        "esiid": [PLAIN],
    }
    await rig.market("/dailyreads/", **day, deliveryMode="API", reportFormat="JSON", SMTTermsandConditions="Y")
    await rig.portal("/api/meter", esiid="*")
    await rig.portal("/api/usage/latestodrread", ESIID=PLAIN)
    await rig.portal("/api/usage/latestodrread", ESIID=NEIGHBOUR)
    reply = (await rig.client.get("/control/access", params={"esiid": PLAIN})).json()
    told = [(one["username"], one["door"], one["what"]) for one in reversed(reply["reads"])]
    assert sorted(told) == sorted(
        [
            ("lonestar.api", "market", "status"),
            ("lonestar.api", "market", "usage"),
            ("customer", "portal", "attributes"),
            ("customer", "portal", "status"),
        ]
    )
    polled = next(one for one in reply["reads"] if (one["door"], one["what"]) == ("market", "status"))
    assert polled["correlationId"] == ack["correlationId"]
    assert polled["transId"] == "t-2"
    usage = next(one for one in reply["reads"] if one["what"] == "usage")
    assert usage["transId"] == "t-3"
    await rig.wait(1)
    await rig.market("/meterInfo/", esiid=[PLAIN])
    latest = (await rig.client.get("/control/access", params={"esiid": PLAIN, "most": 1})).json()["reads"]
    assert (latest[0]["what"], latest[0]["transId"]) == ("attributes", "t-4")
    await rig.wait(1)
    synch = await rig.portal("/api/adhoc/intervalsynch", ESIID=[PLAIN], startDate="08/11/2026", endDate="08/11/2026")
    latest = (await rig.client.get("/control/access", params={"esiid": PLAIN, "most": 1})).json()["reads"]
    assert (latest[0]["what"], latest[0]["transId"]) == ("usage", synch["data"]["trans_id"])
    # The customer's question about a neighbour was answered with nothing, so nothing was read.
    other = (await rig.client.get("/control/access", params={"esiid": NEIGHBOUR})).json()
    assert other["reads"] == []
    everything = (await rig.client.get("/control/access", params={"esiid": PLAIN})).json()["reads"]
    assert [one["what"] for one in everything].count("usage") == 2
    for nobody in ("\0", "😀", ""):
        refused = await rig.client.get("/control/access", params={"esiid": nobody})
        assert (refused.status_code, refused.json()["errorCode"]) == (400, "FIELD")


async def found(rig: Rig, **asked: Any) -> list[dict[str, Any]]:
    """The requests that the control API finds."""
    reply = await rig.client.get("/control/requests", params=asked)
    assert reply.status_code == 200, reply.text
    requests: list[dict[str, Any]] = reply.json()["requests"]
    return requests


async def test_the_ledger_shows_which_request_belongs_to_which_call_and_what_it_cost(rig: Rig) -> None:
    rig.post_days()
    ack = await rig.asked(readType="INTERVALS", callReference="call-1")
    await rig.wait(100)
    await rig.portal("/api/ondemandread", ESIID=PLAIN)
    await rig.wait(1)
    await rig.asked("/powerstatus/", callReference="call-1", ESIID=NEIGHBOUR)
    of_call = await found(rig, callReference="call-1")
    assert [(one["kind"], one["esiid"]) for one in of_call] == [("POWER", NEIGHBOUR), ("INTERVALS", PLAIN)]
    assert [one["username"] for one in await found(rig, callReference="")] == ["customer"]
    refused, read = await found(rig, esiid=PLAIN)
    assert [await found(rig, correlationId=ack["correlationId"])] == [[read]]
    assert read["submitted"] == "2026-08-12T17:40:00-05:00"
    assert (read["door"], read["requesterClass"], read["transId"]) == ("api", "ror_call_centre", "t-1")
    assert [step["state"] for step in read["transitions"]] == [
        "requested",
        "accepted",
        "queued",
        "sent",
        "pending",
        "answered",
        "completed",
    ]
    last = read["transitions"][-1]
    # The gap is from the midnight that was posted last to 17:30; the store of this head-end ends at 16:00.
    assert (last["fromStore"], last["fromMeter"], last["meterReads"], last["octets"]) == (64, 6, 1, 500)
    assert last["at"] == "2026-08-12T17:41:15-05:00"
    refusal = refused["transitions"][-1]["refusal"]
    assert (refusal["code"], refusal["retryAt"]) == ("FR-CR016.1b", "2026-08-13T00:00:00-05:00")
    assert len(await found(rig, day="2026-08-12")) == 3
    assert [one["kind"] for one in await found(rig, day="2026-08-12", most=1)] == ["POWER"]
    assert await found(rig, day="2026-08-11") == []
    for wrong in ({"day": "1786500000"}, {"day": "9999-12-31"}, {"esiid": "x"}, {"callReference": "\0"}):
        assert (await rig.client.get("/control/requests", params=wrong)).status_code == 400
    # A name that is mistyped is no question for everything.
    for path in ("requests?foo=1", f"access?esiid={PLAIN}&foo=1"):
        reply = await rig.client.get(f"/control/{path}")
        assert (reply.status_code, reply.json()["errorCode"]) == (400, "FIELD")
        assert reply.json()["errorMessage"].startswith("query.foo: ")

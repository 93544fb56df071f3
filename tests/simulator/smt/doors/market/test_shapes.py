"""What the market API really answers has the shapes that its document tells, no field more and none less."""

from __future__ import annotations

from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.market.odr_wire import OdrAck, OdrStatus
from simulator.smt.doors.market.wire import DailyReads, IntervalReads, TokenReply
from tests.simulator.smt.doors.test_wire_shapes import ASKED, has_shape
from tests.simulator.smt.rig import FOREIGN, PASSWORD, PLAIN, Rig


async def test_the_market_apis_replies_are_as_documented(rig: Rig) -> None:
    rig.post_days()
    login = {"username": "lonestar.api", "password": PASSWORD}
    has_shape(TokenReply, (await rig.client.post("/v2/token/", json=login)).json())
    has_shape(IntervalReads, (await rig.market("/15minintervalreads/", esiid=PLAIN, **ASKED)).json())
    has_shape(DailyReads, (await rig.market("/dailyreads/", esiid=PLAIN, **ASKED)).json())
    has_shape(BusinessErrorReply, (await rig.market("/dailyreads/", esiid=FOREIGN, **ASKED)).json())
    acks = [await rig.asked(readType="INTERVALS"), await rig.asked("/powerstatus/"), await rig.asked()]
    for ack in acks:
        has_shape(OdrAck, ack)
    assert [ack["statusCode"] for ack in acks] == ["0", "0", "1"]
    for _ in range(2):
        for ack in acks[:2]:
            has_shape(OdrStatus, await rig.status(ack["correlationId"]))
        await rig.wait(90)
    has_shape(BusinessErrorReply, await rig.status("1"))

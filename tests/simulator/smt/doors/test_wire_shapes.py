"""What the doors really answer has the shapes that the documents tell, no field more and none less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from headend.vee.quality import Channel
from meters.calendar import seconds
from simulator.smt.doors.portal.wire import (
    LatestReply,
    LoginRefused,
    OnDemandReply,
    PortalMeters,
    PortalToken,
    SynchReply,
    TokenRefused,
    UsageReply,
)
from tests.simulator.smt.rig import FOREIGN, PASSWORD, PLAIN, Rig, record

ASKED = {"startDate": "08/11/2026", "endDate": "08/11/2026"}


def has_shape(model: Any, reply: Any) -> None:
    TypeAdapter(model).validate_python(reply, extra="forbid")


async def test_the_portals_replies_are_as_documented(tmp_path: Path) -> None:
    async with Rig(tmp_path, "smt-today") as rig:
        rig.post_days()
        rig.smt.store.load(
            [record(PLAIN, rig.today().replace(day=11), seconds(1), Channel.GENERATION, wh=50)], seconds(1)
        )

        async def login(password: str) -> Any:
            body = {"username": "customer", "password": password}
            return (await rig.client.post("/commonapi/user/authenticate", json=body)).json()

        has_shape(PortalToken, await login(PASSWORD))
        has_shape(LoginRefused, await login("x"))
        has_shape(TokenRefused, (await rig.client.post("/api/meter", json={})).json())
        has_shape(PortalMeters, await rig.portal("/api/meter", esiid="*"))
        has_shape(LatestReply, await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))
        for _ in range(3):
            has_shape(OnDemandReply, await rig.portal("/api/ondemandread", ESIID=PLAIN))
        has_shape(OnDemandReply, await rig.portal("/api/ondemandread", ESIID=FOREIGN))
        has_shape(LatestReply, await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))
        await rig.wait(90)
        has_shape(LatestReply, await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))
        for esiid in (PLAIN, FOREIGN):
            has_shape(SynchReply, await rig.portal("/api/adhoc/intervalsynch", ESIID=[esiid], **ASKED))
            has_shape(UsageReply, await rig.portal("/api/usage/interval", esiid=esiid, **ASKED))

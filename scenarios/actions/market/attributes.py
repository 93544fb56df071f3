"""``attributes``: meter attributes, premise or HAN devices are asked for, at the market API or the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from scenarios.actions.action import Played, Row
from scenarios.actions.market.exchange import (
    AT,
    CODE,
    STATUS,
    Answer,
    AtDoor,
    answer,
    asking,
    bearer,
    document,
    filled,
    of,
    otherwise,
    sent,
    tell,
)
from scenarios.parts.expected import COUNT, TEXT, Fact
from scenarios.records.values import Count

if TYPE_CHECKING:
    import httpx

    from scenarios.stage import Stage

#: By what is asked: paths at the market API and the portal, and the reply's field at the first.
_CALLS = {
    "meter": ("/v2/meterInfo/", "/api/meterattributes", "MeterData"),
    "premise": ("/v2/premiseInfo/", "/api/premise", "premiseInfo"),
    "han": ("/v2/hanDevices/", "/api/handevices", "hanDevices"),
}


class Attributes(AtDoor):
    """Meter attributes, premise or HAN devices are asked for."""

    what: Literal["meter", "premise", "han"] = "meter"
    body: dict[str, Any] = Field(
        default_factory=dict, description="Fields of the request that are otherwise; null leaves one out."
    )


class RecordedAttributes(Answer):
    """What was told: numbers and kind of the meter, address, HAN devices."""

    serial_number: str | None = None
    utility_meter_id: str | None = None
    address: str | None = None
    premise_status: str | None = None
    devices: Count | None = None


def _play(stage: Stage, action: Attributes) -> Played:
    username, portal = action.by(stage.scenario), action.door == "portal"
    market_path, portal_path, field = _CALLS[action.what]

    async def call() -> httpx.Response | None:
        body = {"esiid": stage.esiid(action)} if portal else asking(stage, action, username)
        headers = await bearer(stage, username, portal=portal)
        json = filled(stage, action, otherwise(body, action.body))
        return await sent(stage.http, "POST", portal_path if portal else market_path, headers=headers, json=json)

    reply = yield stage.runtime.io(action.door, action.ref, call, lane="smt")
    body = (document(reply) if reply is not None else None) or {}
    told = body.get("data" if portal else field)
    first: Any = told[0] if isinstance(told, list) and told else told
    first = first if isinstance(first, dict) else {}
    return answer(stage, action, reply) | {
        "serial_number": first.get("meterSerialNumber"),
        "utility_meter_id": first.get("utilityMeterId"),
        "address": first.get("address"),
        "premise_status": first.get("status") if action.what == "premise" else None,
        "devices": len(told) if action.what == "han" and isinstance(told, list) else None,
    }


ROWS = (
    Row(
        "attributes",
        "Attributes",
        Attributes,
        RecordedAttributes,
        _play,
        (
            STATUS,
            CODE,
            AT,
            Fact("serial_number", TEXT, "serial number of the meter", of("serial_number")),
            Fact("utility_meter_id", TEXT, "utility's number of the meter", of("utility_meter_id")),
            Fact("address", TEXT, "address of the premise", of("address")),
            Fact("premise_status", TEXT, "whether the premise is energised", of("premise_status")),
            Fact("devices", COUNT, "HAN devices", of("devices")),
        ),
        tell,
    ),
)

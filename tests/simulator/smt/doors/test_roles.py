"""Role x endpoint x ownership, over HTTP: who is told what by every call of both doors, and that nobody learns whether a foreign ESI ID exists.

The table is data; a new endpoint without a row fails.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from simulator.smt.registry.han import HanDevice
from simulator.smt.registry.records import (
    Agreement,
    Entity,
    EntityKind,
    Occupancy,
    RorPeriod,
    ServicePoint,
    User,
    UserKind,
)
from simulator.smt.registry.registry import Registry
from tests.simulator.smt.rig import HASH, Nowhere, Rig

OWN, FOREIGN, UNKNOWN = "99900000000000017", "99900000000000019", "99900000000099999"
WIRES, OTHER_WIRES, ROR, FORMER, RIVAL, ADVISOR = (f"99900000000{number:02d}" + "00" for number in range(1, 7))
MOVED_IN, SWITCHED, AGREED = date(2026, 8, 5), date(2026, 8, 10), date(2026, 8, 8)
EVER = date(2025, 1, 1)
RANGE = {"startDate": "08/01/2026", "endDate": "08/11/2026"}


def august(first: int, last: int) -> set[str]:
    return {f"08/{day:02d}/2026" for day in range(first, last + 1)}


@dataclass(frozen=True)
class Role:
    """Who someone is, the days of August that they may see, the billing periods among them, and what they may do today."""

    kind: UserKind
    duns: str = ""
    days: set[str] = field(default_factory=set)
    periods: set[str] = field(default_factory=set)
    sees_today: bool = False
    may_ask: bool = False
    #: Of a customer, for the market API.
    onboarded: bool = False


BEFORE, AFTER = "07/05/2026", "08/05/2026"
ROLES = {
    "ror": Role(UserKind.ROR, ROR, august(10, 11), set(), True, True),
    "former": Role(UserKind.ROR, FORMER, august(1, 9), {BEFORE, AFTER}),
    "rival": Role(UserKind.ROR, RIVAL),
    "customer": Role(UserKind.CUSTOMER, "", august(5, 11), {AFTER}, True, True),
    "moved-out": Role(UserKind.CUSTOMER, "", august(1, 4), {BEFORE}),
    "home": Role(UserKind.CUSTOMER, "", august(5, 11), {AFTER}, True, True, True),
    "csp": Role(UserKind.CSP, ADVISOR, august(8, 11), set(), True, True),
    "wires": Role(UserKind.TDSP, WIRES, august(1, 11), {BEFORE, AFTER}, True),
    "other-wires": Role(UserKind.TDSP, OTHER_WIRES),
}


def registry() -> Registry:
    own = ServicePoint(OWN, "200000017", "coastal", premise_type="Commercial", read_day=5)
    return Registry(
        [own, replace(own, esiid=FOREIGN, meter_number="200000019", tdsp_key="inland")],
        [
            Entity(WIRES, "Coastal Wires", EntityKind.TDSP, "coastal"),
            Entity(OTHER_WIRES, "Inland Wires", EntityKind.TDSP, "inland"),
            Entity(ROR, "One Test Energy", EntityKind.ROR),
            Entity(FORMER, "Two Test Energy", EntityKind.ROR),
            Entity(RIVAL, "Three Test Energy", EntityKind.ROR),
            Entity(ADVISOR, "Test Advisors", EntityKind.CSP),
        ],
        [
            RorPeriod(OWN, FORMER, EVER, date(2026, 8, 9)),
            RorPeriod(OWN, ROR, SWITCHED),
            RorPeriod(FOREIGN, "9990000009900", EVER),
        ],
        [User(name, HASH, role.kind, role.duns, onboarded=role.onboarded) for name, role in ROLES.items()],
        occupancies=[
            Occupancy(OWN, "moved-out", EVER, date(2026, 8, 4)),
            Occupancy(OWN, "customer", MOVED_IN),
            Occupancy(OWN, "home", MOVED_IN),
            Occupancy(FOREIGN, "nobody", EVER),
        ],
        agreements=[
            Agreement(OWN, ADVISOR, AGREED, None, "customer"),
            # Its customer has moved out: the access ended with that.
            Agreement(OWN, RIVAL, AGREED, None, "moved-out"),
        ],
        han_devices=[
            HanDevice(OWN, "02A7B00000000001", "Thermostat"),
            HanDevice(FOREIGN, "02A7B00000000002", "Switch"),
        ],
    )


# -- the table ----------------------------------------------------------------------------------------------------


def dates_of(name: str) -> Callable[[str], set[str]]:
    return lambda text: set(re.findall(f'"{name}":"([0-9/]+)"', text.replace('": "', '":"')))


def blocks(text: str) -> set[str]:
    return set(re.findall(r"<title>(\d\d/\d\d/\d{4})</title>", text))


def iso_days(text: str) -> set[str]:
    return {f"{found[5:7]}/{found[8:]}/{found[:4]}" for found in re.findall(r'"date":"([0-9-]+)"', text)}


#: Calls for usage: what is asked, and how to find the days in the reply.
USAGE: dict[str, tuple[dict[str, Any], Callable[[str], set[str]]]] = {
    "/v2/15minintervalreads/": (RANGE, dates_of("DT")),
    "/v2/dailyreads/": (RANGE, dates_of("readDate")),
    "/v2/greenbutton/": (RANGE, blocks),
    "/v2/monthlybillingInformation/": (RANGE, dates_of("startDate")),
    "/api/adhoc/intervalsynch": (RANGE, dates_of("DT")),
    "/api/usage/interval": (RANGE, iso_days),
    "/api/usage/daily": (RANGE, dates_of("date")),
    "/api/usage/monthly": (RANGE, dates_of("startdate")),
}
#: Calls about today, and what in the reply shows that the sender was told something.
RECORDS = {
    "/v2/meterInfo/": "KWHMeterMultiplier",
    "/v2/premiseInfo/": "premiseType",
    "/v2/hanDevices/": "macAddress",
    "/api/meter": "meterNumber",
    "/api/meterattributes": "KWHMeterMultiplier",
    "/api/premise": "premiseType",
    "/api/handevices": "macAddress",
    "/api/usage/latestodrread": "COMPLETED",
}
#: Calls that ask for a read: taken on, or refused by a limit, unless the ESI ID is not the sender's.
REQUESTS = ("/v2/odr/", "/v2/powerstatus/", "/api/ondemandread")
#: Calls by a correlation id, which answer only who asked.
OWN_REQUESTS = ("/v2/odrstatus/", "/v2/reportrequeststatus/")
#: A call that names no ESI ID, and tells of the sender's own.
NAMELESS = "/api/dashboard"
#: Likewise, by GET: which of the sender's own are not loaded for a day. Today nobody's is.
MISSING = "/v2/missing/"
#: Calls that need no token, or are no call of a market party.
OPEN = (
    "/v2/token/",
    "/commonapi/user/authenticate",
    "/callbacks/inquiries/{correlationId}/{seal}",
    "/non-vee",
    "/healthz",
)
ESIID_CALLS = [*USAGE, *RECORDS, *REQUESTS]


async def asked(rig: Rig, path: str, role: str, esiid: str, **more: Any) -> str:
    named: Any = [esiid] if path.startswith("/v2/") or path.endswith("synch") else esiid
    upper = path in REQUESTS or path.endswith(("synch", "latestodrread"))
    fields = {"ESIID" if upper else "esiid": esiid if path in REQUESTS else named} | more
    if path in USAGE:
        fields |= USAGE[path][0]
    if path.startswith("/v2/"):
        return (await rig.market(path.removeprefix("/v2"), role, **fields)).text
    return json.dumps(await rig.portal(path, role, **fields), separators=(",", ":"))


@pytest.fixture(scope="module")
def replies(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, str], str]:
    """Every role's reply to every call about every ESI ID, after one completed read."""

    async def run() -> dict[tuple[str, str, str], str]:
        folder = tmp_path_factory.mktemp("roles")
        async with Rig(folder, "smt-today", registered=registry(), folders=Nowhere()) as rig:
            for esiid in (OWN, FOREIGN):
                rig.post_days(count=45, esiid=esiid)
            order = {"esiid": [OWN], **RANGE, "deliveryMode": "FTP", "reportFormat": "CSV"}
            keys = {
                "/v2/odrstatus/": (await rig.market("/odr/", "ror", ESIID=OWN)).json()["correlationId"],
                "/v2/reportrequeststatus/": (await rig.market("/15minintervalreads/", "ror", **order)).json()[
                    "correlationId"
                ],
            }
            await rig.wait(120)
            found = {}
            for role in ROLES:
                for path, key in keys.items():
                    reply = await rig.market(path.removeprefix("/v2"), role, correlationId=key)
                    found[role, path, OWN] = reply.text
                found[role, NAMELESS, OWN] = json.dumps(await rig.portal(NAMELESS, role))
                found[role, MISSING, OWN] = (await rig.missing(rig.today(), role)).text
                for path in ESIID_CALLS:
                    for esiid in (OWN, FOREIGN, UNKNOWN):
                        found[role, path, esiid] = await asked(rig, path, role, esiid)
            return found

    return asyncio.run(run())


async def test_every_call_of_both_doors_has_a_row(rig: Rig) -> None:
    paths = (await rig.client.get("/openapi.json")).json()["paths"]
    calls = {path for path in paths if not path.startswith("/control/") and path != "/metrics"}
    assert calls == {*ESIID_CALLS, *OWN_REQUESTS, NAMELESS, MISSING, *OPEN}


@pytest.mark.parametrize("path", [path for path in (*ESIID_CALLS, *OWN_REQUESTS, MISSING) if path.startswith("/v2/")])
def test_customers_that_are_not_onboarded_may_not_use_the_market_api(
    replies: dict[tuple[str, str, str], str], path: str
) -> None:
    for role in ("customer", "moved-out"):
        assert json.loads(replies[role, path, OWN])["errorCode"] == "2076"


def told_to(path: str) -> list[str]:
    return [
        name
        for name, role in ROLES.items()
        if role.kind is not UserKind.CUSTOMER or role.onboarded or path.startswith("/api/")
    ]


@pytest.mark.parametrize("path", USAGE)
def test_usage_is_told_day_by_day(replies: dict[tuple[str, str, str], str], path: str) -> None:
    for name in told_to(path):
        role = ROLES[name]
        wanted = role.periods if "monthly" in path else role.days
        assert USAGE[path][1](replies[name, path, OWN]) == wanted, name
        for other in (FOREIGN, UNKNOWN):
            if name != "other-wires" or other == UNKNOWN:
                assert USAGE[path][1](replies[name, path, other]) == set(), name


@pytest.mark.parametrize("path", [*RECORDS, NAMELESS, MISSING])
def test_records_are_told_to_whom_the_esiid_is_today(replies: dict[tuple[str, str, str], str], path: str) -> None:
    for name in told_to(path):
        assert (RECORDS.get(path, OWN) in replies[name, path, OWN]) is ROLES[name].sees_today, name


@pytest.mark.parametrize("path", REQUESTS)
def test_a_read_is_taken_on_for_whom_the_esiid_is_today_but_the_tdsp(
    replies: dict[tuple[str, str, str], str], path: str
) -> None:
    for name in told_to(path):
        assert ('"AC1"' not in replies[name, path, OWN]) is ROLES[name].may_ask, name


@pytest.mark.parametrize("path", OWN_REQUESTS)
def test_a_request_is_told_of_to_who_made_it(replies: dict[tuple[str, str, str], str], path: str) -> None:
    for name in told_to(path):
        assert ("CORRELATION" not in replies[name, path, OWN]) is (name == "ror"), name


@pytest.mark.parametrize("path", ESIID_CALLS)
def test_nobody_learns_whether_a_foreign_esiid_exists(replies: dict[tuple[str, str, str], str], path: str) -> None:
    for name in ROLES:
        if name != "other-wires":
            foreign, unknown = (
                re.sub(r'"trans_id": ?"[^"]*"', "", replies[name, path, esiid].replace(esiid, "ESIID"))
                for esiid in (FOREIGN, UNKNOWN)
            )
            assert foreign == unknown, name


@pytest.mark.parametrize("path", [*ESIID_CALLS, *OWN_REQUESTS])
async def test_without_a_token_nothing_is_told(tmp_path: Path, path: str) -> None:
    async with Rig(tmp_path, registered=registry()) as rig:
        reply = await rig.client.post(path, json={"esiid": OWN, "ESIID": OWN})
        assert reply.status_code in (401, 403)
        assert OWN not in reply.text


async def test_without_a_token_nothing_is_told_of_what_is_missing(tmp_path: Path) -> None:
    async with Rig(tmp_path, registered=registry()) as rig:
        reply = await rig.client.get(MISSING, params={"day": "2026-08-11"})
        assert (reply.status_code, OWN in reply.text) == (403, False)


async def test_a_gap_begins_with_the_retailers_own_days(tmp_path: Path) -> None:
    """Posted to the 8th, switched on the 10th: the 9th is the former retailer's, and so are the holes before."""
    async with Rig(tmp_path, registered=registry(), now="2026-08-11T09:00") as rig:
        rig.post_days(last="2026-08-08", esiid=OWN)
        key = (await rig.market("/odr/", "ror", ESIID=OWN, readType="INTERVALS")).json()["correlationId"]
        status = (await rig.market("/odrstatus/", "ror", correlationId=key)).json()
    assert status["gap"]["start"] == "2026-08-10T00:00:00-05:00"
    assert (status["uncovered"], status["holes"]) == ([], [])

"""The portal's replies field by field, as its clients know them; and the page that tells of complaints is the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.smt.complaints.kinds import KINDS
from tests.simulator.smt.rig import PASSWORD, PLAIN, Rig

DAY = {"startDate": "08/11/2026", "endDate": "08/11/2026"}
TEXT, WHOLE, NUMBER, TRUTH, NULL = "str", "int", "float", "bool", "NoneType"
LATEST = ("odrstatus", "odrread", "odrusage", "odrdate")
#: Every field with the type of its value.
LOGIN = dict.fromkeys(
    ("usr_id", "is_rgstrd", "usr_type", "usr_frst_nm", "usr_lst_nm", "usr_eml", "lang_pref", "ai", "smtStatus", "smtStatuskey", "token"),
    TEXT,
)  # fmt: skip
METER = dict.fromkeys(
    ("customer", "email", "description", "address", "city", "state", "zip", "esiid", "meterNumber", "fullAddress", "errmsg", "recordStatus", "dunsNumber"),
    TEXT,
) | {"meterMultiplier": WHOLE, "statusIndicator": TRUTH}  # fmt: skip
ACK = dict.fromkeys(("trans_id", "correlationId", "statusCode", "statusReason"), TEXT)
ENERGY = dict.fromkeys(("DT", "RevTS", "RT", "RD"), TEXT)
ROW = dict.fromkeys(("starttime", "endtime", "date", "consumption_est_act"), TEXT) | {
    "consumption": NUMBER,
    "generation": WHOLE,
    "generation_est_act": NULL,
}
DETAILS = dict.fromkeys(("description", "address", "fullAddress", "esiid", "meterNumber"), TEXT) | {
    "meterMultiplier": WHOLE
}
DAILY = dict.fromkeys(("date", "startreading", "endreading"), TEXT) | {"reading": NUMBER}
MONTHLY = dict.fromkeys(
    ("startdate", "enddate", "mtrd_kva_usg", "blld_kva_usg", "lastupdate", "errmsg"), TEXT
) | dict.fromkeys(("actl_kwh_usg", "mtrd_kwh_usg", "blld_kwh_usg"), NUMBER)


def types(value: dict[str, Any]) -> dict[str, str]:
    return {name: type(one).__name__ for name, one in value.items()}


async def test_every_field_is_there_with_its_type_and_no_other(rig: Rig) -> None:
    rig.post_days(count=45)
    body = {"username": "customer", "password": PASSWORD, "rememberMe": "true"}
    assert types((await rig.client.post("/commonapi/user/authenticate", json=body)).json()) == LOGIN
    assert types((await rig.portal("/api/meter", esiid="*"))["data"][0]) == METER
    never = (await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"]
    assert types(never) == dict.fromkeys(LATEST, NULL) | {"responseMessage": TEXT}
    assert types((await rig.portal("/api/ondemandread", ESIID=PLAIN, MeterNumber=""))["data"]) == ACK
    await rig.wait(80)
    done = (await rig.portal("/api/usage/latestodrread", ESIID=PLAIN))["data"]
    assert types(done) == dict.fromkeys((*LATEST, "responseMessage"), TEXT)
    asked: dict[str, Any] = {"ESIID": [PLAIN], "reportFormat": "JSON"} | DAY
    asked |= dict.fromkeys(("versionDate", "readDate", "versionNum", "dataType"))
    synch = (await rig.portal("/api/adhoc/intervalsynch", **asked))["data"]
    assert types(synch) == {"trans_id": TEXT, "esiid": TEXT, "energyData": "list"}
    assert types(synch["energyData"][0]) == ENERGY
    usage = await rig.portal("/api/usage/interval", esiid=PLAIN, **DAY)
    assert types(usage) == {"intervaldata": "list", "generationFlag": TRUTH}
    assert types(usage["intervaldata"][0]) == ROW
    board = (await rig.portal("/api/dashboard"))["data"]
    assert (types(board["defaultMeterDetails"]), board["latestDate"]) == (DETAILS, "08/11/2026")
    assert types((await rig.portal("/api/usage/daily", esiid=PLAIN, **DAY))["dailyData"][0]) == DAILY
    long = {"startDate": "07/01/2026", "endDate": "08/11/2026"}
    assert types((await rig.portal("/api/usage/monthly", esiid=PLAIN, **long))["monthlyData"][0]) == MONTHLY


def test_the_page_tells_of_every_kind_of_complaint_in_the_tables_words() -> None:
    page = (Path(__file__).parents[5] / "docs" / "portal-api.md").read_text(encoding="utf-8")
    for kind, row in KINDS.items():
        takes = ", ".join(f"`{parameter}`" for parameter in sorted(row.parameters)) or "-"
        assert f"| `{kind.value}` | {row.where.value} | {row.does} | {takes} |" in page

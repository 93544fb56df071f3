"""Bodies of SMT's portal API as its OpenAPI document shows them; the customer and the meter are a default sandbox's."""

from __future__ import annotations

from typing import Any

from headend.http.api_pages import NULL
from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.both.examples import (
    BAD_BODY,
    BAD_BODY_TOLD,
    ENERGY_DAY,
    ESIID,
    Examples,
    Replies,
    business,
    one,
    told,
)
from simulator.smt.doors.both.refusal import SUBMITTED
from simulator.smt.doors.portal.wire import LoginRefused, TokenRefused
from simulator.smt.errors import BusinessError

#: What the portal says when nothing is posted.
NO_ENERGY_DATA = "No Energy Data received from the respective TDSP"
#: What the portal says for the hourly limit, whatever the policy's rule says.
HOURLY = (
    "You have reached the limit of two On Demand Read request for this ESIID per hour, you may try again after one hour"
)


def in_envelope(examples: Examples) -> Examples:
    """The same, as most of the portal's calls have their answers: under ``data``."""
    return {name: one(each["summary"], {"data": each["value"]}) for name, each in examples.items()}


def _login_refused(code: str) -> dict[str, Any]:
    return one(code, {"errormessage": code})


OTHERS: Replies = {
    400: BAD_BODY_TOLD,
    401: told(
        {"token": one("No token, or it has died", {"message": "Invalid Token"})}, "No valid token.", TokenRefused
    ),
}
LOGIN_OTHERS: Replies = {
    400: told(
        {"user": _login_refused("ERR-USR-USERNOTFOUND"), "password": _login_refused("ERR-USR-INVALIDPASSWORDERROR")}
        | BAD_BODY,
        "Unknown user, or not the password; or the body is not as documented.",
        LoginRefused | BusinessErrorReply,
    ),
    403: told(
        {"blocked": _login_refused("ERR-USR-TOOMANYATTEMPTS")}, "Too many failed log-ins of this user.", LoginRefused
    ),
}

LOGIN_ASKED = {
    "login": one(
        "The customer of a default sandbox",
        {"username": "customer.one", "password": "customer-one-1", "rememberMe": "true"},
    )
}
LOGIN: Examples = {
    "token": one(
        "Logged in",
        {
            "usr_id": "customer.one",
            "is_rgstrd": "Y",
            "usr_type": "RES",
            "usr_frst_nm": "Customer",
            "usr_lst_nm": "One",
            "usr_eml": "customer.one@example.com",
            "lang_pref": "en",
            "ai": "N",
            "smtStatus": "active",
            "smtStatuskey": "SMTPR_smtStatus",
            "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjdXN0b21lci5vbmUifQ.c2lnbmF0dXJl",
        },
    )
}
METER_ASKED = {"all": one("Every meter of the account", {"esiid": "*"})}
METERS: Examples = {
    "one": one(
        "A meter",
        {
            "data": [
                {
                    "customer": "Customer One",
                    "email": "customer.one@example.com",
                    "description": "Residential",
                    "address": "1 Test Way",
                    "city": "Testville",
                    "state": "TX",
                    "zip": "75001-0.00",
                    "esiid": ESIID,
                    "meterNumber": "200000001",
                    "meterMultiplier": 1,
                    "fullAddress": "1 Test Way Testville, TX 75001",
                    "errmsg": "Success",
                    "recordStatus": "ESIID-RECORD-EXISTS",
                    "statusIndicator": True,
                    "dunsNumber": "NO_DUNS",
                }
            ]
        },
    ),
    "none": one("None that is yours", {"data": []}),
}


def _turned_away(summary: str, code: str, reason: str) -> dict[str, Any]:
    return one(summary, {"data": {"RequestStatus": "FLR", "statusCode": code, "statusReason": reason}})


READ_ASKED = {"read": one("Read the register", {"ESIID": ESIID})}
READ: Examples = {
    "taken": one(
        "Taken on: ask `/api/usage/latestodrread`",
        {
            "data": {
                "trans_id": "731902265184",
                "correlationId": "482915007734",
                "statusCode": "0",
                "statusReason": SUBMITTED,
            }
        },
    ),
    "5031": _turned_away("5031: an hourly limit", "5031", HOURLY),
    "5032": _turned_away(
        "5032: another limit",
        "5032",
        "SMT allows 24 on-demand reads per ESI ID and day. Used 24 times, last at 2026-08-12T17:41:15-05:00.",
    ),
    "not yours": _turned_away("A business error", "AC1", BusinessError("AC1").message),
}


def _latest(status: str, read: str, usage: str, at: str) -> dict[str, Any]:
    return {
        "data": {
            "odrstatus": status,
            "odrread": read,
            "odrusage": usage,
            "odrdate": at,
            "responseMessage": "SUCCESS",
        }
    }


LATEST_ASKED = {"read": one("The latest read of a meter", {"ESIID": ESIID})}
LATEST: Examples = {
    "pending": one("Pending", _latest("PENDING", "0", "0", "08/12/2026 17:40:00")),
    "completed": one("Completed", _latest("COMPLETED", "23459.133", "20.318", "08/12/2026 17:40:15")),
    "failed": one("Failed (or `T-FAILED`: nothing came back)", _latest("FAILED", NULL, NULL, "08/12/2026 17:42:30")),
    "never": one("There never was one, or it is not yours", _latest(NULL, NULL, NULL, NULL)),
}
_DAY = {"startDate": "08/11/2026", "endDate": "08/11/2026"}
SYNCH_ASKED = {"day": one("A day", _DAY | {"reportFormat": "JSON", "ESIID": [ESIID]})}
SYNCH: Examples = {
    "day": one("A day", {"data": {"trans_id": "731902265185", "esiid": ESIID, "energyData": [ENERGY_DAY]}}),
    "none": one("Nothing is posted, or it is not yours", {"data": {"errorCode": "1", "errorMessage": NO_ENERGY_DATA}}),
    **in_envelope(business(("RANGE", (30,)))),
}
USAGE_ASKED = {"day": one("A day", {"esiid": ESIID} | _DAY)}
USAGE: Examples = {
    "day": one(
        "A day (here its first interval)",
        {
            "intervaldata": [
                {
                    "starttime": " 12:00 am",
                    "endtime": " 12:15 am",
                    "date": "2026-08-11",
                    "consumption": 0.198,
                    "consumption_est_act": "A",
                    "generation": 0,
                    "generation_est_act": NULL,
                }
            ],
            "generationFlag": False,
        },
    ),
    "none": one("Nothing is posted, or it is not yours", {"intervaldata": [], "generationFlag": False}),
    **business(("RANGE", (30,))),
}

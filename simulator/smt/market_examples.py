"""Bodies of SMT's market API as its OpenAPI document shows them: one for each way in which a call may go.

The log-in, the ESI ID and the retailer are those of a default sandbox, so a copied example works there.
"""

from __future__ import annotations

from typing import Any

from headend.inquiry_examples import INTERVALS, PARTIAL, POWER, POWER_OFF
from simulator.smt.answers import SILENT
from simulator.smt.errors import BAD_FIELD, GATEWAY, BusinessError
from simulator.smt.market_wire import BusinessErrorReply, GatewayErrorReply
from simulator.smt.odr_wire import PENDING, RETRIEVED, SUBMITTED

ESIID = "10443729924385485"
_USERNAME, _DUNS = "pecanbend.api", "9990001110000"
_KEY = "482915007734"

Examples = dict[str, Any]


def told(examples: Examples, description: str = "", model: Any = None) -> dict[str, Any]:
    """A reply for FastAPI's ``responses``: named examples, and where the route does not say it, the model."""
    reply: dict[str, Any] = {"content": {"application/json": {"examples": examples}}}
    if description:
        reply["description"] = description
    if model is not None:
        reply["model"] = model
    return reply


def _one(summary: str, value: Any) -> dict[str, Any]:
    return {"summary": summary, "value": value}


def business(*codes_and_filled: tuple[str, tuple[object, ...]]) -> Examples:
    """Business errors by their codes, with what their sentences leave open."""
    examples = {}
    for code, filled in codes_and_filled:
        error = BusinessError(code, *filled)
        examples[f"error {code}"] = _one(
            f"Business error {code}", {"errorCode": error.code, "errorMessage": error.message}
        )
    return examples


def _gateway(*names: str) -> Examples:
    return {name: _one(GATEWAY[name].message, {"error": GATEWAY[name].message}) for name in names}


BAD_BODY: Examples = {
    "field": _one("A field", {"errorCode": BAD_FIELD, "errorMessage": "ESIID: Field required"}),
    "content-type": _one(
        "The header is missing",
        {
            "errorCode": BAD_FIELD,
            "errorMessage": "body: it came as application/x-www-form-urlencoded: "
            "send a JSON object with content-type: application/json",
        },
    ),
    "not JSON": _one(
        "It is not JSON",
        {
            "errorCode": BAD_FIELD,
            "errorMessage": "body: it is not JSON: Expecting value, line 1 column 12 (char 11), before '}'",
        },
    ),
}
BAD_BODY_TOLD = told(BAD_BODY, "The body is not as documented; the message names the field.", BusinessErrorReply)
_BROKEN = told(_gateway("broken"), "A fault of the service's own.", GatewayErrorReply)

#: What every call but the log-in may be answered instead.
OTHERS: dict[int | str, dict[str, Any]] = {
    400: BAD_BODY_TOLD,
    401: told(_gateway("bad_token"), "The token is not valid or has expired.", GatewayErrorReply),
    403: told(_gateway("no_credentials"), "No token came with the request.", GatewayErrorReply),
    500: _BROKEN,
}
#: What a log-in may be answered instead.
LOGIN_OTHERS: dict[int | str, dict[str, Any]] = {
    400: told(
        _gateway("no_username", "no_password") | BAD_BODY,
        "Something is missing, or the body is not as documented.",
        GatewayErrorReply | BusinessErrorReply,
    ),
    401: told(_gateway("bad_login"), "Unknown, or not the password.", GatewayErrorReply),
    403: told(_gateway("blocked"), "Too many failed log-ins of this user.", GatewayErrorReply),
    500: _BROKEN,
}

_SENDER = {"requestorID": _USERNAME, "requesterType": "REP", "requesterAuthenticationID": _DUNS}
_DELIVERY = {"reportFormat": "JSON", "deliveryMode": "API"}
_TERMS = {"SMTTermsandConditions": "Y"}


def _asked(trans_id: str, **fields: Any) -> dict[str, Any]:
    return {"trans_id": trans_id} | _SENDER | _DELIVERY | fields | _TERMS


# -- log-in and reads ---------------------------------------------------------------------------------------------

TOKEN_ASKED = {"login": _one("The retailer of a default sandbox", {"username": _USERNAME, "password": "pecan-bend-1"})}
TOKEN = {
    "token": _one(
        "A token for an hour",
        {
            "statusCode": 200,
            "accessToken": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwZWNhbmJlbmQuYXBpIn0.c2lnbmF0dXJl",
            "tokenType": "Bearer",
            "expiresIn": "3600",
            "issuedAt": "2026-08-12T22:40:00+00:00",
            "expiresAt": "2026-08-12T23:40:00+00:00",
        },
    )
}
_RANGE = {"startDate": "08/10/2026", "endDate": "08/11/2026"}
READS_ASKED = {
    "latest": _one(
        "Two days, the latest revision of each",
        _asked("ror-000015", **_RANGE, version="L", readingType="C", esiid=[ESIID]),
    )
}
INTERVALS_ASKED = READS_ASKED | {
    "all": _one(
        "Consumption and surplus generation, every revision",
        _asked("ror-000016", **_RANGE, version="A", readingType="A", esiid=[ESIID]),
    )
}
READ_ERRORS = business(
    ("1", ()), ("AC1", ()), ("INVALID-DATE", ("startDate",)), ("HISTORY", ("08/12/2024",)), ("REQUESTOR", ())
)
#: 100 slots of an ordinary day: the four of the repeated hour (8 to 11) are empty.
RD = ",".join([*[".198-A"] * 8, *[""] * 4, *[".141-A"] * 87, ".205-E"])
ENERGY_DAY = {"DT": "08/11/2026", "RevTS": "08/12/2026 07:30:00", "RT": "C", "RD": RD}
INTERVAL_READS = {
    "day": _one("A day", {"trans_id": "ror-000015", "esiid": ESIID, "energyData": [ENERGY_DAY]}),
    **READ_ERRORS,
}
DAILY_READS = {
    "day": _one(
        "A day",
        {
            "trans_id": "ror-000015",
            "esiid": ESIID,
            "registeredReads": [
                {
                    "readDate": "08/11/2026",
                    "revisionDate": "08/12/2026 07:30:00",
                    "startReading": "24002.915",
                    "endReading": "24038.915",
                    "energyDataKwh": "36.000",
                }
            ],
        },
    ),
    **READ_ERRORS,
}

# -- on-demand ----------------------------------------------------------------------------------------------------

ODR_ASKED = {
    "gap": _one(
        "The intervals of the gap, for a customer's call",
        _asked("ror-000017", ESIID=ESIID, readType="INTERVALS", callReference="call-0001"),
    ),
    "plain": _one("A plain on-demand read of the register, as SMT documents it", _asked("ror-000018", ESIID=ESIID)),
}
POWER_ASKED = {
    "power": _one(
        "Has the premise power? For a customer's call", _asked("ror-000019", ESIID=ESIID, callReference="call-0001")
    )
}
STATUS_ASKED = {
    "poll": _one(
        "By the `correlationId` that the request was answered with",
        {"trans_id": "ror-000020", "requestorID": _USERNAME, "correlationId": _KEY} | _DELIVERY | _TERMS,
    )
}
_USED = (
    "FR CR016.1 allows one successful meter read request per ESI ID and day. It was used at 2026-08-12T10:02:41-05:00."
)
_REFUSAL = {"code": "FR-CR016.1b", "reason": _USED, "retryAt": "2026-08-13T00:00:00-05:00"}
_POWER_USED = (
    "FR CR016.1 allows one successful power status request per ESI ID and day. "
    "It was used at 2026-08-12T10:02:41-05:00."
)
_ODR_ERRORS = business(("AC1", ()), ("A2", ()), ("DE-ENERGIZED", ()))


def _taken(trans_id: str) -> dict[str, Any]:
    return _one(
        "Taken on: poll `/v2/odrstatus/`",
        {"trans_id": trans_id, "correlationId": _KEY, "statusCode": "0", "statusReason": SUBMITTED},
    )


ODR = {
    "taken": _taken("ror-000017"),
    "refused": _one(
        "Refused by a limit (an INTERVALS request is taken on all the same, as the head-end's store may do)",
        {"trans_id": "ror-000018", "statusCode": "1", "statusReason": _USED, "refusal": _REFUSAL},
    ),
    "silent": _one(
        "Refused by a limit that says nothing",
        {"trans_id": "ror-000018", "statusCode": "1", "statusReason": SILENT},
    ),
    **_ODR_ERRORS,
    **business(("NO-GAP", ("2026-08-12T17:30:00-05:00",))),
}
POWER_STATUS = {
    "taken": _taken("ror-000019"),
    "refused": _one(
        "Refused by a limit",
        {
            "trans_id": "ror-000019",
            "statusCode": "1",
            "statusReason": _POWER_USED,
            "refusal": _REFUSAL | {"code": "FR-CR016.1a", "reason": _POWER_USED},
        },
    ),
    **_ODR_ERRORS,
}

_STATUS = {"trans_id": "ror-000020", "correlationId": _KEY}
_PENDING = _STATUS | {
    "statusCode": "PEN",
    "statusReason": PENDING,
    "odrRead": {"registeredRead": 0, "readDate": "08/12/2026 17:40:00"},
}
_ANSWERED = _STATUS | {"statusCode": "0", "statusReason": RETRIEVED}
_READ = {"odrRead": {"registeredRead": 23459.133, "readDate": "08/12/2026 17:40:19"}}
_GAP: dict[str, Any] = {
    "gap": {"start": "2026-08-12T00:00:00-05:00", "end": "2026-08-12T17:30:00-05:00"},
    "uncovered": [],
    "holes": [],
}
ODR_STATUS = {
    "pending": _one("Pending: a register read or a power status", _PENDING),
    "pending intervals": _one("Pending: INTERVALS", _PENDING | _GAP),
    "register": _one("Answered: a register read", _ANSWERED | _READ),
    "intervals": _one(
        "Answered: INTERVALS (here two of the 70)",
        _ANSWERED
        | _READ
        | {"quality": "non-VEE"}
        | _GAP
        | {
            "intervals": INTERVALS,
            "missing": [],
            "partial": PARTIAL,
            "reachesTo": "2026-08-12T17:30:00-05:00",
            "meterReads": 1,
        },
    ),
    "refused": _one(
        "Refused: the meter was needed and its allowance is used up; with what the store holds (here one of 64)",
        _STATUS
        | {"statusCode": "1", "statusReason": _USED, "quality": "non-VEE"}
        | _GAP
        | {
            "intervals": INTERVALS[:1],
            "missing": [],
            "reachesTo": "2026-08-12T16:00:00-05:00",
            "meterReads": 0,
            "refusal": _REFUSAL,
        },
    ),
    "power": _one("Answered: a power status", _ANSWERED | {"powerStatus": POWER, "meterReads": 1}),
    "power off": _one(
        "Answered: a power status that is known from the meter's last gasp",
        _ANSWERED | {"powerStatus": POWER_OFF, "meterReads": 1},
    ),
    "failed": _one("Failed", _STATUS | {"statusCode": "1", "statusReason": "FAILED: the meter did not answer 4 tries"}),
    "expired": _one(
        "Nothing came back in time",
        _STATUS | {"statusCode": "1", "statusReason": "T-FAILED: no answer from the TDSP in time"},
    ),
    **business(("CORRELATION", ())),
}

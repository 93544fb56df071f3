"""Bodies of SMT's market API as its OpenAPI document shows them: one for each way in which a call may go.

The log-in, the ESI ID and the retailer are those of a default sandbox, so a copied example works there.
"""

from __future__ import annotations

from typing import Any

from simulator.smt.errors import BAD_FIELD, GATEWAY, BusinessError
from simulator.smt.market_wire import BusinessErrorReply, GatewayErrorReply

ESIID = "10443729924385485"
USERNAME, DUNS = "pecanbend.api", "9990001110000"
KEY = "482915007734"

Examples = dict[str, Any]


def told(examples: Examples, description: str = "", model: Any = None) -> dict[str, Any]:
    """A reply for FastAPI's ``responses``: named examples, and where the route does not say it, the model."""
    reply: dict[str, Any] = {"content": {"application/json": {"examples": examples}}}
    if description:
        reply["description"] = description
    if model is not None:
        reply["model"] = model
    return reply


def also(reply: dict[str, Any], files: dict[str, str]) -> dict[str, Any]:
    """The same reply, which may also come as one of these media types; each with an example."""
    content = {media: {"schema": {"type": "string"}, "example": example} for media, example in files.items()}
    return reply | {"content": reply["content"] | content}


def one(summary: str, value: Any) -> dict[str, Any]:
    """One named example."""
    return {"summary": summary, "value": value}


def business(*codes_and_filled: tuple[str, tuple[object, ...]]) -> Examples:
    """Business errors by their codes, with what their sentences leave open."""
    examples = {}
    for code, filled in codes_and_filled:
        error = BusinessError(code, *filled)
        examples[f"error {code}"] = one(
            f"Business error {code}", {"errorCode": error.code, "errorMessage": error.message}
        )
    return examples


def _gateway(*names: str) -> Examples:
    return {name: one(GATEWAY[name].message, {"error": GATEWAY[name].message}) for name in names}


BAD_BODY: Examples = {
    "field": one("A field", {"errorCode": BAD_FIELD, "errorMessage": "ESIID: Field required"}),
    "content-type": one(
        "The header is missing",
        {
            "errorCode": BAD_FIELD,
            "errorMessage": "body: it came as application/x-www-form-urlencoded: "
            "send a JSON object with content-type: application/json",
        },
    ),
    "not JSON": one(
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

SENDER = {"requestorID": USERNAME, "requesterType": "REP", "requesterAuthenticationID": DUNS}
DELIVERY = {"reportFormat": "JSON", "deliveryMode": "API"}
TERMS = {"SMTTermsandConditions": "Y"}


def asked(trans_id: str, **fields: Any) -> dict[str, Any]:
    """A request of the retailer of a default sandbox."""
    return {"trans_id": trans_id} | SENDER | DELIVERY | fields | TERMS


TOKEN_ASKED = {"login": one("The retailer of a default sandbox", {"username": USERNAME, "password": "pecan-bend-1"})}
TOKEN = {
    "token": one(
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
#: 100 slots of an ordinary day: the four of the repeated hour (8 to 11) are empty.
RD = ",".join([*[".198-A"] * 8, *[""] * 4, *[".141-A"] * 87, ".205-E"])
ENERGY_DAY = {"DT": "08/11/2026", "RevTS": "08/12/2026 07:30:00", "RT": "C", "RD": RD}

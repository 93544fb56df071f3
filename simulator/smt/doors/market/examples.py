"""Bodies of SMT's market API as its OpenAPI document shows them: one for each way in which a call may go.

The log-in, the ESI ID and the retailer are those of a default sandbox, so a copied example works there.
"""

from __future__ import annotations

from typing import Any

from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.both.examples import BAD_BODY, BAD_BODY_TOLD, Examples, Replies, one, told
from simulator.smt.doors.market.wire import GatewayErrorReply
from simulator.smt.errors import GATEWAY

USERNAME, DUNS = "pecanbend.api", "9990001110000"
KEY = "482915007734"


def _gateway(*names: str) -> Examples:
    return {name: one(GATEWAY[name].message, {"error": GATEWAY[name].message}) for name in names}


_BROKEN = told(_gateway("broken"), "A fault of the service's own.", GatewayErrorReply)

#: What every call but the log-in may be answered instead.
OTHERS: Replies = {
    400: BAD_BODY_TOLD,
    401: told(_gateway("bad_token"), "The token is not valid or has expired.", GatewayErrorReply),
    403: told(_gateway("no_credentials"), "No token came with the request.", GatewayErrorReply),
    500: _BROKEN,
}
#: What a log-in may be answered instead.
LOGIN_OTHERS: Replies = {
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

"""What SMT answers when it does not answer: the gateway's errors and the business errors, as tables.

The texts of DOMAIN §3 are SMT's own; a code in words is a default of this project, where the document gives none.
"""

from __future__ import annotations

from typing import NamedTuple


class GatewayError(NamedTuple):
    """An HTTP status and the sentence of its ``{"error": ...}``."""

    status: int
    message: str


GATEWAY: dict[str, GatewayError] = {
    "no_credentials": GatewayError(403, "Basic authentication header is missing."),
    "bad_login": GatewayError(401, "Incorrect username or password."),
    "bad_token": GatewayError(401, "The token is not valid or has expired."),  # [D]
    "blocked": GatewayError(403, "Too many failed logins. Please try again later."),  # [D]
    "no_username": GatewayError(400, "Please provide username."),
    "no_password": GatewayError(400, "Please provide password."),
    "broken": GatewayError(500, "Something went wrong. Please try again later."),
}

#: ``errorCode`` and ``errorMessage`` of replies with HTTP 200; ``{}`` is filled in where the error is made.
BUSINESS: dict[str, str] = {
    "1": "No data received from the respective TDSP",
    "2076": "API Integration is not done.",
    # The message is SMT's, the code is not known.
    "INVALID-DATE": "Invalid Date. Expected format of: {} is MM/dd/yyyy",
    "DATE-ORDER": "startDate {} is later than endDate {}.",
    "HISTORY": "History goes back 24 months: startDate may not be before {}.",
    "RANGE": "At most {} days are given at a time.",
    "REQUESTOR": "requestorID must equal the username that the token was issued to.",
    "DUNS": "requesterAuthenticationID is not the DUNS number of this requestor.",
    "TERMS": "SMTTermsandConditions must be Y.",
    "DELIVERY": "deliveryMode {} is not offered yet: use API.",
    "FORMAT": "reportFormat {} is not offered yet: use JSON.",
    "ONE-ESIID": "By API one ESI ID is answered per request; {} were given.",
    "CORRELATION": "No request of yours has this correlationId.",
    # Whether an on-demand request can be taken on at all, in the order in which it is looked at.
    "AC1": "The ESI ID is not known, or you are not its REP of record today.",
    "METER": "The meter number is not the one at this ESI ID.",
    "A1": "The meter at this ESI ID is not an AMS meter with daily register reads and 15-minute intervals.",
    "A2": "The meter at this ESI ID is not installed and provisioned by the TDSP.",
    "A3": "SMT does not receive the usage of this ESI ID.",
    "A4": "SMT does not receive the usage of this ESI ID in LSE format.",
    "NO-ROR": "No REP is of record for this ESI ID today.",
    "DE-ENERGIZED": "The ESI ID is de-energized.",
    "NO-GAP": "There is no gap to fill: the posted VEE intervals reach to {}.",
}

#: ``errorCode`` of a request body that is not as documented (HTTP 400).
BAD_FIELD = "FIELD"


class BusinessError(Exception):
    """An error that SMT tells with HTTP 200 and a code."""

    def __init__(self, code: str, *filled: object) -> None:
        """code: a key of ``BUSINESS``; filled: what its sentence leaves open."""
        super().__init__(code)
        self.code = code
        self.message = BUSINESS[code].format(*filled)


class GatewayRefusal(Exception):  # noqa: N818 (the market calls it so)
    """A request that the gateway turns away."""

    def __init__(self, name: str) -> None:
        """name: a key of ``GATEWAY``."""
        super().__init__(name)
        self.error = GATEWAY[name]

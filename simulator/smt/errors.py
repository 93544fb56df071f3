"""What SMT answers when it does not answer: the gateway's errors and the business errors, from one table, ``errors.csv``.

Its marks: V and S are SMT's own texts (DOMAIN §3), D a default of this project where no document gives one. Of INVALID-DATE the text is SMT's,
the code is not known. ``{}`` is filled in where the error is made. Codes A1 to DE-ENERGIZED stand in the order in which they are looked at.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple


class ErrorRow(NamedTuple):
    """One row of the table."""

    #: gateway, business, malformed or unrouted.
    door: str
    code: str
    http: int
    message: str
    #: V, S or D.
    mark: str


class GatewayError(NamedTuple):
    """An HTTP status and the sentence of its ``{"error": ...}``."""

    status: int
    message: str


def _table() -> tuple[ErrorRow, ...]:
    with Path(__file__).with_name("errors.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            ErrorRow(row["door"], row["code"], int(row["http"]), row["message"], row["mark"])
            for row in csv.DictReader(file)
        )


TABLE = _table()
GATEWAY: dict[str, GatewayError] = {
    row.code: GatewayError(row.http, row.message) for row in TABLE if row.door == "gateway"
}
#: ``errorCode`` and ``errorMessage`` of replies with HTTP 200.
BUSINESS: dict[str, str] = {row.code: row.message for row in TABLE if row.door == "business"}
#: ``errorCode`` of a request body that is not as documented (HTTP 400).
BAD_FIELD = next(row.code for row in TABLE if row.door == "malformed")
#: By HTTP status, what is told of a request that no call takes, but below ``/v2``, where the gateway tells it.
UNROUTED: dict[int, ErrorRow] = {row.http: row for row in TABLE if row.door == "unrouted"}


class BusinessError(Exception):
    """An error that SMT tells with HTTP 200 and a code."""

    def __init__(self, code: str, *filled: object) -> None:
        """code: a key of ``BUSINESS``; filled: what its sentence leaves open."""
        super().__init__(code)
        self.code = code
        self.message = BUSINESS[code].format(*filled)

    def body(self) -> dict[str, str]:
        """What stands on the wire."""
        return {"errorCode": self.code, "errorMessage": self.message}


class GatewayRefusal(Exception):  # noqa: N818 (the market calls it so)
    """A request that the gateway turns away."""

    def __init__(self, name: str) -> None:
        """name: a key of ``GATEWAY``."""
        super().__init__(name)
        self.name = name

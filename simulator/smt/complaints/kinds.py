"""What users of SMT complain of, as one table (DOMAIN §4): each kind, where it acts, what it does there, its parameters.

The rows stand in ``kinds.csv``. A tester switches them on (``declared.py``); none of them happens by itself.
"""

from __future__ import annotations

import csv
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

#: Bodies that stand where JSON is expected. Their wording is a default of this project.
DENIED = (
    "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>You do not have access.</BODY></HTML>"
)
LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Log in</title></head><body><form></form></body></html>"
TIMED_OUT = "<html><head><title>504 Gateway Time-out</title></head><body><h1>504 Gateway Time-out</h1></body></html>"
UNAVAILABLE = "Service Unavailable"


class Where(StrEnum):
    """Where a complaint acts. The doors are HTTP; middle tier and desk are inside SMT."""

    LOGIN = "log-in"
    #: Every call of portal and market API, log-ins too.
    DOORS = "every call"
    PORTAL = "portal calls"
    LATEST = "/api/usage/latestodrread"
    #: Where a register read is told: the portal's latest read, the market's status.
    READS = "/api/usage/latestodrread, /v2/odrstatus/"
    MIDDLE = "middle tier"
    DESK = "on-demand requests"


class ComplaintKind(StrEnum):
    """A complaint."""

    STALE_READ = "stale_read"
    ZERO_READ = "zero_read"
    DATA_NULL = "data_null"
    T_FAILED = "t_failed"
    FAILED = "failed"
    TEXT_503 = "text_503"
    ACCESS_DENIED = "access_denied"
    LOGIN_HTML = "login_html"
    GATEWAY_TIMEOUT = "gateway_timeout"
    HANG = "hang"
    CONNECTION_RESET = "connection_reset"
    QUOTA_USED = "quota_used"
    SMT_MAINTENANCE = "smt_maintenance"
    TDSP_MAINTENANCE = "tdsp_maintenance"


class Told(NamedTuple):
    """What a kind is. ``parameters``: the fields of a declaration that it takes beside whom and when."""

    where: Where
    does: str
    parameters: frozenset[str]
    needs_until: bool


class Reply(NamedTuple):
    """An answer in place of SMT's own."""

    status: int
    content_type: str
    body: str


def _table() -> dict[ComplaintKind, Told]:
    with Path(__file__).with_name("kinds.csv").open(encoding="utf-8", newline="") as file:
        return {
            ComplaintKind(row["kind"]): Told(
                Where(row["where"]), row["does"], frozenset(row["parameters"].split()), row["needs_until"] == "yes"
            )
            for row in csv.DictReader(file)
        }


KINDS = _table()
#: Kinds that answer in SMT's place.
REPLIES: dict[ComplaintKind, Reply] = {
    ComplaintKind.TEXT_503: Reply(503, "text/plain; charset=utf-8", UNAVAILABLE),
    ComplaintKind.ACCESS_DENIED: Reply(403, "text/html", DENIED),
    ComplaintKind.LOGIN_HTML: Reply(200, "text/html; charset=utf-8", LOGIN_PAGE),
    ComplaintKind.GATEWAY_TIMEOUT: Reply(504, "text/html", TIMED_OUT),
    ComplaintKind.HANG: Reply(504, "text/html", TIMED_OUT),
    ComplaintKind.DATA_NULL: Reply(200, "application/json", '{"data":null}'),
}
#: Kinds that change SMT's own answer.
CHANGES = frozenset({ComplaintKind.STALE_READ, ComplaintKind.ZERO_READ})

LOGINS = frozenset({"/api/user/authenticate", "/commonapi/user/authenticate", "/v2/token"})
#: Calls that the desk refuses itself while there is maintenance.
ON_DEMAND = frozenset({"/api/ondemandread", "/v2/odr", "/v2/powerstatus"})
LATEST_PATH, STATUS_PATH = "/api/usage/latestodrread", "/v2/odrstatus"


def at_door(path: str) -> bool:
    """Whether a path belongs to portal or market API. path: without its last slash."""
    return path.startswith(("/api/", "/v2/", "/commonapi/"))


def acts_at(kind: ComplaintKind, path: str) -> bool:
    """Whether a kind acts on calls of a path (without its last slash)."""
    if kind is ComplaintKind.SMT_MAINTENANCE:
        return at_door(path) and path not in ON_DEMAND
    match KINDS[kind].where:
        case Where.LOGIN:
            return path in LOGINS
        case Where.DOORS:
            return at_door(path)
        case Where.PORTAL:
            return path.startswith("/api/") and path not in LOGINS
        case Where.LATEST:
            return path == LATEST_PATH
        case Where.READS:
            return path in (LATEST_PATH, STATUS_PATH)
        case _:
            return False

"""What users of SMT complain of, as one table (DOMAIN §4): each kind, where it acts, what it does there, its parameters.

A tester switches them on (``declared.py``); none of them happens by itself.
"""

from __future__ import annotations

from enum import StrEnum
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
    parameters: frozenset[str] = frozenset()
    needs_until: bool = False


class Reply(NamedTuple):
    """An answer in place of SMT's own."""

    status: int
    content_type: str
    body: str


_TAKEN = frozenset({"paths", "taken"})
KINDS: dict[ComplaintKind, Told] = {
    ComplaintKind.STALE_READ: Told(
        Where.LATEST,
        "After a new request the completed read before it is still returned, as COMPLETED; with restamp under the new one's odrdate.",
        frozenset({"seconds", "restamp"}),
    ),
    ComplaintKind.ZERO_READ: Told(Where.READS, "A completed register read is told as 0."),
    ComplaintKind.DATA_NULL: Told(Where.PORTAL, 'The portal answers {"data": null}.', frozenset({"paths"})),
    ComplaintKind.T_FAILED: Told(
        Where.MIDDLE, "On-demand requests are lost between SMT and the TDSP and end T-FAILED; the allowance comes back."
    ),
    ComplaintKind.FAILED: Told(
        Where.MIDDLE, "On-demand requests end FAILED, which the portal tells with responseMessage SUCCESS."
    ),
    ComplaintKind.TEXT_503: Told(Where.DOORS, "HTTP 503 in text/plain where JSON is expected.", _TAKEN),
    ComplaintKind.ACCESS_DENIED: Told(Where.DOORS, "HTTP 403 with an HTML page, Access Denied.", _TAKEN),
    ComplaintKind.LOGIN_HTML: Told(Where.LOGIN, "HTTP 200 with an HTML page where the token is expected.", _TAKEN),
    ComplaintKind.GATEWAY_TIMEOUT: Told(Where.DOORS, "HTTP 504 with an HTML page, at once.", _TAKEN),
    ComplaintKind.HANG: Told(
        Where.DOORS,
        "No answer for so many seconds of wall time, then HTTP 504; it ends when the client goes away.",
        _TAKEN | {"seconds"},
    ),
    ComplaintKind.CONNECTION_RESET: Told(Where.DOORS, "The TCP connection is reset in place of an answer.", _TAKEN),
    ComplaintKind.QUOTA_USED: Told(
        Where.DESK,
        "On-demand requests are refused as though another client had used up the hour's allowance; the refusal says who.",
        frozenset({"by"}),
    ),
    ComplaintKind.SMT_MAINTENANCE: Told(
        Where.DESK,
        "On-demand requests are refused, every other call gets HTTP 503, with the time to come back.",
        needs_until=True,
    ),
    ComplaintKind.TDSP_MAINTENANCE: Told(
        Where.DESK,
        "On-demand requests are refused with the time to come back; everything else works.",
        needs_until=True,
    ),
}

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

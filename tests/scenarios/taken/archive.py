"""A hand-written HAR of the public portal client (docs/portal-api.md), as a proxy exports it: everybody in it is somebody of their own."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

BEGAN = datetime.fromisoformat("2026-11-03T18:20:05.250-06:00")
ESIID, METER, OTHER = "10443720009876543", "198765432", "10443720001234567"
PERSONAL = (ESIID, METER, OTHER, "jane.doe@example.com", "Swordfish!7", "eyJhbGciOi.tok-1", "ak_bmsc", "10.1.2.3", "smartmetertexas.com", "12 Elm Street")  # fmt: skip
READ = {"ESIID": ESIID, "MeterNumber": METER}
BEFORE = {"data": {"odrstatus": None, "odrread": None, "odrdate": None}}
PENDING = {"data": {"odrstatus": "PENDING", "odrread": None, "odrdate": None}}
DONE = {"data": {"odrstatus": "COMPLETED", "odrread": "51234.567", "odrdate": "11/03/2026 18:21:20"}}


def entry(after_s: float, path: str, body: Any = None, told: Any = None, *, status: int = 200, **more: Any) -> dict[str, Any]:  # fmt: skip
    """One call of the client; the first two are without its token."""
    headers = [{"name": "Host", "value": "www.smartmetertexas.com"}, {"name": "Cookie", "value": "ak_bmsc=1; seen=yes"}]
    if path not in ("/", "/commonapi/user/authenticate"):
        headers.append({"name": "Authorization", "value": "Bearer eyJhbGciOi.tok-1"})
    asked: dict[str, Any] = {"method": "GET" if body is None else "POST", "url": f"https://www.smartmetertexas.com{path}"}  # fmt: skip
    if body is not None:
        headers.append({"name": "Content-Type", "value": "application/json"})
        asked["postData"] = {"mimeType": "application/json", "text": json.dumps(body)}
    content = {"mimeType": "application/json", "text": json.dumps(told)}
    return {
        "startedDateTime": (BEGAN + timedelta(seconds=after_s)).isoformat(),
        "time": 12.5,
        "serverIPAddress": "10.1.2.3",
        "request": asked | {"headers": headers, "httpVersion": "HTTP/1.1"},
        "response": {"status": status, "headers": [], "content": content},
    } | more


def archive() -> dict[str, Any]:
    """Log-in, the meters, usage, a read that is answered, one that is refused, a page of somebody else's."""
    refused = {"data": {"RequestStatus": "FLR", "statusCode": "5032", "statusReason": "limit"}}
    login = {"username": "jane.doe@example.com", "password": "Swordfish!7", "rememberMe": "true"}
    entries = [
        entry(0, "/", told="hello"),
        entry(3, "/commonapi/user/authenticate", login | {"password": "swordfish"}, {"errormessage": "ERR-USR-INVALIDPASSWORDERROR"}, status=400),
        entry(9, "/commonapi/user/authenticate", login, {"token": "eyJhbGciOi.tok-1", "usr_eml": "jane.doe@example.com"}),
        entry(9.5, "/assets/logo.png?u=jane.doe@example.com"),
        entry(10, "/api/meter", {"ESIID": "*"}, {"data": [{"esiid": ESIID, "address": "12 Elm Street"}]}),
        entry(20, "/api/adhoc/intervalsynch", {"ESIID": [ESIID], "startDate": "11/01/2026", "endDate": "11/02/2026"}, {"data": {"energyData": []}}),
        entry(30, "/api/usage/latestodrread", {"ESIID": ESIID}, BEFORE),
        entry(30.2, "/api/ondemandread", READ, {"data": {"RequestStatus": "PENDING"}}),
        *(entry(30 + 15 * n, "/api/usage/latestodrread", {"ESIID": ESIID}, PENDING) for n in (1, 2, 3, 4)),
        entry(105, "/api/usage/latestodrread", {"ESIID": ESIID}, DONE),
        entry(3600, "/api/usage/latestodrread", {"ESIID": ESIID}, DONE),
        entry(3601, "/api/ondemandread", READ, refused),
        entry(3700, "/api/premise", {"esiid": ESIID, "note": f"for {METER}", "address": "12 Elm Street"}, {"data": {}}),
        entry(3760, "/api/premise", {"esiid": OTHER}, {"errorCode": "AC1"}),
    ]  # fmt: skip
    return {"log": {"version": "1.2", "creator": {"name": "proxy", "version": "1"}, "entries": entries}}

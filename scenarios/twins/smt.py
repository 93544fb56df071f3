"""SMT between a TDSP and its retailers, written from docs/smt-market-api.md, docs/parties.md, docs/portal-api.md and docs/openapi alone.

    python -I smt.py --records FILE --headend URL [--held FILE] [--host 127.0.0.1] [--port 0] [--keys FILE] --clock URL [--fault ID|ID/near]

It takes a retailer's log-in, requests for VEE usage and on-demand reads (POST /v2/token/, 15minintervalreads/, odr/, powerstatus/, odrstatus/), lets one
successful read and one successful power status through per ESI ID and local day (FR CR016.1), inquires at the head-end, and takes its call-backs. What
was posted it has from --held, which site.py writes. --records is JSON: {"tdsp": DUNS, "users": {NAME: {"password", "duns"}}, "points": {ESIID: {"meter",
"rors": [[DUNS, first day, last day], ...]}}}. Its time is that of --clock's GET /control/clock.

Standard output has a line of JSON when it listens, and one for each call-back. A fault is a row of smt_faults.json: ``be`` is what it is instead of
HONEST; ``do`` says by message ("inquiry", "ack", "status", "reads") what is done to it: ["set", field, value], ["drop", field].
"""

import argparse
import hashlib
import hmac
import json
import secrets
import sys
import threading
import urllib.request
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CENTRAL, QUARTER, DAY = ZoneInfo("America/Chicago"), timedelta(minutes=15), timedelta(days=1)
Json = dict[str, Any]
at = datetime.fromisoformat
#: allows: successes a day; day: whose day; counts: states that count; obeys: a refused read is not let through; limit: quarter hours of a gap; reach: more of
#: them; seal, key, holes, late, again: what it looks at of a call-back; foreign: others' ESI IDs are told; answer_s: until an inquiry is over.
HONEST: Json = {"allows": 1, "day": "central", "counts": ["PEN", "completed"], "obeys": True, "limit": 192, "reach": 0}
HONEST |= {"seal": True, "key": True, "holes": True, "late": True, "again": True, "foreign": False, "answer_s": 2700}


def local(when: datetime) -> str:
    return when.astimezone(CENTRAL).isoformat()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CENTRAL).astimezone(UTC)


class RefusedError(Exception):
    """HTTP status and body of what is not done."""


class Smt:
    def __init__(self, asked: argparse.Namespace, fault: Json, url: Callable[[], str]) -> None:
        self.asked, self.do, self.be = asked, fault.get("do", {}), HONEST | fault.get("be", {})
        self.records = json.loads(asked.records.read_text("utf-8"))
        self.tokens: dict[str, str] = {}
        self.requests: dict[str, Json] = {}
        self.url, self.lock = url, threading.RLock()

    def key(self, sender: str) -> str:
        return "" if self.asked.keys is None else json.loads(self.asked.keys.read_text("utf-8"))[sender]

    def days(self, esiid: str) -> dict[date, Json]:
        """What was posted of an ESI ID's load: made, intervals as ``0.250-A``."""
        held = json.loads(self.asked.held.read_text("utf-8")) if self.asked.held and self.asked.held.exists() else {}
        return {date.fromisoformat(day): one for day, one in held.get(esiid, {}).get("4", {}).items()}

    def now(self) -> datetime:
        with urllib.request.urlopen(f"{self.asked.clock}/control/clock", timeout=10) as reply:
            return at(json.load(reply)["now"]).astimezone(UTC)

    def ror(self, esiid: str, day: date) -> str:
        rors = self.records["points"].get(esiid, {}).get("rors", [])
        return next((duns for duns, first, last in rors if first <= day.isoformat() <= last), "")

    def answer(self, path: str, bearer: str, body: Json) -> Json:
        """What a call is answered."""
        if path == "/v2/token/":
            return self.log_in(body)
        if path.startswith("/callbacks/inquiries/"):
            _, _, _, ident, seal = path.split("/")
            return self.called_back(ident, seal, bearer, body)
        user = self.tokens.get(bearer)
        if user is None:
            raise RefusedError(401 if bearer else 403, {"error": "The token is not valid or has expired."})
        if body.get("requestorID") != user:
            raise error("REQUESTOR", "requestorID must equal the username that the token was issued to.")
        duns = self.records["users"][user]["duns"]
        if path == "/v2/15minintervalreads/":
            return self.changed("reads", self.usage(duns, body))
        if path in ("/v2/odr/", "/v2/powerstatus/"):
            kind = "POWER" if path == "/v2/powerstatus/" else body.get("readType", "REGISTER")
            return self.changed("ack", {"trans_id": body["trans_id"]} | self.ask(duns, kind, body))
        if path == "/v2/odrstatus/":
            request = self.requests.get(body["correlationId"])
            if request is None or request["duns"] != duns:
                raise error("CORRELATION", "No request of yours has this correlationId.")
            return self.changed("status", {"trans_id": body["trans_id"]} | self.status(request))
        raise RefusedError(404, {"error": "There is no such call."})

    def changed(self, message: str, body: Json) -> Json:
        """A message after a fault's steps."""
        for do, name, *value in self.do.get(message, []):
            body = {key: one for key, one in body.items() if key != name} | ({name: value[0]} if do == "set" else {})
        return body

    def log_in(self, body: Json) -> Json:
        user = self.records["users"].get(body.get("username"))
        if user is None or user["password"] != body.get("password"):
            raise RefusedError(401, {"error": "Incorrect username or password."})
        token, now = secrets.token_urlsafe(24), datetime.now(UTC)
        self.tokens[f"Bearer {token}"] = body["username"]
        times = {"issuedAt": now.isoformat(), "expiresAt": (now + timedelta(hours=1)).isoformat(), "expiresIn": "3600"}
        return times | {"accessToken": token}

    def usage(self, duns: str, body: Json) -> Json:
        """The posted days of a range that are the retailer's own."""
        first, last = (datetime.strptime(body[f"{edge}Date"], "%m/%d/%Y").date() for edge in ("start", "end"))
        (esiid,), rows = body["esiid"], []
        if not any(self.ror(esiid, first + n * DAY) == duns for n in range((last - first).days + 1)):
            raise error("AC1", "The ESI ID is not known, or it is not yours on the days in question.")
        for day, told in sorted(self.days(esiid).items()):
            if first <= day <= last and (self.be["foreign"] or self.ror(esiid, day) == duns):
                slots, count = [""] * 100, len(told["intervals"])
                for number, one in enumerate(told["intervals"]):
                    # Up to the hour that comes twice from the beginning, behind it from the end.
                    slots[number if number < (12 if count == 100 else 8) else number + 100 - count] = one
                stamp = f"{datetime.strptime(told['made'], '%Y%m%d%H%M%S'):%m/%d/%Y %H:%M:%S}"
                rows.append({"DT": f"{day:%m/%d/%Y}", "RevTS": stamp, "RT": "C", "RD": ",".join(slots)})
        if not rows:
            raise error("1", "No data received from the respective TDSP")
        return {"trans_id": body["trans_id"], "esiid": esiid, "energyData": rows}

    def ask(self, duns: str, kind: str, body: Json) -> Json:
        """Take a request on, or not."""
        esiid, now = body["ESIID"], self.now()
        today = now.astimezone(UTC if self.be["day"] == "utc" else CENTRAL).date()
        if not self.be["foreign"] and self.ror(esiid, now.astimezone(CENTRAL).date()) != duns:
            raise error("AC1", "The ESI ID is not known, or it is not yours on the days in question.")
        if body.get("MeterNumber") not in (None, "", self.records["points"][esiid]["meter"]):
            raise error("METER", "The meter number is not the one at this ESI ID.")
        key, by = f"{secrets.randbelow(10**12):012}", now + timedelta(seconds=self.be["answer_s"])
        request: Json = {"correlationId": key, "duns": duns, "kind": kind, "state": "PEN", "esiid": esiid}
        request |= {"day": today, "by": by, "result": None}
        inquiry: Json = {"correlationId": key, "kind": kind, "esiid": esiid}
        if kind == "INTERVALS":
            vee = max((midnight(day + DAY) for day in self.days(esiid)), default=midnight(now.date() - 2 * DAY))
            end = datetime.fromtimestamp(int(now.timestamp()) // 900 * 900, UTC) + self.be["reach"] * QUARTER
            if end <= vee:
                raise error("NO-GAP", f"There is no gap to fill: the posted VEE intervals reach to {local(vee)}.")
            start = max(vee, end - self.be["limit"] * QUARTER)
            uncovered = [{"start": local(vee), "end": local(start)}] if start > vee else []
            request |= {"gap": {"start": local(start), "end": local(end)}, "uncovered": uncovered, "quality": "non-VEE"}
            inquiry |= request["gap"]
        with self.lock:
            refusal = self.refusal(request)
            request["allowed"] = refusal is None or not self.be["obeys"]
            if refusal and kind != "INTERVALS":
                return {"statusCode": "1", "statusReason": refusal["reason"], "refusal": refusal}
            request["refusal"] = refusal
            self.requests[key] = request
        seal = hmac.new(self.key("smt").encode(), key.encode(), hashlib.sha256).hexdigest()
        inquiry |= {"meterAllowed": request["allowed"], "answerBy": local(by)}
        inquiry |= {"replyTo": f"{self.url()}/callbacks/inquiries/{key}/{seal}"}
        inquiry |= {"callReference": body.get("callReference", "")}
        threading.Thread(target=self.inquire, args=[request, self.changed("inquiry", inquiry)], daemon=True).start()
        return {"correlationId": key, "statusCode": "0", "statusReason": "Request submitted successfully"}

    def refusal(self, request: Json) -> Json | None:
        """FR CR016.1: one success a day of each kind, and what is under way may become one."""
        power = request["kind"] == "POWER"
        same = [one for one in self.requests.values() if one["esiid"] == request["esiid"] and one["allowed"]]
        same = [one for one in same if one["day"] == request["day"] and (one["kind"] == "POWER") is power]
        spent = [one for one in same if self.state(one) in self.be["counts"]]
        spent = [one for one in spent if one["result"] is None or one["result"].get("meterReads")]
        if len(spent) < self.be["allows"]:
            return None
        code, what = ("FR-CR016.1a", "power status") if power else ("FR-CR016.1b", "meter read")
        reason = f"FR CR016.1 allows one successful {what} request per ESI ID and day."
        return {"code": code, "reason": reason, "retryAt": local(midnight(request["day"] + DAY))}

    def inquire(self, request: Json, inquiry: Json) -> None:
        head = {"content-type": "application/json", "authorization": f"Bearer {self.key('smt')}"}
        sent = urllib.request.Request(f"{self.asked.headend}/inquiries", json.dumps(inquiry).encode(), head)
        try:
            urllib.request.urlopen(sent, timeout=30).close()
        except OSError as error:
            request |= {"state": "failed", "result": {"reason": f"the TDSP cannot be asked: {error}"}}

    def called_back(self, ident: str, seal: str, bearer: str, body: Json) -> Json:
        """A head-end's answer: the first one counts."""
        sealed = hmac.new(self.key("smt").encode(), ident.encode(), hashlib.sha256).hexdigest()
        if self.be["key"] and bearer != f"Bearer {self.key('headend')}":
            raise RefusedError(401, {"error": "It does not bear the key of a head-end."})
        if self.be["seal"] and not (hmac.compare_digest(seal, sealed) and body.get("correlationId") == ident):
            raise RefusedError(403, {"error": "The call-back is not from the head-end that was asked."})
        request = self.requests.get(ident)
        if request is None:
            raise RefusedError(404, {"correlationId": ident, "status": "unknown"})
        with self.lock:
            if self.be["again"] and request["result"] is not None:
                return {"correlationId": ident, "status": "duplicate" if request["result"] == body else "differs"}
            if self.be["late"] and self.now() > request["by"]:
                return {"correlationId": ident, "status": "late"}
            request |= {"result": body, "state": body["outcome"]}
            if "gap" in request and body["outcome"] == "completed" and self.be["holes"]:
                told = [at(one["end"]) for one in body["intervals"]] + [at(one) for one in body.get("missing", [])]
                start, end = (at(request["gap"][edge]) for edge in ("start", "end"))
                if sorted(told) != [start + n * QUARTER for n in range(1, 1 + (end - start) // QUARTER)]:
                    request |= {"state": "failed", "why": "its intervals are not those of the gap"}
        return {"correlationId": ident, "status": "accepted"}

    def state(self, request: Json) -> str:
        return "expired" if request["state"] == "PEN" and self.now() > request["by"] else str(request["state"])

    def status(self, request: Json) -> Json:
        """How a request stands."""
        its = ("correlationId", "gap", "uncovered", "quality")
        told: Json = {name: request[name] for name in its if name in request}
        state, result = self.state(request), request["result"] or {}
        if state in ("PEN", "expired"):
            pending = {"statusCode": "PEN", "statusReason": "Request Submitted by API"}
            return told | (pending if state == "PEN" else {"statusCode": "1", "statusReason": "T-FAILED: lost"})
        served = ("intervals", "missing", "partial", "reachesTo", "meterReads")
        told |= {name: result[name] for name in served if name in result}
        if result.get("register"):
            when, wh = at(result["register"]["at"]), result["register"]["wh"]
            told["odrRead"] = {"readDate": f"{when:%m/%d/%Y %H:%M:%S}", "registeredRead": wh / 1000}
        if result.get("power"):
            told["powerStatus"] = result["power"]
        if state == "completed":
            return told | {"statusCode": "0", "statusReason": "ODR retreived successfully"}
        if state == "refused" and (refusal := request["refusal"]):
            return told | {"statusCode": "1", "statusReason": refusal["reason"], "refusal": refusal}
        return told | {
            "statusCode": "1",
            "statusReason": f"FAILED: {request.get('why') or result.get('reason', state)}",
        }


def error(code: str, message: str) -> RefusedError:
    return RefusedError(200, {"errorCode": code, "errorMessage": message})


def handler(smt: Smt) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            now = {"mode": "manual", "now": local(smt.now()), "speed": 0}
            self._reply(200 if self.path == "/control/clock" else 404, now)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            try:
                told = smt.answer(self.path, self.headers.get("authorization", ""), json.loads(content))
                self._reply(202 if self.path.startswith("/callbacks/") else 200, told)
            except RefusedError as refused:
                self._reply(*refused.args)
            except (ValueError, KeyError, TypeError) as trouble:
                self._reply(400, {"errorCode": "FIELD", "errorMessage": f"body: {trouble!r}"})

        def _reply(self, status: int, body: Json) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            """Nothing."""

    return Handler


def say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    words = argparse.ArgumentParser(description="SMT of a stranger.")
    for name, usual in (("headend", ""), ("clock", ""), ("host", "127.0.0.1"), ("fault", "")):
        words.add_argument(f"--{name}", default=usual)
    words.add_argument("--port", type=int, default=0, help="0: a free one")
    for name in ("records", "held", "keys"):
        words.add_argument(f"--{name}", type=Path, required=name == "records")
    words.add_argument("--faults", type=Path, default=Path(__file__).with_name("smt_faults.json"))
    asked = words.parse_args()
    faults = json.loads(asked.faults.read_text("utf-8"))
    ident, _, which = asked.fault.partition("/")
    if asked.fault and (which or "fault") not in faults.get(ident, {}):
        words.error(f"there is no {asked.fault}: write ID or ID/near, ID one of {', '.join(faults)}")
    fault = faults[ident][which or "fault"] if ident else {}
    smt = Smt(asked, fault, lambda: f"http://{asked.host}:{server.server_port}")
    server = ThreadingHTTPServer((asked.host, asked.port), handler(smt))
    say(event="ready", smt_url=smt.url())
    server.serve_forever()


if __name__ == "__main__":
    main()

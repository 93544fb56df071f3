"""SMT between a TDSP and its retailers, written from docs/smt-market-api.md, docs/parties.md, docs/portal-api.md and docs/openapi alone.

    python -I smt.py --records FILE --headend URL [--held FILE] [--inbox DIR] [--host 127.0.0.1] [--port 0] [--keys FILE] --clock URL [--fault ID|ID/near]

It takes log-ins, requests for VEE usage and on-demand reads (POST /v2/token/, 15minintervalreads/, odr/, powerstatus/, odrstatus/), lets one successful read and one
power status through per ESI ID and local day (FR CR016.1), inquires at the head-end, and takes its call-backs. What was posted stands in --held, which site.py writes;
with --inbox that is started too. --records is JSON: {"tdsp": DUNS, "users": {NAME: {"password", "duns"}}, "points": {ESIID: {"meter", "lacks": [...], "rors": [[DUNS,
first day, last day], ...], "agreed": likewise}}}. Its time is that of --clock's GET /control/clock.
A fault is a row of smt_faults.json: ``be`` is what it is in place of smt_sound.json's; ``do`` by message ("inquiry", "ack", "status", "later", "reads") what is
done to it: ["set", field, value], ["drop", field], ["each", field, members].
"""

import argparse
import hashlib
import hmac
import json
import re
import secrets
import subprocess
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
SOUND: Json = json.loads(Path(__file__).with_name("smt_sound.json").read_text("utf-8"))


def local(when: datetime) -> str:
    return when.astimezone(CENTRAL).isoformat()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CENTRAL).astimezone(UTC)


class RefusedError(Exception):
    """HTTP status and body of what is not done."""


class Smt:
    def __init__(self, asked: argparse.Namespace, fault: Json, url: Callable[[], str]) -> None:
        self.asked, self.do, self.be = asked, fault.get("do", {}), SOUND["be"] | fault.get("be", {})
        self.records = json.loads(asked.records.read_text("utf-8"))
        self.tokens, self.requests = dict[str, tuple[str, datetime]](), dict[str, Json]()
        self.url, self.lock, wall = url, threading.RLock(), lambda: datetime.now(UTC)
        self.wall = self.now if asked.token_life == "model" else wall

    def key(self, sender: str) -> str:
        return "" if self.asked.keys is None else json.loads(self.asked.keys.read_text("utf-8"))[sender]

    def days(self, esiid: str) -> dict[date, Json]:
        """What was posted of an ESI ID's load: made, intervals as ``0.250-A``."""
        held = json.loads(self.asked.held.read_text("utf-8")) if self.asked.held and self.asked.held.exists() else {}
        return {date.fromisoformat(day): one for day, one in held.get(esiid, {}).get("4", {}).items()}

    def now(self) -> datetime:
        with urllib.request.urlopen(f"{self.asked.clock}/control/clock", timeout=10) as reply:
            return at(json.load(reply)["now"]).astimezone(UTC)

    def may(self, duns: str, esiid: str, day: date, of: str = "read") -> bool:
        """Whether a day of an ESI ID is a retailer's, or another's with whom that is agreed."""
        known = [one for of in ("rors", "agreed", "lives") for one in self.records["points"].get(esiid, {}).get(of, [])]
        own = any(one == duns and first <= day.isoformat() <= last for one, first, last in known)
        return own or self.be["foreign"] in (True, of)

    def refuse(self, code: str, wrong: object, *filled: str) -> None:
        """Tell what is wrong, unless it is deaf to that."""
        if wrong and code not in self.be["deaf"]:
            if code in SOUND["business"]:
                raise RefusedError(200, {"errorCode": code, "errorMessage": SOUND["business"][code].format(*filled)})
            raise RefusedError(SOUND["gateway"][code][0], {"error": SOUND["gateway"][code][1]})

    def answer(self, path: str, bearer: str, body: Json) -> Json:
        """What a call is answered."""
        if path == "/v2/token/":
            return self.log_in(body)
        if path.startswith("/callbacks/inquiries/"):
            return self.called_back(bearer, body, *path.split("/")[3:5])
        user, until = self.tokens.get(bearer, ("", self.wall()))
        self.refuse("no_credentials", not bearer)
        self.refuse("bad_token", not user or self.wall() >= until)
        user = user or str(body.get("requestorID"))
        self.refuse("REQUESTOR", body.get("requestorID") != user)
        duns = self.records["users"][user]["duns"] or user
        self.refuse("DUNS", body.get("requesterAuthenticationID", duns) != duns)
        self.refuse("TERMS", body.get("SMTTermsandConditions", "Y") != "Y")
        if path == "/v2/15minintervalreads/":
            return self.changed("reads", self.usage(duns, body))
        if path in ("/v2/odr/", "/v2/powerstatus/"):
            kind = "POWER" if path == "/v2/powerstatus/" else body.get("readType", "REGISTER")
            return self.changed("ack", {"trans_id": body["trans_id"]} | self.ask(duns, kind, body))
        self.refuse("no_call", path != "/v2/odrstatus/")
        request = self.requests.get(body["correlationId"], {})
        self.refuse("CORRELATION", request.get("duns") not in (duns, self.be.get("anyones", duns)))
        told = self.changed("status", {"trans_id": body["trans_id"]} | self.status(request))
        request["ended"] = request.get("ended", 0) + (told["statusCode"] != "PEN")
        return self.changed("later", told) if request["ended"] > self.be["steady"] else told

    def changed(self, message: str, body: Json) -> Json:
        """A message after a fault's steps."""
        for do, name, *value in self.do.get(message, []):
            new = [one | value[0] for one in body.get(name, [])] if do == "each" else value and value[0]
            body = {key: one for key, one in body.items() if key != name} | ({} if do == "drop" else {name: new})
        return body

    def log_in(self, body: Json) -> Json:
        user = self.records["users"].get(body.get("username"))
        self.refuse("no_password", "password" not in body)
        self.refuse("bad_login", user is None or user["password"] != body.get("password"))
        token, now = secrets.token_urlsafe(24), self.wall()
        self.tokens[f"Bearer {token}"] = (body["username"], now + timedelta(seconds=self.be["life_s"]))
        times = {"issuedAt": now.isoformat(), "expiresAt": (now + timedelta(hours=1)).isoformat(), "expiresIn": "3600"}
        return times | {"accessToken": token}

    def usage(self, duns: str, body: Json) -> Json:
        """The posted days of a range that are the retailer's own."""
        (esiid,), rows, edges = body["esiid"], [], ("startDate", "endDate")
        self.refuse("INVALID-DATE", not all(re.fullmatch(r"\d\d/\d\d/\d{4}", body[name]) for name in edges), *edges)
        first, last = (datetime.strptime(body[name], "%m/%d/%Y").date() for name in edges)
        self.refuse("DATE-ORDER", first > last, body["startDate"], body["endDate"])
        asked = [first + n * DAY for n in range((last - first).days + 1)]
        self.refuse("AC1", not (own := {day for day in asked if self.may(duns, esiid, day, "usage")}))
        for day, told in sorted(self.days(self.be.get("whose", esiid)).items()):
            if day in own:
                slots, count = [""] * 100, len(told["intervals"])
                for number, one in enumerate(told["intervals"]):
                    # Up to the hour that comes twice from the beginning, behind it from the end.
                    slots[number if number < (12 if count == 100 else 8) else number + 100 - count] = one
                stamp = f"{datetime.strptime(told['made'], '%Y%m%d%H%M%S'):%m/%d/%Y %H:%M:%S}"
                rd = ",".join(slots).replace("-A", self.be.get("marks", "-A"))
                rows.append({"DT": f"{day:%m/%d/%Y}", "RevTS": stamp, "RT": "C", "RD": rd})
        self.refuse("1", not rows)
        return {"trans_id": body["trans_id"], "esiid": esiid, "energyData": rows}

    def ask(self, duns: str, kind: str, body: Json) -> Json:
        """Take a request on, or not."""
        esiid, now = body["ESIID"], self.now()
        today = now.astimezone(UTC if self.be["day"] == "utc" else CENTRAL).date()
        point = self.records["points"].get(esiid)
        self.refuse(self.be["nobodys"], point is None)
        self.refuse("AC1", not self.may(duns, esiid, now.astimezone(CENTRAL).date()))
        self.refuse("METER", body.get("MeterNumber") not in (None, "", point["meter"]))
        for lack, code in SOUND["lacks"].items():
            self.refuse(code, lack in point.get("lacks", []))
        key, by = f"{secrets.randbelow(10**12):012}", now + timedelta(seconds=self.be["answer_s"])
        request: Json = {"correlationId": key, "duns": duns, "kind": kind, "state": "PEN", "esiid": esiid}
        request |= {"day": today, "by": by, "result": None, "power": kind == "POWER", "allowed": True, "why": ""}
        inquiry = {"correlationId": key, "kind": kind, "esiid": esiid, "callReference": body.get("callReference", "")}
        if kind == "INTERVALS":
            vee = max((midnight(day + DAY) for day in self.days(esiid)), default=midnight(now.date() - 2 * DAY))
            end = datetime.fromtimestamp(int(now.timestamp()) // 900 * 900, UTC) + self.be["reach"] * QUARTER
            self.refuse("NO-GAP", end <= vee, local(vee))
            start = max(vee, end - self.be["limit"] * QUARTER)
            inquiry |= (gap := {"start": local(start), "end": local(end)})
            uncovered = [{"start": local(vee), "end": local(start)}] if start > vee else []
            request |= {"gap": gap, "uncovered": uncovered, "quality": "non-VEE"}
        with self.lock:
            refusal = self.refusal(request)
            request["allowed"] = refusal is None or not self.be["obeys"]
            if refusal and kind != "INTERVALS":
                return {"statusCode": "1", "statusReason": refusal["reason"], "refusal": refusal}
            request["refusal"] = refusal
            self.requests[key] = request
        seal = hmac.new(self.key("smt").encode(), key.encode(), hashlib.sha256).hexdigest()
        reply_to = f"{self.url()}/callbacks/inquiries/{key}/{seal}"
        inquiry |= {"meterAllowed": request["allowed"], "answerBy": local(by), "replyTo": reply_to}
        threading.Thread(target=self.inquire, args=[request, self.changed("inquiry", inquiry)], daemon=True).start()
        return {"correlationId": key, "statusCode": "0", "statusReason": "Request submitted successfully"}

    def refusal(self, request: Json) -> Json | None:
        """FR CR016.1: one success a day of each kind, and what is under way may become one."""
        power, of = request["power"], ("allowed", "esiid", "day", "power", *(() if self.be["shared"] else ("duns",)))
        same = [one for one in self.requests.values() if all(one[name] == request[name] for name in of)]
        spent = [one for one in same if self.state(one) in self.be["counts"]]
        spent = [one for one in spent if one["result"] is None or one["result"].get("meterReads")]
        if len(spent) < self.be["allows"] or request["kind"] in self.be.get("free", ()):
            return None
        code, what = ("FR-CR016.1a", "power status") if power else ("FR-CR016.1b", "meter read")
        again = local(midnight(request["day"] + DAY) - timedelta(hours=self.be["early_h"]))
        return {"code": code, "reason": f"One successful {what} per ESI ID and day is allowed.", "retryAt": again}

    def inquire(self, request: Json, inquiry: Json) -> None:
        others = [one for one in self.requests.values() if one is not request]
        while self.be["turn_s"] and any(self.state(one) == "PEN" for one in others):
            threading.Event().wait(self.be["turn_s"])
        head = {"content-type": "application/json", "authorization": f"Bearer {self.key(self.be['bears'])}"}
        sent = urllib.request.Request(f"{self.asked.headend}/inquiries", json.dumps(inquiry).encode(), head)
        try:
            urllib.request.urlopen(sent, timeout=30).close()
        except OSError as error:
            request |= {"state": "failed", "result": {"reason": f"the TDSP cannot be asked: {error}"}}

    def called_back(self, bearer: str, body: Json, ident: str, seal: str) -> Json:
        """A head-end's answer: the first one counts."""
        sealed = hmac.new(self.key("smt").encode(), ident.encode(), hashlib.sha256).hexdigest()
        self.refuse("link_key", self.be["key"] and bearer != f"Bearer {self.key('headend')}")
        sound = hmac.compare_digest(seal, sealed) and body.get("correlationId") == ident
        self.refuse("link_seal", self.be["seal"] and not sound)
        if (request := self.requests.get(ident)) is None:
            raise RefusedError(404, {"correlationId": ident, "status": "unknown"})
        with self.lock:
            if self.be["again"] and request["result"] is not None:
                return {"correlationId": ident, "status": "duplicate" if request["result"] == body else "differs"}
            if self.be["late"] and self.now() > request["by"]:
                return {"correlationId": ident, "status": "late"}
            request |= {"result": body, "state": body["outcome"]}
            if "gap" in request and body["outcome"] == "completed" and self.be["holes"]:
                told = [at(one["end"]) for one in body["intervals"]] + [at(one) for one in body.get("missing", [])]
                start, end = map(at, request["gap"].values())
                if sorted(told) != [start + n * QUARTER for n in range(1, 1 + (end - start) // QUARTER)]:
                    request |= {"state": "failed", "why": "its intervals are not those of the gap"}
        return {"correlationId": ident, "status": "accepted"}

    def state(self, request: Json) -> str:
        open_still = request["state"] != "PEN" or not self.be["expires"] or self.now() <= request["by"]
        return str(request["state"]) if open_still else "expired"

    def status(self, request: Json) -> Json:
        """How a request stands."""
        told: Json = {one: request[one] for one in SOUND["kept"] if one in request}
        others = [one["result"] for one in self.requests.values() if one["result"] and self.be["mixes"]]
        state, result = self.state(request), [request["result"], *others][-1] or {}
        if state in ("PEN", "expired"):
            pending = {"statusCode": self.be["pending"], "statusReason": "Request Submitted by API"}
            return told | (pending if state == "PEN" else {"statusCode": "1", "statusReason": self.be["lost"]})
        told |= {one: result[one] for one in SOUND["served"] if one in result}
        if result.get("register"):
            when, wh = at(result["register"]["at"]), result["register"]["wh"]
            told["odrRead"] = {"readDate": f"{when:%m/%d/%Y %H:%M:%S}", "registeredRead": wh / 1000}
        told |= {"powerStatus": result["power"]} if result.get("power") else {}
        if state in self.be["done"]:
            return told | {"statusCode": "0", "statusReason": "ODR retreived successfully"}
        if state == "refused" and (refusal := request["refusal"]):
            return told | {"statusCode": "1", "statusReason": refusal["reason"], "refusal": refusal}
        told |= {"statusCode": "1", "statusReason": f"FAILED: {request['why'] or result.get('reason', state)}"}
        return self.changed("failed", told)


def handler(smt: Smt) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(200 if self.path == "/control/clock" else 404, {"mode": "manual", "now": local(smt.now())})

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

        def log_message(self, *words: Any) -> None: ...

    return Handler


def main() -> None:
    words = argparse.ArgumentParser(description="SMT of a stranger.")
    usually: Json = {"host": "127.0.0.1", "port": 0, "token-life": "wall"}
    for name, usual in (usually | dict.fromkeys(("headend", "clock", "fault", "site-fault"), "")).items():
        words.add_argument(f"--{name}", type=type(usual), default=usual)
    for name in ("records", "held", "keys", "inbox"):
        words.add_argument(f"--{name}", type=Path, required=name == "records")
    words.add_argument("--faults", type=Path, default=Path(__file__).with_name("smt_faults.json"))
    asked = words.parse_args()
    faults = json.loads(asked.faults.read_text("utf-8"))
    ident, _, which = asked.fault.partition("/")
    if ident and (which or "fault") not in faults.get(ident, {}):
        words.error(f"there is no {asked.fault}: write ID or ID/near, ID one of {', '.join(faults)}")
    fault = faults[ident][which or "fault"] if ident else {}
    smt = Smt(asked, fault, lambda: f"http://{asked.host}:{server.server_port}")
    server = ThreadingHTTPServer((asked.host, asked.port), handler(smt))
    if asked.inbox:
        told = [f"--{name}={getattr(asked, name)}" for name in ("records", "inbox", "held", "clock")]
        site = [str(Path(__file__).with_name("site.py")), *told, f"--fault={asked.site_fault}"]
        subprocess.Popen([sys.executable, "-I", *site])
    print(json.dumps({"event": "ready", "smt_url": smt.url()}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

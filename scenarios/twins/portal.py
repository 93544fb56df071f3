"""The portal of an SMT, written from docs/portal-api.md, docs/smt-market-api.md and docs/openapi alone: what a customer's client asks, and the SMT behind it.

    python -I portal.py --port N --portal-port N --records FILE --held FILE --registry DIR --clock URL [--portal-fault ID] [options of smt.py]

It starts smt.py at --port, and listens at --portal-port itself: log-in, meters, attributes, premise and HAN devices, posted usage, reads. Who lives
where stands in --records, what is on record of a premise in --registry, CSV files; what was posted in --held. A customer's read is asked of smt.py in
the customer's name, so that one allowance is spent, and shown as that tells it.

A fault is a row of portal_faults.json: ``be`` is what it is in place of SOUND; ``do`` by call ("meter", "slots", ...) members that its answer has otherwise.
"""

import argparse
import csv
import json
import secrets
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]
EVER = {"startDate": "01/01/2000", "endDate": "12/31/2099"}
CENTRAL, DAY = ZoneInfo("America/Chicago"), timedelta(days=1)
#: deaf: what it does not look at; foreign: whether it tells of everybody's; slots: where a day of 92 or 100 is cut; rows: of a day at most; shift: which day of the register it tells.
SOUND: Json = {
    "deaf": [], "foreign": [], "slots": [8, 12], "rows": 100, "old": False, "off": 0, "more": 0, "apart": False, "code": "5032", "kind": "REGISTER", "ready": False, "failed": "FAILED",
}  # fmt: skip
WRONG = {
    "INVALID-DATE": "Invalid Date. Expected format of: startDate,endDate is MM/dd/yyyy",
    "DATE-ORDER": "startDate {} is later than endDate {}.",
    "RANGE": "At most 30 days are given at a time.",
    "AC1": "The ESI ID is not known, or it is not yours on the days in question.",
    "1": "No Energy Data received from the respective TDSP",
}
#: Of a meter and a premise, by the words of the answer the columns of service_points.csv.
METER = {
    "meterSerialNumber": "serial_number", "utilityMeterId": "utility_meter_id", "KWHMeterMultiplier": "multiplier", "configuredChannels": "channels",
    "manufacturerName": "manufacturer", "meterClass": "meter_class", "intervalSetting": "interval_minutes", "reverseFlowHandling": "reverse_flow",
    "DGChannel": "generates", "disconnect": "remote_switch", "meterPhases": "phases", "meterModel": "model", "communicationIndicator": "communicates",
    "instrumentRated": "instrument_rated", "currentTransformersRatio": "current_ratio", "potentialTransformersRatio": "potential_ratio",
    "esiFirmwareVersion": "firmware", "HANProtocol": "han_protocol", "smartEnergyProfile": "smart_energy_profile",
}  # fmt: skip
PREMISE = {"zip": "zip_code", "loadZone": "load_zone", "weatherZone": "weather_zone", "premiseType": "premise_type"}
PREMISE |= {name: name for name in ("address", "city", "state", "county")}
DEVICE = {"macAddress": "mac", "deviceType": "device_type", "make": "make", "model": "model", "status": "status"}


class RefusedError(Exception):
    """HTTP status and body of what is not done."""


def wrong(code: str, *filled: object) -> RefusedError:
    return RefusedError(200, {"data": {"errorCode": code, "errorMessage": WRONG[code].format(*filled)}})


class Portal:
    def __init__(self, asked: argparse.Namespace, fault: Json) -> None:
        self.asked, self.do, self.be = asked, fault.get("do", {}), SOUND | fault.get("be", {})
        self.records = json.loads(asked.records.read_text("utf-8"))
        self.tokens, self.reads, self.first = dict[str, str](), dict[str, Json](), dict[str, dict[date, Json]]()
        self.lock = threading.Lock()

    def today(self) -> date:
        with urllib.request.urlopen(f"{self.asked.clock}/control/clock", timeout=10) as reply:
            return datetime.fromisoformat(json.load(reply)["now"]).astimezone(CENTRAL).date()

    def own(self, user: str, esiid: str, day: date, what: str) -> bool:
        """Whether an ESI ID is a customer's on a day. what: is asked of it."""
        lives, on = self.records["points"].get(esiid, {}).get("lives", []), day.isoformat()
        return what in self.be["foreign"] or any(one == user and since <= on <= to for one, since, to in lives)

    def rows(self, file: str, esiid: str) -> list[Json]:
        with (self.asked.registry / file).open(encoding="utf-8", newline="") as stream:
            return [row for row in csv.DictReader(stream) if row["esiid"] == esiid]

    def answer(self, path: str, bearer: str, body: Json) -> Json:
        """What a call is answered."""
        if path.endswith("/user/authenticate"):
            return self.log_in(body)
        user = self.tokens.get(bearer)
        if user is None and ("token" if bearer else "no_token") not in self.be["deaf"]:
            raise RefusedError(401, {"message": "Invalid Token"})
        name, said = path.removeprefix("/api/"), self.called(path.removeprefix("/api/"), user or "customer.one", body)
        more: Json = self.do.get(name, {})
        if isinstance(said.get("data"), dict) and said["data"].get("errorCode") is None:
            return {"data": said["data"] | more}
        return {**said, **more}

    def called(self, name: str, user: str, body: Json) -> Json:
        esiid: Any = body.get("esiid", body.get("ESIID"))
        calls: dict[str, Callable[[], Json]] = {
            **dict.fromkeys(("meterattributes", "premise", "handevices"), lambda: {"data": self.record(name, user, esiid)}),
            "meter": lambda: {"data": list(self.meters(user, esiid))}, "dashboard": lambda: {"data": self.dashboard(user)},
            "adhoc/intervalsynch": lambda: {"data": self.slots(user, esiid[0], body)},
            "usage/interval": lambda: {"intervaldata": list(self.one_by_one(user, esiid, body))},
            "usage/daily": lambda: {"dailyData": list(self.daily(user, esiid, body))},
            "usage/monthly": lambda: {"monthlyData": list(self.monthly(user, esiid, body))},
            "ondemandread": lambda: {"data": self.ask(user, esiid, body)}, "usage/latestodrread": lambda: {"data": self.latest(user, esiid)},
        }  # fmt: skip
        if name in calls:
            return calls[name]()
        raise RefusedError(404, {"error": "There is no such call."})

    def log_in(self, body: Json) -> Json:
        user = self.records["users"].get(body.get("username"))
        if user is None and "user" not in self.be["deaf"]:
            raise RefusedError(400, {"errormessage": "ERR-USR-USERNOTFOUND"})
        if user and user["password"] != body.get("password") and "password" not in self.be["deaf"]:
            raise RefusedError(400, {"errormessage": "ERR-USR-INVALIDPASSWORDERROR"})
        token = secrets.token_urlsafe(24)
        self.tokens[f"Bearer {token}"] = body["username"]
        return {"usr_id": body["username"], "is_rgstrd": "Y", "usr_type": "RES", "smtStatus": "active", "token": token}

    def meters(self, user: str, wanted: str) -> Iterator[Json]:
        for esiid, point in self.records["points"].items():
            if wanted in ("*", esiid) and self.own(user, esiid, self.today(), "meters"):
                yield {"esiid": esiid, "meterNumber": point["meter"], "errmsg": "Success"}

    def record(self, name: str, user: str, esiid: str) -> Any:
        if not self.own(user, esiid, self.today(), "records"):
            raise wrong("AC1")
        (row,) = self.rows("service_points.csv", esiid)
        if name == "premise":
            told = {word: row[column] for word, column in PREMISE.items()}
            return told | {"status": "Energized" if row["energized"] == "Y" else "De-energized"}
        if name == "handevices":
            its = self.rows("han_devices.csv", esiid)
            return [{word: one[column] for word, column in DEVICE.items()} for one in its]
        return [{word: row[column] for word, column in METER.items()}]

    def days(self, user: str, esiid: str, body: Json, most: int, what: str) -> Iterator[tuple[date, Json, Json]]:
        """The posted days of a range that are the customer's, each with the one before it."""
        try:
            first, last = (datetime.strptime(body[name], "%m/%d/%Y").date() for name in ("startDate", "endDate"))
        except ValueError:
            if "dates" in self.be["deaf"]:
                return
            raise wrong("INVALID-DATE") from None
        if first > last and "order" not in self.be["deaf"]:
            raise wrong("DATE-ORDER", body["startDate"], body["endDate"])
        if (last - first).days >= most and "range" not in self.be["deaf"]:
            raise wrong("RANGE")
        held = json.loads(self.asked.held.read_text("utf-8")) if self.asked.held.exists() else {}
        its = {date.fromisoformat(day): one for day, one in held.get(esiid, {}).get("4", {}).items()}
        with self.lock:
            kept = self.first.setdefault(esiid, its)
        for day, one in sorted((kept if self.be["old"] else its).items()):
            mine = not self.be["apart"] or any(f"{day}" == at for _, at, _ in self.records["points"][esiid]["rors"][1:])
            if first <= day <= last and self.own(user, esiid, day, what) and mine:
                yield day, one, its.get(day - DAY, {})

    def slots(self, user: str, esiid: str, body: Json) -> Json:
        rows = []
        for day, one, _ in self.days(user, esiid, body, 30, "usage"):
            told, slots = one["intervals"], [""] * 100
            for number, value in enumerate(told):
                # Up to the hour that comes twice from the beginning, behind it from the end.
                slots[number if number < self.be["slots"][len(told) == 100] else number + 100 - len(told)] = value
            stamp = f"{datetime.strptime(one['made'], '%Y%m%d%H%M%S'):%m/%d/%Y %H:%M:%S}"
            rows.append({"DT": f"{day:%m/%d/%Y}", "RevTS": stamp, "RT": "C", "RD": ",".join(slots)})
        if not rows:
            raise wrong("1")
        return {"trans_id": f"{secrets.randbelow(10**12):012}", "esiid": esiid, "energyData": rows}

    def one_by_one(self, user: str, esiid: str, body: Json) -> Iterator[Json]:
        for day, one, _ in self.days(user, esiid, body, 731, "usage"):
            midnight = datetime(day.year, day.month, day.day, tzinfo=CENTRAL).astimezone(UTC)
            clock = [f"{(midnight + DAY * n / 96).astimezone(CENTRAL): %I:%M %p}".lower() for n in range(101)]
            for start, end, told in zip(clock, clock[1:], one["intervals"][: self.be["rows"]], strict=False):
                kwh = {"consumption": float(told.partition("-")[0]), "consumption_est_act": told[-1:]}
                yield {"date": day.isoformat(), "starttime": start, "endtime": end} | kwh

    def daily(self, user: str, esiid: str, body: Json) -> Iterator[Json]:
        for day, one, before in self.days(user, esiid, body, 731, "daily"):
            registers = {"startreading": before.get("stop", ""), "endreading": one["stop"]}
            yield {"date": f"{day:%m/%d/%Y}", "reading": (self.wh(one) + self.be["off"]) / 1000} | registers

    def wh(self, day: Json) -> int:
        return sum(round(float(each.partition("-")[0] or 0) * 1000) for each in day["intervals"])

    def monthly(self, user: str, esiid: str, body: Json) -> Iterator[Json]:
        """The periods that end in a range, each from a day of reading to the next, or to where the retailer changes; all of it posted and the customer's."""
        first, last = (datetime.strptime(body[name], "%m/%d/%Y").date() for name in ("startDate", "endDate"))
        its = {day: one for day, one, _ in self.days(user, esiid, EVER, 10**6, "monthly")}
        (row,) = self.rows("service_points.csv", esiid)
        changes = [at for _, at, _ in self.records["points"][esiid]["rors"]]
        ends = [day for day in its if day.day == int(row["read_day"]) or day.isoformat() in changes]
        for start, end in pairwise(ends):
            span = [start + DAY * n for n in range((end - start).days)]
            if first <= end <= last and all(day in its for day in span):
                kwh = (sum(self.wh(its[day]) for day in span) + self.be["more"]) / 1000
                edges = {"startdate": f"{start:%m/%d/%Y}", "enddate": f"{end:%m/%d/%Y}"}
                yield edges | {"actl_kwh_usg": kwh, "errmsg": "Success"}

    def dashboard(self, user: str) -> Json:
        """The first of a customer's meters, by ESI ID, and the last day that is posted of it."""
        its = min(self.meters(user, "*"), key=lambda one: str(one["esiid"]))
        days = [f"{day:%m/%d/%Y}" for day, _, _ in self.days(user, its["esiid"], EVER, 10**6, "usage")]
        return {"defaultMeterDetails": its, "latestDate": days[-1] if days else None}

    def smt(self, user: str, path: str, **said: Any) -> Json:
        """Ask smt.py in a customer's name."""

        def post(path: str, body: Json, **more: str) -> Json:
            head = {"content-type": "application/json"} | more
            sent = urllib.request.Request(f"http://127.0.0.1:{self.asked.port}{path}", json.dumps(body).encode(), head)
            with urllib.request.urlopen(sent, timeout=30) as reply:
                return dict(json.load(reply))

        told = post("/v2/token/", {"username": user, "password": self.records["users"][user]["password"]})
        bears = {"authorization": f"Bearer {told['accessToken']}"}
        return post(path, {"trans_id": "portal", "requestorID": user} | said, **bears)

    def ask(self, user: str, esiid: str, body: Json) -> Json:
        """Take a read on, or turn it away."""
        if not self.own(user, esiid, self.today(), "reads"):
            return {"RequestStatus": "FLR", "statusCode": "AC1", "statusReason": WRONG["AC1"]}
        if "reads" in self.be["foreign"]:
            # In the name of whoever may.
            (*_, (duns, *_)) = self.records["points"][esiid]["rors"]
            user = next(name for name, one in self.records["users"].items() if one["duns"] == duns)
        told = self.smt(user, "/v2/odr/", ESIID=esiid, MeterNumber=body.get("MeterNumber"), readType=self.be["kind"])
        if not told.get("correlationId"):
            code = self.be["code"] if told.get("refusal") else told.get("errorCode", "")
            reason = told.get("statusReason", told.get("errorMessage", ""))
            return {"RequestStatus": "FLR", "statusCode": code, "statusReason": reason}
        self.reads[esiid] = {"key": told["correlationId"], "user": user}
        return told

    def latest(self, user: str, esiid: str) -> Json:
        """The latest register read that was asked for here."""
        shown = {"odrstatus": None, "odrread": None, "odrusage": None, "odrdate": None, "responseMessage": "SUCCESS"}
        read = self.reads.get(esiid)
        if read is None or not self.own(user, esiid, self.today(), "latest"):
            return shown
        told = self.smt(read["user"], "/v2/odrstatus/", correlationId=read["key"])
        if told["statusCode"] == "PEN":
            status = "COMPLETED" if self.be["ready"] else "PENDING"
            return shown | {"odrstatus": status, "odrread": "0", "odrusage": "0"}
        if told["statusCode"] != "0" or "odrRead" not in told:
            return shown | {"odrstatus": self.be["failed"]}
        its, done = told["odrRead"], {"odrstatus": "COMPLETED", "odrusage": "0"}
        return shown | done | {"odrread": f"{its['registeredRead']:.3f}", "odrdate": its["readDate"]}


def handler(portal: Portal) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            try:
                path, bearer = self.path.rstrip("/"), self.headers.get("authorization", "")
                self._reply(200, portal.answer(path, bearer, json.loads(content or "{}")))
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


def main() -> None:
    words = argparse.ArgumentParser(description="Portal of a stranger's SMT.")
    for name in ("port", "portal-port"):
        words.add_argument(f"--{name}", type=int, required=True)
    for name in ("records", "held", "registry"):
        words.add_argument(f"--{name}", type=Path, required=True)
    words.add_argument("--clock", required=True)
    words.add_argument("--portal-fault", default="")
    words.add_argument("--portal-faults", type=Path, default=Path(__file__).with_name("portal_faults.json"))
    asked, rest = words.parse_known_args()
    faults = json.loads(asked.portal_faults.read_text("utf-8"))
    ident, _, which = asked.portal_fault.partition("/")
    if ident and (which or "fault") not in faults.get(ident, {}):
        words.error(f"there is no {asked.portal_fault}: write ID or ID/near, ID one of {', '.join(faults)}")
    told = [f"--{name}={getattr(asked, name)}" for name in ("port", "records", "held", "clock")]
    subprocess.Popen([sys.executable, "-I", str(Path(__file__).with_name("smt.py")), *told, *rest])
    portal = Portal(asked, faults[ident][which or "fault"] if ident else {})
    ThreadingHTTPServer(("127.0.0.1", asked.portal_port), handler(portal)).serve_forever()


if __name__ == "__main__":
    main()

"""A retailer that a customer calls about the bill, written from docs/smt-market-api.md, docs/sandbox.md, docs/plans.md and docs/openapi/smt.json alone.

    ROR_USERNAME=U ROR_PASSWORD=P ROR_DUNS=D python -I ror.py --smt URL --esiid E --first 2026-07-16 --last 2026-08-14 [--meter N] [--call call-0001]
        [--question balance|last_bill|bill] [--plan FILE] [--usage FILE] [--whole-days N] [--patience 180] [--poll 15] [--wall 60] [--bill-to URL]
        [--fault ID|ID/near] [--faults FILE] [--bill-fault ID|ID/near]

One run is one call: it logs in, reads the VEE usage of the billing cycle (--first to --last, its own days of it), decides, asks for the intervals of the gap,
polls until they are there or the caller's patience ends, and tells the bill to where its data reach. --plan is a plan of docs/plans.md as JSON, with one
price. Asked for a "bill" it asks nobody: bills.py makes it of --plan, whatever its prices, and of --usage, the rest of a bill's vector of docs/profile.md;
--bill-fault: of bills_faults.json. Seconds are the model's, by SMT's GET /control/clock: while that stands still nothing else is sent, and after --wall
seconds of it the caller is told without an answer. A certificate's authority: SSL_CERT_FILE. Standard output has a line of JSON for each step ("waits" for
what instant), the last "told" to the caller; posted to --bill-to as well. Exit 0: a bill was told, 1: none was, 2: the words are wrong. A fault is a row of
ror_faults.json: ``be`` is what it is instead of HONEST; ``do`` by message ("token", "reads", "odr", "odrstatus", "told"): ["set", field, value], ["drop", field].
"""

import argparse
import contextlib
import json
import os
import runpy
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CENTRAL, QUARTER, DAY = ZoneInfo("America/Chicago"), timedelta(minutes=15), timedelta(days=1)
Json = dict[str, Any]
bill = runpy.run_path(str(Path(__file__).with_name("bills.py")))["bill"]
at, LOG_IN = datetime.fromisoformat, ("USERNAME", "PASSWORD", "DUNS")
#: review: it reads VEE usage before it decides; always_ask: also where no read is needed; polls: at most; again: requests after the first, by how that ended;
#: storm: the same call again at once, by what it was answered (401, AC1); tries: of a call that brings no JSON; linger_s: until the caller is told; naive: an
#: instant's local time is taken for standard time; slots: of a day that are read; partial: the running interval is billed; checks: what lies before the gap, was
#: collected before it ended, or answers another request is left out; factor: on the bill. Nobody else's: when, in what calls; few, of a read; power, statuses.
HONEST: Json = {"review": True, "always_ask": False, "polls": 10_000, "again": {}, "storm": {}, "tries": 4}
HONEST |= {"linger_s": 0, "naive": False, "slots": 100, "partial": False, "checks": True, "factor": "1"}
#: What is billed by where no plan is given.
FLAT: Json = {"energy": [{"cents_per_kwh": "9.8"}]}
FLAT |= {"tdu": [{"effective": "2025-03-01", "monthly": "4.23", "cents_per_kwh": "5.60"}]}


class SmtError(Exception):
    """What SMT says instead of an answer: code, text."""


class Smt:
    """SMT as one log-in sees it."""

    def __init__(self, asked: argparse.Namespace, fault: Json) -> None:
        self.asked, self.do, self.be = asked, fault.get("do", {}), HONEST | fault.get("be", {})
        self.user, self.password, self.duns = (os.environ.get(f"ROR_{one}", "") for one in LOG_IN)
        self.token, self.sent, self.seen = "", 0, datetime.min

    def now(self) -> datetime:
        status, told = sent(self.asked.smt + "/control/clock", None)
        if status != 200 and self.seen == datetime.min:
            sys.exit(f"SMT does not tell the time: HTTP {status} of {self.asked.smt}/control/clock.")
        self.seen = at(json.loads(told)["now"]) if status == 200 else self.seen
        return self.seen

    def wait(self, seconds: float) -> None:
        """Until the model's clock has gone on so far."""
        until, stood = self.now() + timedelta(seconds=seconds), 0
        if self.seen < until:
            say(event="waits", until=local(until))
        while self.seen < until:
            time.sleep(0.05)
            stood = stood + 1 if self.seen == self.now() else 0
            if stood > 20 * self.asked.wall:
                raise SmtError("clock", "The clock stands still.")

    def http(self, path: str, body: Json | None, token: str = "", tries: int = 1) -> tuple[int, Json]:
        """Status and JSON; again after a while, if SMT brings a page or nothing. Raises SmtError if that is all it brings."""
        for one in range(tries):
            if one:
                self.wait(self.asked.poll)
            status, text = sent(self.asked.smt + path, body, token)
            with contextlib.suppress(ValueError, TypeError):
                return status, dict(json.loads(text))
        raise SmtError("no_json", f"SMT answered HTTP {status} without JSON.")

    def log_in(self) -> None:
        body = changed({"username": self.user, "password": self.password}, self.do.get("token", []))
        status, told = self.http("/v2/token/", body, tries=self.be["tries"])
        self.token = told.get("accessToken", "")
        if not self.token:
            raise SmtError(f"http_{status}", str(told.get("error", "There is no token.")))

    def post(self, call: str, path: str, body: Json) -> Json:
        """An answer; logs in once more where the token has run out. Raises SmtError for any error of SMT's."""
        self.sent += 1
        who = {"trans_id": f"{self.asked.call}-{self.sent:04d}", "requestorID": self.user, "requesterType": "REP"}
        who |= {"requesterAuthenticationID": self.duns, "reportFormat": "JSON", "deliveryMode": "API"}
        body = changed(who | {"SMTTermsandConditions": "Y"} | body, self.do.get(call, []))
        status, told = self.http(path, body, self.token, self.be["tries"])
        for _ in range(self.be["storm"].get(str(told.get("errorCode", status)), 0)):
            self.http(path, body, self.token)
        if status == 401:
            self.log_in()
            status, told = self.http(path, body, self.token, self.be["tries"])
        if status != 200 or "errorCode" in told:
            said = told.get("refusal") or {"code": told.get("errorCode", f"http_{status}")}
            raise SmtError(str(said["code"]), str(said.get("reason") or told.get("errorMessage") or told.get("error")))
        return told


class Call:
    """One customer's call."""

    def __init__(self, smt: Smt) -> None:
        self.smt, self.asked, self.be = smt, smt.asked, smt.be
        self.used: dict[datetime, tuple[int, str]] = {}  # by end: Wh, and whose value it is
        self.told: Json = {"call": self.asked.call, "esiid": self.asked.esiid, "total_usd": None, "uncovered": []}
        self.told |= {"refusal": None, "trouble": None}

    def utc(self, written: str) -> datetime:
        return at(written).astimezone(UTC) if not self.be["naive"] else at(written[:-6] + "-06:00")

    def whole(self) -> bool:
        """From beginning to end: whether a bill was told."""
        now = self.smt.now()
        try:
            self.smt.log_in()
            if self.be["review"]:
                self.review(now)
            vee = max(self.used, default=midnight(self.asked.first))
            within = now < midnight(self.asked.last + DAY)
            needed = self.asked.question == "balance" and within and now - vee >= QUARTER
            say(event="decided", needed=needed, veeTo=local(vee), now=local(now))
            left = {"first": 1} | self.be["again"]
            ended = "first" if needed or self.be["always_ask"] else ""
            while left.get(ended, 0):
                left[ended] -= 1
                ended = self.ask(vee, now + timedelta(seconds=self.asked.patience))
        except SmtError as error:
            self.told["trouble"] = {"code": error.args[0], "reason": error.args[1]}
        return self.tell(now)

    def review(self, now: datetime) -> None:
        """S2: the posted VEE usage of the cycle."""
        last = min(self.asked.last, now.astimezone(CENTRAL).date())
        body: Json = {"startDate": f"{self.asked.first:%m/%d/%Y}", "endDate": f"{last:%m/%d/%Y}", "version": "L"}
        body |= {"readingType": "C", "esiid": [self.asked.esiid]}
        try:
            rows = self.smt.post("reads", "/v2/15minintervalreads/", body)["energyData"]
        except SmtError as error:
            if error.args[0] != "1":
                raise
            rows = []
        for row in rows:
            day = datetime.strptime(row["DT"], "%m/%d/%Y").date()
            for slot, told in enumerate(row["RD"].split(",")[: self.be["slots"]]):
                # The hour that comes twice has slots 8 to 11 too, the one that is left out has its own empty.
                ahead, back = midnight(day) + (slot + 1) * QUARTER, midnight(day + DAY) - (99 - slot) * QUARTER
                if told:
                    wh = int(Decimal(told.rpartition("-")[0]) * 1000)
                    self.used[self.utc(local(ahead if slot < 12 else back))] = wh, "VEE"
        say(event="reviewed", days=len(rows))

    def ask(self, vee: datetime, deadline: datetime) -> str:
        """S3 to S5: one request, followed to its end or to that of the caller's patience; how it ended."""
        body = {"ESIID": self.asked.esiid, "callReference": self.asked.call}
        _ = [self.smt.post("power", "/v2/powerstatus/", body) for _ in range(self.be.get("power", 0))]
        body |= {"readType": "INTERVALS"} | ({"MeterNumber": self.asked.meter} if self.asked.meter else {})
        ack = self.smt.post("odr", "/v2/odr/", body)
        key, self.told["refusal"] = ack.get("correlationId"), ack.get("refusal")
        say(event="asked", correlationId=key, refusal=ack.get("refusal"), statusReason=ack["statusReason"])
        for _ in range(self.be["polls"] if key else 0):
            self.smt.wait(self.asked.poll)
            try:
                status = self.smt.post("odrstatus", "/v2/odrstatus/", {"correlationId": key})
            except SmtError as error:
                status = {"statusCode": "PEN", "statusReason": error.args[0]}
            say(event="polled", statusCode=status["statusCode"], statusReason=status["statusReason"])
            if status["statusCode"] != "PEN" and (status["correlationId"] == key or not self.be["checks"]):
                return self.take(status, vee)
            if self.smt.now() + timedelta(seconds=self.asked.poll) > deadline:
                break
        self.told["trouble"] = {"code": "patience", "reason": "No answer came in time."} if key else None
        return "given up" if key else "refused"

    def take(self, status: Json, vee: datetime) -> str:
        """What the answer adds to the VEE usage."""
        for one in (status.get("intervals") or [])[: self.be.get("few")]:
            end, collected = self.utc(one["end"]), self.utc(one["collectedAt"])
            if vee < end <= collected or not self.be["checks"]:
                self.used.setdefault(end, (one["wh"], f"non-VEE, {one['source']}"))
        if self.be["partial"] and status.get("partial"):
            self.used[max(self.used) + QUARTER] = status["partial"]["wh"], "non-VEE, meter"
        self.told |= {name: status.get(name) for name in ("refusal", "gap", "missing")}
        self.told["uncovered"] = status.get("uncovered") or []
        ended = "answered" if status["statusCode"] == "0" else "refused" if status.get("refusal") else "failed"
        if ended == "failed":
            self.told["trouble"] = {"code": status["statusReason"].partition(":")[0], "reason": status["statusReason"]}
        return ended

    def tell(self, asked_at: datetime) -> bool:
        """S6, S7: the bill by now, what it rests on, and how the energy is used."""
        told, first, last, said = self.told, self.asked.first, self.asked.last, []
        used = {end: one for end, one in self.used.items() if midnight(first) < end <= midnight(last + DAY)}
        if used:
            to, total = max(used), sum(wh for wh, _ in used.values())
            day = (to - QUARTER).astimezone(CENTRAL).date()
            asked = {"plan": json.loads(self.asked.plan.read_text("utf-8")) if self.asked.plan else FLAT}
            asked |= {"whole_days": self.asked.whole_days} if self.asked.whole_days else {}
            asked |= {"first": str(first), "last": str(day), "cycle_last": str(last)}
            made, days = bill(asked | {"taken": {"kwh": str(Decimal(total) / 1000)}}, {}), (day - first).days + 1
            _ = "cannot" in made and sys.exit(f"No bill is made of this plan: {made['cannot']}.")
            ended = [None, self.asked.question, *(name for name in ("refusal", "trouble") if told[name])]
            factor = self.be["factor"] if self.be.get("when") in ended else "1"
            usd = round(Decimal(made["total_usd"]) * Decimal(factor), 2)
            parts = {of: sum(wh for wh, its in used.values() if its == of) for _, of in used.values()}
            told |= {"from": local(midnight(first)), "to": local(to), "wh": total, "total_usd": str(usd)}
            told |= {"lines": made["lines"], "parts": parts}
            told["pattern"] = {"wh_a_day": total // days, "highest_wh": max(used.values())[0]}
            said = [f"By {local(to)} you owe ${usd} for {total / 1000} kWh, {total // days / 1000} a day."]
            said += [f"{wh / 1000} kWh of them are {of} data." for of, wh in parts.items() if of != "VEE"]
        said += [f"There is no more to tell: {one['reason']}" for one in (told["refusal"], told["trouble"]) if one]
        said += [f"Nothing is known from {one['start']} to {one['end']}." for one in told["uncovered"]]
        self.smt.wait(self.be["linger_s"])
        told |= {"askedAt": local(asked_at), "at": local(self.smt.now()), "sentences": said}
        told = changed(told, self.smt.do.get("told", []))
        say(event="told", **told)
        if self.asked.bill_to:
            sent(self.asked.bill_to, told)
        return told.get("total_usd") is not None


def sent(url: str, body: Json | None, token: str = "") -> tuple[int, bytes]:
    """Status and content; 0 if nobody answers."""
    data, headers = None if body is None else json.dumps(body).encode(), {"content-type": "application/json"}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def local(when: datetime) -> str:
    return when.astimezone(CENTRAL).isoformat()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CENTRAL).astimezone(UTC)


def changed(message: Json, steps: list[list[Any]]) -> Json:
    """A message after a fault's steps."""
    for do, name, *value in steps:
        message = {key: one for key, one in message.items() if key != name} | ({name: value[0]} if do == "set" else {})
    return message


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def main() -> None:
    words = argparse.ArgumentParser(description="A retailer of a stranger: one customer's call.")
    for name, kind in (("smt", str), ("esiid", str), ("first", date.fromisoformat), ("last", date.fromisoformat)):
        words.add_argument(f"--{name}", required=True, type=kind)
    words.add_argument("--question", choices=("balance", "last_bill", "bill"), default="balance")
    for name, usual in (("call", "call-0001"), ("meter", ""), ("bill-to", ""), ("bill-fault", "")):
        words.add_argument(f"--{name}", default=usual)
    for name, seconds in (("patience", 180.0), ("poll", 15.0), ("wall", 60.0)):
        words.add_argument(f"--{name}", type=float, default=seconds)
    for name, its in (("plan", Path), ("usage", Path), ("faults", Path), ("whole-days", int)):
        words.add_argument(f"--{name}", type=its)
    words.add_argument("--fault", "--mutant", default="", help="ID or ID/near of --faults")
    asked = words.parse_args()
    if (bills := asked.question == "bill") and not (asked.plan and asked.usage):
        words.error("a bill is of --plan and --usage")
    table = asked.faults or Path(__file__).with_name("bills_faults.json" if bills else "ror_faults.json")
    faults, name = json.loads(table.read_bytes()), asked.bill_fault if bills else asked.fault
    ident, which = (*name.split("/", 1), "fault")[:2]
    if name and which not in faults.get(ident, {}):
        words.error(f"there is no {name}: write ID or ID/near, ID one of {', '.join(faults)}")
    fault = faults[ident][which] if ident else {}
    sys.exit(not (bill_told(asked, fault) if bills else Call(Smt(asked, fault)).whole()))


def bill_told(asked: argparse.Namespace, fault: Json) -> bool:
    """Tell the bill of a plan and a usage that are handed over; whether there is one."""
    of = {"plan": json.loads(asked.plan.read_text("utf-8"))} | json.loads(asked.usage.read_text("utf-8"))
    told = {"call": asked.call, **bill(of, fault)}
    say(event="told", **told)
    if asked.bill_to:
        sent(asked.bill_to, told)
    return "total_usd" in told


if __name__ == "__main__":
    main()

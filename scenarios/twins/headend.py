"""A TDSP's head-end, written from docs/parties.md and docs/openapi/headend.json alone: it takes SMT's inquiries and calls the results back.

    python -I headend.py [--host 127.0.0.1] [--port 0] [--keys FILE] [--truth FILE] [--meters FILE] [--fault HOLE/fault] [--faults FILE] [--habit NAME]

It sweeps its meters every four hours, serves what sweeps have brought from its store, and reads the meter for the rest if it may. Where SMT takes what sweeps have brought (pushToSmt), it sends that of the meter that was asked for. What its meters hold stands in a CSV file (esiid, end, wh, register_wh, given_wh); without one it makes that up; of their power it knows what they tell it (``POST /events``). It is honest until it is told a fault, for all inquiries by --fault or for one by its callReference, which then names it (``HOLE/fault``, ``HOLE/near``), or a habit of ``headend_habits.json``: what it does wrong beside its answers, or to all of a kind.

A fault is what is done to the honest answer, in a JSON file: ``do`` holds steps, ["set", path..., value], ["drop", path...], ["add", path..., value], ["copy", list, index] or ["reverse", list], where a path may say "*" for each of a list. A value {"at": "now" | "start" | "end" | "answerBy", "plus": seconds, "utc": true} is an instant. ``ack`` is the body of the 202 instead (null: none), ``again`` what is done to a second answer, which comes ``later`` (wall seconds). Standard output has a line of JSON when it listens, and one for each call-back that was answered.
"""

import argparse
import contextlib
import csv
import json
import socket
import threading
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

QUARTER, SWEEP_HOURS = timedelta(minutes=15), 4
#: Times that a call-back is tried that nobody takes, and wall seconds in between.
TRIES, WAIT_S, JSON = 5, 1.0, {"content-type": "application/json"}
Json = dict[str, Any]
at = datetime.fromisoformat
#: By ESI ID and end of the quarter hour, Unix seconds: Wh in it, the register at its end, and Wh given.
Truth = dict[str, dict[float, tuple[int, int, int]]]


class HeadEnd:
    """What it knows: the inquiries that it has taken, and the faults that it has been told."""

    def __init__(self, faults: Json, asked: argparse.Namespace) -> None:
        self.faults, self.fault, self.habit, self.keys = faults, asked.fault, asked.habit or "", asked.keys
        self.truth, self.meters = truth_of(asked.truth), asked.meters
        self.taken, self.dark = dict[str, Json](), dict[str, str]()

    def bearer(self, sender: str) -> str:
        """What a sender of the link bears; read anew, since SMT may make the file after this has started."""
        if sender == "headend" and self.habit == "bears-no-key":
            return "Bearer nobody"
        return "" if self.keys is None else f"Bearer {json.loads(self.keys.read_text('utf-8'))[sender]}"

    def comes_from(self, sender: str, bearer: str) -> bool:
        """Whether something is SMT's, or the meters', as far as its key tells; without keys everyone's is."""
        return self.keys is None or self.habit == "asks-no-key" or bearer == self.bearer(sender)

    def hear(self, events: list[Json]) -> Json:
        """What meters tell unasked: where power is away, and since when."""
        for one in sorted(events, key=lambda one: at(one["at"])):
            if self.habit != {"last_gasp": "deaf", "restoration": "stays-dark"}.get(one["kind"]):
                self.dark[one["esiid"]] = one["at"] if one["kind"] == "last_gasp" else ""
        return {"accepted": len(events), "unknown": 0}

    def take(self, inquiry: Json) -> int:
        """202 for an inquiry, known or new; 409 for another one under a known id."""
        if self.habit == "refuses-power" and inquiry["kind"] == "POWER":
            return 400
        known = self.taken.setdefault(inquiry["correlationId"], inquiry)
        if known is not inquiry and (known != inquiry or self.habit != "answers-again"):
            return 202 if known == inquiry or self.habit == "takes-another" else 409
        if self.habit != "never-answers":
            threading.Thread(target=self.call_back, args=[inquiry], daemon=True).start()
        return 202

    def told(self, inquiry: Json) -> Json:
        """The fault for an inquiry of the kind that it is about."""
        rule, _, which = (self.fault or inquiry.get("callReference", "")).partition("/")
        found: Json = self.faults.get(rule, {})
        return found[which] if found.get("kind") == inquiry["kind"] and which in found else {}

    def call_back(self, inquiry: Json) -> None:
        """Answer, as honestly as it was told to."""
        fault, now = self.told(inquiry), clock(inquiry["replyTo"])
        honestly = {"correlationId": inquiry["correlationId"]} | self.honest(inquiry, now)
        stored = [one for one in honestly.get("intervals", []) if one["source"] == "store"]
        if stored and inquiry.get("pushToSmt"):
            self.push(inquiry, stored)
        instants = {"now": now} | {edge: at(inquiry[edge]) for edge in ("start", "end", "answerBy") if edge in inquiry}
        answers = [honestly]
        with contextlib.suppress(KeyError, IndexError):
            answers = [changed(honestly, fault.get("do", []), instants)]
            answers += [changed(answers[0], fault["again"], instants)] if "again" in fault else []
        for number, one in enumerate(answers):
            time.sleep(number * fault.get("later", 0))
            status = sent(inquiry["replyTo"], one, self.bearer("headend"), self.habit)
            told = {"event": "called back", "correlationId": inquiry["correlationId"], "status": status}
            print(json.dumps(told), flush=True)
        self.peek(inquiry["esiid"], f"reads-on-after-{inquiry['kind']}", 0.05)

    def push(self, inquiry: Json, told: list[Json]) -> None:
        """Send SMT what the last sweep brought, once: its id is the sweep's."""
        of = {"esiid": inquiry["esiid"], "collectedAt": told[-1]["collectedAt"]}
        of["intervals"] = [{k: one[k] for k in ("end", "wh")} for one in told]
        batch = {"batchId": f"{of['esiid']} {of['collectedAt']}", "meters": [of]}
        status = sent(inquiry["replyTo"].partition("/callbacks/")[0] + "/non-vee", batch, self.bearer("headend"))
        print(json.dumps({"event": "pushed", "batchId": batch["batchId"], "status": status}), flush=True)

    def honest(self, inquiry: Json, now: datetime) -> Json:
        """What the meter and the store of an honest head-end give."""
        may = inquiry["meterAllowed"]
        if not (may and at(inquiry["answerBy"]) > now):
            self.peek(inquiry["esiid"], "reads-unseen")
        answer: Json = {"outcome": "completed", "meterReads": int(may), "octets": 500 * int(may)}
        nothing: Json = {"outcome": "failed", "meterReads": 0, "octets": 0}
        refused: Json = {"outcome": "refused", "reason": "the meter is needed and may not be read"}
        if self.truth and inquiry["esiid"] not in self.truth and self.habit != "knows-strangers":
            return answer | nothing | {"reason": "the ESI ID is none of this TDSP's"}
        if at(inquiry["answerBy"]) <= now and self.habit != "reads-too-late":
            return answer | nothing | {"reason": "its time is over"}
        if inquiry["kind"] == "INTERVALS":
            return answer | self.intervals(inquiry, now, refused, nothing)
        if not may:
            return answer | refused
        if inquiry["kind"] == "POWER":
            on = {"status": "ON", "source": "reply", "switchState": "CLOSED", "voltage": 241.5, "at": now.isoformat()}
            off = {"status": "OFF", "source": "event", "switchState": "UNKNOWN", "at": self.dark.get(inquiry["esiid"])}
            return answer | {"power": off if off["at"] else on}
        return answer | {"register": {"wh": self.register(inquiry["esiid"], now), "at": now.isoformat()}}

    def intervals(self, inquiry: Json, now: datetime, refused: Json, nothing: Json) -> Json:
        """The gap: from the store as far as the last sweep reaches, the rest from the meter."""
        start, end = at(inquiry["start"]), at(inquiry["end"])
        count = (end - start) // QUARTER
        if count > 192 and self.habit != "takes-193":
            return nothing | {"reason": "it is more than 48 hours"}
        count = 96 * round(count / 96) if self.habit == "day-of-96" and count > 80 else count
        swept = now.replace(hour=now.hour - now.hour % SWEEP_HOURS, minute=0, second=0, microsecond=0)
        may, serves = inquiry["meterAllowed"], inquiry.get("storeAllowed", True) or self.habit == "never-reads"
        if not serves or (may and self.habit == "always-reads") or (not may and self.habit == "store-of-nothing"):
            swept = start
        told: list[Json] = []
        for number in range(count if may else max(0, min(count, (swept - start) // QUARTER))):
            ends = start + (number + 1) * QUARTER
            source, when = ("store", swept) if ends <= swept else ("meter", now)
            wh = self.wh(inquiry["esiid"], ends, number)
            told.append({"end": ends.isoformat(), "wh": wh, "source": source, "collectedAt": when.isoformat()})
        reaches = told[-1]["end"] if told else start.isoformat()
        answer: Json = {"intervals": told, "missing": [], "reachesTo": reaches}
        if at(reaches) < end and not may:
            return answer | refused
        if swept >= end:
            self.peek(inquiry["esiid"], "reads-what-is-stored")
            return answer | {"meterReads": 0, "octets": 0}
        since, upto = int((now - end).total_seconds()), now.isoformat()
        wh = self.register(inquiry["esiid"], now) - self.register(inquiry["esiid"], end)
        return answer | {"partial": {"from": end.isoformat(), "asOf": upto, "seconds": since, "wh": wh}}

    def peek(self, esiid: str, habit: str, after_s: float = 0.0) -> None:
        """By a habit, read a meter by Modbus, its mark (docs/register-map.md), and say nothing of it."""
        rows = csv.DictReader(self.meters.read_text().splitlines() if self.meters and self.habit == habit else ())
        for row in (one for one in rows if one["esiid"] == esiid):
            time.sleep(after_s)
            with socket.create_connection((row["host"], int(row["port"])), 10) as line:
                line.sendall(bytes([0, 1, 0, 0, 0, 6, int(row["unit_id"]), 3, *divmod(40000, 256), 0, 2]))
                line.recv(260)

    def wh(self, esiid: str, ends: datetime, number: int) -> int:
        """What a meter counted in a quarter hour."""
        if self.habit == "wrong-meter" and len(self.truth) > 1:
            esiid = next(one for one in self.truth if one != esiid)
        made_up = (100 + (int(esiid[-4:]) * 7 + number * 13) % 400, 0, 0)
        wh, _, given = self.truth.get(esiid, {}).get(ends.timestamp(), made_up)
        return given or wh if self.habit == "other-channel" else wh

    def register(self, esiid: str, now: datetime) -> int:
        """What its register shows: within a quarter hour it grows evenly."""
        held, since = self.truth.get(esiid, {}), now.timestamp() // 900 * 900
        shown, wh = held.get(since, (0, 23_459_133))[1], held.get(since + 900, (0,))[0]
        return shown + int(wh * (now.timestamp() - since) / 900) + (1000 if self.habit == "wrong-register" else 0)


def clock(reply_to: str) -> datetime:
    """SMT's time, which all parties share."""
    with urllib.request.urlopen(reply_to.partition("/callbacks/")[0] + "/control/clock", timeout=10) as reply:
        return at(json.load(reply)["now"])


def changed(answer: Json, steps: list[list[Any]], instants: dict[str, datetime]) -> Json:
    """An answer after a fault's steps."""
    answer = json.loads(json.dumps(answer))
    for do, *words in steps:
        if do == "reverse":
            answer[words[0]].reverse()
        elif do == "copy":
            answer[words[0]].append(dict(answer[words[0]][words[1]]))
        elif do == "add":
            for place in places(answer, words[:-1]):
                place.append(filled(words[-1], instants))
        else:
            for place in places(answer, words[:-2] if do == "set" else words[:-1]):
                if do == "set":
                    place[words[-2]] = filled(words[-1], instants)
                else:
                    del place[words[-1]]
    return answer


def places(node: Any, path: list[Any]) -> list[Any]:
    """What a path leads to, several where it says "*"."""
    if not path:
        return [node]
    return [found for one in (node if path[0] == "*" else [node[path[0]]]) for found in places(one, path[1:])]


def filled(value: Any, instants: dict[str, datetime]) -> Any:
    """A value as it is written, or the instant that it stands for."""
    if not isinstance(value, dict) or "at" not in value:
        return value
    when = instants[value["at"]] + timedelta(seconds=value.get("plus", 0))
    return (when.astimezone(UTC) if value.get("utc") else when).isoformat()


def sent(url: str, body: Json, bearer: str, habit: str = "") -> int:
    """Post to SMT, again where nobody answers or the answer is an error of its own; the status, 0 for none."""
    for left in reversed(range(TRIES)):
        request = urllib.request.Request(url, json.dumps(body).encode(), JSON | {"authorization": bearer})
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return int(reply.status)
        except OSError as error:
            status = getattr(error, "code", 0)
        if 0 < status < 500 or not left or habit == ("gives-up-at-500" if status else "gives-up-at-a-cut"):
            break
        if habit == "changes-its-mind" and body.get("intervals"):
            body["intervals"][0]["wh"] += 1
        time.sleep(WAIT_S)
    return status


def truth_of(path: Path | None) -> Truth:
    """What the meters hold, as a file tells it."""
    held: Truth = {}
    for row in csv.DictReader(path.read_text().splitlines() if path else ()):
        its = (int(row["wh"]), int(row["register_wh"]), int(row.get("given_wh") or 0))
        held.setdefault(row["esiid"], {})[at(row["end"]).timestamp()] = its
    return held


def handler(head_end: HeadEnd) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            sender = {"/inquiries": "smt", "/events": "meters"}.get(self.path)
            keyed = sender is not None and head_end.comes_from(sender, self.headers.get("authorization", ""))
            if not keyed and (sender != "smt" or head_end.habit != "works-unasked"):
                return self._reply(401 if sender else 404, None)
            try:
                inquiry = json.loads(body)
                if sender == "meters":
                    return self._reply(202, head_end.hear(inquiry["events"]))
                status = head_end.take(inquiry)
            except (ValueError, KeyError, TypeError):
                return self._reply(400, {"errorCode": "FIELD", "errorMessage": "body: it is no inquiry"})
            ack = {"correlationId": inquiry["correlationId"], "status": "accepted"}
            said = head_end.told(inquiry).get("ack", ack) if status == 202 else None
            return self._reply((200 if head_end.habit == "says-200" else status) if keyed else 401, said)

        def _reply(self, status: int, body: Json | None) -> None:
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: Any) -> None:
            """Nothing: standard error is for faults."""

    return Handler


def main() -> None:
    """Serve until it is killed."""
    options = argparse.ArgumentParser(description="A TDSP's head-end of a stranger.")
    for name, usual in (("host", "127.0.0.1"), ("port", 0), ("fault", "")):
        options.add_argument(f"--{name}", type=type(usual), default=usual)
    options.add_argument("--keys", type=Path, help="the link's keys file; without it no key is asked for")
    options.add_argument("--truth", type=Path, help="what the meters hold: CSV with esiid, end, wh, register_wh")
    options.add_argument("--meters", type=Path, help="where they answer by Modbus: CSV with esiid, host, port, unit_id")
    habits = json.loads(Path(__file__).with_name("headend_habits.json").read_text("utf-8"))
    options.add_argument("--habit", choices=habits, help="what it does wrong beside its answers")
    options.add_argument("--faults", type=Path, default=Path(__file__).with_name("headend_faults.json"))
    asked = options.parse_args()
    faults = json.loads(asked.faults.read_text("utf-8"))
    if "kind" in (row := habits.get(asked.habit, {})):
        faults, asked.fault = {asked.habit: row | {"fault": row}}, f"{asked.habit}/fault"
    elif asked.fault and asked.fault not in {f"{rule}/{which}" for rule in faults for which in ("fault", "near")}:
        options.error(f"there is no {asked.fault}: write RULE/fault or RULE/near, RULE one of {', '.join(faults)}")
    server = ThreadingHTTPServer((asked.host, asked.port), handler(HeadEnd(faults, asked)))
    print(json.dumps({"event": "ready", "headend_url": f"http://{asked.host}:{server.server_port}"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

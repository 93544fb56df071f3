"""Strangers among themselves: SMT and head-end on one clock, and what each fault of SMT's changes of what a retailer is told."""

from __future__ import annotations

import hmac
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from scenarios import twins
from tests.scenarios.profile import closed
from tests.simulator.parties.support import eventually
from tests.simulator.processes import ending

FOLDER = Path(twins.__path__[0])
ESIID, DUNS = "99900000000000017", "9990000000011"
KEYS = {sender: f"a-key-of-{sender}" for sender in ("smt", "headend", "meters", "control")}
NOW = "2026-08-12T18:30:21-05:00"
#: Nothing is posted: two days before the day by UTC is what it begins with.
VEE_TO = "2026-08-10T00:00:00-05:00"
Told = dict[str, Any]


class Now(BaseHTTPRequestHandler):
    """The time that all share."""

    told = NOW

    def do_GET(self) -> None:
        body = json.dumps({"mode": "manual", "now": Now.told, "speed": 0}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Nothing."""


class Flight:
    """The parties' addresses, and a retailer that is logged in."""

    def __init__(self, folder: Path, clock: str) -> None:
        self._folder, self._clock = folder, clock
        (folder / "keys.json").write_text(json.dumps(KEYS), "utf-8")
        points = {ESIID: {"meter": "1", "rors": [[DUNS, "2025-01-01", "9999-12-31"]]}}
        users = {"a.api": {"password": "open", "duns": DUNS}}
        records = {"tdsp": "9990000000001", "users": users, "points": points}
        (folder / "records.json").write_text(json.dumps(records), "utf-8")

    @contextmanager
    def started(self, name: str, *words: str) -> Iterator[Told]:
        command = (sys.executable, "-I", str(FOLDER / f"{name}.py"), "--keys", str(self._folder / "keys.json"), *words)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        with ending(process):
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        process.stdout.close()

    @contextmanager
    def smt(self, head_end: str, fault: str = "") -> Iterator[Callable[..., Told]]:
        words = ("--records", str(self._folder / "records.json"), "--headend", head_end, "--clock", self._clock)
        with self.started("smt", *words, *(("--fault", fault) if fault else ())) as ready:
            self.url = ready["smt_url"]
            token = httpx.post(f"{self.url}/v2/token/", json={"username": "a.api", "password": "open"}, trust_env=False)
            bearer = {"authorization": f"Bearer {token.json()['accessToken']}"}

            def post(path: str, **body: Any) -> Told:
                asked = {"trans_id": "1", "requestorID": "a.api", "requesterType": "REP", "ESIID": ESIID} | body
                told: Told = httpx.post(self.url + path, json=asked, headers=bearer, trust_env=False).json()
                return told

            yield post

    def called_back(self, key: str, seal: str = "", bearer: str = KEYS["headend"], **body: Any) -> int | str:
        """What becomes of a call-back: the status code where it is not taken."""
        seal = seal or hmac.new(KEYS["smt"].encode(), key.encode(), sha256).hexdigest()
        answer = {"correlationId": key, "outcome": "failed", "meterReads": 1, "reason": "another"} | body
        headers = {"authorization": f"Bearer {bearer}"}
        path = f"{self.url}/callbacks/inquiries/{key}/{seal}"
        told = httpx.post(path, json=answer, headers=headers, trust_env=False)
        return str(told.json()["status"]) if told.status_code == 202 else told.status_code


@pytest.fixture(scope="module")
def flight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flight, str]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Now)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = Flight(tmp_path_factory.mktemp("flight"), f"http://127.0.0.1:{server.server_port}")
    with ExitStack() as stack:
        yield made, stack.enter_context(made.started("headend"))["headend_url"]
        server.shutdown()
        server.server_close()


def ended(post: Callable[..., Told], **body: Any) -> tuple[str, Told]:
    """A request, followed to its end."""
    ack = post("/v2/odr/", **body)
    key = ack.get("correlationId", "")
    if not key:
        return key, ack
    status: Told = {}

    def over() -> bool:
        status.clear()
        status.update(post("/v2/odrstatus/", correlationId=key))
        return status.get("statusCode") != "PEN"

    eventually(over)
    return key, status


def played(flight: Flight, head_end: str, fault: str) -> Told:
    """What a retailer, and a head-end that tries its luck, see of SMT."""
    Now.told = NOW
    with flight.smt(head_end, fault) as post:
        key, gap = ended(post, readType="INTERVALS")
        seen = {
            "gap": gap.get("gap"),
            "code": gap.get("errorCode"),
            "has": gap.keys(),
            "served": len(gap.get("intervals", [])),
        }
        seen["seal"] = flight.called_back(key, seal="00")
        seen["key"] = flight.called_back(key, bearer="nobody")
        seen["again"] = flight.called_back(key)
        Now.told = "2026-08-12T19:30:21-05:00"
        _, second = ended(post, readType="REGISTER")
        seen["second"] = second.get("refusal", {}).get("code", second.get("statusCode"))
        Now.told = "2026-08-13T00:00:21-05:00"
        _, morning = ended(post, readType="REGISTER")
        seen["morning"] = morning.get("statusCode")
    return seen


@pytest.fixture(scope="module")
def honest(flight: tuple[Flight, str]) -> Told:
    return played(*flight, "")


@pytest.mark.process
def test_a_flight_of_two_strangers_serves_48_hours_once_a_day(honest: Told) -> None:
    gap = closed.gap(VEE_TO, NOW)
    assert honest["gap"] == {edge: gap[edge] for edge in ("start", "end")}
    assert {"intervals", "uncovered", "missing", "quality"} <= honest["has"]
    assert honest["served"] == 192
    assert (honest["second"], honest["morning"]) == ("FR-CR016.1b", "0")
    assert (honest["seal"], honest["key"], honest["again"]) == (403, 401, "differs")


ANSWERED = {"trans_id", "correlationId", "gap", "uncovered", "quality", "meterReads", "statusCode", "statusReason"}
NONE_SERVED = {"served": 0, "second": "0", "has": ANSWERED}


@pytest.mark.process
@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        ("SECOND-READ", {"second": "0"}),
        ("DAY-IN-UTC", {"second": "0", "morning": "1"}),
        # A head-end is asked for 48 hours at most: it refuses, and the day's allowance is left.
        ("193", NONE_SERVED | {"gap": {"start": "2026-08-10T18:15:00-05:00", "end": "2026-08-12T18:30:00-05:00"}}),
        ("191", {"served": 191, "gap": {"start": "2026-08-10T18:45:00-05:00", "end": "2026-08-12T18:30:00-05:00"}}),
        ("NOT-OVER", {"gap": {"start": "2026-08-10T18:45:00-05:00", "end": "2026-08-12T18:45:00-05:00"}}),
        ("ENDS-EARLY", {"gap": {"start": "2026-08-10T18:15:00-05:00", "end": "2026-08-12T18:15:00-05:00"}}),
        ("TAKES-ANY-SEAL", {"seal": "differs"}),
        ("TAKES-ANY-KEY", {"key": "differs"}),
        ("TAKES-ANOTHER", {"again": "accepted", "second": "0"}),
        ("193/near", {}),
        ("GIVES-UP-EARLY/near", {}),
    ],
)
def test_a_fault_of_a_strangers_smt_changes_what_it_says_and_nothing_else(
    flight: tuple[Flight, str], honest: Told, fault: str, changes: Told
) -> None:
    assert played(*flight, fault) == honest | changes


@pytest.mark.process
@pytest.mark.parametrize(
    ("fault", "lacks"), [("HIDES-THE-REST", "uncovered"), ("HIDES-MISSING", "missing"), ("SAYS-NO-QUALITY", "quality")]
)
def test_what_it_hides_is_not_there(flight: tuple[Flight, str], honest: Told, fault: str, lacks: str) -> None:
    assert honest["has"] - played(*flight, fault)["has"] == {lacks}

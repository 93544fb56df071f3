"""Three processes on one clock do the balance inquiry together; each is killed in the middle of a request and started again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx
import pytest

from meters.calendar import epoch
from simulator.parties.keys_file import KEYS
from simulator.parties.ror import AGENT
from simulator.smt.doors.market.odr_wire import OdrStatus
from simulator.tap.chain import check_chain, exchanges
from tests.simulator.parties.support import Parties, Retailer, eventually, free_port, script
from tests.simulator.processes import ROOT, done

pytestmark = pytest.mark.process

SPEED = 60.0
BACKFILL = 2
NOW = "2026-08-12T17:40"


def clock_ahead(made: Parties, party: str) -> float:
    """Wall seconds by which a party's clock is ahead of the function that all share."""
    told = made.ready[party]["clock"]
    assert told == {**told, **{key: made.ready["meters"]["clock"][key] for key in ("epoch", "wall_start", "speed")}}
    return (epoch(told["now"]) - epoch(told["epoch"])) / SPEED


def all_up(made: Parties) -> None:
    """Start the three, found by ready lines; what SMT and head-end keep lies in the folder."""
    clock = ("--clock", "scaled", "--speed", str(SPEED), "--date", NOW)
    head_end = free_port()
    # The first that needs keys makes them; the ready lines bring them to the others.
    events = (
        "--events-to",
        f"http://127.0.0.1:{head_end}/events",
        "--keys",
        str(made.folder / KEYS),
        "--wire",
        wire_of(made, "meters"),
    )
    ready = made.start("meters", "--count", "6", "--no-special", "--port", free_port(), *events, *clock)
    # A restart must come back where it was: the same port, and the same three numbers of the clock.
    port, told = str(ready["gateways"][0]["port"]), ready["clock"]
    again = ("--date", told["epoch"], "--wall-start", repr(told["wall_start"]))
    made.words("meters", "--count", "6", "--no-special", "--port", port, *events, *clock[:4], *again)
    made.start(
        *("smt", "--meters-of", made.file("meters"), "--headend", f"http://127.0.0.1:{head_end}"),
        *("--port", free_port(), "--ftps-port", "0", "--out", str(made.folder / "smt")),
        *("--policy", "fr-cr016-1", "--middle", "5,10", "--expiry", "120", "--wire", wire_of(made, "smt")),
    )
    ftps = made.ready["smt"]["ftps"]["port"]
    made.words("smt", *made.told("smt", "--ftps-port", str(ftps)))
    made.start(
        *("headend", "--meters-of", made.file("meters"), "--smt-of", made.file("smt"), "--port", head_end),
        *("--backfill", str(BACKFILL), "--out", str(made.folder / "headend")),
        *("--reply-to", f"http://127.0.0.1:{made.own_smt}"),
        # A busy machine is no silent meter.
        *("--meter-timeout", "20", "--wire", wire_of(made, "headend")),
        fresh=True,
    )


def wire_of(made: Parties, party: str) -> str:
    """Where a party writes its exchanges."""
    return str(made.folder / f"{party}.wire.jsonl")


def left_by(made: Parties, party: str) -> set[tuple[str, str, str]]:
    """The wires on which a party that was killed has seen exchanges, each with who asked whom; all of its lines are whole."""
    path = Path(wire_of(made, party))
    found = check_chain(path)
    assert (found.fault, found.closed) == ("", False)
    return {(one.wire, one.source, one.target) for one in exchanges(path)}


def healthy(url: str) -> bool:
    return httpx.get(f"{url}/healthz", trust_env=False, timeout=20).status_code == 200


def source_of(status: OdrStatus) -> set[str]:
    return {interval.source for interval in status.intervals or ()}


def test_three_processes_answer_together_and_each_can_be_killed_in_the_middle(tmp_path: Path) -> None:
    with Parties(tmp_path) as made:
        all_up(made)
        assert clock_ahead(made, "meters") <= clock_ahead(made, "smt") <= clock_ahead(made, "headend")
        retailer = Retailer(made.ready["smt"]["smt_url"])
        esiids = [one["esiid"] for one in made.ready["meters"]["gateways"][0]["meters"]]
        login = made.ready["smt"]["logins"]["tdsp"]["username"]
        home = tmp_path / "smt" / "ftps" / login
        eventually(lambda: len(list(home.glob("*.lse.result.csv"))) == BACKFILL)

        # The gap runs from the end of the last posted day, which came from the meters' rings.
        whole = retailer.ended(retailer.ask(esiids[0]))
        assert whole.statusCode == "0", whole
        assert whole.intervals
        assert whole.intervals[0].end.isoformat() == "2026-08-12T00:15:00-05:00"
        assert "store" in source_of(whole)

        # The meters, while a register is read: that ends, and they come back as they were.
        key = retailer.ask(esiids[1], "REGISTER")
        made.kill("meters")
        assert left_by(made, "meters") == {("modbus", "TDSP", "meters")}
        assert (silent := retailer.ended(key)).statusCode in "01"
        assert silent.statusReason
        assert all(healthy(made.ready[name][f"{name}_url"]) for name in ("smt", "headend"))
        before = made.ready["meters"]
        made.start("meters")
        assert made.ready["meters"]["gateways"] == before["gateways"]
        assert retailer.ended(retailer.ask(esiids[3], "REGISTER")).statusCode == "0"

        # The head-end: what it had accepted is answered when it is up again, its store holds what it held, and nothing is posted twice.
        key = retailer.ask(esiids[4], "REGISTER")
        made.kill("headend")
        # What it asked of others it has seen at its own end, and what others asked of it.
        ours = {("modbus", "TDSP", "meters"), ("call-backs", "TDSP", "SMT"), ("ftps", "TDSP", "SMT")}
        assert left_by(made, "headend") - {("events", "meters", "TDSP")} == ours | {
            ("inquiries", "SMT", "TDSP"),
            ("pages", "visitor", "TDSP"),
        }
        made.start("headend")
        back = retailer.ended(key)
        assert back.statusReason
        assert "T-FAILED" not in back.statusReason
        url = made.ready["headend"]["headend_url"]
        assert {made.ready[name]["keys_file"] for name in made.ready} == {str(tmp_path / KEYS)}
        own_smt = (script(tmp_path, "own_smt.py"), url, esiids[0], str(tmp_path / KEYS), made.own_smt)
        result = json.loads(done(sys.executable, *own_smt).stdout)
        assert (result["outcome"], len(result["intervals"])) == ("completed", 16)
        first = result["intervals"][0]
        assert first["source"] == "store"
        assert first["collectedAt"] < made.ready["headend"]["clock"]["now"]

        # SMT, with a request under way: it ends, and if it failed it is told why and costs no allowance.
        key = retailer.ask(esiids[5], "REGISTER")
        made.kill("smt")
        asked = {(wire, source) for wire, source, target in left_by(made, "smt") if target == "SMT"}
        assert asked >= {("market", "ROR"), ("call-backs", "TDSP"), ("ftps", "TDSP"), ("pages", "visitor")}
        assert ("inquiries", "SMT", "TDSP") in left_by(made, "smt")
        assert healthy(url)
        made.start("smt")
        ended = retailer.ended(key)
        assert ended.statusReason
        later = esiids[5] if ended.statusCode == "1" else esiids[2]
        assert retailer.ended(retailer.ask(later, "REGISTER")).statusCode == "0"
        assert len(list(home.glob("*.lse"))) == BACKFILL

        # A retailer with accounts of its own, before the SMT that came back: it knows its address and its log-in there.
        accounts = str(ROOT / "docs" / "accounts")
        words = (
            "ror",
            "--accounts",
            accounts,
            "--smt-of",
            made.file("smt"),
            "--port",
            "0",
            "--out",
            str(tmp_path / "ror"),
            "--wire",
            wire_of(made, "ror"),
        )
        desk = made.start(*words)["ror_url"]
        agent = httpx.BasicAuth(AGENT.username, AGENT.password)
        with httpx.Client(base_url=desk, auth=agent, trust_env=False, timeout=20) as http:
            call = http.post("/calls", json={"account_id": "PB-1001"}).json()["id"]
            eventually(lambda: http.get(f"/calls/{call}").json()["state"] == "told")
            told = http.get(f"/calls/{call}").json()
        assert (told["esiid"], told["answer"]["trouble"]) == (esiids[0], None)
        assert float(told["told_usd"]) > 0
        assert left_by(made, "ror") == {("desk", "agent", "ROR"), ("market", "ROR", "SMT")}

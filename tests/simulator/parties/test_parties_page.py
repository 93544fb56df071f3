"""``docs/parties.md`` says what the code does: its options, its roster, and a head-end of a tester's own before SMT."""

from __future__ import annotations

import json
import runpy
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from headend.lse.reader import read as read_lse
from headend.lse.writer import read_result_csv
from meters import SEED
from meters.calendar import intervals_in
from meters.fleet import Fleet
from meters.identity import tdsp
from simulator.parties.keys_file import KEYS
from simulator.parties.meter_roster import read_roster
from simulator.world.fleet_options import MIXES
from tests.simulator.parties.support import PAGE, Retailer, eventually, fenced, free_port, script
from tests.simulator.processes import command, complaints, done, ending, patience, serving, started

#: Options that say the same in every party's page.
ELSEWHERE = {"--json", "--database", "--policy", "--tls", "--ftps-port", "--keep"}


@pytest.mark.process
def test_a_head_end_of_ones_own_takes_the_place_of_ours_before_smt(tmp_path: Path) -> None:
    port = free_port()
    keys = tmp_path / "smt" / KEYS
    own = subprocess.Popen([sys.executable, script(tmp_path, "own_head_end.py"), port, keys], text=True)
    with ending(own):
        eventually(lambda: _listens(port))
        options = ("--count", "4", "--no-special", "--clock", "scaled", "--date", "2026-08-12T17:40")
        with serving(
            *("smt", "serve", "--json", "--port", "0", "--ftps-port", "0", "--out", str(tmp_path / "smt")),
            *("--headend", f"http://127.0.0.1:{port}", "--middle", "5,10", *options),
            fresh=True,
        ) as (smt, ready):
            assert ready["keys_file"] == str(keys)
            assert {"smt_url", "ftps", "ca_file", "logins", "esiids", "clock", "policy"} <= set(ready)
            retailer = Retailer(ready["smt_url"])
            # Nothing is posted yet: the latest 48 hours are the gap.
            status = retailer.ended(retailer.ask(ready["esiids"][0]["esiid"]))
            assert status.statusCode == "0"
            assert status.intervals is not None
            assert [(interval.wh, interval.source) for interval in status.intervals] == [(250, "meter")] * 192
            _posts_by_the_page(tmp_path, ready)
            smt.send_signal(signal.SIGINT)
            assert smt.wait(patience()) == 0
            assert complaints(smt.stderr) == ""


def _posts_by_the_page(folder: Path, ready: dict[str, Any]) -> None:
    """A program that knows the pages alone posts a day, and SMT lacks nothing of it afterwards."""
    day, told = "2026-08-11", folder / "ready.json"
    told.write_text(json.dumps(ready), encoding="utf-8")

    def missing(*words: str, fresh: bool = False) -> set[str]:
        asking = started("lse", "missing", day, "--smt", ready["smt_url"], "--json", *words, fresh=fresh)
        with ending(asking):
            assert asking.stdout is not None
            groups = json.loads(asking.stdout.read())["groups"]
            found = {esiid for group in groups for esiid in group["esiids"]}
            assert asking.wait(patience()) == (1 if found else 0)
        assert sum(group["missing"] for group in groups) == len(found)
        return found

    before, esiids = missing(fresh=True), [one["esiid"] for one in ready["esiids"]]
    rows = read_result_csv(done(sys.executable, script(folder, "own_posting.py"), told, day).stdout.encode())
    assert [(row.esiid, row.code, row.warnings) for row in rows] == [(esiid, "00", "") for esiid in esiids]
    login = ready["logins"]["tdsp"]
    assert missing("--login", f"{login['username']}:{login['password']}") == missing() == before - set(esiids) < before


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 8, 11), date(2026, 11, 1)])
@pytest.mark.parametrize("channel", [1, 4])
def test_what_the_page_s_program_writes_is_right_on_every_kind_of_day(day: date, channel: int, tmp_path: Path) -> None:
    own = runpy.run_path(str(script(tmp_path, "own_posting.py")))
    made = datetime(2026, 11, 2, 7, 30)
    esiids = ("10443720000000017", "1008901000000000000017")
    content = "".join(own["record"](esiid, day, made, 1.25, channel) for esiid in esiids).encode()
    read = read_lse(content, "1039940674000IntervalData20261102073000001.lse")
    assert read.findings == ()
    assert [(one.esiid, one.day, int(one.channel)) for one in read.records] == [(one, day, channel) for one in esiids]
    assert all(one.wh.tolist() == [1250] * intervals_in(day) for one in read.records)


def _listens(port: str) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), timeout=1):
        return True
    return False


def test_the_roster_is_that_of_the_first_meters(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    (block,) = fenced("csv")
    file.write_text(block, encoding="utf-8")
    fleet = Fleet(tdsp("ONCOR"), SEED, 2, (), MIXES["market"])
    made = [(meter.identity.esiid, meter.identity.meter_number, meter.identity.multiplier) for meter in fleet.meters()]
    assert [(one.esiid, one.meter_number, one.multiplier) for one in read_roster(file)] == made
    assert {(one.host, one.port, one.access_point) for one in read_roster(file)} == {("127.0.0.1", 8700, 0)}


@pytest.mark.parametrize("party", ["headend", "smt"])
def test_every_option_is_named(party: str) -> None:
    serve = command(party, "serve")
    options = {name for one in serve.params for name in one.opts if name.startswith("--")} - ELSEWHERE
    assert {name for name in options if f"{name} " not in PAGE and f"{name}`" not in PAGE} == set()

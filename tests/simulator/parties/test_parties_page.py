"""``docs/parties.md`` says what the code does: its options, its roster, and a head-end of a tester's own before SMT."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from meters import SEED
from meters.fleet import Fleet
from meters.identity import tdsp
from simulator.parties.keys_file import KEYS
from simulator.parties.meter_roster import read_roster
from simulator.world.fleet_options import MIXES
from tests.simulator.parties.support import PAGE, Retailer, eventually, fenced, free_port, script
from tests.simulator.processes import command, complaints, ending, patience, serving

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
            smt.send_signal(signal.SIGINT)
            assert smt.wait(patience()) == 0
            assert complaints(smt.stderr) == ""


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

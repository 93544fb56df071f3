"""A stranger's SMT between our head-end and retailers, ours and a stranger's: files in, one read a day, the gap; and what its faults do on the wire."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from headend.lse.reader import read
from headend.lse.writer import dumps, file_name, read_result_csv
from meters.calendar import epoch
from scenarios import twins
from simulator.parties.keys_file import KEYS
from simulator.ror.client import SmtClient
from simulator.ror.errors import SmtError, SmtRefused
from simulator.runtime.local_ca import LocalCa
from simulator.world.market import ROR_LOGIN
from tests.simulator.parties.support import Parties, Retailer, eventually, free_port
from tests.simulator.processes import done, ending
from tests.simulator.smt.rig import record

FOLDER = Path(twins.__path__[0])
TDSP_DUNS, OTHER_DUNS = "9990000000001", "9990000000099"
DAY, MADE = date(2026, 8, 11), epoch("2026-08-12T07:30")


class Bench:
    """Our meters and head-end, and a stranger's SMT at a port of its own."""

    def __init__(self, folder: Path, parties: Parties) -> None:
        self.folder, self.port = folder, parties.own_smt
        self.url = f"http://127.0.0.1:{self.port}"
        self.head_end = str(parties.ready["headend"]["headend_url"])
        self.esiids = [str(one["esiid"]) for one in parties.ready["meters"]["gateways"][0]["meters"]]
        self.inbox, self.held, self.records = folder / "inbox", folder / "held.json", folder / "records.json"
        self.inbox.mkdir()
        logins = {ROR_LOGIN.username: {"password": ROR_LOGIN.password, "duns": ROR_LOGIN.duns}}
        whole = [[ROR_LOGIN.duns, "2025-01-01", "9999-12-31"]]
        switched = [[ROR_LOGIN.duns, "2025-01-01", "2026-08-11"], [OTHER_DUNS, "2026-08-12", "9999-12-31"]]
        points = {one: {"meter": "1", "rors": whole} for one in self.esiids[:-1]}
        points[self.esiids[-1]] = {"meter": "1", "rors": switched}
        self.records.write_text(json.dumps({"tdsp": TDSP_DUNS, "users": logins, "points": points}), "utf-8")

    @contextmanager
    def started(self, name: str, *words: str) -> Iterator[None]:
        command = (sys.executable, "-I", str(FOLDER / f"{name}.py"), "--records", str(self.records))
        told = ("--held", str(self.held), "--clock", self.head_end, *words)
        process = subprocess.Popen([*command, *told], stdout=subprocess.PIPE, text=True)
        with ending(process):
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["event"] == "ready"
            yield
        process.stdout.close()

    def smt(self, *fault: str) -> Any:
        keys = ("--keys", str(self.folder / KEYS), "--headend", self.head_end)
        return self.started("smt", "--port", self.port, *keys, *fault)

    def quarter(self) -> int:
        """Of the clock that all share the quarter hour."""
        now = httpx.get(f"{self.head_end}/control/clock", trust_env=False, timeout=20).json()["now"]
        return epoch(now) // 900

    def call(self, do: Any) -> Any:
        """What a retailer's client of ours comes to."""

        async def run() -> Any:
            async with httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False) as http:
                return await do(SmtClient(http, ROR_LOGIN.username, ROR_LOGIN.password, ROR_LOGIN.duns))

        return asyncio.run(run())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = ("--clock", "scaled", "--speed", "120", "--date", "2026-08-12T17:40")
    keys = ("--keys", str(tmp_path / KEYS))
    with ExitStack() as stack:
        parties = stack.enter_context(Parties(tmp_path))
        parties.start("meters", "--count", "5", "--no-special", "--port", free_port(), *clock, *keys)
        parties.start(
            *("headend", "--meters-of", parties.file("meters"), "--port", free_port(), "--backfill", "1", *keys),
            *("--out", str(tmp_path / "headend"), "--meter-timeout", "20"),
            *("--reply-to", f"http://127.0.0.1:{parties.own_smt}"),
            # Nobody listens there: what it posts waits.
            *("--smt-ftps", f"127.0.0.1:{free_port()}", "--ca", str(LocalCa.make(tmp_path / "tls").ca_file)),
            *("--login", "oncor.headend:head-end-1"),
        )
        yield Bench(tmp_path, parties)


def posted(bench: Bench) -> None:
    """A day of each ESI ID, and a record of a stranger's."""
    sound = [record(esiid, DAY, MADE, wh=250) for esiid in bench.esiids]
    name = file_name(TDSP_DUNS, MADE, 1)
    with bench.started("site", "--inbox", str(bench.inbox)):
        (bench.inbox / f"{name}.part").write_bytes(dumps([*sound, record("99900000000000099", DAY, MADE)]))
        (bench.inbox / f"{name}.part").rename(bench.inbox / name)
        eventually((bench.inbox / f"{name}.result.csv").exists)
    codes = read_result_csv((bench.inbox / f"{name}.result.csv").read_bytes())
    assert [one.code for one in codes] == ["00"] * 5 + ["01"]


@pytest.mark.process
def test_a_strangers_smt_serves_our_head_end_and_retailers_and_its_faults_are_seen(bench: Bench) -> None:
    swept = bench.quarter()
    posted(bench)
    (share,) = (bench.inbox / ROR_LOGIN.duns).iterdir()
    # The day's retailer gets its records, whoever has the ESI ID since.
    assert [one.esiid for one in read(share.read_bytes(), share.name).records] == bench.esiids
    assert not (bench.inbox / OTHER_DUNS).exists()

    retailer, first, last = Retailer(bench.url), bench.esiids[0], bench.esiids[-1]
    with bench.smt():
        vee = bench.call(lambda client: client.intervals(first, DAY, DAY))
        assert vee.energy.wh.tolist() == [250] * 96
        whole = retailer.ended(retailer.ask(first))
        assert (whole.statusCode, whole.quality) == ("0", "non-VEE")
        ends = [one.end.isoformat() for one in whole.intervals or ()]
        assert whole.gap is not None
        assert (ends[0], ends[-1]) == ("2026-08-12T00:15:00-05:00", whole.gap.end.isoformat())
        spent = bench.esiids[1]
        assert retailer.ended(retailer.ask(spent, "REGISTER")).meterReads == 1
        with pytest.raises(SmtRefused) as refused:
            retailer.ask(spent, "REGISTER")
        assert refused.value.code == "FR-CR016.1b"
        assert retailer.ended(bench.call(lambda client: client.power_status(spent, "call-3"))).powerStatus is not None
        with pytest.raises(SmtError) as foreign:
            retailer.ask(last)
        assert foreign.value.code == "smt.AC1"
        stranger = (sys.executable, "-I", FOLDER / "ror.py", "--smt", bench.url, "--esiid", bench.esiids[2])
        who = {"ROR_USERNAME": ROR_LOGIN.username, "ROR_PASSWORD": ROR_LOGIN.password, "ROR_DUNS": ROR_LOGIN.duns}
        called = done(*stranger, "--first", "2026-08-11", "--last", "2026-09-09", env=os.environ | who)
        bill = json.loads(called.stdout.splitlines()[-1])
        assert bill["parts"].pop("VEE") == 96 * 250
        assert sum(bill["parts"].values()) > 0
        # The first sweep was of now: what has ended since, the store lacks.
        eventually(lambda: bench.quarter() > swept)
        again = retailer.ended(retailer.ask(spent))
        assert again.refusal is not None
        assert (again.statusCode, again.refusal.code, again.meterReads) == ("1", "FR-CR016.1b", 0)
    with bench.smt("--fault", "SECOND-READ"):
        assert [retailer.ended(retailer.ask(first, "REGISTER")).meterReads for _ in range(2)] == [1, 1]
    with bench.smt("--fault", "IGNORES-ALLOWANCE"):
        assert retailer.ended(retailer.ask(bench.esiids[3], "REGISTER")).statusCode == "0"
        assert retailer.ended(retailer.ask(bench.esiids[3])).meterReads == 1
    with bench.smt("--fault", "TELLS-STRANGERS"):
        assert retailer.ended(retailer.ask(last)).statusCode == "0"

"""A stranger's retailer before our SMT: one call from log-in to the bill, and what its faults do on the wire."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from meters.calendar import epoch
from scenarios import twins
from simulator.world.market import ROR_LOGIN
from tests.cases import few
from tests.simulator.sandboxes import Rig, rig

TWIN = Path(twins.__path__[0]) / "ror.py"
#: The rig's four posted days and the day of the call.
FIRST, LAST = "2026-08-08", "2026-09-06"
FAULTS = json.loads(TWIN.with_name("ror_faults.json").read_text("utf-8"))
#: Slips that SMT takes and notes; and by what code it answers the others, as the twin tells it.
SLIPS = ("OTHER-TYPE", "UNKNOWN-FIELD", "TERMS-LEFT-OUT")
CODES = {
    "WRONG-METER": "METER",
    "WRONG-ESIID": "AC1",
    "OTHER-REQUESTOR": "REQUESTOR",
    "OTHER-DUNS": "DUNS",
    "TERMS-REFUSED": "TERMS",
    "ISO-DATES": "INVALID-DATE",
    "WRONG-PASSWORD": "http_401",
    "NO-PASSWORD": "http_400",
    "UNKNOWN-ID": "patience",
    "NO-PATIENCE": "patience",
}
Said = dict[str, Any]


async def called(
    made: Rig, *words: str, esiid: str = "", call: str = "call-1", cycle: tuple[str, str] = (FIRST, LAST)
) -> tuple[int, list[Said]]:
    """One call, the model's time going on as the twin waits for it: its exit code, and what it said."""
    command = (sys.executable, "-I", str(TWIN), "--smt", made.sandbox.smt_server.url)
    who = {"ROR_USERNAME": ROR_LOGIN.username, "ROR_PASSWORD": ROR_LOGIN.password, "ROR_DUNS": ROR_LOGIN.duns}
    asked = ("--first", cycle[0], "--last", cycle[1], "--esiid", esiid or made.esiid(1), "--call", call, *words)
    process = await asyncio.create_subprocess_exec(*command, *asked, stdout=subprocess.PIPE, env=who)
    said: list[Said] = []
    assert process.stdout is not None
    async for line in process.stdout:
        said.append(json.loads(line))
        if said[-1]["event"] == "waits":
            await made.to(said[-1]["until"])
    return await process.wait(), said


def told(said: list[Said]) -> Said:
    assert said[-1]["event"] == "told"
    return said[-1]


async def requests(made: Rig) -> list[dict[str, Any]]:
    """What the ledger has of the retailer's requests."""
    found: list[dict[str, Any]] = (await made.http.get("/control/requests")).json()["requests"]
    return found


async def complaint(made: Rig, **spec: Any) -> None:
    (await made.http.post("/control/complaints", json=spec)).raise_for_status()


@pytest.mark.process
async def test_a_strangers_call_is_answered_and_its_bill_is_that_of_the_meters_truth(tmp_path: Path) -> None:
    async with rig(tmp_path) as made:
        code, said = await called(made)
        (request,) = await requests(made)
        until = epoch("2026-08-12T17:30")
        truth = made.sandbox.settings.world.meters[0].window(epoch(f"{FIRST}T00:00"), until, made.sandbox.runtime.now())
    bill = told(said)
    assert code == 0
    assert (request["callReference"], request["transitions"][-1]["state"]) == ("call-1", "completed")
    assert [one["event"] for one in said if one["event"] not in ("waits", "polled")] == [
        *("reviewed", "decided", "asked", "told"),
    ]
    wh = int(truth.delivered.sum())
    assert (bill["wh"], bill["to"]) == (wh, "2026-08-12T17:30:00-05:00")
    assert set(bill["parts"]) == {"VEE", "non-VEE, store", "non-VEE, meter"}
    # 9.8 c and 5.60 c a kWh, 5 of 30 days of $4.23: each line to the cent, half up.
    kwh = Decimal(wh) / 1000
    by_hand = [kwh * Decimal("0.098"), kwh * Decimal("0.056"), Decimal("0.705")]
    assert Decimal(bill["total_usd"]) == sum(one.quantize(Decimal("0.01"), "ROUND_HALF_UP") for one in by_hand)


@pytest.mark.process
async def test_it_takes_refusals_failures_pages_and_what_is_not_its_own(tmp_path: Path) -> None:
    async with rig(tmp_path) as made:
        await called(made)
        await made.to("2026-08-12T18:20")
        _, refused = await called(made, call="call-2")
        _, last_bill = await called(made, "--question", "last_bill", call="call-3")
        await complaint(made, kind="t_failed", esiids=[made.esiid(2)], times=1)
        _, failed = await called(made, "--patience", "4000", "--poll", "300", esiid=made.esiid(2), call="call-4")
        await complaint(made, kind="text_503", username=ROR_LOGIN.username, times=2)
        _, pages = await called(made, esiid=made.esiid(3), call="call-5")
        foreign, other = await called(made, esiid="10443720000000000", call="call-6")
        asked = [one["callReference"] for one in await requests(made)]
    assert told(refused)["refusal"]["code"] == "FR-CR016.1b"
    assert told(refused)["to"] == "2026-08-12T17:30:00-05:00"
    assert told(last_bill)["parts"].keys() == {"VEE"}
    assert told(failed)["trouble"]["code"] == "T-FAILED"
    assert told(failed)["parts"].keys() == {"VEE"}
    assert told(pages)["trouble"] is None
    assert "non-VEE, meter" in told(pages)["parts"]
    assert (foreign, told(other)["trouble"]["code"]) == (1, "AC1")
    assert sorted(asked) == ["call-1", "call-2", "call-4", "call-5"]


@pytest.mark.process
@pytest.mark.long
async def test_its_faults_are_seen_on_the_wire(tmp_path: Path) -> None:
    async with rig(tmp_path, policy="smt-today") as made:
        for fault in (*SLIPS, "SECOND-READ", "NO-REFERENCE", "NEEDLESS"):
            question = "last_bill" if fault == "NEEDLESS" else "balance"
            await called(made, "--fault", fault, "--question", question, call=fault)
        codes = {}
        for fault in CODES:
            _, said = await called(made, "--fault", fault, esiid=made.esiid(2), call=fault)
            codes[fault] = told(said)["trouble"]["code"]
        await complaint(made, kind="text_503", username=ROR_LOGIN.username, times=1)
        _, pages = await called(made, "--fault", "GIVES-UP-AT-503", call="GIVES-UP")
        found = await requests(made)
    references = [one["callReference"] for one in found]
    assert references.count("SECOND-READ") == 2
    assert references.count("") == 1
    assert references.count("NEEDLESS") == 1
    types = [step["rule"] for one in found for step in one["transitions"] if step["state"] == "found"]
    assert sorted(types) == sorted(FAULTS[fault]["fails"][0] for fault in SLIPS)
    assert codes == CODES
    assert told(pages)["trouble"]["code"] == "no_json"


@pytest.mark.process
@pytest.mark.parametrize(
    ("now", "cycle", "quarters"),
    few(
        1,
        [
            ("2026-11-02T17:40", ("2026-10-29", "2026-11-27"), 4 * 96 + 4 + 70),
            ("2026-03-09T17:40", ("2026-03-05", "2026-04-03"), 4 * 96 - 4 + 70),
        ],
    ),
)
async def test_it_bills_each_quarter_hour_once_over_a_change_of_the_clocks_and_its_faults_do_not(
    tmp_path: Path, now: str, cycle: tuple[str, str], quarters: int
) -> None:
    lost = {}
    async with rig(tmp_path, now) as made:
        for number, fault in enumerate(("", "NAIVE-TIME", "DAY-OF-96"), 1):
            words = ("--fault", fault) if fault else ()
            _, said = await called(made, *words, cycle=cycle, esiid=made.esiid(number))
            truth = made.sandbox.settings.world.meters[number - 1].window(
                epoch(f"{cycle[0]}T00:00"), epoch(f"{now[:11]}17:30"), made.sandbox.runtime.now()
            )
            assert len(truth.delivered) == quarters
            lost[fault] = int(truth.delivered.sum()) - told(said)["wh"]
    assert lost[""] == 0
    # The hour that comes twice; the last one of each posted day.
    assert (lost["NAIVE-TIME"] > 0) is (quarters > 4 * 96 + 70)
    assert lost["DAY-OF-96"] > 0

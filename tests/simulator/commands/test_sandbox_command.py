"""``ami sandbox`` as a process: its ready line, a curl on the market API, Ctrl-C, and what goes wrong in one line."""

from __future__ import annotations

import json
import signal
import socket
from collections import Counter
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from meters import SEED
from meters.calendar import epoch
from meters.device.special import SPECIALS
from simulator.load.alone import callers_in
from simulator.smt.registry.csv_files import write_new_registry
from simulator.world.market import build_market
from simulator.world.meters import build, default_world
from tests.simulator.parties.support import eventually
from tests.simulator.processes import ROOT, Process, complaints, fails, fails_here, patience, serving


def sandbox(out: Path, *options: str, fresh: bool = False) -> AbstractContextManager[tuple[Process, dict[str, Any]]]:
    words = ("sandbox", "--json", "--port-base", "0", "--out", str(out), "--count", "10", *options)
    return serving(*words, fresh=fresh)


@pytest.mark.process
def test_the_ready_line_keeps_the_contract_and_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    faults, replay, out = tmp_path / "faults.yaml", tmp_path / "replay.csv", tmp_path / "out"
    faults.write_text("faults:\n  - {kind: gap, meter: 2, first: 2026-08-11T05:00, until: 2026-08-11T09:30}\n")
    quarters = (f"2026-08-11T{at // 4:02}:{at % 4 * 15:02},111\n" for at in range(96))
    replay.write_text("".join(["start,wh\n", *quarters]))
    words = ("--date", "2026-08-12T17:40", "--faults", str(faults), "--replay", str(replay))
    with sandbox(out, *words, fresh=True) as (process, ready):
        assert ready["event"] == "ready"
        assert set(ready) >= {
            "smt_url",
            "headend_url",
            "ftps",
            "gateways",
            "ca_file",
            "logins",
            "esiids",
            "clock",
            "ror_url",
            "desk_url",
        }
        assert set(ready["logins"]) == {"ror", "other_ror", "csp", "customer", "tdsp", "desk"}
        assert len([row for row in ready["esiids"] if row["esiid"].startswith("104437298")]) == 33
        assert (ready["clock"]["mode"], ready["middle"]) == ("scaled", "law")
        assert [len(gateway["meters"]) for gateway in ready["gateways"]] == [5, 5, len(SPECIALS) + 2]
        # Everybody's rights, for whoever plays a load: of the meters that force nothing.
        rights = callers_in(Path(ready["callers_file"]))
        assert Counter(one.requester for one in rights) == {"REP": 10, "CSP": 1, "RES": 1}
        assert not any(one.esiid.startswith("104437298") for one in rights)
        # The 35 posted days lie on the file site, each with its result codes (PRE1).
        home = out / "ftps" / ready["logins"]["tdsp"]["username"]
        files = [file.read_text().splitlines()[0].split(",")[3][:8] for file in home.glob("*.lse")]
        assert len(set(files)) == 35
        # Meters that told late, the stale one every day, have corrections.
        assert len(files) == len(list(home.glob("*.lse.result.csv"))) > 35
        ror = ready["logins"]["ror"]
        with httpx.Client(base_url=ready["smt_url"], trust_env=False, timeout=20) as http:
            token = http.post("/v2/token/", json={"username": ror["username"], "password": ror["password"]}).json()
            asked = {
                "trans_id": "1",
                "requestorID": ror["username"],
                "requesterType": "REP",
                "requesterAuthenticationID": ror["duns"],
                "startDate": "08/11/2026",
                "endDate": "08/11/2026",
                "deliveryMode": "API",
                "reportFormat": "JSON",
                "version": "L",
                "readingType": "C",
                "esiid": [ready["esiids"][0]["esiid"]],
                "SMTTermsandConditions": "Y",
            }
            headers = {"Authorization": f"Bearer {token['accessToken']}"}
            reads = http.post("/v2/15minintervalreads/", json=asked, headers=headers).json()
            assert reads["energyData"][0]["DT"] == "08/11/2026"
            # The first meter's day is the file's: 96 intervals, and the four places of the hour that autumn repeats.
            assert sorted(reads["energyData"][0]["RD"].split(",")) == [""] * 4 + [".111-A"] * 96
            assert http.get("/openapi.json").json()["paths"]["/v2/odr/"]
        process.send_signal(signal.SIGINT)
        assert process.wait(patience()) == 0
        assert complaints(process.stderr) == ""
    ledger = json.loads((out / "faults.json").read_text())
    of_the_file = ready["gateways"][0]["meters"][1]["esiid"], "gap", 18
    assert of_the_file in {(row["esiid"], row["kind"], row["intervals"]) for row in ledger}
    assert (out / "faults.parquet").stat().st_size


@pytest.mark.process
def test_a_second_start_finds_its_days_and_a_fresh_one_makes_them_and_a_folder_in_use_is_named(tmp_path: Path) -> None:
    words = ("--clock", "manual", "--date", "2026-08-12", "--kept-days", str(tmp_path / "days"))
    told = []
    for more in ((), (), ("--fresh",)):
        with sandbox(tmp_path / "out", *words, *more) as (_, ready):
            counted = httpx.get(
                f"{ready['smt_url']}/control/counts", params={"day": "2026-08-12"}, trust_env=False
            ).json()
            posted = len(list((tmp_path / "out" / "ftps" / "oncor.headend").glob("*.lse")))
            told.append((ready["days"], posted, counted))
            if more:
                assert "out.in_use" in fails("sandbox", "--out", str(tmp_path / "out"), "--port-base", "0")
    assert [days for days, *_ in told] == ["made", "kept", "made"]
    assert len({str(rest) for _, *rest in told}) == 1
    assert told[0][1] > 35
    assert told[0][2]["posted"]["files"] > 0


@pytest.mark.process
def test_over_tls_the_url_keeps_the_address_and_the_local_ca_is_enough(tmp_path: Path) -> None:
    import ssl

    # With records and accounts of a tester's own: the retailer's way to SMT is TLS too.
    world = default_world(date(2026, 8, 12), date(2026, 8, 11), 10)
    write_new_registry(build_market(build(world, SEED, epoch("2026-08-12T12:00"))).registry, tmp_path / "records")
    own = ("--registry", str(tmp_path / "records"), "--accounts", str(ROOT / "docs" / "accounts"))
    with sandbox(tmp_path / "out", "--tls", "--clock", "manual", "--date", "2026-08-12", *own) as (_, ready):
        assert ready["esiids"] == []
        with httpx.Client(base_url=ready["ror_url"], auth=("desk.agent", "pecan-desk-1"), trust_env=False) as http:
            call = http.post("/calls", json={"account_id": "PB-1003"}).json()["id"]
            eventually(lambda: http.get(f"/calls/{call}").json()["state"] == "told")
            assert http.get(f"/calls/{call}").json()["answer"]["trouble"] is None
        assert ready["smt_url"].startswith("https://127.0.0.1:")
        assert (ready["clock"]["now"], ready["middle"]) == ("2026-08-12T12:00:00-05:00", "18,52")
        trust = ssl.create_default_context(cafile=ready["ca_file"])
        assert httpx.get(f"{ready['smt_url']}/healthz", verify=trust, trust_env=False).json()["status"] == "ok"


@pytest.mark.process
def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = fails(
            "sandbox", "--out", str(tmp_path / "a"), "--port-base", "0", "--smt-port", str(port), "--count", "4"
        )
        assert f"http.port_taken: 127.0.0.1:{port}: Port {port}" in told
        assert "--port-base" in told


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--date", "12.08.2026"), "clock.date: --date: '12.08.2026' is not a date"),
        (("--date", "2026-08-12T25:00"), "calendar.instant.malformed: --date"),
        (("--date", "2026-03-08T02:30"), "calendar.instant.skipped: --date"),
        (("--clock", "sundial"), "clock.mode: --clock"),
        (("--middle", "fast"), "smt.middle: --middle"),
        (("--speed", "0"), "clock.speed: --speed"),
        (("--policy", "anything-goes"), "policy.unknown: --policy"),
        (("--date", "2019-05-01"), "clock.date"),
        (("--date", "2020-01-20"), "sandbox.date"),
        (("--out", "/dev/null/x"), "out.unusable"),
        (("--database", "nonsense://"), "database"),
        (("--accounts", "/nowhere"), "ror.accounts.unreadable: /nowhere/accounts.yaml"),
        (("--registry", "/nowhere"), "smt.registry.no_file: /nowhere/entities.csv"),
    ],
)
def test_a_bad_option_is_one_line_with_code_place_and_mend(options: tuple[str, ...], code: str, tmp_path: Path) -> None:
    out = () if "--out" in options else ("--out", str(tmp_path))
    told = fails_here("sandbox", *out, "--port-base", "0", "--count", "4", *options)
    assert code in told
    assert "\n" not in told

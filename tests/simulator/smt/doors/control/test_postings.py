"""What a tester is told of posted files: octets, records, revisions, deliveries, fetches."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from headend.lse.writer import RESULT_SUFFIX, dumps, file_name
from meters.calendar import epoch, seconds
from simulator.smt.usage.postings import Happened
from simulator.smt.usage.site.folders import Homes
from tests.simulator.smt.postgres import DATABASES
from tests.simulator.smt.rig import FOREIGN, NEIGHBOUR, PLAIN, ROR_DUNS, TDSP_DUNS, Rig, record, registry

NOW = "2026-08-12T17:40"
DAY = date(2026, 8, 11)


async def postings(rig: Rig, **asked: Any) -> list[dict[str, Any]]:
    reply = await rig.client.get("/control/postings", params=asked)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["postings"]
    return found


@pytest.fixture(params=DATABASES)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    async with Rig(tmp_path, now=NOW, folders=Homes(tmp_path / "ftps", registry().users), database_url=url) as made:
        yield made


async def test_a_posting_is_told_with_its_records_revisions_deliveries_and_fetches(rig: Rig) -> None:
    at, book = epoch(NOW), rig.smt.intake.postings
    first, second = (file_name(TDSP_DUNS, at, number) for number in (1, 2))
    contents = [
        dumps([record(PLAIN, DAY, at), record(FOREIGN, DAY, at), record(NEIGHBOUR, date(2026, 8, 12), at)]),
        dumps([record(PLAIN, DAY, at, wh=101)]),
    ]
    for name, content, came in zip((first, second), contents, (at, at + seconds(60)), strict=True):
        rig.smt.intake.take_in("wires", name, content, came)
    book.note(Happened.FETCHED, "wires", first + RESULT_SUFFIX, "", 0, at + seconds(300))
    share = (await postings(rig, esiid=PLAIN))[1]["deliveries"][0]["name"]
    book.note(Happened.FETCHED, "lonestar.api", share, "", 0, at + seconds(600))
    book.note(Happened.CUT, "wires", f"{first}.1.cut", "", 12, at + seconds(900))

    cut, latest, earlier = await postings(rig)
    assert (cut["cut"], cut["name"], cut["records"]) == (True, f"{first}.1.cut", [])
    assert (latest["name"], latest["codes"]) == (second, {"00": 1})
    assert [(one["revision"], one["replaces"]) for one in latest["records"]] == [(2, first)]
    assert earlier["sha256"] == hashlib.sha256(contents[0]).hexdigest()
    assert (earlier["octets"], earlier["duns"], earlier["codes"]) == (len(contents[0]), TDSP_DUNS, {"00": 2, "04": 1})
    records = [(one["esiid"], one["code"], one["revision"], one["replaces"]) for one in earlier["records"]]
    assert records == [(NEIGHBOUR, "04", 0, None), (PLAIN, "00", 1, None), (FOREIGN, "00", 1, None)]
    assert earlier["resultsFetchedAt"] == ["2026-08-12T17:45:00-05:00"]
    own, rivals = earlier["deliveries"]
    assert (own["username"], own["duns"], own["name"]) == ("lonestar.api", ROR_DUNS, share)
    assert (own["laidAt"], own["fetchedAt"]) == (["2026-08-12T17:40:00-05:00"], ["2026-08-12T17:50:00-05:00"])
    assert (rivals["username"], rivals["fetchedAt"]) == ("rival.api", [])


async def test_warnings_are_told_as_the_result_file_has_them(rig: Rig, tmp_path: Path) -> None:
    at = epoch(NOW)
    first, second = (file_name(TDSP_DUNS, at, number) for number in (1, 2))
    # A register that goes too far; a record that comes again; the same octets under another name, one of its records turned away.
    doubtful = replace(record(FOREIGN, DAY, at), start_reading_wh=0, stop_reading_wh=90_000_000)
    content = dumps([record(PLAIN, DAY, at), record(NEIGHBOUR, date(2026, 8, 12), at), doubtful])
    for name, came in ((first, at), (second, at + seconds(60))):
        rig.smt.intake.take_in("wires", name, content, came)
    for name, told in zip((first, second), reversed(await postings(rig)), strict=True):
        (file,) = (tmp_path / "ftps").rglob(name + RESULT_SUFFIX)
        with file.open(newline="") as rows:
            said = {row["esiid"]: (row["code"], row["warnings"]) for row in csv.DictReader(rows)}
        assert {one["esiid"]: (one["code"], one["warnings"]) for one in told["records"]} == said
        assert told["warned"] == sum(bool(warnings) for _, warnings in said.values())
        assert sum(told["codes"].values()) == len(told["records"]) == 3
        assert "the registers lie 90000.000 apart" in said[FOREIGN][1]
    assert f"the same octets were posted as {first} at " in "".join(said[PLAIN])
    only = (await postings(rig, esiid=FOREIGN))[0]
    assert (only["warned"], [one["warnings"] for one in only["records"]]) == (1, [said[FOREIGN][1]])


async def test_doubtful_records_are_told_before_the_others(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.smt.doors.control.postings.MOST_RECORDS", 1)
    at = epoch(NOW)
    esiids = sorted((PLAIN, FOREIGN))
    doubtful = replace(record(esiids[1], DAY, at), start_reading_wh=0, stop_reading_wh=90_000_000)
    rig.smt.intake.take_in("wires", file_name(TDSP_DUNS, at, 1), dumps([record(esiids[0], DAY, at), doubtful]), at)
    (posting,) = await postings(rig)
    assert [(one["esiid"], one["warnings"] != "") for one in posting["records"]] == [(esiids[1], True)]
    assert (posting["warned"], posting["recordsLeftOut"]) == (1, 1)


async def test_postings_are_chosen_by_day_tdsp_and_esi_id_and_paged(rig: Rig) -> None:
    for number, esiid in enumerate((PLAIN, NEIGHBOUR), 1):
        at = epoch(NOW) + seconds(86400 * (number - 1))
        rig.smt.intake.take_in("wires", f"{number}.lse", b"nothing", at)
        rig.smt.intake.take_in("wires", file_name(TDSP_DUNS, at, number), dumps([record(esiid, DAY, at)]), at)
    assert len(await postings(rig)) == len(await postings(rig, duns=TDSP_DUNS)) == 4
    assert await postings(rig, duns=ROR_DUNS) == []
    assert {one["at"][:10] for one in await postings(rig, day="2026-08-13")} == {"2026-08-13"}
    (mine,) = await postings(rig, esiid=NEIGHBOUR)
    assert [one["esiid"] for one in mine["records"]] == [NEIGHBOUR]
    everything = await postings(rig)
    assert [(await postings(rig, most=1, skip=number))[0] for number in range(4)] == everything
    assert everything[-1]["codes"].keys() == {"F1"} or everything[-1]["codes"].keys() == {"F2"}
    for wrong in ({"most": 101}, {"esiid": "x"}, {"day": 5}, {"tdsp": "x"}):
        assert (await rig.client.get("/control/postings", params=wrong)).status_code == 400


async def test_records_of_a_large_posting_are_told_up_to_a_bound(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.smt.doors.control.postings.MOST_RECORDS", 2)
    at = epoch(NOW)
    content = dumps([record(PLAIN, date(2026, 8, day), at) for day in range(7, 12)])
    rig.smt.intake.take_in("wires", file_name(TDSP_DUNS, at, 1), content, at)
    (posting,) = await postings(rig)
    assert (len(posting["records"]), posting["recordsLeftOut"], posting["codes"]) == (2, 3, {"00": 5})


async def test_refusals_of_a_try_that_was_cut_off_are_not_told_twice(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    at, name = epoch(NOW), file_name(TDSP_DUNS, epoch(NOW), 1)
    content = dumps([record(esiid, date(2026, 8, 12), at) for esiid in (PLAIN, NEIGHBOUR, FOREIGN)])
    intake = rig.smt.intake
    monkeypatch.setattr("simulator.smt.usage.postings._AT_ONCE", 2)
    cut_off = patch.object(intake.postings, "note", side_effect=RuntimeError("cut off"))
    with cut_off, pytest.raises(RuntimeError, match="cut off"):
        intake.take_in("wires", name, content, at)
    assert await postings(rig) == []
    for _ in range(2):
        intake.take_in("wires", name, content, at)
        (posting,) = await postings(rig)
        assert (posting["codes"], len(posting["records"])) == ({"04": 3}, 3)

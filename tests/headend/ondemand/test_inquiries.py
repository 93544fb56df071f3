"""Inquiries that outlive the head-end that accepted them: kept before the 202, taken once, called back as long as somebody may wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from headend.network.law import Try
from headend.ondemand.desk import BROKEN, GONE, RESTARTED
from headend.ports import MeterReading
from meters.calendar import iso
from tests.headend.rig import END, ESIID, METER, NOW, START, Rig, inquiry


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as rig:
        yield rig


async def test_an_inquiry_posted_twice_is_taken_once_and_another_under_its_id_is_refused(rig: Rig) -> None:
    # The same instants, written otherwise.
    spelled = inquiry(start="2026-08-12T21:00:00Z")
    first, other = await rig.ask(), await rig.ask(meterAllowed=False)
    again = await rig.http.post("/inquiries", json=spelled)
    await rig.wait(10)
    late = await rig.ask()
    await rig.wait(10)
    assert [one.status_code for one in (first, again, late)] == [202, 202, 202]
    assert (other.status_code, other.json()["code"]) == (409, "headend.inquiry.other")
    assert [one["outcome"] for one in rig.called_back] == ["completed"]
    assert rig.became() == ["acknowledged"]


async def test_an_inquiry_left_open_is_read_again_after_a_restart(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    async with rig:
        assert (await rig.ask()).status_code == 202
    assert rig.called_back == []
    rig.now += 600
    async with rig:
        await rig.wait(10)
        (told,) = rig.called_back
        assert (told["outcome"], told["meterReads"], len(told["intervals"])) == ("completed", 1, 6)


async def test_one_left_open_is_answered_from_the_store_that_holds_all_now(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    async with rig:
        await rig.ask()
        wh = np.full(6, 100, np.int32)
        whole = MeterReading(ESIID, "", START, wh, wh, wh.astype(np.uint16) * 0, wh == 100, END, 0, 0, 0)
        rig.store.keep([whole], NOW, "sweep")
    async with rig:
        await rig.wait(1)
        (told,) = rig.called_back
        assert (told["outcome"], told["meterReads"], {one["wh"] for one in told["intervals"]}) == (
            "completed",
            0,
            {100},
        )


async def test_what_falls_short_and_may_is_told_to_where_it_reaches_and_the_rest_is_not_missing(rig: Rig) -> None:
    wh = np.full(4, 100, np.int32)
    part = MeterReading(ESIID, "", START, wh, wh, wh.astype(np.uint16) * 0, wh == 100, END - 1800, 0, 0, 0)
    rig.store.keep([part], NOW, "sweep")
    await rig.ask(storeWithin=1800)
    await rig.wait(1)
    (told,) = rig.called_back
    assert (told["outcome"], told["meterReads"], len(told["intervals"]), told["missing"]) == ("completed", 0, 4, [])
    assert told["reachesTo"] == iso(END - 1800)


async def test_one_left_open_without_time_for_a_read_fails_for_the_restart(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    async with rig:
        await rig.ask()
    rig.now += 2690
    async with rig:
        await rig.wait(1)
        (told,) = rig.called_back
        assert (told["outcome"], told["meterReads"]) == ("failed", 0)
        assert told["reason"].startswith(RESTARTED)
        await rig.wait(3600)
        assert len(rig.called_back) == 1


async def test_an_answer_that_nobody_acknowledged_is_called_back_as_it_was(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.answers = [503]
    async with rig:
        await rig.ask(kind="REGISTER", start=None, end=None)
        await rig.wait(3)
    async with rig:
        await rig.wait(1)
        first, again = rig.called_back
        assert first | {"at": again["at"]} == again
        assert rig.became() == ["acknowledged"]


async def test_a_call_back_is_tried_as_long_as_somebody_may_wait_and_not_for_ever(rig: Rig) -> None:
    rig.answers = [503] * 20
    await rig.ask(answer_by=NOW + 120)
    await rig.wait(3600)
    assert [one["at"] for one in rig.called_back] == [3, 4, 9, 39, 99]
    await rig.ask(key="2", answer_by=NOW + 20_000)
    await rig.wait(3600)
    assert len(rig.called_back) == 5 + 7
    rig.answers = [404]
    await rig.ask(key="3", answer_by=NOW + 20_000)
    await rig.wait(3600)
    assert len(rig.called_back) == 13
    assert rig.became() == ["given up"] * 3


async def test_one_left_open_for_an_esi_id_that_is_in_the_records_no_more_fails_for_that(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    async with rig:
        await rig.ask()
    rig.units = []
    async with rig:
        await rig.wait(1)
        (told,) = rig.called_back
        assert (told["outcome"], told["reason"], told["meterReads"]) == ("failed", GONE, 0)
        assert rig.became() == ["acknowledged"]


async def test_one_that_is_in_hand_is_not_taken_up_again(rig: Rig) -> None:
    await rig.ask()
    rig.headend.desk.recover()
    await rig.wait(10)
    assert len(rig.called_back) == 1
    assert [one for one in rig.journal.entries() if one["kind"] == "inquiry taken up again"] == []


async def test_of_two_meters_the_one_that_is_silent_is_named_and_a_fault_at_one_is_an_answer(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.units = [1, 2]
    silent = str(int(METER.identity.meter_number) + 1)
    async with rig:
        await rig.ask(kind="REGISTER", start=None, end=None)
        await rig.wait(600)
        (told,) = rig.called_back
        assert (told["outcome"], told["meterReads"], told["register"]) == ("failed", 5, None)
        assert told["reason"] == f"meter {silent}: the meter did not answer 4 tries"

        def broken(key: str, attempt: int) -> Try:
            raise ValueError(key, attempt)

        rig.headend.desk.draws = broken
        await rig.ask(key="2", kind="REGISTER", start=None, end=None)
        await rig.wait(10)
        assert (rig.called_back[1]["outcome"], rig.called_back[1]["reason"]) == ("failed", BROKEN)
        assert [one["ident"] for one in rig.journal.entries() if one["kind"] == "internal fault"] == ["2"]

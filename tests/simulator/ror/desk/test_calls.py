"""Calls at a balance desk: each is worked as the use case says, is a record until it is judged, and what a stop has lost is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from meters.calendar import epoch, seconds
from simulator.ror.billing.plan import shipped_plan
from simulator.ror.call.analysis import Question
from simulator.ror.call.inquiry import CallResult, balance_inquiry
from simulator.ror.client import SmtClient
from simulator.ror.desk import calls
from simulator.ror.desk.calls import DeskLimits
from simulator.ror.desk.wire import CallRequest
from simulator.ror.errors import RorError
from simulator.runtime.driver import Runtime
from tests.simulator.ror.desk.support import PLAN, customer, desk_rig
from tests.simulator.ror.support import CALL, PATIENCE_S, Notes, Portal, run_call


def ledger(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()]


async def test_a_call_is_answered_as_the_inquiry_by_itself_answers(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        call_id = await rig.take()
        under_way = await rig.call(call_id)
        assert (under_way["state"], under_way["answer"], under_way["satisfied"]["verdict"]) == ("under way", None, None)
        await rig.to("2026-08-12T17:50")
        told = await rig.call(call_id)
        account, _ = rig.desk.book.account("A-1001").at(CALL)
    plan = shipped_plan(PLAN)

    def process(runtime: Runtime, client: SmtClient, notes: Notes) -> Generator[Any, Any, CallResult]:
        asked = Question.BALANCE, call_id, PATIENCE_S, seconds(5)
        return balance_inquiry(runtime, client, account, plan, *asked, notes)

    alone, _, _ = await asyncio.to_thread(run_call, process)
    assert told["state"] == "told"
    assert told["answer"] == alone.to_dict()
    assert alone.answer.told is not None
    assert told["told_usd"] == str(alone.answer.told.bill.total)
    assert [step["step"] for step in told["steps"]][:2] == ["S1.called", "S2.decided"]


async def test_a_call_under_way_tells_its_steps(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        call_id = await rig.take()
        await rig.to("2026-08-12T17:40:30")
        told = await rig.call(call_id)
        assert [step["step"] for step in told["steps"]] == ["S1.called", "S2.decided", "S6.instant", "S3.requested"]
        assert "worth" in told["steps"][1]["facts"]["reason"]
        assert (await rig.http.get("/healthz")).json()["callsUnderWay"] == 1


async def test_it_satisfies_once_the_re_bill_agrees_and_nobody_calls_again(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        call_id = await rig.take()
        await rig.to("2026-08-13T11:59")
        before = (await rig.call(call_id))["satisfied"]
        assert before["verdict"] is None
        assert (
            before["reason"]
            == "So far answered after 70 s of 180 s patience; the re-bill on VEE data is to come at noon."
        )
        rig.portal.posted = date(2026, 8, 12)
        await rig.to("2026-08-13T12:00")
        told = await rig.call(call_id)
        assert told["rebill"]["vee_usd"] == told["told_usd"]
        assert told["satisfied"]["verdict"] is None
        assert "2026-08-13T17:40:00-05:00" in told["satisfied"]["reason"]
        await rig.to("2026-08-13T17:39:59")
        assert (await rig.call(call_id))["satisfied"]["verdict"] is None
        await rig.to("2026-08-13T17:40")
        assert (await rig.call(call_id))["satisfied"]["verdict"] is True
    lines = ledger(tmp_path)
    assert [(line["state"], line["satisfied"]["verdict"]) for line in lines] == [
        ("under way", None),
        ("told", None),
        ("told", True),
    ]
    assert lines[-1]["rebill"]["satisfied"] is True


async def test_data_that_are_late_are_waited_for_day_by_day_and_not_for_ever(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        call_id = await rig.take()
        await rig.to("2026-08-20T00:00")
        told = await rig.call(call_id)
        assert (told["rebill"]["covered"], told["satisfied"]["verdict"]) == (False, None)
        assert "do not reach" in told["satisfied"]["reason"]
        assert rig.notes.kinds().count("rebilled") == calls.REBILL_DAYS


async def test_a_bill_that_vee_data_do_not_bear_out_does_not_satisfy(tmp_path: Path) -> None:
    class Wrong(Portal):
        def served(self, start: Any, end: Any) -> list[dict[str, Any]]:
            return [one | {"wh": 9_000} for one in super().served(start, end)]

    async with desk_rig(tmp_path, Wrong) as rig:
        call_id = await rig.take()
        await rig.to("2026-08-12T17:50")
        rig.portal.posted = date(2026, 8, 12)
        await rig.to("2026-08-13T12:00")
        judged = (await rig.call(call_id))["satisfied"]
    assert judged["verdict"] is False
    assert "More than 2 % and $1 apart" in judged["reason"]


async def test_who_has_hung_up_or_calls_again_was_not_satisfied(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        short, first = await rig.take(patience_s=20), await rig.take(account_id="A-1001", esiid=None)
        await rig.to("2026-08-12T18:00")
        assert "had hung up: answered after 70 s of 20 s" in (await rig.call(short))["satisfied"]["reason"]
        again = await rig.take(question="last_bill")
        await rig.to("2026-08-12T18:01")
        assert (await rig.call(first))["satisfied"] == {
            "verdict": False,
            "reason": f"The customer called again within 24 h: {again}.",
        }
        assert (await rig.call(again))["state"] == "told"
        await rig.to("2026-08-13T18:01")
        last = (await rig.call(again))["satisfied"]
        assert (last["verdict"], "books" in last["reason"]) == (True, True)
        listed = (await rig.http.get("/calls", params={"most": 2})).json()["calls"]
        assert [one["id"] for one in listed] == [first, again]
        assert (await rig.http.get("/calls", params={"account_id": "A-7"})).json() == {"calls": []}


async def test_a_call_that_nobody_could_bill_does_not_satisfy_and_smt_s_refusal_shows(tmp_path: Path) -> None:
    async with desk_rig(tmp_path, password="wrong") as rig:
        call_id = await rig.take()
        await rig.to("2026-08-12T17:41")
        told = await rig.call(call_id)
        assert told["satisfied"]["reason"] == "No bill of the running cycle could be told."
        assert told["answer"]["trouble"]["code"] == "smt.http_401"
        health = await rig.http.get("/healthz")
        assert (health.status_code, health.json()["smt"]) == (503, "refused")


async def test_without_an_smt_the_caller_is_told_what_the_books_say(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        with patch.object(rig.desk.client, "_http", _Dead()):
            call_id = await rig.take()
            await rig.to("2026-08-12T17:41")
        told = await rig.call(call_id)
        assert told["answer"]["trouble"]["code"] == "smt.unreachable"
        assert "SMT gave no VEE data (smt.unreachable)" in " ".join(told["answer"]["sentences"])
        assert (await rig.http.get("/healthz")).json()["smt"] == "unreachable"
        await rig.take()
        await rig.to("2026-08-12T17:50")
        assert (await rig.http.get("/healthz")).json()["status"] == "ok"


class _Dead:
    async def post(self, *_: Any, **__: Any) -> None:
        raise httpx.ConnectError("nobody listens")


async def test_a_fault_of_the_desk_s_own_fails_the_call_alone(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        with patch.object(calls, "reviewed", side_effect=ZeroDivisionError):
            broken = await rig.take()
            await rig.to("2026-08-12T17:41")
        with patch.object(calls, "reviewed", side_effect=RorError("ror.x", "It cannot be.", mend="Mend it.")):
            wrong = await rig.take()
            await rig.to("2026-08-12T17:42")
        assert (await rig.call(broken))["trouble"]["code"] == "ror.internal"
        assert (await rig.call(wrong))["trouble"] == {"code": "ror.x", "reason": "It cannot be. Mend it."}
        assert (await rig.call(wrong))["satisfied"]["reason"] == "The desk had no answer: It cannot be. Mend it."
        assert rig.notes.kinds() == ["internal fault"]
        assert rig.desk.health().callsUnderWay == 0


async def test_a_fault_after_the_caller_was_told_leaves_what_was_told(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        call_id = await rig.take()
        with patch.object(calls, "rebill", side_effect=ZeroDivisionError):
            await rig.to("2026-08-13T12:00")
        told = await rig.call(call_id)
    assert (told["state"], told["trouble"]["code"]) == ("told", "ror.internal")


async def test_no_more_calls_are_taken_than_the_desk_works_at_once(tmp_path: Path) -> None:
    async with desk_rig(tmp_path, limits=DeskLimits(under_way=2, kept=2)) as rig:
        first, _ = await rig.take(), await rig.take()
        refused = await rig.http.post("/calls", json={"account_id": "A-1001"})
        assert (refused.status_code, refused.json()["code"]) == (429, "ror.calls.many")
        await rig.to("2026-08-12T18:00")
        assert await rig.take() == "call-0003"
        # Of two that are kept the first is gone; the ledger has it.
        assert (await rig.http.get(f"/calls/{first}")).status_code == 404
    assert first in {line["id"] for line in ledger(tmp_path)}


async def test_what_a_killed_desk_had_under_way_is_lost_and_said_and_the_rest_is_there(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        done = await rig.take()
        await rig.to("2026-08-12T17:50")
        told = await rig.call(done)
        lost = await rig.take()
        await rig.to("2026-08-12T17:50:30")
    # The kill comes in the middle of a line.
    with (tmp_path / "calls.jsonl").open("a", encoding="utf-8") as lines:
        lines.write('{"id": "call-00')
    async with desk_rig(tmp_path, at=epoch("2026-08-12T17:55")) as rig:
        assert rig.desk.lost == [lost]
        assert (await rig.http.get("/healthz")).json()["callsLost"] == [lost]
        assert (await rig.call(lost))["state"] == "lost"
        assert (await rig.call(lost))["satisfied"]["reason"] == "The desk was stopped before it had an answer."
        assert (await rig.call(done))["answer"] == told["answer"]
        assert await rig.take() == "call-0003"
    async with desk_rig(tmp_path, at=epoch("2026-08-12T17:56")) as rig:
        assert rig.desk.lost == ["call-0003"]
        assert (await rig.call(lost))["state"] == "lost"


async def test_a_ledger_that_is_ahead_or_cannot_be_read_is_told(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        await rig.take()
    with pytest.raises(RorError, match=r"ror\.ledger\.ahead"):
        async with desk_rig(tmp_path, at=epoch("2026-08-12T17:39")):
            pass
    (tmp_path / "other" / "calls.jsonl").mkdir(parents=True)
    with pytest.raises(RorError, match=r"ror\.ledger\.unreadable"):
        async with desk_rig(tmp_path / "other"):
            pass


async def test_a_ledger_that_takes_no_line_takes_no_call(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        with patch.object(Path, "open", side_effect=OSError(28, "No space left on device")):
            refused = await rig.http.post("/calls", json={"account_id": "A-1001"})
            assert (refused.status_code, refused.json()["code"]) == (503, "ror.ledger.unwritable")
            assert (await rig.http.get("/healthz")).json()["ledger"] == "unwritable"
        assert await rig.take() == "call-0001"
        assert (await rig.http.get("/healthz")).json()["ledger"] == "ok"


async def test_an_instant_without_a_cycle_or_plan_takes_no_call(tmp_path: Path) -> None:
    later = partial(customer, "A-1002", "10443720000000025", date(2026, 8, 15))
    async with desk_rig(tmp_path, customers=(customer(), later())) as rig:
        refused = await rig.http.post("/calls", json={"account_id": "A-1002"})
        assert (refused.status_code, refused.json()["code"]) == (409, "ror.account.no_plan")
        await rig.to("2026-09-15T00:00")
        gone = await rig.http.get("/accounts/A-1001")
        assert (gone.status_code, gone.json()["code"]) == (409, "ror.account.no_cycle")
    assert not (tmp_path / "calls.jsonl").exists()


def test_a_request_names_one_customer() -> None:
    for asked in ({}, {"account_id": "A-1", "esiid": "10443720000000017"}):
        with pytest.raises(ValueError, match="give account_id or esiid"):
            CallRequest.model_validate(asked)


async def test_a_second_call_counts_against_the_first_after_a_restart_too(tmp_path: Path) -> None:
    async with desk_rig(tmp_path) as rig:
        await rig.take(question="last_bill")
        await rig.to("2026-08-12T17:45")
        await rig.take(question="last_bill")
        await rig.to("2026-08-12T17:46")
    async with desk_rig(tmp_path, at=epoch("2026-08-13T18:00")) as again:
        first = await again.call("call-0001")
    assert first["satisfied"]["verdict"] is False
    assert "call-0002" in first["satisfied"]["reason"]

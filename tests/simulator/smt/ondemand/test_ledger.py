"""The ledger: what it keeps in memory, and two processes that file the same request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import Engine, event

from headend.wire import InquiryKind, InquiryResult
from meters.calendar import INTERVAL_S, ends_within, epoch, iso, to_us
from simulator.smt.ondemand import ledger
from simulator.smt.ondemand.ledger import KeyTakenError, Ledger, Transition
from simulator.smt.ondemand.lifecycle import Filed, State
from simulator.smt.throttle.decision import Door
from tests.simulator.smt.postgres import opened
from tests.simulator.smt.rig import PLAIN, Rig

END = epoch("2026-08-12T17:30")
BEGIN = END - 70 * INTERVAL_S


def filed(key: str) -> Filed:
    who = (Door.API, "lonestar.api", "9990000000011", "ror_call_centre", "t", "")
    return Filed(key, InquiryKind.INTERVALS, PLAIN, *who, BEGIN, END, None, (), to_us(END))


def answer(key: str) -> InquiryResult:
    ends = ends_within(BEGIN, END)
    intervals = [{"end": iso(end), "wh": 100, "source": "meter", "collectedAt": iso(END + 600)} for end in ends]
    return InquiryResult.model_validate({"correlationId": key, "outcome": "completed", "intervals": intervals})


def test_memory_holds_the_latest_up_to_so_many_octets_and_the_others_are_read_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_KEPT", 200_000)
    kept = Ledger(engine)
    for number in range(40):
        kept.file(filed(f"{number:02}"), Transition(State.REQUESTED, to_us(END)))
    assert len(kept._entries) == 40
    for number in range(10):
        key = f"{number:02}"
        kept.append(key, Transition(State.ANSWERED, to_us(END) + 1), answer(key))
        kept.append(key, Transition(State.COMPLETED, to_us(END) + 2))
    # 70 intervals outweigh what a request is without them.
    assert list(kept._entries) == ["07", "08", "09"]
    for key in ("00", "09", "30"):
        assert kept.entry(key) == Ledger(engine).entry(key)
    old = kept.entry("00")
    assert old is not None
    assert old.content == answer("00")


def filed_once(engine: Engine) -> None:
    errors: list[object] = []
    event.listen(engine, "handle_error", errors.append)
    first, second = Ledger(engine, shared=True), Ledger(engine, shared=True)
    first.file(filed("a"), Transition(State.REQUESTED, to_us(END)))
    with pytest.raises(KeyTakenError):
        second.file(replace(filed("a"), username="rival.api"), Transition(State.REQUESTED, to_us(END)))
    entry = second.entry("a")
    assert entry is not None
    assert entry.filed.username == "lonestar.api"
    assert [one.keep_call_back("a", answer("a"), to_us(END)) for one in (first, second)] == [True, False]
    # What another process enters meanwhile has its own place.
    with patch.object(second, "entry", return_value=entry):
        first.append("a", Transition(State.ACCEPTED, to_us(END)))
        second.append("a", Transition(State.FOUND, to_us(END), rule="SECOND-ANSWER"))
    assert [step.state.value for step in Ledger(engine).audit(PLAIN)[0].transitions] == [
        "requested",
        "accepted",
        "found",
    ]
    # PostgreSQL would write them into the server's log.
    assert errors == []


def test_a_key_is_filed_once_and_one_that_is_taken_is_no_error_of_the_database(engine: Engine) -> None:
    filed_once(engine)


def test_so_it_is_on_postgresql(postgres_url: str) -> None:
    with opened(postgres_url) as engine:
        filed_once(engine)


def miss_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other worker commits between this one's look for a free key and its entry."""
    look, late = ledger.entry, [True]
    monkeypatch.setattr(ledger, "entry", lambda key: None if late and late.pop() else look(key))


async def test_the_same_request_filed_at_two_workers_in_one_instant_is_two_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []
    for beside in (False, True):
        async with Rig(tmp_path / str(beside), "smt-today") as rig:
            first = await rig.asked(trans_id="again")
            if beside:
                miss_once(rig.smt.ledger, monkeypatch)
            second = await rig.asked(trans_id="again")
            keys.append([first["correlationId"], second["correlationId"]])
            assert len(rig.smt.ledger.audit(PLAIN, rig.today())) == 2
    alone, raced = keys[0], keys[1]
    assert raced == alone

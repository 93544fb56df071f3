"""The ledger: what it keeps in memory, and two processes that file the same request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Engine, event

from headend.wire import InquiryKind, InquiryResult
from meters.calendar import INTERVAL_S, day_of, ends_within, epoch, iso, to_us
from simulator.smt.ondemand import ledger
from simulator.smt.ondemand.ledger import Entry, KeyTakenError, Ledger, Transition
from simulator.smt.ondemand.lifecycle import Filed, State
from simulator.smt.throttle.decision import Door
from tests.simulator.smt.postgres import opened
from tests.simulator.smt.rig import NEIGHBOUR, PLAIN, Rig

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


def lived(kept: Ledger, key: str, at: int, *states: State, reads: int = 0, **changed: Any) -> None:
    """A request of so many seconds after the gap's end, a second from each state to the next."""
    kept.file(
        replace(filed(key), submitted_us=to_us(END + at), **changed), Transition(State.REQUESTED, to_us(END + at))
    )
    for number, state in enumerate(states, 1):
        kept.append(key, Transition(state, to_us(END + at + number), meter_reads=reads))


@pytest.mark.parametrize("shared", [False, True])
def test_requests_are_found_by_esi_id_kind_state_day_and_call(engine: Engine, shared: bool) -> None:
    kept = Ledger(engine, shared=shared)
    done = (State.ACCEPTED, State.ANSWERED, State.COMPLETED)
    lived(kept, "a", 0, *done, reads=1, call_reference="call-1")
    lived(kept, "b", 10, *done)
    lived(kept, "c", 20, State.ACCEPTED, State.QUEUED)
    lived(kept, "d", 30, State.REFUSED)
    lived(kept, "e", 86_400, State.ACCEPTED, State.SENT, esiid=NEIGHBOUR)
    kind = InquiryKind.INTERVALS

    def key(entry: Entry | None) -> str | None:
        return None if entry is None else entry.filed.key

    assert key(kept.latest(PLAIN, kind)) == "c"
    assert key(kept.latest(PLAIN, kind, State.COMPLETED)) == "b"
    assert key(kept.latest(PLAIN, kind, State.COMPLETED, before_us=to_us(END + 10))) == "a"
    assert kept.latest(PLAIN, InquiryKind.POWER) is None
    # The store alone answered b; a's answer came at its second second.
    assert kept.latest_read(PLAIN, kind, to_us(END + 2)) == "a"
    assert kept.latest_read(PLAIN, kind, to_us(END + 3)) is None
    assert [key(one) for one in kept.audit(PLAIN, most=2)] == ["c", "d"]
    assert [key(one) for one in kept.audit(day=day_of(END))] == ["a", "b", "c", "d"]
    assert [key(one) for one in kept.audit(call_reference="call-1")] == ["a"]
    assert [key(one) for one in kept.unfinished()] == kept.open_keys() == ["c", "e"]
    assert [key(one) for one in kept.unfinished(State.SENT)] == ["e"]
    assert kept.open_counts() == {State.QUEUED: 1, State.SENT: 1}
    assert kept.entry("f") is None
    with pytest.raises(KeyError):
        kept.append("f", Transition(State.ACCEPTED, to_us(END)))


def test_what_workers_put_by_is_handed_over_where_several_share_a_database(engine: Engine) -> None:
    alone, shared = Ledger(engine), Ledger(engine, shared=True)
    lived(alone, "a", 0, State.ACCEPTED)
    assert alone.keep_call_back("a", answer("a"), to_us(END))
    assert not alone.keep_call_back("a", answer("a"), to_us(END))
    assert shared.call_backs(["a", "b"]) == {"a": answer("a")}
    assert alone.call_backs(["a"]) == shared.call_backs([]) == {}


def test_the_last_look_through_the_queue_is_kept(engine: Engine) -> None:
    kept = Ledger(engine)
    assert kept.swept_us() is None
    for at in (END, END + 60):
        kept.note_sweep(to_us(at))
        assert Ledger(engine).swept_us() == to_us(at)

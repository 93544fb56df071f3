"""Complaints in the book: over a restart, over several processes, while the database is away; how many may be on, and how they end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from meters.calendar import Seconds, epoch
from simulator.smt.complaints import declared as complaints
from simulator.smt.complaints.book import ComplaintBook
from simulator.smt.complaints.declared import Complaint, Complaints, ComplaintSpec, Sought, TooManyError
from tests.simulator.smt.rig import NOW, PASSWORD, Notes, Rig

BEGUN = epoch(NOW)
AUTHENTICATE = "/commonapi/user/authenticate"


def away(*_: object) -> None:
    raise OperationalError("SELECT", {}, Exception("away"))


def test_while_the_database_is_away_a_worker_goes_by_what_it_knew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (Complaints(lambda: BEGUN, Notes(), ComplaintBook(engine), shared=True) for _ in range(2))
    made = first.declare(ComplaintSpec.model_validate({"kind": "text_503"}))
    begun = time.monotonic()
    monkeypatch.setattr(complaints, "LOOK_S", 0)
    monkeypatch.setattr(time, "monotonic", lambda: begun + 1)
    event.listen(engine, "before_cursor_execute", away)
    assert not second
    event.remove(engine, "before_cursor_execute", away)
    assert second
    event.listen(engine, "before_cursor_execute", away)
    assert second
    assert [one.ident for one in second.on()] == [made.ident]
    event.remove(engine, "before_cursor_execute", away)


async def test_complaints_outlive_a_restart_with_their_strikes(tmp_path: Path) -> None:
    def on(rig: Rig, **spec: Any) -> str:
        return rig.smt.complaints.declare(ComplaintSpec.model_validate({"kind": "text_503"} | spec)).ident

    async def statuses(rig: Rig, calls: int) -> list[int]:
        body = {"username": "customer", "password": PASSWORD}
        return [(await rig.client.post(AUTHENTICATE, json=body)).status_code for _ in range(calls)]

    async with Rig(tmp_path) as rig:
        on(rig, times=3, paths=["/commonapi"], username="customer")
        lifted = on(rig, kind="access_denied")
        on(rig, until="2026-08-12T17:40", paths=["/v2/"])
        assert await statuses(rig, 1) == [503]
        assert rig.smt.complaints.lift(lifted)
    async with Rig(tmp_path) as rig:
        assert [(complaint.ident, complaint.strikes, complaint.until) for complaint in rig.smt.complaints] == [
            ("complaint-1", 1, None),
            ("complaint-3", 0, BEGUN),
        ]
        assert [entry["complaint"] for entry in rig.notes.of("complaint still on")] == ["text_503", "text_503"]
        assert await statuses(rig, 3) == [503, 503, 200]
        assert on(rig) == "complaint-4"


def spec(**fields: Any) -> ComplaintSpec:
    return ComplaintSpec.model_validate({"kind": "text_503"} | fields)


@pytest.fixture
def both(engine: Engine) -> list[Complaints]:
    """Those of two processes at one database."""
    return [Complaints(lambda: BEGUN, Notes(), ComplaintBook(engine), shared=True) for _ in range(2)]


def test_a_strike_counts_once_over_all_processes_and_not_once_more_than_its_times(both: list[Complaints]) -> None:
    first, second = both
    made = first.declare(spec(times=2))
    assert [one.ident for one in second] == [made.ident]
    struck = [process.strike(Sought(), made.spec.kind) for process in (first, second, first)]
    assert [one and one.strikes for one in struck] == [1, 2, None]
    # Of one that another process has used up, only a look tells.
    assert [one.strikes for one in first] == [2]
    assert first.on() == second.on() == []


def test_one_that_another_process_lifted_strikes_no_more_and_is_lifted_once(both: list[Complaints]) -> None:
    first, second = both
    made = first.declare(spec())
    assert first.strike(Sought()) is made
    lifted = second.lift(made.ident)
    assert lifted is not None
    assert lifted.strikes == 1
    assert first.strike(Sought()) is None
    assert (first.lift(made.ident), second.lift("complaint-7")) == (None, None)


def test_so_many_may_be_on_and_one_more_when_one_is_lifted(
    both: list[Complaints], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(complaints, "MOST", 2)
    first, second = both
    idents = [process.declare(spec()).ident for process in both]
    with pytest.raises(TooManyError):
        second.declare(spec())
    assert first.lift(idents[0])
    # No number is given twice.
    assert second.declare(spec()).ident == "complaint-3"


@pytest.mark.parametrize(
    ("narrow", "sought", "hit"),
    [
        ({"username": "a"}, Sought("a"), True),
        ({"username": "a"}, Sought("b"), False),
        ({"duns": "1"}, Sought("a", "1"), True),
        ({"duns": "1"}, Sought("a", "2"), False),
        ({"esiids": ["1", "2"]}, Sought(esiids=("2", "3")), True),
        ({"esiids": ["1", "2"]}, Sought(), False),
        ({"host": "Its.Name"}, Sought(host="its.name"), True),
        ({"host": "its.name"}, Sought(host="name"), False),
        ({"header": "X-Kind: iOS"}, Sought(headers={"x-kind": "for ios 18"}), True),
        ({"header": "x-kind"}, Sought(headers={"kind": "x-kind"}), False),
        ({"lacks": "x-kind: ios"}, Sought(headers={"x-kind": "web"}), True),
        ({"lacks": "x-kind"}, Sought(headers={"x-kind": ""}), False),
    ],
)
def test_one_hits_whom_it_names(narrow: dict[str, Any], sought: Sought, hit: bool) -> None:
    assert Complaint(1, spec(**narrow), None, None).hits(sought) is hit


@pytest.mark.parametrize(
    ("first", "until", "on"),
    [(None, None, True), (BEGUN, None, True), (BEGUN + 1, None, False), (None, BEGUN, False), (None, BEGUN + 1, True)],
)
def test_one_is_on_from_its_first_instant_to_before_its_last(
    first: Seconds | None, until: Seconds | None, on: bool
) -> None:
    assert Complaint(1, spec(), first, until).on(BEGUN) is on

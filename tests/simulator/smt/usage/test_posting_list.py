"""Postings as they are found: whose, of which day, with whose record."""

from __future__ import annotations

from datetime import date

import pytest

from headend.lse.writer import dumps, file_name
from meters.calendar import day_of, epoch
from simulator.smt.usage.postings import Happened
from tests.simulator.smt.rig import FOREIGN, NEIGHBOUR, PLAIN, TDSP_DUNS, Rig, record

DAY, AT = date(2026, 8, 11), epoch("2026-08-12T17:40")
LATER = AT + 86_400


@pytest.fixture
async def names(rig: Rig) -> list[str]:
    """Two postings, a day apart; of the first one record is turned away."""
    found = []
    for number, (at, records) in enumerate(
        ((AT, [record(PLAIN, DAY, AT), record(FOREIGN, DAY, AT), record(NEIGHBOUR, date(2026, 8, 12), AT)]),
         (LATER, [record(PLAIN, DAY, LATER, wh=101)])), 1
    ):  # fmt: skip
        found.append(file_name(TDSP_DUNS, at, number))
        rig.smt.intake.take_in("wires", found[-1], dumps(records), at)
    return found


async def test_postings_are_found_by_user_day_and_esi_id_the_latest_first(rig: Rig, names: list[str]) -> None:
    def found(users: str = "wires", day: date | None = None, esiid: str | None = None, **page: int) -> list[str]:
        asked = {"most": 9, "skip": 0} | page
        return [one.name for one in rig.smt.posting_list.found([users], day, esiid, records=9, **asked)]

    first, second = names
    assert found() == [second, first]
    assert found("lonestar.api") == []
    assert [found(day=day_of(at)) for at in (AT, LATER, AT - 86_400)] == [[first], [second], []]
    # Loaded, or turned away.
    assert [found(esiid=esiid) for esiid in (PLAIN, FOREIGN, NEIGHBOUR)] == [[second, first], [first], [first]]
    assert (found(most=1), found(most=1, skip=1), found(skip=2)) == ([second], [first], [])


async def test_what_was_turned_away_is_told_first_and_how_many_are_left_out(rig: Rig, names: list[str]) -> None:
    def told(esiid: str | None, records: int) -> tuple[list[tuple[str, str, str | None]], dict[str, int], int]:
        posting = rig.smt.posting_list.found(["wires"], None, esiid, 9, 0, records)[-1]
        return [(one.esiid, one.code, one.replaces) for one in posting.records], posting.codes, posting.left_out

    every = [(NEIGHBOUR, "04", None), (PLAIN, "00", None), (FOREIGN, "00", None)]
    assert told(None, 9) == (every, {"00": 2, "04": 1}, 0)
    assert told(None, 1) == (every[:1], {"00": 2, "04": 1}, 2)
    assert told(FOREIGN, 9) == (every[2:], {"00": 1}, 0)
    latest = rig.smt.posting_list.found(["wires"], None, None, 1, 0, 9)[0]
    assert [(one.revision, one.replaces) for one in latest.records] == [(2, names[0])]


async def test_an_upload_that_was_cut_off_is_a_posting_without_records(rig: Rig, names: list[str]) -> None:
    rig.smt.intake.postings.note(Happened.CUT, "wires", f"{names[0]}.1.cut", "", 12, LATER + 60)
    cut = rig.smt.posting_list.found(["wires"], None, None, 1, 0, 9)[0]
    assert (cut.cut, cut.name, cut.octets, cut.records, cut.codes) == (True, f"{names[0]}.1.cut", 12, [], {})

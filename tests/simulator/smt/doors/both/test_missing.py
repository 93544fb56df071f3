"""What SMT lacks of a day, as both doors tell it."""

from __future__ import annotations

from datetime import date

import pytest

from tests.simulator.smt.rig import ROR_DUNS, TDSP_DUNS, Rig

DAY = date(2026, 8, 11)


async def test_both_doors_tell_it_with_names_and_up_to_a_bound(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    told = (await rig.client.get("/control/missing", params={"day": "2026-08-11"})).json()
    assert (told["day"], told["over"]) == ("2026-08-11", True)
    (own,) = [group for group in told["groups"] if group["ror"] == ROR_DUNS]
    assert (own["tdsp"], own["missing"], own["expected"]) == (TDSP_DUNS, own["expected"], len(own["esiids"]))
    assert own["tdspName"]
    assert own["rorName"]
    assert (await rig.missing(DAY, "lonestar.api")).json()["groups"] == [own]
    assert (await rig.missing(rig.today(), "lonestar.api")).json()["over"] is False
    monkeypatch.setattr("simulator.smt.doors.both.missing.MOST_NAMED", 1)
    groups = (await rig.missing(DAY, "wires")).json()["groups"]
    assert sum(len(group["esiids"]) for group in groups) == 1
    assert sum(group["missing"] for group in groups) > 1
    for wrong in ({}, {"day": "11.8."}, {"day": "2026-08-11", "ror": "1"}):
        assert (await rig.client.get("/control/missing", params=wrong)).status_code == 400

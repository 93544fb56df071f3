"""What SMT lacks of a day, by TDSP and ROR: only what it should have, each asker their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from headend.vee.quality import Channel
from meters.calendar import seconds
from simulator.smt.usage.missing import MissingOf, missing
from tests.simulator.smt.postgres import DATABASES
from tests.simulator.smt.rig import FOREIGN, NEIGHBOUR, PLAIN, RIVAL_DUNS, ROR_DUNS, Rig, record

DAY, NEXT = date(2026, 8, 11), date(2026, 8, 12)


@pytest.fixture(params=DATABASES)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    async with Rig(tmp_path, now="2026-08-12T17:40", database_url=url) as made:
        yield made


async def test_what_is_not_loaded_is_told_by_tdsp_and_ror_of_record(rig: Rig) -> None:
    rig.smt.store.load(
        [record(PLAIN, DAY, seconds(1)), record(FOREIGN, DAY, seconds(1), Channel.GENERATION)], seconds(2)
    )
    registry, store = rig.smt.registry, rig.smt.store
    found = {(one.tdsp_key, one.ror): one for one in missing(registry, store, DAY)}
    mine = found["coastal", ROR_DUNS]
    assert NEIGHBOUR in mine.esiids
    assert PLAIN not in mine.esiids
    assert mine.expected == len(mine.esiids) + 1
    # Generation alone is not the day.
    assert any(FOREIGN in one.esiids for one in found.values())
    assert missing(registry, store, NEXT)[0].esiids == sorted([*mine.esiids, PLAIN])
    # What an assumption does not hold of is not waited for.
    point = registry.points[NEIGHBOUR]
    for broken in (
        replace(point, ams=False),
        replace(point, provisioned=False),
        replace(point, receiving=False),
        replace(point, lse=False),
    ):
        registry.points[NEIGHBOUR] = broken
        assert all(NEIGHBOUR not in one.esiids for one in missing(registry, store, DAY))


async def test_each_is_told_of_their_own(rig: Rig) -> None:
    registry, store = rig.smt.registry, rig.smt.store
    everything = missing(registry, store, DAY)
    wires, rival = (missing(registry, store, DAY, registry.users[name]) for name in ("wires", "rival.api"))
    assert wires == [one for one in everything if one.tdsp_key == "coastal"]
    assert {one.ror for one in rival} == {RIVAL_DUNS}
    assert all(isinstance(one, MissingOf) for one in rival)

"""Who may ask for what, with which log-in: of a market, and as a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from simulator.world.callers import read_rights, rights_of, write_rights
from simulator.world.market import build_market
from simulator.world.market_spec import OTHER_ROR_DUNS, MarketSpec, SwitchSpec
from simulator.world.meters import WorldSpec, build

DAY = date(2026, 8, 12)
ESIID = "10443729924385485"


def test_a_markets_rights_are_read_again_as_they_were_written(tmp_path: Path) -> None:
    switch = SwitchSpec(meter=1, to=OTHER_ROR_DUNS, effective=DAY)
    world = build(WorldSpec(first_day=DAY, meters=8, gateways=2, market=MarketSpec(switches=(switch,))), 3)
    rights = list(rights_of(build_market(world), DAY))
    # Of five more service points each lacks something, so nobody may ask for them.
    by_login = {
        name: [one.esiid for one in rights if one.login.username == name]
        for name in ("pecanbend.api", "saltfork.api", "customer.one")
    }
    esiids = [meter.identity.esiid for meter in world.meters]
    assert by_login == {
        "pecanbend.api": esiids[1:4],
        "saltfork.api": [esiids[0], *esiids[4:]],
        "customer.one": esiids[:1],
    }
    write_rights(tmp_path / "callers.csv", rights)
    assert read_rights(tmp_path / "callers.csv") == (rights, [])


def test_each_row_that_is_wrong_is_told_with_its_line_and_the_others_count(tmp_path: Path) -> None:
    rows = (
        (f"{ESIID},1,REP,a,b,1,", "", ""),
        ("1044372992438548,1,REP,a,b,1,", "'1044372992438548' is no ESI ID.", "Write its 17 to 22 digits."),
        (f"{ESIID},1,RAP,a,b,1,", "'RAP' is no requester.", "Did you mean REP?"),
        (f"{ESIID},1,REP,a,,1,", "The log-in is not whole.", "Write username and password."),
        (f"{ESIID},,RES,a,b,,", "The portal asks for the meter too.", "Write its number as meter_number."),
        (f"{ESIID},1,CSP,a,b,,", "The market API asks for a DUNS number too.", "Write it as duns."),
        (f"{ESIID},1,REP,a,b,1,bulk", "'bulk' is no class of requesters.", "Did you mean ror_bulk?"),
        (f"{ESIID},1,REP", "The row has 3 cells, the first line names 7 columns.", "Put quotes around a comma."),
        (f"{ESIID},1,RES,a,b,,home_automation", "", ""),
    )
    file = tmp_path / "callers.csv"
    file.write_text(
        "\n".join(["esiid,meter_number,requester,username,password,duns,class", *(row for row, *_ in rows)])
    )
    rights, faults = read_rights(file)
    assert [(one.requester, one.counted) for one in rights] == [("REP", ""), ("RES", "home_automation")]
    said = [(f"{file}:{line}", text, mend) for line, (_, text, mend) in enumerate(rows, 2) if text]
    assert [(one.place, one.message) for one in faults] == [one[:2] for one in said]
    assert [one.mend.startswith(mend) for one, (*_, mend) in zip(faults, said, strict=True)] == [True] * len(said)


@pytest.mark.parametrize(("text", "code"), [(None, "no_file"), ("esiid,requester,username,password\n", "empty")])
def test_a_file_that_says_nothing_is_told(tmp_path: Path, text: str | None, code: str) -> None:
    file = tmp_path / "callers.csv"
    if text is not None:
        file.write_text(text)
    rights, (fault,) = read_rights(file)
    assert (rights, fault.code, fault.place) == ([], f"load.callers.{code}", str(file))

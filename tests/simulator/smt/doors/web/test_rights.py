"""Role x page x ownership: who is shown what by every page, and that nobody learns whether a foreign ESI ID exists.

The roles are those of the APIs' table; a page without a row fails.
"""

from __future__ import annotations

import asyncio
import re

import pytest
from fastapi.routing import APIRoute

from simulator.smt.doors.service import _routes
from simulator.smt.registry.records import UserKind
from tests.simulator.smt.doors.test_roles import FOREIGN, OWN, ROLES, UNKNOWN, registry
from tests.simulator.smt.doors.web.visits import cells, kinds, plain, visiting
from tests.simulator.smt.rig import Rig

#: Pages of an ESI ID: what is asked, and who is shown something.
DAYS = "/ui/m/{esiid}/usage?day=2026-08-{day:02d}"
TODAY = {"meter": "premise", "access": "Who"}
#: What needs no session.
OPEN = {"/ui", "/ui/login", "/ui/logout", "/ui/kit", "/ui/files/{name}"}
ROWS = {
    "/ui/",
    "/ui/m/{esiid}/usage",
    "/ui/m/{esiid}/reads",
    "/ui/m/{esiid}/download",
    "/ui/m/{esiid}/meter",
    "/ui/m/{esiid}/access",
    "/ui/m/{esiid}/read",
    "/ui/r/{key}",
}
Shown = dict[tuple[str, str, str], tuple[int, str]]


def test_every_page_has_a_row() -> None:
    assert {one.path for one in _routes() if isinstance(one, APIRoute) and one.path.startswith("/ui")} == ROWS | OPEN


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Status and text of every page about every ESI ID, to every role."""

    async def run() -> Shown:
        found: Shown = {}
        async with Rig(tmp_path_factory.mktemp("rights"), "smt-today", registered=registry()) as rig:
            for esiid in (OWN, FOREIGN):
                rig.post_days(count=45, esiid=esiid)
            key = (await rig.market("/odr/", "ror", ESIID=OWN, readType="INTERVALS")).json()["correlationId"]
            await rig.wait(120)
            for role in ROLES:
                async with visiting(rig, role) as visit:
                    own = [f"/ui/r/{key}", "/ui/"]
                    own += [DAYS.format(esiid=OWN, day=day) for day in range(1, 13)]
                    for path in own:
                        reply = await visit.get(path)
                        found[role, path, OWN] = (reply.status_code, reply.text)
                    for esiid in (OWN, FOREIGN, UNKNOWN):
                        for name in ("usage?day=2026-08-11", "usage?day=2026-08-11&view=month", "usage?view=year", "reads?to=2026-08-11", "download?from=2026-08-01&to=2026-08-11", *TODAY):  # fmt: skip
                            reply = await visit.get(f"/ui/m/{esiid}/{name}")
                            found[role, name, esiid] = (reply.status_code, reply.text)
                        reply = await visit.post(f"/ui/m/{esiid}/read", kind="REGISTER")
                        found[role, "read", esiid] = (reply.status_code, reply.text)
        return found

    return asyncio.run(run())


def test_a_day_is_shown_to_whom_it_belongs(shown: Shown) -> None:
    for name, role in ROLES.items():
        drawn = {
            f"08/{day:02d}/2026"
            for day in range(1, 12)
            if len(kinds(shown[name, DAYS.format(esiid=OWN, day=day), OWN][1])) == 96
        }
        assert drawn == role.days, name


def test_today_is_drawn_of_the_newest_read_for_whom_the_esiid_is_today(shown: Shown) -> None:
    for name, role in ROLES.items():
        assert (len(kinds(shown[name, DAYS.format(esiid=OWN, day=12), OWN][1])) == 70) is role.sees_today, name


def test_daily_reads_sums_and_files_are_of_the_days_that_are_ones_own(shown: Shown) -> None:
    for name, role in ROLES.items():
        status, page = shown[name, "reads?to=2026-08-11", OWN]
        assert {row[0] for row in cells(page) if row[0].startswith("08/")} == role.days, name
        assert (status == 200) is bool(role.days), name
        status, file = shown[name, "download?from=2026-08-01&to=2026-08-11", OWN]
        assert set(re.findall(r",(08/\d\d/2026),08/", file)) == role.days, name
        sums = kinds(shown[name, "usage?day=2026-08-11&view=month", OWN][1])
        august = sum(kind == "actual" for kind in sums[-11:]) if sums else 0
        assert august == len(role.days), name


def test_billing_periods_are_those_that_are_wholly_ones_own(shown: Shown) -> None:
    for name, role in ROLES.items():
        assert len(kinds(shown[name, "usage?view=year", OWN][1])) == len(role.periods), name


@pytest.mark.parametrize("page", TODAY)
def test_records_are_shown_to_whom_the_esiid_is_today(shown: Shown, page: str) -> None:
    for name, role in ROLES.items():
        # Who read an ESI ID's data is told to its customer.
        may = role.sees_today and (page != "access" or role.kind is UserKind.CUSTOMER)
        assert (shown[name, page, OWN][0] == 200) is may, name


def test_a_read_is_asked_for_by_whom_the_esiid_is_today_but_the_tdsp(shown: Shown) -> None:
    for name, role in ROLES.items():
        assert (shown[name, "read", OWN][0] != 404) is role.may_ask, name
        page = shown[name, DAYS.format(esiid=OWN, day=12), OWN][1]
        assert ("Read my meter now" in page) is role.may_ask, name


def test_a_request_is_shown_to_who_made_it_and_the_list_has_ones_own(shown: Shown) -> None:
    (path,) = {path for _, path, _ in shown if path.startswith("/ui/r/")}
    for name, role in ROLES.items():
        assert (shown[name, path, OWN][0] == 200) is (name == "ror"), name
        page = shown[name, "/ui/", OWN][1]
        assert (OWN in page) is role.sees_today, name
        assert (FOREIGN in page) is (name == "other-wires"), name


def test_nobody_learns_whether_a_foreign_esiid_exists(shown: Shown) -> None:
    names = {name for _, name, esiid in shown if esiid == UNKNOWN}
    assert len(names) == 8
    for role in ROLES:
        if role != "other-wires":
            for name in names:
                foreign, unknown = (shown[role, name, esiid] for esiid in (FOREIGN, UNKNOWN))
                assert foreign[0] == unknown[0] == 404, (role, name)
                assert plain(foreign[1]) == plain(unknown[1]), (role, name)


async def test_without_a_session_no_page_shows_anything(rig: Rig) -> None:
    rig.post_days()
    for path in ROWS:
        at = path.format(esiid=OWN, key="1")
        reply = await (rig.client.post(at, headers={"origin": "http://smt"}) if path.endswith("read") else rig.client.get(at))  # fmt: skip
        assert (reply.status_code, reply.text) == (303, ""), path

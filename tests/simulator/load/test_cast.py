"""Who asks at an SMT in whose place: log-ins, ESI IDs, what nobody can ask, and the file that says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headend.wire import InquiryKind
from meters.calendar import epoch, to_us
from simulator.capacity.workload.columns import CLASSES, DOORS, KINDS, Workload
from simulator.capacity.workload.plan import plan_of
from simulator.capacity.workload.spec import WorkloadSpec
from simulator.errors import SimulatorError
from simulator.input.yaml_text import YamlDocument
from simulator.load.alone import callers_in, clock_at, part_of
from simulator.load.cast import NO_CUSTOMER, NO_PORTAL_KIND, cast
from simulator.smt.throttle.limits import Door, RequesterClass
from simulator.world.callers import Right, write_rights
from simulator.world.market import Login
from tests.simulator.load.rig import DAY, FIELDS, planned

ONE, OTHER, HOME = Login("one", "1", "111"), Login("other", "2", "222"), Login("home", "3")
RIGHTS = [
    *(Right(f"1044372{at:010d}", str(at), "REP", ONE) for at in range(3)),
    *(Right(f"1044372{at:010d}", str(at), "REP", OTHER) for at in range(3, 8)),
    Right(f"1044372{0:010d}", "0", "RES", HOME),
]


@pytest.fixture(scope="module")
def workload() -> Workload:
    return part_of(planned(), 0, "16", 400)


def test_a_retailer_speaks_through_one_log_in_and_an_esi_id_stays_one(workload: Workload) -> None:
    given = cast(workload, RIGHTS)
    rows, asked = workload.requests, given.workload.requests
    assert len(asked) == len(rows) == 400
    for row in range(400):
        right = given.rights[given.right[row]]
        assert given.workload.esiid(int(asked.esi[row])) == right.esiid
        portal = rows.door[row] == DOORS.index(Door.PORTAL)
        assert right.login == (HOME if portal else (ONE, OTHER)[rows.ror[row] % 2])
    api = rows.door == DOORS.index(Door.API)
    for esi in np.unique(rows.esi[api]):
        assert len(set(given.right[api & (rows.esi == esi)])) == 1
    assert given.esiids == (len(np.unique(rows.esi)), 8)
    assert given.left_out == {}


def test_a_csp_asks_as_one_where_there_is_one(workload: Workload) -> None:
    csp = Right(f"1044372{9:010d}", "9", "CSP", Login("csp", "4", "333"))
    given = cast(workload, [*RIGHTS, csp])
    of_csp = workload.requests.requester_class == CLASSES.index(RequesterClass.CSP)
    assert of_csp.any()
    assert {given.rights[place].requester for place in given.right[of_csp]} == {"CSP"}


def test_a_class_with_a_log_in_of_its_own_asks_through_that_and_an_esi_id_stays_one(workload: Workload) -> None:
    jobs, home = Login("jobs", "5", "111"), Login("home.two", "6")
    known = ("ror_call_centre", "ror_call_centre", "customer")
    usual = [replace(one, counted=known[(ONE, OTHER, HOME).index(one.login)]) for one in RIGHTS]
    own = [replace(one, login=jobs, counted="ror_bulk") for one in usual if one.login == ONE]
    own.append(replace(usual[-1], login=home, counted="home_automation"))
    rows, odd = workload.requests, np.arange(400) % 2 == 1
    portal = rows.door == DOORS.index(Door.PORTAL)
    # Of those at each door every second is of the class that has a log-in of its own.
    own_class = np.where(portal, CLASSES.index(RequesterClass.HOME_AUTOMATION), CLASSES.index(RequesterClass.ROR_BULK))
    others = np.where(portal, CLASSES.index(RequesterClass.CUSTOMER), CLASSES.index(RequesterClass.ROR_CALL_CENTRE))
    rows = replace(rows, requester_class=np.where(odd, own_class, others).astype(np.int8))
    workload = replace(workload, requests=rows)
    given, before = cast(workload, [*usual, *own]), cast(workload, usual)
    for row in range(400):
        right, without = given.rights[given.right[row]], before.rights[before.right[row]]
        asker = CLASSES[rows.requester_class[row]]
        instead = {(ONE, RequesterClass.ROR_BULK): jobs, (HOME, RequesterClass.HOME_AUTOMATION): home}
        assert right.login == instead.get((without.login, asker), without.login)
        assert right.esiid == without.esiid
    asked = {given.rights[place].login for place in given.right}
    assert asked == {ONE, OTHER, HOME, jobs, home}


def test_what_nobody_can_ask_is_left_out_and_told(workload: Workload) -> None:
    rows = workload.requests
    portal = rows.door == DOORS.index(Door.PORTAL)
    odd = replace(rows, kind=np.where(portal, KINDS.index(InquiryKind.POWER), rows.kind).astype(np.int8))
    assert cast(replace(workload, requests=odd), RIGHTS).left_out == {NO_PORTAL_KIND: int(portal.sum())}
    given = cast(workload, RIGHTS[:-1])
    assert given.left_out == {NO_CUSTOMER: int(portal.sum())}
    assert len(given.workload.requests) == 400 - int(portal.sum())
    with pytest.raises(SimulatorError, match=NO_CUSTOMER):
        cast(replace(workload, requests=rows.take(portal)), RIGHTS[:-1])


def test_the_part_that_is_played_is_spread_over_the_hours() -> None:
    whole, part = part_of(planned(), 0, "11-12", None), part_of(planned(), 0, "11-12", 50)
    assert len(part.requests) == 50 < len(whole.requests)
    assert (part.requests.planned_us[[0, -1]] == whole.requests.planned_us[[0, -1]]).all()
    assert set(part.requests.call) <= set(whole.requests.call)


def test_no_hours_are_the_whole_day_and_hours_without_a_request_are_told() -> None:
    fields = {**FIELDS, "calls": {"csp": {"reads": 100}}, "storm": None}
    plan, mistakes = plan_of(YamlDocument("few.yaml", fields), WorkloadSpec.model_validate(fields))
    assert plan is not None, mistakes
    whole = part_of(plan, 0, "", None).requests.planned_us
    hour_of = (whole - to_us(epoch(f"{DAY}T00:00"))) // to_us(3600)
    busy = int(hour_of[0])
    assert part_of(plan, 0, str(busy), None).requests.planned_us.tolist() == whole[hour_of == busy].tolist()
    with pytest.raises(SimulatorError, match=r"load\.empty: --hours: Nobody asks in that time\."):
        part_of(plan, 0, str(min({*range(24)} - {*hour_of.tolist()})), None)


@pytest.mark.parametrize(("hours", "code"), [("x", "load.hours"), ("24", "load.hours"), ("5-3", "load.hours")])
def test_hours_that_there_are_not_are_refused(hours: str, code: str) -> None:
    with pytest.raises(SimulatorError, match=hours) as told:
        part_of(planned(), 0, hours, None)
    assert told.value.code == code


def test_the_first_row_that_is_wrong_is_told_and_how_many_more_there_are(tmp_path: Path) -> None:
    file = tmp_path / "callers.csv"
    row = "123,1,REP,a,b,1"
    file.write_text(f"esiid,meter_number,requester,username,password,duns\n{row}\n{row}\n", "utf-8")
    with pytest.raises(SimulatorError, match="is no ESI ID") as told:
        callers_in(file)
    assert str(told.value.place) == f"{file}:2"
    assert "Another 1 like it." in told.value.message


def test_a_file_without_rows_and_an_address_that_is_none_are_told(tmp_path: Path) -> None:
    (tmp_path / "callers.csv").write_text("esiid,requester,username,password\n", "utf-8")
    with pytest.raises(SimulatorError, match="Nobody may ask"):
        callers_in(tmp_path / "callers.csv")
    with pytest.raises(SimulatorError, match="is no address"):
        clock_at("somewhere", None)


def test_the_rights_that_somebody_wrote_are_those_that_are_read(tmp_path: Path) -> None:
    write_rights(tmp_path / "callers.csv", RIGHTS)
    told = callers_in(tmp_path / "callers.csv")
    assert [(one.esiid, one.requester, one.login.username) for one in told] == [
        (one.esiid, one.requester, one.login.username) for one in RIGHTS
    ]

"""What a scenario says of the market around its meters: who is of record, who lives there, who may look, what the records lack; or a folder of files."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.errors import SimulatorError
from simulator.smt.registry.csv_files import write_registry
from simulator.smt.registry.passwords import password_is
from simulator.smt.registry.records import UsageFormat, UserKind
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.limits import RequesterClass
from simulator.world.market import CSP_LOGIN, build_market, foreign_registry, logins
from simulator.world.market_spec import OTHER_ROR_DUNS, ROR_DUNS, MarketSpec
from simulator.world.meters import World, WorldSpec, build

FIRST = date(2026, 8, 9)
TODAY, TOMORROW = date(2026, 8, 12), date(2026, 8, 13)


def world(**market: Any) -> World:
    return build(WorldSpec(meters=6, first_day=FIRST, market=MarketSpec.model_validate(market)), 1)


def registered(**market: Any) -> tuple[World, Registry]:
    made = world(**market)
    return made, build_market(made).registry


def test_a_switch_makes_the_other_ror_of_record_from_its_midnight() -> None:
    back = {"meter": 1, "to": ROR_DUNS, "effective": "2026-09-01"}
    made, registry = registered(switches=[back, {"meter": 1, "to": OTHER_ROR_DUNS, "effective": "2026-08-13"}])
    days = (TODAY, TOMORROW, date(2026, 8, 31), date(2026, 9, 1))
    rors = [registry.ror_of_record(made.esiid(1), day) for day in days]
    assert rors == [ROR_DUNS, OTHER_ROR_DUNS, OTHER_ROR_DUNS, ROR_DUNS]
    assert registry.ror_of_record(made.esiid(2), TOMORROW) == ROR_DUNS


def test_a_customer_moves_out_and_another_moves_in_and_the_csps_access_ends_with_the_first() -> None:
    made, registry = registered(
        occupancies=[
            {"meter": 1, "customer": "customer.one", "move_out": "2026-08-12"},
            {"meter": 1, "customer": "customer.two", "move_in": "2026-08-13"},
        ],
        agreements=[{"meter": 1, "customer": "customer.one", "first_day": "2026-08-10"}],
    )
    esiid = made.esiid(1)

    def sees(username: str) -> list[bool]:
        user = registry.users[username]
        return [registry.may_see(user, esiid, day) for day in (FIRST, TODAY, TOMORROW)]

    assert sees("customer.one") == [True, True, False]
    assert sees("customer.two") == [False, False, True]
    assert sees(CSP_LOGIN.username) == [False, True, False]
    for login in logins(made.spec.market).values():
        assert password_is(registry.users[login.username], login.password)


def test_a_log_in_is_of_the_class_that_it_is_told_and_a_retailers_may_be_new() -> None:
    told = {
        "pecanbend.api": "ror_call_centre",
        "pecanbend.jobs": "ror_bulk",
        "saltfork.api": "ror_bulk",
        "customer.one": "home_automation",
        "customer.two": "customer",
    }
    made, registry = registered(
        classes=told, agreements=[{"meter": 1, "customer": "customer.one", "first_day": "2026-08-10"}]
    )
    users = registry.users
    assert {name: users[name].requester_class for name in told} == told
    # With the CSP's every class that a policy can name.
    assert {users[name].requester_class for name in logins(made.spec.market)} == {*RequesterClass}
    jobs, api = users["pecanbend.jobs"], users["pecanbend.api"]
    assert (jobs.kind, jobs.duns) == (api.kind, api.duns) == (UserKind.ROR, ROR_DUNS)
    assert registry.may_see(jobs, made.esiid(1), TODAY)
    for login in logins(made.spec.market).values():
        assert password_is(users[login.username], login.password)


def test_a_market_that_tells_no_class_has_those_of_kinds() -> None:
    _, registry = registered()
    assert {user.requester_class for user in registry.users.values()} == {"ror_call_centre", "customer"}


def test_flags_and_file_formats_are_the_worlds() -> None:
    made, registry = registered(
        service_points=[{"meter": 2, "ams": False}, {"meter": 3, "provisioned": False}],
        usage_files={OTHER_ROR_DUNS: "CSV"},
    )
    points = [registry.points[made.esiid(ordinal)] for ordinal in (1, 2, 3)]
    assert [(point.ams, point.provisioned) for point in points] == [(True, True), (False, True), (True, False)]
    formats = [registry.entities[duns].usage_files for duns in (ROR_DUNS, OTHER_ROR_DUNS)]
    assert formats == [UsageFormat.LSE, UsageFormat.CSV]


def test_a_folder_of_files_is_the_registry(tmp_path: Path) -> None:
    switch = {"meter": 1, "to": OTHER_ROR_DUNS, "effective": "2026-08-13"}
    made, told = registered(switches=[switch], usage_files={ROR_DUNS: "NONE"})
    write_registry(told, tmp_path)
    _, read = registered(registry=tmp_path)
    assert read.records == told.records
    assert read.ror_of_record(made.esiid(1), TOMORROW) == OTHER_ROR_DUNS


@pytest.mark.parametrize(("lacks", "said"), [("points", "service_points.csv"), ("users", "log-in pecanbend.api")])
def test_a_folder_of_another_world_is_no_registry(tmp_path: Path, lacks: str, said: str) -> None:
    _, told = registered()
    records = told.records._replace(periods=(), han_devices=())
    if lacks == "points":
        users = tuple(replace(user, esiids=()) for user in records.users)
        records = records._replace(points=records.points[1:], users=users)
    else:
        records = records._replace(users=records.users[1:])
    write_registry(Registry(records.points, records.entities, (), records.users), tmp_path)
    (fault,) = foreign_registry(world(registry=tmp_path))
    assert said in str(fault)
    with pytest.raises(SimulatorError, match=r"market\.registry"):
        build_market(world(registry=tmp_path))


@pytest.mark.parametrize(
    ("market", "said"),
    [
        ({"switches": [{"meter": 1, "to": "999000111", "effective": TODAY}]}, "no ROR of the world has .* Did you mean 9990001110000"),
        ({"switches": [{"meter": 1, "to": ROR_DUNS, "effective": 20260812}]}, "20260812 is no day; write it as 2026-08-12"),
        ({"occupancies": [{"meter": 1, "customer": "customer.one", "move_in": TOMORROW, "move_out": TODAY}]}, "the move-out on 2026-08-12 comes before the move-in on 2026-08-13"),
        ({"agreements": [{"meter": 1, "customer": "customer.one", "first_day": TOMORROW, "last_day": TODAY}]}, "ends on 2026-08-12, before it begins on 2026-08-13"),
        ({"classes": {"customer.one": "ror_bulk"}}, "customer.one is no log-in of class ror_bulk; choose customer or home_automation"),
        ({"registry": "/a", "onboarded": ["customer.one"]}, "the registry's folder says onboarded too; leave one out"),
    ],
)  # fmt: skip
def test_what_no_market_can_be_is_refused(market: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MarketSpec.model_validate(market)


def test_a_day_that_a_customer_moves_in_and_out_on_is_one() -> None:
    one = {"meter": 1, "customer": "customer.one", "move_in": TODAY, "move_out": TODAY}
    agreed = {"meter": 1, "customer": "customer.one", "first_day": TODAY, "last_day": TODAY}
    _, registry = registered(occupancies=[one], agreements=[agreed])
    user, esiid = registry.users["customer.one"], world().esiid(1)
    assert [registry.may_see(user, esiid, day) for day in (FIRST, TODAY, TOMORROW)] == [False, True, False]


def test_meters_that_a_market_names_are_told_with_their_places() -> None:
    told = MarketSpec.model_validate(
        {"switches": [{"meter": 7, "to": ROR_DUNS, "effective": TODAY}], "service_points": [{"meter": 2}, {"meter": 9}]}
    )
    assert list(told.named) == [(("switches", 0), 7), (("service_points", 0), 2), (("service_points", 1), 9)]


def test_the_faults_of_a_folders_files_are_told_first(tmp_path: Path) -> None:
    faults = list(foreign_registry(world(registry=tmp_path / "none")))
    assert {one.code for one in faults} == {"smt.registry.no_file"}

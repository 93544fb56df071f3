"""What is played of a plan: the steps that bear on what is claimed; and what no plan has."""

from __future__ import annotations

import pytest

from scenarios.certify.plan import flight_of, plan_of
from scenarios.certify.strangers import command
from scenarios.errors import ScenarioError
from scenarios.rules.certified import of_role


def test_of_some_ids_alone_the_steps_that_cite_them_are_played() -> None:
    whole, part = plan_of("smt", ["PORTAL"]), plan_of("smt", ["PORTAL"], ["SMT-PT-DASHBOARD"])
    assert {one.name for one in part} < {one.name for one in whole}
    assert all("SMT-PT-DASHBOARD" in one.bears for one in part)
    assert {one.track for one in part} == {"smt"}


def test_in_a_flight_each_ones_plan_comes_behind_the_wires_between_them() -> None:
    claims = {"ror": ["BALANCE"], "headend": ["ONDEMAND"]}
    steps = flight_of(claims)
    tracks = [one.track for one in steps]
    assert tracks == sorted(tracks, key=["flight", "ror", "headend"].index)
    assert all(one.name.startswith(f"{one.track}-") for one in steps if one.track != "flight")
    ident = next(one.id for one in of_role("ror"))
    only = flight_of(claims, [ident])
    assert {one.track for one in only} == {"flight", "ror"}


@pytest.mark.parametrize(
    ("role", "claims", "only", "code", "mend"),
    [
        ("desk", [], (), "certify.no_plan", "Plans: headend, meter, ror, smt."),
        ("smt", ["PORTAL"], ("SMT-PT-DASHBORD",), "certify.only", "SMT-PT-DASHBOARD"),
        ("smt", [], ("SMT-PT-DASHBOARD",), "certify.nothing", "Claim more, or name other ids with --only."),
    ],
)
def test_what_no_plan_has_is_told_with_what_there_is(
    role: str, claims: list[str], only: tuple[str, ...], code: str, mend: str
) -> None:
    with pytest.raises(ScenarioError) as told:
        plan_of(role, claims, only)
    assert told.value.code == code
    assert mend in told.value.mend


def test_an_id_that_neither_of_two_is_held_to_is_told() -> None:
    with pytest.raises(ScenarioError, match=r"certify\.only: --only: Neither is held to SMT-LOGIN\."):
        flight_of({"ror": ["BALANCE"], "headend": ["ONDEMAND"]}, ["SMT-LOGIN"])


@pytest.mark.parametrize(
    ("role", "mutant", "said"),
    [
        ("site", "", "site is a part of a stranger's system, and takes no place by itself."),
        ("desk", "", "There is no stranger's desk."),
        ("smt", "PER-RETAILERS", "The stranger's smt has no mutant PER-RETAILERS."),
    ],
)
def test_a_stranger_that_takes_no_place_is_told(role: str, mutant: str, said: str) -> None:
    with pytest.raises(ScenarioError) as told:
        command(role, mutant, 8610, [])
    assert told.value.message == said
    assert told.value.mend

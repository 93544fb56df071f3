"""Every file of the zoo is told of as the zoo says, by the reader and by what a site decides of its records."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from headend.lse.format import FAULT_KINDS, Severity
from headend.lse.reader import read
from headend.lse.warned import warnings_of
from headend.lse.zoo import Animal, animals
from tests.headend.lse.test_lse import DUNS, ESIID, ORDINARY

ZOO = animals()
#: What no single file can show: it needs what is held, or on record.
NEEDS_MORE = {("stop reading", "00"), ("meter multiplier", "00")}
#: What a site decides, with a clock and what it holds.
DECIDED = ("04", "05")


def kind(animal: Animal) -> tuple[str, str]:
    return animal.field.rstrip("0123456789 "), animal.code


@pytest.mark.parametrize("animal", [one for one in ZOO if one.code not in DECIDED], ids=lambda one: str(one.id))
def test_what_is_wrong_is_told_and_nothing_else(animal: Animal) -> None:
    name, content = animal.file(DUNS, ESIID, ORDINARY)
    found = read(content, name)
    told = [*found.findings, *warnings_of(found.records, {})]
    assert [(one.code, one.line, one.field) for one in told] == [(animal.code, animal.line, animal.field)]
    assert told[0].severity is (Severity.WARNING if animal.code == "00" else Severity.ERROR)
    assert told[0].mend


@pytest.mark.parametrize("animal", [one for one in ZOO if one.code in DECIDED], ids=lambda one: str(one.id))
def test_what_a_site_alone_can_refuse_is_no_fault_of_the_format(animal: Animal) -> None:
    name, content = animal.file(DUNS, ESIID, ORDINARY)
    found = read(content, name)
    assert found.findings == ()
    assert len(found.records) == 2


def test_every_kind_of_fault_has_a_file() -> None:
    assert FAULT_KINDS.keys() - {kind(animal) for animal in ZOO} == NEEDS_MORE
    assert {kind(animal) for animal in ZOO} <= FAULT_KINDS.keys()
    assert len(ZOO) == len({animal.id for animal in ZOO}) >= 60


def test_the_files_are_made_for_any_tdsp_esi_id_and_day() -> None:
    animal = next(one for one in ZOO if one.id == "times-in-utc")
    day = date(2026, 7, 1)
    name, content = animal.file("957877905", "1008901000000000000017", day)
    assert name == f"957877905IntervalData{day + timedelta(days=2):%Y%m%d}073000001.lse"
    assert content.startswith(b"00000001,1008901000000000000017,4,20260701050000,20260702045900,Y,N\n")

"""What pydantic finds wrong, told of the fields as they were written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from simulator.input.mistakes import Parts, day_or_time, did_you_mean, mistakes_of, sentence, shown_value, sound_part
from simulator.input.yaml_text import ClockTime, read_yaml


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Ask(Strict):
    do: Literal["ask"]
    meter: int


class Wait(Strict):
    do: Literal["wait", "rest"]
    until: str


class Place(Strict):
    number: int = Field(default=1, ge=1, lt=5000)
    street: str = Field(default="Elm", min_length=2, max_length=4)
    width: float = Field(default=1.0, gt=0, le=9)

    @model_validator(mode="after")
    def _fits(self) -> Place:
        if self.street == "Oak" and self.number == 2:
            raise ValueError("there is no Oak 2; write another")
        return self


def _known(value: Any) -> Any:
    if value == "odd":
        raise ValueError("it is odd")
    return value


class Door(Strict):
    number: int


class Sheet(Strict):
    name: Annotated[str, BeforeValidator(_known)]
    place: Place = Place()
    side: Side = Side.LEFT
    kind: Literal["home", "shop"] = "home"
    price: Decimal = Field(default=Decimal(1), max_digits=9, decimal_places=2)
    day: Annotated[date, Field(ge=date(2020, 1, 1)), BeforeValidator(day_or_time)] = date(2026, 1, 1)
    at: ClockTime | None = None
    whether: bool = False
    few: list[int] = Field(default=[1, 2], min_length=2, max_length=3)
    steps: list[Annotated[Ask | Wait, Field(discriminator="do")]] = []
    either: list[Ask | Door] = []


def refused(value: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Sheet.model_validate(value)
    return caught.value


def told(text: str) -> list[tuple[str, str, str]]:
    """Place, message and mend of each mistake."""
    written = read_yaml(text, "f")
    found = mistakes_of(refused(written.value), written.value, Sheet, "x.field")
    assert {one.code for one in found} == {"x.field"}
    return [(written.where(one.loc), one.message, one.mend) for one in found]


@pytest.mark.parametrize(
    ("text", "place", "message", "mend"),
    [
        ("side: left", "f:1: name", "The field name is missing.", "Add 'name: ...'."),
        ("name: 3", "f:1: name", "3 is not text.", "Put it in quotes if it is meant as text."),
        ("name: odd", "f:1: name", "It is odd.", "Mend the field."),
        ("{name: x, place: {nubmer: 3}}", "f:1: place.nubmer", "There is no field 'nubmer' here.", "Did you mean number?"),
        ("{name: x, place: {zzz: 3}}", "f:1: place.zzz", "There is no field 'zzz' here.", "Choose one of: number, street, width."),
        ("{name: x, place: 3}", "f:1: place", "3 is not a mapping of fields.", "Write its fields as 'name: value'."),
        ("{name: x, place: {number: 0}}", "f:1: place.number", "0 is out of range: it must be at least 1.", "Mend the number."),
        ("{name: x, place: {number: 5000}}", "f:1: place.number", "5000 is out of range: it must be less than 5,000.", "Mend the number."),
        ("{name: x, place: {number: yes}}", "f:1: place.number", "'yes' is not a whole number.", "Write a whole number."),
        ("{name: x, place: {width: 0}}", "f:1: place.width", "0 is out of range: it must be more than 0.0.", "Mend the number."),
        ("{name: x, place: {width: wide}}", "f:1: place.width", "'wide' is not a number.", "Write a number."),
        ("{name: x, place: {street: E}}", "f:1: place.street", "'E' has 1 characters: at least 2 are wanted.", "Mend the text."),
        ("{name: x, place: {street: Maple}}", "f:1: place.street", "'Maple' has 5 characters: at most 4 are wanted.", "Mend the text."),
        ("{name: x, place: {street: Oak, number: 2}}", "f:1: place", "There is no Oak 2.", "Write another."),
        ("{name: x, side: lefd}", "f:1: side", "'lefd' is not known here.", "Did you mean left?"),
        ("{name: x, kind: barn}", "f:1: kind", "'barn' is not known here.", "Choose one of: home, shop."),
        ("{name: x, price: 1.234}", "f:1: price", "1.234 has too many decimals: at most 2 count.", "Round it."),
        ("{name: x, price: []}", "f:1: price", "A list is not a number.", "Write a number."),
        ("{name: x, day: 2026-02-30}", "f:1: day", "'2026-02-30' is not a day of the calendar.", "Write it as 2026-08-12."),
        ("{name: x, day: 7}", "f:1: day", "7 is no day or time.", "Write it as 2026-08-12, with T17:40 behind it for a time."),
        ("{name: x, day: 2019-12-31}", "f:1: day", "'2019-12-31' is out of range: it must be at least 2020-01-01.", "Mend the day."),
        ("{name: x, at: 24:00}", "f:1: at", "'24:00' is not a time of day.", "Write it as HH:MM, 00:00 to 23:59."),
        ("{name: x, whether: perhaps}", "f:1: whether", "'perhaps' is neither true nor false.", "Write true or false."),
        ("{name: x, few: 3}", "f:1: few", "3 is not a list.", "Write a list: one '- ' per entry."),
        ("{name: x, few: [1]}", "f:1: few", "There are 1 entries: at least 2 are wanted.", "Mend the list."),
        ("{name: x, few: [1, 2, 3, 4]}", "f:1: few", "There are 4 entries: at most 3 are wanted.", "Mend the list."),
        ("{name: x, few: [1, a]}", "f:1: few[2]", "'a' is not a whole number.", "Write a whole number."),
        ("{name: x, steps: [{meter: 1}]}", "f:1: steps[1].do", "The field do is missing: it says what happens.", "Choose one of: ask, wait, rest."),
        ("{name: x, steps: [{do: aks}]}", "f:1: steps[1]", "There is no action 'aks'.", "Did you mean ask?"),
        ("{name: x, steps: [{do: wait}]}", "f:1: steps[1].until", "The field until is missing.", "Add 'until: ...'."),
        ("{name: x, steps: [{do: rest, until: x, utnil: x}]}", "f:1: steps[1].utnil", "There is no field 'utnil' here.", "Did you mean until?"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_a_sentence_and_a_mend(text: str, place: str, message: str, mend: str) -> None:
    assert told(text) == [(place, message, mend)]


def test_of_a_union_without_a_tag_each_members_mistakes_are_told_once_and_unknown_names_first() -> None:
    assert told("{name: x, either: [{number: 1, meter: 2, nubmer: 1}]}") == [
        ("f:1: either[1].number", "There is no field 'number' here.", "Choose one of: do, meter."),
        ("f:1: either[1].nubmer", "There is no field 'nubmer' here.", "Choose one of: do, meter."),
        ("f:1: either[1].meter", "There is no field 'meter' here.", "Choose one of: number."),
        ("f:1: either[1].do", "The field do is missing.", "Add 'do: ...'."),
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "Nothing"),
        ({}, "A mapping"),
        ((), "A list"),
        (True, "true"),
        (1.5, "1.5"),
        ("x" * 60, f"'{'x' * 60}'"),
        ("x" * 61, f"'{'x' * 57}...'"),
    ],
)
def test_a_value_in_a_sentence_is_short(value: Any, shown: str) -> None:
    assert shown_value(value) == shown


def test_a_name_near_a_known_one_is_offered_else_all() -> None:
    assert did_you_mean("resdential", ["residential", "commercial"]) == "Did you mean residential?"
    assert did_you_mean(3, ["residential", "commercial"]) == "Choose one of: residential, commercial."


def test_what_rests_on_sound_fields_can_still_be_looked_at() -> None:
    value = {"name": "x", "side": "lost", "place": {"number": "no", "street": "Ash"}, "few": ["3", 4]}
    sheet, parts = sound_part(Sheet, value, refused(value))
    assert (sheet.name, sheet.few, sheet.place.street) == ("x", [3, 4], "Ash")
    assert parts == Parts(frozenset({"side", "place.number"}))
    assert parts.have("name", "place.street", "kind")
    assert not parts.have("name", "side")
    assert (parts.have("place"), parts.have("place.number"), parts.have("place.numbers")) == (False, False, True)


def test_fields_that_do_not_fit_together_are_lacking_together() -> None:
    value = {"name": "x", "place": {"number": 2, "street": "Oak"}}
    sheet, parts = sound_part(Sheet, value, refused(value))
    assert (sheet.place.street, parts.lacks, parts.have("place")) == ("Oak", frozenset({"place.*"}), False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("on-demand reads are two", "On-demand reads are two."),
        ("nothing: why?", "Nothing: why?"),
        ("kWh, Wh or MWh.", "kWh, Wh or MWh."),
        ("cycle_last must not lie before cycle_first", "cycle_last must not lie before cycle_first."),
        ("odrDate: not there", "odrDate: not there."),
        ("plan.json was altered", "plan.json was altered."),
        ("/v2/odr/ is not asked", "/v2/odr/ is not asked."),
        ("", "."),
    ],
)
def test_a_sentence_begins_with_a_capital_unless_with_a_name(text: str, told: str) -> None:
    assert sentence(text) == told

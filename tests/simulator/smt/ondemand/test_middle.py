"""The way between SMT and the TDSP, as ``--middle`` says it."""

from __future__ import annotations

import pytest

from meters.calendar import rounded_us, to_us
from simulator.errors import SimulatorError
from simulator.smt.ondemand.middle import LOST, LawMiddle, MiddleLaw, middle_of, way_text


def test_two_numbers_are_seconds_to_the_pick_up_and_back_and_nothing_is_lost() -> None:
    drawn = middle_of("18,52.5", 1)("a key")
    assert (drawn.pickup_us, drawn.return_us, drawn.lost, drawn.drawn) == (to_us(18), rounded_us(52.5), "", False)
    assert way_text("18,52.5") == "18 s to the pick-up and 52.5 s back; nothing is lost by lot"


def test_the_law_draws_by_seed_and_key_and_says_so() -> None:
    keys = [str(number) for number in range(40)]
    drawn = {key: middle_of("law", 7)(key) for key in keys}
    assert drawn == {key: middle_of("law", 7)(key) for key in keys}
    assert drawn != {key: middle_of("law", 8)(key) for key in keys}
    assert way_text("law").startswith(f"drawn, {MiddleLaw().median_s:g} s at the median; ")


def test_what_is_lost_by_lot_says_that_it_was_drawn() -> None:
    lost = [LawMiddle(MiddleLaw(lost_share=1.0), 1)(str(number)) for number in range(40)]
    assert {one.lost for one in lost} == set(LOST) - {""}
    assert all(one.drawn for one in lost)


@pytest.mark.parametrize("text", ["fast", "18", "1,2,3", "-1,2", "1,86400", "nan,1"])
def test_what_is_no_way_is_told_with_its_mend(text: str) -> None:
    with pytest.raises(SimulatorError) as refused:
        middle_of(text, 1)
    assert (refused.value.code, refused.value.place) == ("smt.middle", "--middle")
    assert refused.value.mend == "Write law, or two numbers of seconds: 18,52."

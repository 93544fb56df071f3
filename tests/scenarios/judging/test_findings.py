"""A mark claims no more than was compared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scenarios.judging.findings import Rule, check
from simulator.verdicts import Mark

#: What a rule looks at: a comparison that holds or not, or so many things none of which is wrong.
LOOKS = st.lists(st.booleans() | st.integers(min_value=0, max_value=3))


def looked(looks: list[bool | int]) -> Rule:
    rule = Rule()
    for at, one in enumerate(looks):
        if isinstance(one, bool):
            rule.equal(str(at), True, one)
        else:
            rule.none(str(at), [], one)
    return rule


@given(LOOKS)
def test_a_verdict_without_a_comparison_is_never_passed(looks: list[bool | int]) -> None:
    found = check("x", "x", "x", {}, looked(looks))
    assert found.compared == sum(isinstance(one, bool) or one > 0 for one in looks)
    assert found.lacking == tuple(str(at) for at, one in enumerate(looks) if one is not False and one == 0)
    failed, compared = False in [one for one in looks if isinstance(one, bool)], found.compared > 0
    expected = (
        Mark.FAILED if failed else Mark.SKIPPED if not compared else Mark.PARTLY if found.lacking else Mark.PASSED
    )
    assert found.mark is expected


@given(LOOKS, LOOKS)
def test_what_one_rule_takes_over_counts_as_its_own(first: list[bool | int], second: list[bool | int]) -> None:
    rule = looked(first)
    rule.take(looked(second))
    assert rule.mark is looked([*first, *second]).mark
    assert rule.compared == looked([*first, *second]).compared


def test_something_wrong_among_nothing_fails() -> None:
    rule = Rule()
    rule.none("x", ["wrong"], 0)
    assert rule.mark is Mark.FAILED

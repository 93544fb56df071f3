"""Who may see what, day by day."""

from __future__ import annotations

from datetime import date

import pytest

from simulator.smt.ondemand.eligibility import objection
from simulator.smt.registry.records import Entity, EntityKind, RorPeriod, ServicePoint, User, UserKind
from simulator.smt.registry.registry import Registry

SWITCH = date(2026, 8, 12)
BEFORE = date(2026, 8, 11)
MOVE_OUT = date(2026, 8, 20)
AFTER = date(2026, 8, 21)
OLD = User("old", "", UserKind.ROR, "1")
NEW = User("new", "", UserKind.ROR, "2")
OWNER = User("owner", "", UserKind.CUSTOMER, esiids=("e",))
WIRES = User("wires", "", UserKind.TDSP, "9")
OTHER_WIRES = User("other", "", UserKind.TDSP, "8")


def registry() -> Registry:
    return Registry(
        [ServicePoint("e", "17", "coastal")],
        [
            Entity("9", "Coastal", EntityKind.TDSP, "coastal"),
            Entity("8", "Inland", EntityKind.TDSP, "inland"),
            Entity("1", "Old", EntityKind.ROR),
        ],
        [RorPeriod("e", "2", SWITCH, MOVE_OUT), RorPeriod("e", "1", date(2025, 1, 1), BEFORE)],
        [OLD, NEW, OWNER, WIRES, OTHER_WIRES],
    )


@pytest.mark.parametrize(
    ("user", "day", "sees", "asks"),
    [
        (OLD, BEFORE, True, True),
        (OLD, SWITCH, False, False),
        (NEW, BEFORE, False, False),
        (NEW, SWITCH, True, True),
        (NEW, MOVE_OUT, True, True),
        (NEW, AFTER, False, False),
        (OWNER, SWITCH, True, True),
        (WIRES, SWITCH, True, False),
        (OTHER_WIRES, SWITCH, False, False),
    ],
)
def test_a_switch_takes_effect_at_midnight(user: User, day: date, sees: bool, asks: bool) -> None:
    assert registry().may_see(user, "e", day) is sees
    assert registry().may_request(user, "e", day) is asks
    assert registry().may_see(user, "unknown", day) is False
    assert [point.esiid for point in registry().seen_by(user, day)] == (["e"] if sees else [])


def test_a_customer_without_a_retailer_is_refused_with_that_reason() -> None:
    assert objection(registry(), OWNER, "e", None, SWITCH) is None
    assert objection(registry(), OWNER, "e", None, AFTER) == "NO-ROR"
    assert registry().ror_of_record("e", AFTER) is None

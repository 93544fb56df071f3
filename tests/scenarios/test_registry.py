"""The registry of requirements: rows made from the tables that act, and from the file of what tests alone show."""

from __future__ import annotations

import pytest

from scenarios.rules import registry
from scenarios.rules.codes import Code
from scenarios.rules.registry import REGISTRY, Row
from scenarios.rules.requirements import REQUIREMENTS


def test_an_id_of_several_tables_is_told_as_the_first_has_it_with_the_sources_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tables = {
        "SMT": [Code("TOO-MUCH", "limit", "policies", "so many a day")],
        "TDSP": [Code("TOO-MUCH", "rule", "rules", "another"), Code("S2", "rule", "use case 3", "said otherwise")],
    }
    monkeypatch.setattr(registry, "rules", lambda: tables)
    found = registry._load()
    assert found["TOO-MUCH"] == Row("TOO-MUCH", "policies; rules", "SMT", "limit", "so many a day")
    # What the use case has says itself whose it is.
    assert (found["S2"].source, found["S2"].actor, found["S2"].text) == ("use case 3", "ROR", REQUIREMENTS["S2"].text)


def test_what_tests_alone_show_is_in_the_row_with_why() -> None:
    registry._elsewhere.cache_clear()
    found = registry._elsewhere()
    assert found
    assert {ident: (REGISTRY[ident].tests, REGISTRY[ident].why_not) for ident in found} == found
    assert all(tests for tests, _ in found.values())
